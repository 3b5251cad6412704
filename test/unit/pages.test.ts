import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { makeLoginLink, saveToken, sregistryFile } from "../../ui/client-lines.ts";
import { browserName } from "../../ui/components/account/browser-name.ts";
import { deletedThings } from "../../ui/components/account/deleted-things.ts";
import { emptyDraft, faultsOf, requestOf } from "../../ui/components/tokens/NewTokenForm.data.ts";
import { nextPath } from "../../ui/next-path.ts";
import { formatBytes } from "../../ui/numbers.ts";

const origin = "https://registry.example.org";

describe("where to go on after signing in", () => {
  const nextOf = (next: string) => nextPath(`?${new URLSearchParams({ next })}`, origin);

  it.each(["/", "/auth/tokens", "/account?a=b", "/a/b#c", "/%2F%2Fevil.example", "/@evil.example"])(
    "is %s: a path of this registry",
    (path) => {
      expect(nextOf(path)).toBe(path);
    },
  );

  it.each([
    "",
    "account",
    "https://evil.example",
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "\t//evil.example",
    "/.//evil.example",
    "/a/..//evil.example",
    "javascript:alert(1)",
    `/${"a".repeat(1024)}`,
  ])("is the home page for %j", (text) => {
    expect(nextOf(text)).toBe("/");
  });

  it("stays on this registry, whatever is asked for", () => {
    const pieces = fc.array(fc.constantFrom("/", "\\", ".", "..", "\t", "\n", "@", ":", "evil.example", "?", "#", " "));
    fc.assert(
      fc.property(pieces, (some) => {
        const next = nextOf(some.join(""));
        expect(next).toMatch(/^\/(?![/\\])/);
        expect(new URL(next, origin).origin).toBe(origin);
      }),
    );
  });
});

describe("what the form for a token asks for", () => {
  const draft = { ...emptyDraft, name: " laptop " };

  it("is a token that pulls and pushes for 90 days, unless said otherwise", () => {
    expect(faultsOf(draft, 3650)).toEqual({});
    expect(requestOf(draft)).toEqual({
      name: "laptop",
      scopes: ["pull", "push"],
      collection: null,
      expiresInDays: 90,
    });
  });

  it("may be any number of days up to what the registry allows", () => {
    const faultOf = (days: string) => faultsOf({ ...draft, expiry: "other", days }, 365).days;
    expect(["1", "365"].map(faultOf)).toEqual([undefined, undefined]);
    expect(["", "0", "366", "1.5", "-1", "soon"].map(faultOf)).not.toContain(undefined);
    expect(requestOf({ ...draft, expiry: "other", days: "7" }).expiresInDays).toBe(7);
  });
});

describe("a session's browser", () => {
  it.each([
    ["Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0", "Firefox on Linux"],
    ["Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"],
    ["Mozilla/5.0 (Macintosh; Intel Mac OS X 14_0) AppleWebKit/605.1.15 Version/17.0 Safari/605.1", "Safari on macOS"],
    [
      "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1 Version/17.0 Safari/604",
      "Safari on iOS",
    ],
    ["Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36", "Chrome on Android"],
    ["curl/8.5.0", "curl/8.5.0"],
    ["", "An unknown browser"],
  ])("%j is %s", (userAgent, name) => {
    expect(browserName(userAgent)).toBe(name);
  });
});

describe("what deleting an account deletes", () => {
  const nothing = {
    entities: [],
    collections: [],
    images: 0,
    tags: 0,
    bytes: 0,
    tokens: 0,
    sessions: 0,
    identities: 0,
    hasSregistryKey: false,
    memberships: 0,
    teams: 0,
    invitations: 0,
    publishers: 0,
    shares: 0,
    offers: 0,
    stars: 0,
    uploads: 0,
  };

  it("is listed without what there is none of, and in singular and plural", () => {
    expect(deletedThings(nothing)).toHaveLength(1);
    const some = {
      entities: ["a"],
      collections: ["a/b"],
      images: 1,
      tags: 2,
      bytes: 2048,
      tokens: 2,
      uploads: 2,
      stars: 1,
    };
    expect(deletedThings({ ...nothing, ...some }).slice(1)).toEqual([
      "The entity a",
      "The collection a/b",
      "1 image in them, 2.0 KiB, under 2 tags",
      "2 access tokens",
      "2 pushes under way",
      "1 star",
    ]);
  });

  it.each([
    [0, "0 bytes"],
    [1023, "1023 bytes"],
    [1024, "1.0 KiB"],
    [1_600_000_000, "1.5 GiB"],
    [40 * 2 ** 40, "40 TiB"],
  ])("%i bytes are %s", (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});

describe("a line to paste", () => {
  it("saves a token that is pasted after it into a file that nobody else can read", () => {
    const folder = mkdtempSync(join(tmpdir(), "save-token-"));
    try {
      execFileSync("sh", ["-c", saveToken().join("\n")], { cwd: folder, input: "the-token\n" });
      expect(readFileSync(join(folder, "token.txt"), "utf8")).toBe("the-token\n");
      expect(statSync(join(folder, "token.txt")).mode & 0o077).toBe(0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("makes a login link at a registry on https by its address, and at one on this machine by its data", () => {
    const line = "npm run admin -- login-link --username alice";
    expect(makeLoginLink({ origin, uri: "lab" }, "alice")).toEqual([`${line} --url ${origin}`]);
    expect(makeLoginLink({ origin: "http://127.0.0.1:8787", uri: "lab" }, "alice")).toEqual([line]);
  });

  it("gives sregistry-cli a key as the JSON of its file", () => {
    expect(JSON.parse(sregistryFile({ origin, uri: "lab" }, "alice", 'a"key').join("\n"))).toEqual({
      SREGISTRY_CLIENT: "registry",
      registry: {
        SREGISTRY_REGISTRY_BASE: origin,
        SREGISTRY_REGISTRY_USERNAME: "alice",
        SREGISTRY_REGISTRY_TOKEN: 'a"key',
      },
    });
  });
});
