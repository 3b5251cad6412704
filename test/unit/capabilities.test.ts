import fc from "fast-check";
import { EncryptJWT } from "jose";
import { describe, expect, it } from "vitest";
import { RegistryError } from "../../worker/registry/errors.ts";
import {
  type Audience,
  type Claims,
  openCapability,
  signCapability as sign,
} from "../../worker/storage/capabilities.ts";

const now = Date.UTC(2026, 0, 1);
const current = { SIGNING_SECRET: "the-current-secret-that-only-tests-know", SIGNING_SECRET_PREVIOUS: null };
const next = { SIGNING_SECRET: "another-secret-that-also-only-tests-know", SIGNING_SECRET_PREVIOUS: null };
const rotated = { ...next, SIGNING_SECRET_PREVIOUS: current.SIGNING_SECRET };

const download: Claims<"download"> = {
  objectKey: "objects/0b7c",
  sizeBytes: 4096,
  digest: `sha256.${"ab".repeat(32)}`,
  isPublic: true,
};
const lifetime = { expiresAt: now + 3_600_000, since: now - 1000 };
const capability = { ...download, ...lifetime };

/** A download's, with another key if need be. */
const signDownload = async (secrets: typeof rotated | typeof current, said: Partial<Claims<"download">> = {}) =>
  await sign(secrets, "download", { ...download, ...said }, lifetime);

/** What opening answers: the capability, or the code of the refusal. */
async function open(
  token: string,
  options: { secrets?: typeof rotated | typeof current; at?: number; audience?: Audience } = {},
) {
  const { secrets = current, at = now, audience = "download" } = options;
  try {
    return await openCapability(secrets, audience, token, at);
  } catch (error) {
    if (error instanceof RegistryError) return error.code;
    throw error;
  }
}

const header = (token: string) => JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64url").toString()) as unknown;

describe("a signed URL", () => {
  it("says what it is for, and nothing is looked up", async () => {
    expect(await open(await signDownload(current))).toEqual(capability);
  });

  it("shows nothing of what it says, so that nobody can tell which object it is about", async () => {
    const [first, second] = [await signDownload(current), await signDownload(current)];
    const parts = first.split(".").map((part) => Buffer.from(part, "base64url").toString("latin1"));
    expect(parts.join()).not.toMatch(/objects|sha256|download|4096/);
    const [, , ...ofSecond] = second.split(".");
    for (const part of ofSecond) expect(first).not.toContain(part);
  });

  it("stands in a query string as it is", async () => {
    const token = await signDownload(current);
    expect(encodeURIComponent(token)).toBe(token);
  });

  it("keeps whatever was put in, times to the second", async () => {
    const time = fc.integer({ min: 1, max: 4_000_000 }).map((seconds) => now + seconds * 1000);
    const hex = fc.stringMatching(/^[0-9a-f]{64}$/);
    await fc.assert(
      fc.asyncProperty(
        fc.uuid(),
        fc.integer({ min: 1, max: 2 ** 42 }),
        hex,
        time,
        async (id, sizeBytes, sha, expiresAt) => {
          const said: Claims<"upload"> = { objectKey: `objects/${id}`, sizeBytes, digest: `sha256.${sha}` };
          const times = { ...lifetime, expiresAt };
          const token = await sign(current, "upload", said, times);
          expect(await open(token, { audience: "upload" })).toEqual({ ...said, ...times });
        },
      ),
      { numRuns: 50 },
    );
  });

  it("works to its end, and then says that it has expired", async () => {
    const token = await signDownload(current);
    expect(await open(token, { at: capability.expiresAt - 1000 })).toEqual(capability);
    expect(await open(token, { at: capability.expiresAt })).toBe("capability-expired");
    expect(await open(token, { at: capability.expiresAt + 1_000_000 })).toBe("capability-expired");
  });

  const part = { objectKey: "objects/0b7c", multipartId: "r2", partNumber: 1, sizeBytes: 5 };
  const facts = { collectionId: "c", visibility: "public", entityOwnerId: "e", grant: null } as const;
  const multipart = { ...part, uploadId: "u", imageId: "i", userId: "p", partBytes: 5, facts };
  const attempt = { provider: "p", state: "s", nonce: "n", verifier: "v", next: "/", sessionId: null };
  const who = { provider: "p", issuer: "i", subject: "s", name: "", email: null, emailVerified: false };
  const account = { ...who, suggestedName: "", isAdmin: false };
  const tokens: Record<Audience, () => Promise<string>> = {
    download: () => signDownload(current),
    upload: () => sign(current, "upload", download, lifetime),
    part: () => sign(current, "part", part, lifetime),
    multipart: () => sign(current, "multipart", multipart, lifetime),
    "sregistry-push": () =>
      sign(current, "sregistry-push", { userId: "p", collectionId: "c", typed: "demo" }, lifetime),
    "sign-in": () => sign(current, "sign-in", attempt, lifetime),
    registration: () => sign(current, "registration", account, lifetime),
  };
  const audiences = Object.keys(tokens) as Audience[];
  it.each(audiences)("for a %s is good for nothing else", async (audience) => {
    const token = await tokens[audience]();
    for (const other of audiences) {
      const opened = await open(token, { audience: other });
      if (other === audience) expect(opened).toMatchObject(lifetime);
      else expect(opened, other).toBe("capability-invalid");
    }
  });

  it("says no more than it must, whatever else was at hand", async () => {
    const more = { ...download, secret: "not for the client" };
    expect(await open(await sign(current, "download", more, lifetime))).toEqual(capability);
  });
});

describe("a forged URL", () => {
  it("is refused, whichever character was changed", async () => {
    const token = await signDownload(current);
    for (let index = 0; index < token.length; index++) {
      // The last character of a part may have bits that mean nothing.
      if (token[index + 1] === "." || index === token.length - 1) continue;
      const other = token[index] === "A" ? "B" : "A";
      expect(await open(token.slice(0, index) + other + token.slice(index + 1)), `character ${index}`).toBe(
        "capability-invalid",
      );
    }
  });

  it.each(["", "x", "a.b.c", "a.b", "....", "\u0000", "é.é.é", "x".repeat(10_000)])(
    "%.20j is refused",
    async (token) => {
      expect(await open(token)).toBe("capability-invalid");
    },
  );

  it("without a signature is refused", async () => {
    const [head, key, iv, claims] = (await signDownload(current)).split(".");
    const none = Buffer.from(JSON.stringify({ alg: "none" })).toString("base64url");
    expect(await open(`${none}.${claims}.`)).toBe("capability-invalid");
    expect(await open(`${head}.${key}.${iv}.${claims}.`)).toBe("capability-invalid");
  });

  it("with the signature of another is refused", async () => {
    const [head, key, , , signature] = (await signDownload(current)).split(".");
    const [, , iv, claims] = (await signDownload(current, { objectKey: "objects/other" })).split(".");
    expect(await open(`${head}.${key}.${iv}.${claims}.${signature}`)).toBe("capability-invalid");
  });

  it("signed by the bare secret, under the right key id, is refused: the key is derived from it", async () => {
    const { kid } = header(await signDownload(current)) as { kid: string };
    const bare = Buffer.alloc(64);
    bare.write(current.SIGNING_SECRET);
    const forged = await new EncryptJWT({ may: download })
      .setProtectedHeader({ alg: "dir", enc: "A256CBC-HS512", kid })
      .setAudience("download")
      .setIssuedAt(now / 1000)
      .setExpirationTime(now / 1000 + 60)
      .encrypt(new Uint8Array(bare));
    expect(await open(forged)).toBe("capability-invalid");
  });
});

describe("changing the signing secret", () => {
  it("leaves older URLs working while the previous one is kept", async () => {
    expect(await open(await signDownload(current), { secrets: rotated })).toEqual(capability);
  });

  it("signs new URLs with the new one alone", async () => {
    const token = await signDownload(rotated);
    expect(await open(token, { secrets: next })).toEqual(capability);
    expect(await open(token, { secrets: current })).toBe("capability-invalid");
  });

  it("ends every older URL when the previous one is not kept", async () => {
    expect(await open(await signDownload(current), { secrets: next })).toBe("capability-invalid");
  });
});

describe("the key id in a URL", () => {
  it("tells secrets apart, and is the same each time", async () => {
    const ids = await Promise.all(
      [current, current, next, rotated].map(async (secrets) => header(await signDownload(secrets))),
    );
    expect(ids[0]).toEqual({ alg: "dir", enc: "A256CBC-HS512", kid: expect.stringMatching(/^[0-9a-f]{8}$/) });
    expect(ids[1]).toEqual(ids[0]);
    expect(ids[2]).not.toEqual(ids[0]);
    expect(ids[3]).toEqual(ids[2]);
  });
});
