import fc from "fast-check";
import { EncryptJWT } from "jose";
import { describe, expect, it } from "vitest";
import { RegistryError } from "../../worker/registry/errors.ts";
import { type Capability, openCapability, signCapability } from "../../worker/storage/capabilities.ts";

const now = Date.UTC(2026, 0, 1);
const current = { SIGNING_SECRET: "the-current-secret-that-only-tests-know", SIGNING_SECRET_PREVIOUS: null };
const next = { SIGNING_SECRET: "another-secret-that-also-only-tests-know", SIGNING_SECRET_PREVIOUS: null };
const rotated = { ...next, SIGNING_SECRET_PREVIOUS: current.SIGNING_SECRET };

const capability: Capability = {
  audience: "download",
  objectKey: "objects/0b7c",
  sizeBytes: 4096,
  digest: `sha256.${"ab".repeat(32)}`,
  expiresAt: now + 3_600_000,
  modifiedAt: now - 1000,
};

/** What opening answers: the capability, or the code of the refusal. */
async function open(
  token: string,
  options: { secrets?: typeof rotated | typeof current; at?: number; audience?: Capability["audience"] } = {},
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
    expect(await open(await signCapability(current, capability))).toEqual(capability);
  });

  it("shows nothing of what it says, so that nobody can tell which object it is about", async () => {
    const [first, second] = [await signCapability(current, capability), await signCapability(current, capability)];
    const parts = first.split(".").map((part) => Buffer.from(part, "base64url").toString("latin1"));
    expect(parts.join()).not.toMatch(/objects|sha256|download|4096/);
    const [, , ...ofSecond] = second.split(".");
    for (const part of ofSecond) expect(first).not.toContain(part);
  });

  it("stands in a query string as it is", async () => {
    const token = await signCapability(current, capability);
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
          const given: Capability = {
            ...capability,
            audience: "upload",
            objectKey: `objects/${id}`,
            sizeBytes,
            digest: `sha256.${sha}`,
            expiresAt,
          };
          expect(await open(await signCapability(current, given), { audience: "upload" })).toEqual(given);
        },
      ),
      { numRuns: 50 },
    );
  });

  it("works to its end, and then says that it has expired", async () => {
    const token = await signCapability(current, capability);
    expect(await open(token, { at: capability.expiresAt - 1000 })).toEqual(capability);
    expect(await open(token, { at: capability.expiresAt })).toBe("capability-expired");
    expect(await open(token, { at: capability.expiresAt + 1_000_000 })).toBe("capability-expired");
  });

  it("of a download takes no upload, and of an upload gives no download", async () => {
    expect(await open(await signCapability(current, capability), { audience: "upload" })).toBe("capability-invalid");
    const upload = await signCapability(current, { ...capability, audience: "upload" });
    expect(await open(upload, { audience: "download" })).toBe("capability-invalid");
  });
});

describe("a forged URL", () => {
  it("is refused, whichever character was changed", async () => {
    const token = await signCapability(current, capability);
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
    const [head, key, iv, claims] = (await signCapability(current, capability)).split(".");
    const none = Buffer.from(JSON.stringify({ alg: "none" })).toString("base64url");
    expect(await open(`${none}.${claims}.`)).toBe("capability-invalid");
    expect(await open(`${head}.${key}.${iv}.${claims}.`)).toBe("capability-invalid");
  });

  it("with the signature of another is refused", async () => {
    const [head, key, , , signature] = (await signCapability(current, capability)).split(".");
    const [, , iv, claims] = (await signCapability(current, { ...capability, objectKey: "objects/other" })).split(".");
    expect(await open(`${head}.${key}.${iv}.${claims}.${signature}`)).toBe("capability-invalid");
  });

  it("signed by the bare secret, under the right key id, is refused: the key is derived from it", async () => {
    const { kid } = header(await signCapability(current, capability)) as { kid: string };
    const bare = Buffer.alloc(64);
    bare.write(current.SIGNING_SECRET);
    const forged = await new EncryptJWT({ key: "objects/x", size: 1, sha: capability.digest })
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
    expect(await open(await signCapability(current, capability), { secrets: rotated })).toEqual(capability);
  });

  it("signs new URLs with the new one alone", async () => {
    const token = await signCapability(rotated, capability);
    expect(await open(token, { secrets: next })).toEqual(capability);
    expect(await open(token, { secrets: current })).toBe("capability-invalid");
  });

  it("ends every older URL when the previous one is not kept", async () => {
    expect(await open(await signCapability(current, capability), { secrets: next })).toBe("capability-invalid");
  });
});

describe("the key id in a URL", () => {
  it("tells secrets apart, and is the same each time", async () => {
    const ids = await Promise.all(
      [current, current, next, rotated].map(async (secrets) => header(await signCapability(secrets, capability))),
    );
    expect(ids[0]).toEqual({ alg: "dir", enc: "A256CBC-HS512", kid: expect.stringMatching(/^[0-9a-f]{8}$/) });
    expect(ids[1]).toEqual(ids[0]);
    expect(ids[2]).not.toEqual(ids[0]);
    expect(ids[3]).toEqual(ids[2]);
  });
});
