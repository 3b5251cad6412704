import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll } from "vitest";
import type { Identity, Me, Registration } from "../../ui/api/schema.d.ts";
import { hasBrowser, isLoaded, launchBrowser, newPage, type OpenedPage } from "./browser.ts";
import { type Answers, type Asked, aTime, fakeApi, idOf, Refusal, siteOf } from "./fake-api.ts";
import { startTestServer, type TestServer } from "./test-server.ts";

/*
 * The pages for people who sign in, against answers made up from the API's types: states and refusals that a real
 * registry is brought to with effort. The same with a real one: account-journeys.test.ts.
 */

export interface FakedPage extends OpenedPage {
  asked: Asked;
}

export type Open = (
  path: string,
  me: Me | null,
  answers?: Answers,
  options?: BrowserContextOptions,
) => Promise<FakedPage>;

/** Starts a registry and a browser for the tests of a file. `open` opens a page that made-up answers stand behind. */
export function setUpPages(): { open: Open; url: () => string } {
  let server: TestServer;
  let browser: Browser;

  beforeAll(async () => {
    if (!hasBrowser) return;
    server = await startTestServer();
    browser = await launchBrowser();
  });

  afterEach(async () => {
    for (const context of browser?.contexts() ?? []) await context.close();
  });

  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  return {
    url: () => server.url,
    open: async (path, me, answers = {}, options = {}) => {
      // Every refusal here is one that the test made up.
      const opened = await newPage(browser, server.url, { ...options, refused: (url) => url.includes("/api/v1/") });
      const asked = await fakeApi(opened.page, server.url, me, answers);
      await opened.page.goto(path);
      await isLoaded(opened.page);
      return { ...opened, asked };
    },
  };
}

/** Waits until a page is at an address of the registry. */
export async function wentTo(page: Page, path: string): Promise<void> {
  await page.waitForURL((url) => url.pathname + url.search === path);
}

export const terms = { required: "2026-1", agreed: null, agreedAt: null };
export const termsText = { version: "2026-1", text: "Be kind.\n\nImages are yours." };
export const withTerms = { "GET /api/v1/site": siteOf({ termsVersion: "2026-1" }), "GET /api/v1/terms": termsText };
export const provider = { id: "lab", name: "Lab Login" };
export const registration: Registration = {
  provider,
  name: "Alice Example",
  email: "alice@example.org",
  suggestedUsername: "alice",
  terms: null,
};
export const identity: Identity = {
  id: idOf(20),
  provider,
  issuer: "https://login.example.org",
  subject: "1",
  name: "Alice Example",
  email: "alice@example.org",
  isEmailVerified: false,
  createdAt: aTime,
  lastUsedAt: aTime,
};
export const noKey = new Refusal(404, "not-found", "Not found.");
export const noTokens = { "GET /api/v1/tokens": { items: [], next: null }, "GET /api/v1/sregistry-key": noKey };
