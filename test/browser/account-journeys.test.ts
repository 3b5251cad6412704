import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { hasBrowser, isLoaded, launchBrowser, linesOf, newPage, type OpenedPage } from "../support/browser.ts";
import { startTestServer, type TestServer } from "../support/test-server.ts";

/*
 * Whole ways through the pages of a real registry without an identity provider: signing in with a link, making what a
 * client needs, signing out, and leaving. For the lead: these want the API of every part of the issue, and run after
 * the merge.
 */

const terms = { TERMS: "Be kind.\n\nImages are yours.", TERMS_VERSION: "2026-1" };

describe.skipIf(!hasBrowser)("with a real registry, somebody", () => {
  let server: TestServer;
  let withTerms: TestServer;
  let browser: Browser;
  const scratch = mkdtempSync(join(tmpdir(), "journeys-"));

  beforeAll(async () => {
    server = await startTestServer();
    withTerms = await startTestServer(terms);
    browser = await launchBrowser();
  });

  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
  });

  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    await withTerms?.stop();
    rmSync(scratch, { recursive: true, force: true });
  });

  async function newLink(username: string, registry: TestServer = server): Promise<string> {
    return ((await registry.admin("login-link", { username })) as { url: string }).url;
  }

  /** A browser of its own. What the registry refuses there, a test demands. */
  async function newBrowserPage(registry: TestServer = server): Promise<OpenedPage> {
    return await newPage(browser, registry.url, { refused: (url) => url.includes("/api/v1/") });
  }

  /** Opens a link and uses it. */
  async function signIn(page: Page, link: string): Promise<void> {
    await page.goto(link);
    await page.getByRole("main").getByRole("button", { name: "Sign in" }).click();
  }

  /** A browser in which somebody, who is new here, is signed in. */
  async function newVisitor(username: string): Promise<Page> {
    await server.admin("add-user", { username });
    const { page } = await newBrowserPage();
    await signIn(page, await newLink(username));
    await page.getByRole("heading", { level: 1, name: username }).waitFor();
    await isLoaded(page);
    return page;
  }

  /** What an address says to a client with a token: its status. */
  async function statusWith(secret: string, path: string): Promise<number> {
    return (await fetch(`${server.url}${path}`, { headers: { Authorization: `Bearer ${secret}` } })).status;
  }

  it("signs in by a link once, which whoever only opens it does not use up, and out again", async () => {
    await server.admin("add-user", { username: "alice" });
    const link = await newLink("alice");
    // A mail scanner looks at the link first, with all that stands in it.
    expect((await fetch(link)).status).toBe(200);
    const { page, faults } = await newBrowserPage();
    await page.goto(link);
    expect(page.url()).not.toContain("#");
    await page.getByRole("main").getByRole("button", { name: "Sign in" }).click();
    await page.waitForURL("**/account");
    await page.getByRole("heading", { level: 1, name: "alice" }).waitFor();
    await page.getByRole("region", { name: "Where you are signed in" }).getByText("a login link").waitFor();
    await page.goto("/");
    await isLoaded(page);
    expect((await linesOf(page, "Push an image")).join()).toContain("library://alice/");
    expect(faults).toEqual([]);

    const { page: another } = await newBrowserPage();
    await signIn(another, link);
    await another.getByRole("alert").filter({ hasText: "used already" }).waitFor();

    await page.getByRole("banner").getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("banner").getByRole("link", { name: "Sign in" }).waitFor();
    await page.goto("/account");
    await page.getByText("Sign in to see your account.").waitFor();
  });

  it("reads on the page for signing in how to get a link where there is no provider", async () => {
    const { page } = await newBrowserPage();
    await page.goto("/login");
    await isLoaded(page);
    expect(await linesOf(page, "Make a login link")).toEqual(["npm run admin -- login-link --username NAME"]);
  });

  it("makes a token that a client can use, and ends it", async () => {
    const page = await newVisitor("bob");
    await page.goto("/auth/tokens");
    await isLoaded(page);
    await page.getByLabel("Name", { exact: true }).fill("laptop");
    await page.getByLabel("Expires").selectOption("30");
    await page.getByRole("button", { name: "Make the token" }).click();
    await page.getByRole("heading", { name: "Copy it now" }).waitFor();
    const [secret = ""] = await linesOf(page, "The token");
    expect(secret.length).toBeGreaterThanOrEqual(200);
    expect(await statusWith(secret, "/api/v1/me")).toBe(200);

    await page.reload();
    await isLoaded(page);
    expect(await page.content()).not.toContain(secret);
    const card = page.getByRole("listitem").filter({ hasText: "laptop" });
    await card.getByRole("button", { name: "Revoke laptop" }).click();
    await card.getByRole("button", { name: "Revoke it" }).click();
    await card.getByText("Revoked").waitFor();
    expect(await statusWith(secret, "/api/v1/me")).toBe(401);
  });

  it("is told by the registry what is wrong with a token: a collection that is not there", async () => {
    const page = await newVisitor("carol");
    await page.goto("/auth/tokens");
    await isLoaded(page);
    await page.getByLabel("Name", { exact: true }).fill("laptop");
    await page.getByLabel("Only for one collection").fill("carol/nothing-here");
    await page.getByRole("button", { name: "Make the token" }).click();
    await page.getByRole("alert").filter({ hasText: /\S/ }).waitFor();
    await page.getByText("You have no tokens yet.").waitFor();
  });

  it("makes a key for sregistry-cli, which is another one after each time", async () => {
    const page = await newVisitor("dave");
    await page.goto("/auth/tokens");
    await isLoaded(page);
    const section = page.getByRole("region", { name: "Key for sregistry-cli" });
    const keyShown = async (): Promise<string> => {
      const file = JSON.parse((await linesOf(page, "~/.sregistry")).join("\n"));
      expect(file.registry).toMatchObject({
        SREGISTRY_REGISTRY_BASE: server.url,
        SREGISTRY_REGISTRY_USERNAME: "dave",
      });
      return file.registry.SREGISTRY_REGISTRY_TOKEN;
    };
    await section.getByRole("button", { name: "Make a key" }).click();
    await section.getByRole("heading", { name: "Copy it now" }).waitFor();
    const first = await keyShown();
    await section.getByRole("button", { name: "Replace" }).click();
    await section.getByRole("button", { name: "Make a new key" }).click();
    await section.getByRole("button", { name: "Replace" }).waitFor();
    expect(await keyShown()).not.toBe(first);
    await section.getByRole("button", { name: "End" }).click();
    await section.getByRole("button", { name: "End it" }).click();
    await section.getByRole("button", { name: "Make a key" }).waitFor();
  });

  it("signs out a browser left signed in elsewhere", async () => {
    const page = await newVisitor("erin");
    const { page: elsewhere } = await newBrowserPage();
    await signIn(elsewhere, await newLink("erin"));
    await elsewhere.getByRole("heading", { level: 1, name: "erin" }).waitFor();

    await page.reload();
    await isLoaded(page);
    const section = page.getByRole("region", { name: "Where you are signed in" });
    expect(await section.getByRole("listitem").count()).toBe(2);
    const other = section.getByRole("listitem").filter({ hasNotText: "This browser" });
    await other.getByRole("button", { name: "Sign out" }).click();
    await section.getByRole("button", { name: "Sign it out" }).click();
    await section.getByRole("status").filter({ hasText: "signed out" }).waitFor();
    await elsewhere.goto("/");
    await elsewhere.getByRole("banner").getByRole("link", { name: "Sign in" }).waitFor();
    await page.reload();
    await page.getByRole("banner").getByRole("link", { name: "erin" }).waitFor();
  });

  it("takes all data along, and deletes the account after typing the name", async () => {
    const page = await newVisitor("frank");
    const { token } = await server.addToken("frank");
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("link", { name: "Download my data" }).click(),
    ]);
    const file = join(scratch, "frank.json");
    await download.saveAs(file);
    expect(JSON.stringify(JSON.parse(readFileSync(file, "utf8")))).toContain("frank");

    await page.getByRole("button", { name: "Show what would be deleted" }).click();
    await page.getByText("1 access token").waitFor();
    await page.getByLabel("Type your user name").fill("frank");
    await page.getByRole("button", { name: "Delete my account for good" }).click();
    await page.getByRole("heading", { level: 1, name: "Your account is deleted" }).waitFor();
    expect(await statusWith(token, "/api/v1/me")).toBe(401);
    await page.goto("/");
    await page.getByRole("banner").getByRole("link", { name: "Sign in" }).waitFor();
  });

  it("is shown anew what would be deleted where more came after it was shown", async () => {
    const page = await newVisitor("grace");
    await page.getByRole("button", { name: "Show what would be deleted" }).click();
    await page.getByRole("heading", { name: "Is deleted" }).waitFor();
    await server.addToken("grace");
    await page.getByLabel("Type your user name").fill("grace");
    await page.getByRole("button", { name: "Delete my account for good" }).click();
    await page.getByText("1 access token").waitFor();
    expect(await page.getByLabel("Type your user name").inputValue()).toBe("");
    await page.reload();
    await page.getByRole("heading", { level: 1, name: "grace" }).waitFor();
  });

  it("agrees to the terms before anything else", async () => {
    await withTerms.admin("add-user", { username: "alice" });
    const { page, faults } = await newBrowserPage(withTerms);
    await signIn(page, await newLink("alice", withTerms));
    await page.waitForURL("**/terms?next=%2Faccount");
    await isLoaded(page);
    expect(await page.locator(".terms p").allTextContents()).toEqual(["Be kind.", "Images are yours."]);
    await page.goto("/auth/tokens");
    await page.waitForURL("**/terms?next=%2Fauth%2Ftokens");
    await page.getByRole("button", { name: "I agree" }).click();
    await page.getByRole("heading", { level: 1, name: "Access tokens" }).waitFor();
    await isLoaded(page);
    await page.getByText("You have no tokens yet.").waitFor();
    expect(faults).toEqual([]);
  });
});
