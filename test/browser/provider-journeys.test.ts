import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { faintTexts, hasBrowser, isLoaded, launchBrowser, newPage, obstaclesOf } from "../support/browser.ts";
import { type IdentityProvider, startIdentityProvider } from "../support/identity-provider.ts";
import { startTestServer, type TestServer } from "../support/test-server.ts";

/*
 * People sign in with a browser at a real registry and a real provider (oidc-provider) on loopback. For the lead: like
 * account-journeys.test.ts this wants the API of every part of the issue, and runs after the merge.
 */

describe.skipIf(!hasBrowser)("with an account at the institute, somebody", () => {
  let server: TestServer;
  let institute: IdentityProvider;
  let browser: Browser;

  beforeAll(async () => {
    institute = await startIdentityProvider(() => [`${server.url}/auth/callback/institute`]);
    server = await startTestServer({
      OIDC_PROVIDERS: "institute",
      OIDC_INSTITUTE_ISSUER: institute.url,
      OIDC_INSTITUTE_NAME: "The Institute",
      OIDC_INSTITUTE_CLIENT_ID: institute.clientId,
      OIDC_INSTITUTE_CLIENT_SECRET: institute.clientSecret,
      OIDC_INSTITUTE_ADMIT: "domain:institute.example",
      TERMS: "Be kind.",
      TERMS_VERSION: "2026-1",
    });
    for (const login of ["alice", "bob"]) addPerson(login, "institute.example");
    addPerson("mallory", "elsewhere.example");
    browser = await launchBrowser();
  });

  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
  });

  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    await institute?.stop();
  });

  function addPerson(login: string, domain: string): void {
    const name = `${login} of the institute`;
    const email = `${login}@${domain}`;
    institute.people.set(login, { sub: login, name, preferred_username: login, email, email_verified: true });
  }

  async function newBrowserPage(): Promise<Page> {
    return (await newPage(browser, server.url)).page;
  }

  /** Says at the provider who one is, and agrees to what the registry wants to know. */
  async function beAtProvider(page: Page, login: string): Promise<void> {
    await page.waitForURL(`${institute.url}/**`);
    await page.locator("input[name=login]").fill(login);
    await page.locator("input[name=password]").fill("any");
    await page.locator("button[type=submit]").click();
    await page.locator("input[name=login]").waitFor({ state: "detached" });
    await page.locator("button[type=submit]").click();
  }

  async function signIn(page: Page, login: string, next: string): Promise<void> {
    await page.goto(`/login?${new URLSearchParams({ next })}`);
    await page.getByRole("button", { name: "Sign in with The Institute" }).click();
    await beAtProvider(page, login);
  }

  it("chooses a name at the first time, agrees to the terms, goes on, and is known the next time", async () => {
    const page = await newBrowserPage();
    await signIn(page, "alice", "/auth/tokens");
    await page.getByRole("heading", { level: 1, name: "Choose your user name" }).waitFor();
    expect(await page.getByRole("main").textContent()).toContain("The Institute as alice of the institute");
    expect([await faintTexts(page), await obstaclesOf(page)]).toEqual([[], []]);
    const field = page.getByLabel("Your user name");
    expect(await field.inputValue()).toBe("alice");
    await field.fill("admin");
    await page.getByLabel("I agree to the terms of use").check();
    await page.getByRole("button", { name: "Create my account" }).click();
    await page.getByRole("alert").filter({ hasText: "reserved" }).waitFor();
    await field.fill("alice");
    await page.getByRole("button", { name: "Create my account" }).click();
    await page.waitForURL("**/auth/tokens");
    await page.getByRole("banner").getByRole("link", { name: "alice" }).waitFor();

    const another = await newBrowserPage();
    await signIn(another, "alice", "/account");
    await another.waitForURL("**/account");
    await isLoaded(another);
    const linked = another.getByRole("region", { name: "Accounts you sign in with" });
    await linked.getByText("alice@institute.example").waitFor();
    const sessions = another.getByRole("region", { name: "Where you are signed in" });
    expect(await sessions.getByText("with The Institute").count()).toBe(2);
    await linked.getByRole("button", { name: "Unlink" }).click();
    await linked.getByRole("button", { name: "Unlink it" }).click();
    await linked.getByRole("alert").filter({ hasText: "last account" }).waitFor();
  });

  it("is told that the registry does not take them, and can try again", async () => {
    const page = await newBrowserPage();
    await signIn(page, "mallory", "/account");
    await page.waitForURL("**/login?error=not-admitted");
    await page.getByRole("alert").filter({ hasText: "does not take new users" }).waitFor();
    await page.getByRole("button", { name: "Sign in with The Institute" }).waitFor();
    expect(await page.context().cookies()).not.toContainEqual(expect.objectContaining({ name: "__Host-session" }));
  });

  it("links a second account, and then signs in with either", async () => {
    await server.admin("add-user", { username: "carol" });
    const page = await newBrowserPage();
    const { url } = (await server.admin("login-link", { username: "carol" })) as { url: string };
    await page.goto(url);
    await page.getByRole("main").getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("button", { name: "I agree" }).click();
    await page.getByRole("heading", { level: 1, name: "carol" }).waitFor();
    await isLoaded(page);
    await page.getByRole("button", { name: "Link The Institute" }).click();
    await beAtProvider(page, "bob");
    await page.waitForURL("**/account");
    await page.getByText("bob@institute.example").waitFor();

    const another = await newBrowserPage();
    await signIn(another, "bob", "/account");
    await another.getByRole("heading", { level: 1, name: "carol" }).waitFor();
  });
});
