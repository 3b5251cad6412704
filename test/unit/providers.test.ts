import { describe, expect, it } from "vitest";
import { fixedFamilies, openFamily, suffixes, variablesOf } from "../../worker/registry/provider-families.ts";
import {
  describeProviderVariables,
  isProviderSecret,
  providerVariableNames,
  providerVariablePattern,
  readProviders,
} from "../../worker/registry/providers.ts";

const github = { GITHUB_CLIENT_ID: "an-id", GITHUB_CLIENT_SECRET: "a-secret", GITHUB_ADMIT: "everyone" };
const keycloak = {
  OIDC_PROVIDERS: "keycloak",
  OIDC_KEYCLOAK_ISSUER: "https://login.example.org/realms/lab",
  OIDC_KEYCLOAK_CLIENT_ID: "registry",
  OIDC_KEYCLOAK_ADMIT: "everyone",
};

function one(environment: Record<string, unknown>) {
  const { providers, problems } = readProviders(environment);
  expect(problems).toEqual([]);
  expect(providers).toHaveLength(1);
  return providers[0];
}

function problemsOf(environment: Record<string, unknown>): string[] {
  const { providers, problems } = readProviders(environment);
  if (problems.length > 0) expect(providers.map(({ id }) => id)).not.toContain("github");
  return problems;
}

describe("a registry with nothing set", () => {
  it("has no provider, and no problem", () => {
    expect(readProviders({})).toEqual({ providers: [], problems: [] });
    expect(readProviders({ GITHUB_CLIENT_ID: " ", GITHUB_ADMIT: "everyone", GITHUB_API_URL: "x" }).problems).toEqual(
      [],
    );
  });
});

describe("GitHub", () => {
  it("needs its id, its secret, and who is admitted", () => {
    expect(one(github)).toEqual({
      id: "github",
      name: "GitHub",
      kind: "github",
      site: "https://github.com",
      api: "https://api.github.com",
      clientId: "an-id",
      clientSecret: "a-secret",
      scopes: "read:user user:email",
      groupsClaim: null,
      organizationsClaim: null,
      admit: "everyone",
      admins: [],
    });
  });

  it("is asked for organizations only where they count", () => {
    expect(one({ ...github, GITHUB_ADMIT: "organization:lab" })?.scopes).toContain("read:org");
    expect(one({ ...github, GITHUB_ADMINS: "organization:lab" })?.scopes).toContain("read:org");
    expect(one({ ...github, GITHUB_ADMIT: "domain:example.org" })?.scopes).not.toContain("read:org");
  });

  it("takes another name and other addresses, without their last slash", () => {
    const changed = {
      GITHUB_NAME: "Code",
      GITHUB_URL: "https://code.example.org/",
      GITHUB_API_URL: "http://127.0.0.1:1/",
    };
    expect(one({ ...github, ...changed })).toMatchObject({
      name: "Code",
      site: "https://code.example.org",
      api: "http://127.0.0.1:1",
    });
  });

  it.each([
    ["GITHUB_CLIENT_SECRET", { GITHUB_CLIENT_SECRET: "" }, "GITHUB_CLIENT_SECRET must be set"],
    ["GITHUB_CLIENT_ID", { GITHUB_CLIENT_ID: "" }, "GITHUB_CLIENT_ID must be set"],
  ])("says that %s is missing", (_, changes, problem) => {
    expect(problemsOf({ ...github, ...changes })).toEqual([problem]);
  });

  it("has no default for who is admitted, and says what may stand there", () => {
    const [problem] = problemsOf({ ...github, GITHUB_ADMIT: "" });
    expect(problem).toBe(
      "GITHUB_ADMIT must be set: it says who may come in from there (everyone, nobody, domain:example.org, organization:NAME)",
    );
  });

  it.each([
    "all",
    "everyone, domain:example.org",
    "group:lab",
    "domain:",
    "domain:@example.org",
    "domain:*.example.org",
    "domain:example",
    "organization: ",
    ",",
    "example.org",
  ])("admits nobody by %j", (text) => {
    expect(problemsOf({ ...github, GITHUB_ADMIT: text })).toEqual([expect.stringMatching(/^GITHUB_ADMIT must be /)]);
  });

  it.each(["domain:example.org", "everyone", "lab"])("makes nobody an administrator by %j", (text) => {
    expect(problemsOf({ ...github, GITHUB_ADMINS: text })).toEqual([expect.stringMatching(/^GITHUB_ADMINS must be /)]);
  });

  it.each([
    "http://github.example.org",
    "https://user:secret@github.example.org",
    "https://github.example.org/?a",
    "https://github.example.org/#a",
    "ftp://github.example.org",
    "github.example.org",
    `https://github.example.org/${"x".repeat(255)}`,
  ])("cannot be at %j", (text) => {
    const [problem] = problemsOf({ ...github, GITHUB_URL: text });
    expect(problem).toMatch(/^GITHUB_URL must be an https address/);
    expect(problem).not.toContain("secret");
  });

  it("names every problem at once", () => {
    const wrong = { GITHUB_CLIENT_ID: "an-id", GITHUB_URL: "x", GITHUB_API_URL: "y", GITHUB_ADMINS: "z" };
    expect(problemsOf(wrong)).toHaveLength(5);
  });
});

describe("rules", () => {
  it("are a list, with blanks wherever they please", () => {
    const text = " domain:Example.org ,organization: The-Lab,, organization:a/b ";
    expect(one({ ...github, GITHUB_ADMIT: text })?.admit).toEqual([
      { kind: "domain", value: "Example.org" },
      { kind: "organization", value: "The-Lab" },
      { kind: "organization", value: "a/b" },
    ]);
  });
});

describe("the other fixed ones", () => {
  const client = (prefix: string) => ({
    [`${prefix}_CLIENT_ID`]: "an-id",
    [`${prefix}_CLIENT_SECRET`]: "a-secret",
    [`${prefix}_ADMIT`]: "nobody",
  });

  it.each([
    ["GITLAB", { site: "https://gitlab.com", kind: "oidc", organizationsClaim: "groups", api: null }],
    ["GOOGLE", { site: "https://accounts.google.com", kind: "oidc", organizationsClaim: "hd", api: null }],
    ["BITBUCKET", { site: "https://bitbucket.org", kind: "bitbucket", api: "https://api.bitbucket.org/2.0" }],
    ["X", { site: "https://x.com", kind: "x", api: "https://api.x.com/2" }],
  ])("%s is where it is", (prefix, expected) => {
    expect(one(client(prefix))).toMatchObject({ ...expected, admit: "nobody" });
  });

  it("GitHub Enterprise must say where it is, and has its API there", () => {
    expect(readProviders(client("GITHUB_ENTERPRISE")).problems).toContain("GITHUB_ENTERPRISE_URL must be set");
    const url = { GITHUB_ENTERPRISE_URL: "https://git.example.org/" };
    expect(one({ ...client("GITHUB_ENTERPRISE"), ...url })?.api).toBe("https://git.example.org/api/v3");
  });

  it("X can prove nothing of anybody", () => {
    expect(readProviders({ ...client("X"), X_ADMIT: "domain:example.org" }).problems).toHaveLength(1);
    expect(readProviders({ ...client("X"), X_ADMINS: "organization:lab" }).problems).toHaveLength(1);
  });

  it("stand in one order, several at once", () => {
    const all = { ...client("X"), ...client("GITLAB"), ...github, ...keycloak };
    expect(readProviders(all).providers.map(({ id }) => id)).toEqual(["github", "gitlab", "x", "keycloak"]);
  });
});

describe("an OpenID Connect provider by name", () => {
  it("needs an issuer and an id; without a secret it is a public client", () => {
    expect(one(keycloak)).toEqual({
      id: "keycloak",
      name: "keycloak",
      kind: "oidc",
      site: "https://login.example.org/realms/lab",
      api: null,
      clientId: "registry",
      clientSecret: null,
      scopes: "openid profile email",
      groupsClaim: "groups",
      organizationsClaim: null,
      admit: "everyone",
      admins: [],
    });
  });

  it("keeps its issuer as it is written: tokens must say the same", () => {
    expect(one({ ...keycloak, OIDC_KEYCLOAK_ISSUER: "https://id.example.org/" })?.site).toBe("https://id.example.org/");
  });

  it("takes everything that can be said of it", () => {
    const more = {
      OIDC_PROVIDERS: "sign-on",
      OIDC_SIGN_ON_ISSUER: "http://localhost:8080",
      OIDC_SIGN_ON_CLIENT_ID: "registry",
      OIDC_SIGN_ON_CLIENT_SECRET: "a-secret",
      OIDC_SIGN_ON_NAME: "The Institute",
      OIDC_SIGN_ON_SCOPES: "openid email roles",
      OIDC_SIGN_ON_GROUPS_CLAIM: "roles",
      OIDC_SIGN_ON_ADMIT: "group:users",
      OIDC_SIGN_ON_ADMINS: "group:admins",
    };
    expect(one(more)).toMatchObject({
      id: "sign-on",
      name: "The Institute",
      clientSecret: "a-secret",
      scopes: "openid email roles",
      groupsClaim: "roles",
      admit: [{ kind: "group", value: "users" }],
      admins: [{ kind: "group", value: "admins" }],
    });
  });

  it.each<[string, Record<string, string>, string]>([
    ["an issuer", { OIDC_KEYCLOAK_ISSUER: "" }, "OIDC_KEYCLOAK_ISSUER must be set"],
    ["an id", { OIDC_KEYCLOAK_CLIENT_ID: "" }, "OIDC_KEYCLOAK_CLIENT_ID must be set"],
    ["the scope openid", { OIDC_KEYCLOAK_SCOPES: "profile" }, "OIDC_KEYCLOAK_SCOPES must have openid"],
  ])("says that %s is missing", (_, changes, problem) => {
    expect(readProviders({ ...keycloak, ...changes }).problems).toEqual([problem]);
  });

  it.each(["github", "login-link", "Key", "a_b", "1a", "a b", "-a", "a".repeat(33)])("cannot be called %j", (name) => {
    expect(readProviders({ OIDC_PROVIDERS: name }).problems).toEqual([
      expect.stringMatching(/^OIDC_PROVIDERS must be names/),
    ]);
  });
});

describe("what is shown of the variables", () => {
  it("is those of configured providers, and no secret", () => {
    const shown = describeProviderVariables({ ...github, GITLAB_URL: "https://gitlab.example.org" });
    expect(shown.map(({ name }) => name)).toEqual([
      "OIDC_PROVIDERS",
      ...variablesOf(fixedFamilies[0] ?? openFamily("none")).map(({ name }) => name),
    ]);
    expect(JSON.stringify(shown)).not.toContain("a-secret");
    expect(shown.find(({ name }) => name === "GITHUB_CLIENT_SECRET")).toMatchObject({ isSet: true, value: null });
    expect(shown.find(({ name }) => name === "GITHUB_CLIENT_ID")).toMatchObject({ isSet: true, value: "an-id" });
    expect(shown.find(({ name }) => name === "GITHUB_NAME")).toMatchObject({ isSet: false, value: null });
  });

  it("is every variable that is read: whatever a provider takes is documented", () => {
    const families = [...fixedFamilies, openFamily("keycloak")];
    const documented = new Set(families.flatMap(variablesOf).map(({ name }) => name));
    const read = new Set<string>();
    const watching = new Proxy<Record<string, string>>(
      {},
      {
        get: (_, name) => {
          if (typeof name !== "string") return undefined;
          read.add(name);
          if (name === "OIDC_PROVIDERS") return "keycloak";
          if (/_(?:ISSUER|URL)$/.test(name)) return "https://example.org";
          if (/_CLIENT_(?:ID|SECRET)$/.test(name)) return "a-text";
          return name.endsWith("_ADMIT") ? "everyone" : undefined;
        },
      },
    );
    readProviders(watching);
    read.delete("OIDC_PROVIDERS");
    expect([...documented].sort()).toEqual([...documented].filter((name) => read.has(name)).sort());
    // X has nobody to make an administrator of.
    expect([...read].filter((name) => !documented.has(name))).toEqual(["X_ADMINS"]);
  });

  it("has names that commands know as a provider's, whichever it is", () => {
    const names = providerVariableNames({ OIDC_PROVIDERS: "keycloak, sign-on" });
    expect(names).toContain("OIDC_SIGN_ON_ISSUER");
    expect(names.filter((name) => !providerVariablePattern.test(name))).toEqual([]);
    expect(names.filter(isProviderSecret)).toHaveLength(8);
    expect(providerVariablePattern.test("GITHUB_TOKEN")).toBe(false);
    expect(suffixes.every((suffix) => providerVariablePattern.test(`OIDC_A_${suffix}`))).toBe(true);
  });
});
