import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Env, settingsOf as parseEnvironment } from "../../worker/env.ts";
import { parseSettings, type SettingName, type Settings, settingDefinitions } from "../../worker/registry/settings.ts";
import { anyText } from "../support/expectations.ts";

const SIGNING_SECRET = "a-signing-secret-that-only-tests-know";
const names = Object.keys(settingDefinitions) as SettingName[];

function settingsOf(environment: Record<string, unknown>): Settings {
  const parsed = parseSettings({ SIGNING_SECRET, ...environment });
  if (!parsed.ok) throw new Error(parsed.problems.join("\n"));
  return parsed.settings;
}

function problemsOf(environment: Record<string, unknown>): string[] {
  const parsed = parseSettings({ SIGNING_SECRET, ...environment });
  return parsed.ok ? [] : parsed.problems;
}

describe("a registry with nothing set but its secret", () => {
  it("is open to read, lets users create collections, and trusts no proxy", () => {
    expect(settingsOf({})).toEqual({
      REGISTRY_NAME: "Singularity Registry",
      REGISTRY_URI: "registry",
      HELP_CONTACT_EMAIL: "",
      HELP_INSTITUTION_SITE: null,
      ADMINS: [],
      TERMS: "",
      TERMS_VERSION: "",
      GOOGLE_ANALYTICS: "",
      USER_COLLECTIONS: true,
      PEOPLE_FROM_TEAMS: true,
      USER_QUOTA_BYTES: null,
      TEAM_QUOTA_BYTES: null,
      USER_COLLECTION_LIMIT: null,
      DEFAULT_PRIVATE: false,
      PRIVATE_ONLY: false,
      DISABLE_BUILDING: false,
      DISABLE_REGISTRATION: false,
      DISABLE_CLEANUP: false,
      API_REQUIRE_AUTH: false,
      SHORT_NAMES_ADMIN_ONLY: false,
      PUBLIC_ORIGIN: null,
      TRUST_PROXY: false,
      CLIENT_ADDRESS_HEADER: "",
      LOG_REQUESTS: false,
      CI_GITHUB_ISSUERS: ["https://token.actions.githubusercontent.com"],
      CI_GITLAB_ISSUERS: ["https://gitlab.com"],
      MAX_REQUEST_BYTES: 95_000_000,
      MAX_IMAGE_BYTES: 50 * 1024 ** 3,
      PART_BYTES: 64 * 1024 ** 2,
      BLOB_CACHE: true,
      S3_ENDPOINT: null,
      S3_BUCKET: "sregistry-edge",
      S3_ACCESS_KEY_ID: null,
      S3_SECRET_ACCESS_KEY: null,
      DIRECT_DOWNLOADS: false,
      SIGNING_SECRET,
      SIGNING_SECRET_PREVIOUS: null,
      SEALING_SECRET: null,
      SEALING_SECRET_PREVIOUS: null,
      ADMIN_SECRET: null,
      providers: [],
      providerVariables: [expect.objectContaining({ name: "OIDC_PROVIDERS", isSet: false })],
    });
  });

  it("is what its documentation calls the default", () => {
    const documented = names.map((name) => [name, settingDefinitions[name].defaultText] as const);
    for (const [name, text] of documented.filter(([name]) => name !== "SIGNING_SECRET")) {
      const value = settingsOf({})[name];
      const shown = value === null ? ["unset", "unlimited"] : [String(value) || "empty"];
      expect(shown, name).toContain(text);
    }
  });

  it.each(names.filter((name) => name !== "SIGNING_SECRET"))("is the same with an empty %s", (name) => {
    expect(settingsOf({ [name]: "" })).toEqual(settingsOf({}));
    expect(settingsOf({ [name]: " \n" })).toEqual(settingsOf({}));
  });
});

describe("the signing secret", () => {
  it.each([undefined, "", "  "])("must be set: %j is refused", (value) => {
    expect(problemsOf({ SIGNING_SECRET: value })).toEqual(["SIGNING_SECRET must be set"]);
  });

  it.each(["SIGNING_SECRET", "SIGNING_SECRET_PREVIOUS", "SEALING_SECRET", "SEALING_SECRET_PREVIOUS", "ADMIN_SECRET"])(
    "like %s must be long, and one word",
    (name) => {
      for (const weak of ["changeme", "x".repeat(31), `${"x".repeat(20)} ${"x".repeat(20)}`, "é".repeat(40)]) {
        const problems = problemsOf({ [name]: weak });
        expect(problems).toHaveLength(1);
        expect(problems[0]).toMatch(new RegExp(`^${name} must have at least 32 characters`));
      }
      expect(problemsOf({ [name]: "x".repeat(32) })).toEqual([]);
    },
  );
});

describe("a switch", () => {
  it.each([
    ["true", true],
    ["TRUE", true],
    ["1", true],
    ["false", false],
    ["False", false],
    ["0", false],
    [" true ", true],
  ])("%j is understood", (text, value) => {
    expect(settingsOf({ PRIVATE_ONLY: text }).PRIVATE_ONLY).toBe(value);
  });

  it.each(["yes", "on", "no", "off", "2", "tru", "null"])("%j is refused, and not taken for either", (text) => {
    expect(problemsOf({ PRIVATE_ONLY: text })).toEqual(["PRIVATE_ONLY must be true, 1, false or 0"]);
  });

  it("may stand in wrangler.toml without quotes", () => {
    expect(settingsOf({ PRIVATE_ONLY: true, USER_COLLECTIONS: false, USER_COLLECTION_LIMIT: 3 })).toMatchObject({
      PRIVATE_ONLY: true,
      USER_COLLECTIONS: false,
      USER_COLLECTION_LIMIT: 3,
    });
  });
});

describe("a number", () => {
  it("may be a whole number or unlimited", () => {
    expect(settingsOf({ USER_COLLECTION_LIMIT: "0" }).USER_COLLECTION_LIMIT).toBe(0);
    expect(settingsOf({ USER_COLLECTION_LIMIT: "12" }).USER_COLLECTION_LIMIT).toBe(12);
    expect(settingsOf({ MAX_REQUEST_BYTES: "unlimited" }).MAX_REQUEST_BYTES).toBeNull();
  });

  it.each(["-1", "1.5", "1e3", "0x10", "ten", "1_000", "9".repeat(16)])("may not be %s", (text) => {
    expect(problemsOf({ USER_COLLECTION_LIMIT: text })).toEqual([
      "USER_COLLECTION_LIMIT must be a whole number or 'unlimited'",
    ]);
  });
});

describe("the public origin", () => {
  it.each([
    ["https://registry.example.org", "https://registry.example.org"],
    ["https://registry.example.org/", "https://registry.example.org"],
    ["http://127.0.0.1:8787", "http://127.0.0.1:8787"],
    ["http://[::1]:8787", "http://[::1]:8787"],
  ])("%s is taken", (text, value) => {
    expect(settingsOf({ PUBLIC_ORIGIN: text }).PUBLIC_ORIGIN).toBe(value);
  });

  it.each([
    "registry.example.org",
    "https://registry.example.org/path",
    "https://registry.example.org?x",
    "https://user@registry.example.org",
    "ftp://registry.example.org",
    "javascript:alert(1)",
    "https://",
    "https://registry.example.org//",
  ])("%s is refused", (text) => {
    expect(problemsOf({ PUBLIC_ORIGIN: text })).toEqual([
      "PUBLIC_ORIGIN must be an origin such as https://registry.example.org, no path",
    ]);
  });
});

describe("the registry's short id", () => {
  it.each(["lab", "My-Lab_2.0"])("may be %s", (text) => {
    expect(settingsOf({ REGISTRY_URI: text }).REGISTRY_URI).toBe(text);
  });

  it.each(["a b", "-x", "$(reboot)", "a;b", "a'b", "é"])(
    "may not be %j, which a shell could take for something else",
    (text) => {
      expect(problemsOf({ REGISTRY_URI: text })).toEqual(["REGISTRY_URI must be letters, digits, '.', '_' and '-'"]);
    },
  );
});

describe("what is wrong", () => {
  it("is named all at once, each with its name", () => {
    const problems = problemsOf({
      SIGNING_SECRET: "",
      PRIVATE_ONLY: "maybe",
      MAX_REQUEST_BYTES: "big",
      PUBLIC_ORIGIN: "x",
    });
    expect(problems.map((problem) => problem.split(" ")[0]).sort()).toEqual(
      ["MAX_REQUEST_BYTES", "PRIVATE_ONLY", "PUBLIC_ORIGIN", "SIGNING_SECRET"].sort(),
    );
  });

  it("is named without the value, which may be a secret", () => {
    const value = "hunter2 with spaces in it, and long enough";
    for (const name of names.filter((name) => problemsOf({ [name]: value }).length > 0)) {
      expect(problemsOf({ [name]: value }).join()).not.toContain("hunter2");
    }
  });

  it("is never thrown, whatever is in the environment, of bindings too", () => {
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.oneof(anyText, fc.anything()), (name, value) => {
        // Bindings are objects; what reads the environment leaves them out.
        const parsed = parseEnvironment({ SIGNING_SECRET, [name]: value } as unknown as Env);
        for (const problem of parsed.ok ? [] : parsed.problems) expect(problem).toMatch(new RegExp(`^${name} must `));
      }),
      { examples: [["REGISTRY_NAME", { toString: "" }]] },
    );
  });

  it("is nothing of what the registry does not know", () => {
    expect(problemsOf({ PATH: "/bin", PRIVATE_ONLYY: "maybe", __proto__: "x" })).toEqual([]);
  });
});

describe("R2's S3 interface", () => {
  const keys = { S3_ACCESS_KEY_ID: "id", S3_SECRET_ACCESS_KEY: "secret" };
  const endpoint = { S3_ENDPOINT: "https://account.r2.example.org" };
  const problemsOf = (given: Record<string, string>) => {
    const parsed = parseSettings({ SIGNING_SECRET, ...given });
    return parsed.ok ? [] : parsed.problems;
  };

  it("is switched on by its endpoint, which wants both keys; keys alone do no harm", () => {
    expect(problemsOf({ ...endpoint, ...keys })).toEqual([]);
    expect(problemsOf(keys)).toEqual([]);
    expect(problemsOf({ S3_ACCESS_KEY_ID: "id" })).toEqual([]);
    const both = "S3_ENDPOINT must come with S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY";
    expect(problemsOf(endpoint)).toEqual([both]);
    expect(problemsOf({ ...endpoint, S3_ACCESS_KEY_ID: "id" })).toEqual([
      "S3_ENDPOINT must come with S3_SECRET_ACCESS_KEY",
    ]);
  });

  it("is what direct downloads need", () => {
    expect(problemsOf({ DIRECT_DOWNLOADS: "1", ...keys })).toHaveLength(1);
    expect(problemsOf({ DIRECT_DOWNLOADS: "1", ...keys, ...endpoint })).toEqual([]);
  });

  it.each(["ftp://x", "account.r2.example.org", "https://x/?a=b", "https://x/#a", "https://user@x"])(
    "is not at %s",
    (address) => {
      expect(problemsOf({ ...keys, S3_ENDPOINT: address })).toEqual([expect.stringMatching(/^S3_ENDPOINT must be/)]);
    },
  );

  it("takes an address with a path, with or without a slash at its end", () => {
    const parsed = parseSettings({ SIGNING_SECRET, ...keys, S3_ENDPOINT: "http://127.0.0.1:8788/s3/" });
    expect(parsed.ok && parsed.settings.S3_ENDPOINT).toBe("http://127.0.0.1:8788/s3");
  });
});

describe("the CI services whose tokens are taken", () => {
  it.each([
    ["none", []],
    [
      "https://gitlab.example.org, https://ghe.example.org/_services/token",
      ["https://gitlab.example.org", "https://ghe.example.org/_services/token"],
    ],
    ["http://127.0.0.1:9000,http://127.0.0.1:9000", ["http://127.0.0.1:9000"]],
  ])("are, of %j, %j", (given, expected) => {
    expect(settingsOf({ CI_GITLAB_ISSUERS: given }).CI_GITLAB_ISSUERS).toEqual(expected);
  });

  it.each([
    "http://gitlab.example.org",
    "gitlab.example.org",
    "https://gitlab.example.org?a",
    "https://a@gitlab.example.org",
    "https://GITLAB.example.org",
    "https://gitlab.example.org,none",
    ",",
  ])("are not %s", (given) => {
    expect(problemsOf({ CI_GITLAB_ISSUERS: given })).toEqual([
      expect.stringMatching(/^CI_GITLAB_ISSUERS must be https/),
    ]);
  });
});
