import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Browser, newBrowser } from "../support/cookie-jar.ts";
import { type IdentityProvider, startIdentityProvider } from "../support/identity-provider.ts";
import { startTestServer, type TestServer } from "../support/test-server.ts";

/*
 * People sign in at real identity providers on loopback (oidc-provider), over HTTP, with cookies: what a browser
 * does. `institute` tells its claims by userinfo, as Keycloak may; `google` and `gitlab` in the id token.
 */

let server: TestServer;
let institute: IdentityProvider;
let google: IdentityProvider;
let gitlab: IdentityProvider;

const callback = (id: string) => `${server.url}/auth/callback/${id}`;

beforeAll(async () => {
  institute = await startIdentityProvider(() => [callback("institute"), callback("open")]);
  google = await startIdentityProvider(() => [callback("google")], { inIdToken: true });
  gitlab = await startIdentityProvider(() => [callback("gitlab")]);
  const client = (prefix: string, { clientId, clientSecret }: IdentityProvider) => ({
    [`${prefix}_CLIENT_ID`]: clientId,
    [`${prefix}_CLIENT_SECRET`]: clientSecret,
  });
  server = await startTestServer({
    OIDC_PROVIDERS: "institute,open",
    ...client("OIDC_INSTITUTE", institute),
    OIDC_INSTITUTE_ISSUER: institute.url,
    OIDC_INSTITUTE_NAME: "The Institute",
    OIDC_INSTITUTE_ADMIT: "domain:institute.example, group:guests",
    OIDC_INSTITUTE_ADMINS: "group:registry-admins",
    // The same issuer, as somebody would set it up who lets everybody in.
    ...client("OIDC_OPEN", institute),
    OIDC_OPEN_ISSUER: institute.url,
    OIDC_OPEN_ADMIT: "everyone",
    ...client("GOOGLE", google),
    GOOGLE_ISSUER: google.url,
    GOOGLE_ADMIT: "organization:institute.example",
    ...client("GITLAB", gitlab),
    GITLAB_URL: gitlab.url,
    GITLAB_ADMIT: "organization:lab/images",
    GITLAB_ADMINS: "organization:lab/admins",
  });
});

afterAll(async () => {
  await server?.stop();
  for (const provider of [institute, google, gitlab]) await provider?.stop();
});

let serial = 0;

/** Somebody at a provider, admitted by their address. */
function newcomer(provider: IdentityProvider, login: string, claims: Record<string, unknown> = {}): string {
  serial++;
  provider.people.set(login, {
    sub: `${login}-${serial}`,
    name: `${login} of the institute`,
    preferred_username: login,
    email: `${login}@institute.example`,
    email_verified: true,
    ...claims,
  });
  return login;
}

const api = (path: string) => `${server.url}/api/v1${path}`;

/** From the button to coming back: where the registry sends the browser then. */
async function comeBack(
  browser: Browser,
  at: IdentityProvider,
  id: string,
  login: string,
  next = "/",
): Promise<string> {
  return await finish(browser, await at.signIn(browser, await begin(browser, id, next), login));
}

async function begin(browser: Browser, provider: string, next = "/"): Promise<string> {
  const answer = await browser.ask(api("/sign-ins"), { json: { provider, next } });
  if (answer.status !== 201) throw new Error(await answer.text());
  return ((await answer.json()) as { url: string }).url;
}

async function finish(browser: Browser, address: string): Promise<string> {
  const response = await browser.ask(address);
  expect(response.status).toBe(303);
  return (response.headers.get("location") ?? "").replace(server.url, "");
}

async function choose(browser: Browser, username: string): Promise<Response> {
  return await browser.ask(api("/registration"), { json: { username } });
}

/** Signs somebody in for the first time. */
async function join(at: IdentityProvider, id: string, login: string): Promise<Browser> {
  const browser = newBrowser();
  expect(await comeBack(browser, at, id, login)).toBe("/auth/register");
  expect((await choose(browser, login)).status).toBe(201);
  return browser;
}

interface Identities {
  items: { id: string; provider: { id: string; name: string }; subject: string; email: string | null }[];
}

async function identitiesOf(browser: Browser): Promise<Identities["items"]> {
  return ((await (await browser.ask(api("/identities"))).json()) as Identities).items;
}

async function isSignedIn(browser: Browser): Promise<boolean> {
  return (await browser.ask(api("/identities"))).status === 200;
}

async function rowOf(username: string) {
  const database = await server.miniflare.getD1Database("DB");
  return await database
    .prepare("SELECT is_admin, is_superuser, claimed_admin_until, version FROM users WHERE username = ?")
    .bind(username)
    .first<{ is_admin: number; is_superuser: number; claimed_admin_until: number | null; version: number }>();
}

describe("somebody new", () => {
  it("signs in at the institute, chooses a name, and is signed in", async () => {
    newcomer(institute, "alice");
    const browser = newBrowser();
    expect(await comeBack(browser, institute, "institute", "alice", "/auth/tokens?for=me")).toBe("/auth/register");
    const offer = await (await browser.ask(api("/registration"))).json();
    expect(offer).toEqual({
      provider: { id: "institute", name: "The Institute" },
      name: "alice of the institute",
      email: "alice@institute.example",
      suggestedUsername: "alice",
      terms: null,
    });
    expect(await isSignedIn(browser)).toBe(false);
    const made = await choose(browser, "Alice");
    expect(made.status).toBe(201);
    expect(await made.json()).toMatchObject({ username: "alice", role: "user", entity: "alice" });
    expect(await identitiesOf(browser)).toMatchObject([
      { provider: { id: "institute" }, email: "alice@institute.example" },
    ]);
    // What the browser had to bring back is gone.
    expect((await browser.ask(api("/registration"))).status).toBe(404);
  });

  it("comes back as the same user, to where they wanted to go, with a new session", async () => {
    newcomer(institute, "bob");
    const browser = await join(institute, "institute", "bob");
    const first = browser.cookie(server.url, "__Host-session");
    expect(await comeBack(browser, institute, "institute", "bob", "/auth/tokens?for=me")).toBe("/auth/tokens?for=me");
    expect(browser.cookie(server.url, "__Host-session")).not.toBe(first);
    const old = newBrowser();
    old.setCookie(server.url, "__Host-session", first ?? "");
    expect(await isSignedIn(old)).toBe(false);
    expect(await isSignedIn(browser)).toBe(true);
  });

  it("is offered another name where theirs is taken, and may not take it", async () => {
    await server.admin("add-user", { username: "carol" });
    newcomer(institute, "carol");
    const browser = newBrowser();
    await comeBack(browser, institute, "institute", "carol");
    expect(await (await browser.ask(api("/registration"))).json()).toMatchObject({ suggestedUsername: "carol-2" });
    expect((await choose(browser, "carol")).status).toBe(409);
    expect((await choose(browser, "admin")).status).toBe(409);
    expect((await choose(browser, "Not a name")).status).toBe(400);
    expect((await choose(browser, "carol-2")).status).toBe(201);
  });

  it("becomes one user when two requests ask at once", async () => {
    newcomer(institute, "twice");
    const browser = newBrowser();
    await comeBack(browser, institute, "institute", "twice");
    const answers = await Promise.all([choose(browser, "twice-a"), choose(browser, "twice-b")]);
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409]);
  });

  it("is another user than the one with the same address elsewhere", async () => {
    newcomer(institute, "same", { email: "shared@institute.example" });
    newcomer(google, "same-at-google", { email: "shared@institute.example", hd: "institute.example" });
    await join(institute, "institute", "same");
    const other = newBrowser();
    expect(await comeBack(other, google, "google", "same-at-google")).toBe("/auth/register");
    expect((await choose(other, "same")).status).toBe(409);
  });
});

describe("who is admitted", () => {
  it.each([
    ["an address of the domain that is not verified", { email_verified: false }],
    ["an address of another domain", { email: "eve@institute.example.evil.example" }],
    ["an address of a domain below it", { email: "eve@sub.institute.example" }],
    ["no address", { email: undefined, email_verified: undefined }],
  ])("is nobody with %s", async (_, claims) => {
    newcomer(institute, "eve", claims);
    expect(await comeBack(newBrowser(), institute, "institute", "eve")).toBe("/login?error=not-admitted");
  });

  it("is a member of a group that is named", async () => {
    newcomer(institute, "guest", { email: "guest@elsewhere.example", groups: ["guests"] });
    await join(institute, "institute", "guest");
  });

  it("is whom Google's organization or GitLab's group has", async () => {
    newcomer(google, "gina", { email: "gina@institute.example", hd: "institute.example" });
    await join(google, "google", "gina");
    newcomer(google, "gregor", { hd: "elsewhere.example" });
    expect(await comeBack(newBrowser(), google, "google", "gregor")).toBe("/login?error=not-admitted");
    newcomer(google, "private", { email: "private@institute.example" });
    expect(await comeBack(newBrowser(), google, "google", "private")).toBe("/login?error=not-admitted");
    newcomer(gitlab, "gitta", { groups: ["lab", "Lab/Images"] });
    await join(gitlab, "gitlab", "gitta");
    newcomer(gitlab, "gerd", { groups: ["lab"] });
    expect(await comeBack(newBrowser(), gitlab, "gitlab", "gerd")).toBe("/login?error=not-admitted");
  });

  it("is nobody any more who has left what let them in, and again who is back", async () => {
    newcomer(institute, "leaver", { email: "leaver@elsewhere.example", groups: ["guests"] });
    await join(institute, "institute", "leaver");
    const person = institute.people.get("leaver");
    institute.people.set("leaver", { ...person, sub: String(person?.sub), groups: [] });
    expect(await comeBack(newBrowser(), institute, "institute", "leaver")).toBe("/login?error=not-admitted");
    institute.people.set("leaver", { ...person, sub: String(person?.sub) });
    expect(await comeBack(newBrowser(), institute, "institute", "leaver")).toBe("/");
  });

  it("is no user who is disabled", async () => {
    newcomer(institute, "blocked");
    await join(institute, "institute", "blocked");
    await server.admin("disable-user", { username: "blocked" });
    expect(await comeBack(newBrowser(), institute, "institute", "blocked")).toBe("/login?error=not-admitted");
  });
});

describe("an administrator by a claim", () => {
  it("is one as long as each sign-in says so, and never a superuser", async () => {
    newcomer(institute, "boss", { groups: ["registry-admins"] });
    await join(institute, "institute", "boss");
    expect(await rowOf("boss")).toMatchObject({ is_admin: 0, is_superuser: 0 });
    expect((await rowOf("boss"))?.claimed_admin_until).toBeGreaterThan(Date.now());
    const person = institute.people.get("boss");
    institute.people.set("boss", { ...person, sub: String(person?.sub), groups: [] });
    await comeBack(newBrowser(), institute, "institute", "boss");
    expect((await rowOf("boss"))?.claimed_admin_until).toBeNull();
    institute.people.set("boss", { ...person, sub: String(person?.sub) });
    await comeBack(newBrowser(), institute, "institute", "boss");
    expect((await rowOf("boss"))?.claimed_admin_until).toBeGreaterThan(Date.now());
  });

  it("is none any more once a sign-in is refused because they left, also in browsers that stay signed in", async () => {
    newcomer(institute, "former", { email: "former@elsewhere.example", groups: ["guests", "registry-admins"] });
    const browser = await join(institute, "institute", "former");
    expect((await browser.ask(api("/users"))).status).toBe(200);
    const person = institute.people.get("former");
    institute.people.set("former", { ...person, sub: String(person?.sub), groups: [] });
    expect(await comeBack(newBrowser(), institute, "institute", "former")).toBe("/login?error=not-admitted");
    expect((await rowOf("former"))?.claimed_admin_until).toBeNull();
    expect((await browser.ask(api("/users"))).status).toBe(403);
  });

  it("is none any more without the account that said so", async () => {
    newcomer(gitlab, "chief", { groups: ["lab/images", "lab/admins"] });
    const browser = await join(gitlab, "gitlab", "chief");
    newcomer(institute, "chief-too");
    expect(await link(browser, institute, "open", "chief-too")).toBe("/account");
    const [first] = await identitiesOf(browser);
    expect((await rowOf("chief"))?.claimed_admin_until).toBeGreaterThan(Date.now());
    expect((await unlink(browser, first?.id)).status).toBe(204);
    expect((await rowOf("chief"))?.claimed_admin_until).toBeNull();
  });
});

async function link(browser: Browser, at: IdentityProvider, provider: string, login: string): Promise<string> {
  const answer = await browser.ask(api("/identities"), { json: { provider } });
  expect(answer.status).toBe(201);
  return await finish(browser, await at.signIn(browser, ((await answer.json()) as { url: string }).url, login));
}

async function unlink(browser: Browser, id: string | undefined): Promise<Response> {
  return await browser.ask(api(`/identities/${id}`), { method: "DELETE" });
}

describe("a second account", () => {
  it("is linked by whoever is signed in, and signs them in from then on", async () => {
    newcomer(institute, "dora");
    const browser = await join(institute, "institute", "dora");
    newcomer(google, "dora-private");
    expect(await link(browser, google, "google", "dora-private")).toBe("/account");
    // Once more changes nothing.
    expect(await link(browser, google, "google", "dora-private")).toBe("/account");
    expect(await identitiesOf(browser)).toHaveLength(2);
    const elsewhere = newBrowser();
    // Not admitted by itself: its user is.
    expect(await comeBack(elsewhere, google, "google", "dora-private")).toBe("/");
    expect(await identitiesOf(elsewhere)).toHaveLength(2);
  });

  it("of somebody else is refused", async () => {
    newcomer(institute, "erik");
    await join(institute, "institute", "erik");
    newcomer(google, "frida", { hd: "institute.example" });
    const browser = await join(google, "google", "frida");
    expect(await link(browser, institute, "institute", "erik")).toBe("/login?error=identity-taken");
    expect(await identitiesOf(browser)).toHaveLength(1);
  });

  it("can be unlinked, but the last one cannot, also when both go at once", async () => {
    newcomer(institute, "hugo");
    const browser = await join(institute, "institute", "hugo");
    newcomer(google, "hugo-private");
    await link(browser, google, "google", "hugo-private");
    const [first, second] = await identitiesOf(browser);
    const answers = await Promise.all([unlink(browser, first?.id), unlink(browser, second?.id)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([204, 409]);
    expect(await identitiesOf(browser)).toHaveLength(1);
  });

  it("of somebody else cannot be unlinked, nor told from one that is not there", async () => {
    newcomer(institute, "ida");
    const [identity] = await identitiesOf(await join(institute, "institute", "ida"));
    newcomer(institute, "jan");
    const browser = await join(institute, "institute", "jan");
    expect((await unlink(browser, identity?.id)).status).toBe(404);
    expect((await unlink(browser, crypto.randomUUID())).status).toBe(404);
  });

  it("is not linked to whoever has signed in in the meantime", async () => {
    newcomer(institute, "karl");
    const browser = await join(institute, "institute", "karl");
    const answer = await browser.ask(api("/identities"), { json: { provider: "google" } });
    newcomer(google, "karl-private");
    const { url } = (await answer.json()) as { url: string };
    const back = await google.signIn(browser, url, "karl-private");
    newcomer(institute, "lena");
    const lena = await join(institute, "institute", "lena");
    browser.setCookie(server.url, "__Host-session", lena.cookie(server.url, "__Host-session") ?? "");
    expect(await finish(browser, back)).toBe("/login?error=sign-in-expired");
    expect(await identitiesOf(lena)).toHaveLength(1);
  });
});

describe("an attacker", () => {
  it("gets nobody signed in with a callback of their own", async () => {
    newcomer(institute, "mallory");
    const attacker = newBrowser();
    const back = await institute.signIn(attacker, await begin(attacker, "institute"), "mallory");
    const victim = newBrowser();
    expect(await finish(victim, back)).toBe("/login?error=sign-in-expired");
    // Not either in a browser that has begun an attempt of its own.
    await begin(victim, "institute");
    expect(await finish(victim, back)).toBe("/login?error=sign-in-failed");
    expect(await isSignedIn(victim)).toBe(false);
  });

  it("gains nothing from a callback that was used, nor from its code", async () => {
    newcomer(institute, "nora");
    const browser = newBrowser();
    const url = await begin(browser, "institute");
    const attempt = browser.cookie(server.url, "__Host-sign-in") ?? "";
    const back = await institute.signIn(browser, url, "nora");
    expect(await finish(browser, back)).toBe("/auth/register");
    expect(browser.cookie(server.url, "__Host-sign-in")).toBeNull();
    expect(await finish(browser, back)).toBe("/login?error=sign-in-expired");
    const thief = newBrowser();
    thief.setCookie(server.url, "__Host-sign-in", attempt);
    expect(await finish(thief, back)).toBe("/login?error=sign-in-failed");
  });

  it("cannot change the state, the issuer, or the provider that a callback names", async () => {
    newcomer(institute, "olga");
    const tampered = async (change: (url: URL) => void) => {
      const browser = newBrowser();
      const back = new URL(await institute.signIn(browser, await begin(browser, "institute"), "olga"));
      change(back);
      return await finish(browser, back.href);
    };
    expect(await tampered((url) => url.searchParams.set("state", "forged"))).toBe("/login?error=sign-in-failed");
    expect(await tampered((url) => url.searchParams.delete("state"))).toBe("/login?error=sign-in-failed");
    expect(await tampered((url) => url.searchParams.set("iss", google.url))).toBe("/login?error=sign-in-failed");
    expect(await tampered((url) => url.searchParams.append("state", "twice"))).toBe("/login?error=sign-in-failed");
    const other = await tampered((url) => {
      url.pathname = "/auth/callback/open";
    });
    expect(other).toBe("/login?error=sign-in-expired");
  });

  it.each([
    "https://evil.example/",
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/.//evil.example",
    "/%2e//evil.example",
    "/x/..//evil.example",
    " //evil.example",
    "javascript:alert(1)",
    "login",
    "",
  ])("cannot have people sent on to %j", async (next) => {
    const answer = await newBrowser().ask(api("/sign-ins"), { json: { provider: "institute", next } });
    expect(answer.status).toBe(400);
  });

  it("cannot begin a sign-in from another site", async () => {
    const body = JSON.stringify({ provider: "institute" });
    const headers = { "Sec-Fetch-Site": "cross-site", Origin: "https://evil.example" };
    expect((await fetch(api("/sign-ins"), { method: "POST", headers, body })).status).toBe(403);
  });

  it("cannot use up an attempt by HEAD, and a provider's refusal signs nobody in", async () => {
    newcomer(institute, "paul");
    const browser = newBrowser();
    const back = await institute.signIn(browser, await begin(browser, "institute"), "paul");
    expect((await browser.ask(back, { method: "HEAD" })).status).toBe(404);
    expect(await finish(browser, back)).toBe("/auth/register");
    const url = new URL(await begin(browser, "institute"));
    const state = url.searchParams.get("state") ?? "";
    const refused = `${callback("institute")}?${new URLSearchParams({ error: "access_denied", state, iss: institute.url })}`;
    expect(await finish(browser, refused)).toBe("/login?error=sign-in-failed");
  });
});

describe("a registry on plain http that is not this machine", () => {
  let far: TestServer | undefined;
  afterEach(async () => await far?.stop());

  it("says that signing in needs https, and begins none", async () => {
    far = await startTestServer({
      PUBLIC_ORIGIN: "http://registry.example.org",
      GITHUB_CLIENT_ID: "an-id",
      GITHUB_CLIENT_SECRET: "a-secret",
      GITHUB_ADMIT: "everyone",
      DISABLE_REGISTRATION: "true",
    });
    const site = (await (await fetch(`${far.url}/api/v1/site`)).json()) as { signIn: unknown };
    expect(site.signIn).toEqual({ obstacle: "https-required", providers: [{ id: "github", name: "GitHub" }] });
    const answer = await newBrowser().ask(`${far.url}/api/v1/sign-ins`, { json: { provider: "github" } });
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([403, "https-required"]);
  });
});
