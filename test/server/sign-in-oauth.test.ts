import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Browser, newBrowser } from "../support/cookie-jar.ts";
import { type FakeOAuth, startFakeOAuth } from "../support/fake-oauth.ts";
import { startTestServer, type TestServer } from "../support/test-server.ts";

/* Signing in with the providers that do not speak OpenID Connect, at fakes of their addresses. */

const [CLIENT_ID, CLIENT_SECRET] = ["an-id_with.signs", "a-secret"];
let server: TestServer;
let fake: FakeOAuth;

beforeAll(async () => {
  fake = await startFakeOAuth(CLIENT_ID, CLIENT_SECRET);
  const { url } = fake;
  const client = (prefix: string) => ({
    [`${prefix}_CLIENT_ID`]: CLIENT_ID,
    [`${prefix}_CLIENT_SECRET`]: CLIENT_SECRET,
    [`${prefix}_URL`]: url,
  });
  server = await startTestServer({
    ...client("GITHUB"),
    GITHUB_API_URL: `${url}/github-api`,
    GITHUB_ADMIT: "organization:the-lab",
    GITHUB_ADMINS: "organization:the-lab-admins",
    ...client("GITHUB_ENTERPRISE"),
    // Another server: accounts with the same number are other people's.
    GITHUB_ENTERPRISE_URL: url.replace("127.0.0.1", "localhost"),
    GITHUB_ENTERPRISE_API_URL: `${url}/api/v3`,
    GITHUB_ENTERPRISE_ADMIT: "domain:institute.example",
    ...client("BITBUCKET"),
    BITBUCKET_API_URL: `${url}/2.0`,
    BITBUCKET_ADMIT: "organization:the-workspace, domain:institute.example",
    ...client("X"),
    X_API_URL: `${url}/2`,
    X_ADMIT: "everyone",
  });
});

afterAll(async () => {
  await server?.stop();
  await fake?.stop();
});

beforeEach(() => {
  fake.api.clear();
  fake.asked.length = 0;
});

async function comeBack(browser: Browser, provider: string): Promise<string> {
  const answer = await browser.ask(`${server.url}/api/v1/sign-ins`, { json: { provider, next: "/next" } });
  const { url } = (await answer.json()) as { url: string };
  const there = await fetch(url, { redirect: "manual" });
  const response = await browser.ask(there.headers.get("location") ?? "");
  expect(response.status).toBe(303);
  return (response.headers.get("location") ?? "").replace(server.url, "");
}

async function join(provider: string, username: string): Promise<unknown> {
  const browser = newBrowser();
  expect(await comeBack(browser, provider)).toBe("/auth/register");
  const offer = await (await browser.ask(`${server.url}/api/v1/registration`)).json();
  const made = await browser.ask(`${server.url}/api/v1/registration`, { json: { username } });
  expect(made.status).toBe(201);
  expect(await comeBack(newBrowser(), provider)).toBe("/next");
  return { offer, me: await made.json() };
}

const REFUSED = "/login?error=not-admitted";

function atGithub(
  api: string,
  id: number,
  login: string,
  changes: { verified?: boolean; organizations?: string[] } = {},
) {
  fake.api.set(`${api}/user`, { id, login, name: null });
  fake.api.set(`${api}/user/emails`, [
    { email: "other@elsewhere.example", primary: false, verified: true },
    { email: `${login}@institute.example`, primary: true, verified: changes.verified ?? true },
  ]);
  fake.api.set(
    `${api}/user/orgs`,
    (changes.organizations ?? []).map((name) => ({ login: name })),
  );
}

describe("GitHub", () => {
  it("signs in a member of the organization, whom it calls by number", async () => {
    atGithub("/github-api", 7, "octo", { organizations: ["Other", "The-Lab"] });
    expect(await join("github", "octo")).toMatchObject({
      offer: { provider: { id: "github", name: "GitHub" }, name: "octo", email: "octo@institute.example" },
      me: { username: "octo", role: "user" },
    });
    expect(fake.scopes()).toEqual(["read:user", "user:email", "read:org"]);
    // The login is free to be taken by somebody else; the number is not.
    atGithub("/github-api", 7, "renamed", { organizations: ["the-lab"] });
    expect(await comeBack(newBrowser(), "github")).toBe("/next");
    atGithub("/github-api", 8, "octo", { organizations: ["the-lab"] });
    expect(await comeBack(newBrowser(), "github")).toBe("/auth/register");
  });

  it("makes an administrator of a member of the organization that is named for it", async () => {
    atGithub("/github-api", 9, "boss", { organizations: ["the-lab", "the-lab-admins"] });
    expect(await join("github", "boss")).toMatchObject({ me: { role: "admin" } });
  });

  it("signs in nobody else", async () => {
    atGithub("/github-api", 10, "stranger", { organizations: ["the-lab-too"] });
    expect(await comeBack(newBrowser(), "github")).toBe(REFUSED);
  });

  it("that answers something else signs in nobody", async () => {
    fake.api.set("/github-api/user", { login: "no-number" });
    expect(await comeBack(newBrowser(), "github")).toBe("/login?error=sign-in-failed");
    fake.api.delete("/github-api/user");
    expect(await comeBack(newBrowser(), "github")).toBe("/login?error=sign-in-failed");
  });
});

describe("Bitbucket", () => {
  const person = (uuid: string, changes: { confirmed?: boolean; workspaces?: string[]; email?: string } = {}) => {
    fake.api.set("/2.0/user", { uuid, display_name: "Bibi", nickname: "bibi" });
    const email = changes.email ?? "bibi@institute.example";
    fake.api.set("/2.0/user/emails", {
      values: [{ email, is_primary: true, is_confirmed: changes.confirmed ?? true }],
    });
    const workspaces = (changes.workspaces ?? []).map((slug) => ({ workspace: { slug } }));
    fake.api.set("/2.0/user/workspaces", { values: workspaces });
  };

  it("signs in whoever has a confirmed address of the domain", async () => {
    person("{one}");
    expect(await join("bitbucket", "bibi")).toMatchObject({ offer: { name: "Bibi", suggestedUsername: "bibi" } });
    person("{two}", { confirmed: false });
    expect(await comeBack(newBrowser(), "bitbucket")).toBe(REFUSED);
  });

  it("signs in a member of the workspace", async () => {
    person("{three}", { email: "bibi@elsewhere.example", workspaces: ["the-workspace"] });
    await join("bitbucket", "bibi-too");
    person("{four}", { email: "bibi@elsewhere.example", workspaces: ["another"] });
    expect(await comeBack(newBrowser(), "bitbucket")).toBe(REFUSED);
  });
});

describe("X", () => {
  it("signs in by number, and tells no address", async () => {
    fake.api.set("/2/users/me", { data: { id: "12", name: "Xenia", username: "xenia_x" } });
    expect(await join("x", "xenia")).toMatchObject({ offer: { email: null, suggestedUsername: "xenia-x" } });
  });
});

describe("GitHub Enterprise", () => {
  it("signs in by the verified first address, and is another place than GitHub", async () => {
    atGithub("/api/v3", 7, "octo-at-work");
    await join("github-enterprise", "octo-at-work");
    expect(fake.scopes()).toEqual(["read:user", "user:email"]);
    expect(fake.asked.some((path) => path.includes("/user/orgs"))).toBe(false);
    atGithub("/api/v3", 11, "unverified", { verified: false });
    expect(await comeBack(newBrowser(), "github-enterprise")).toBe(REFUSED);
  });
});
