import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasBrowser, isLoaded, launchBrowser, newPage } from "../support/browser.ts";
import { pushOverHttp } from "../support/http-client.ts";
import { makeSif } from "../support/make-sif.ts";
import { startTestServer, type TestServer } from "../support/test-server.ts";

describe.skipIf(!hasBrowser)("a registry whose administrator set an id of Google Analytics", () => {
  let server: TestServer;
  let browser: Browser;

  beforeAll(async () => {
    server = await startTestServer({ GOOGLE_ANALYTICS: "G-ABC123" });
    const { token } = await server.addUser("alice");
    for (const collection of ["tools", "secrets"]) {
      await pushOverHttp(server.url, token, `alice/${collection}/app:v1`, makeSif({ salt: collection }));
    }
    const headers = { Authorization: `Bearer ${token}`, "If-Match": "*" };
    const body = JSON.stringify({ visibility: "private" });
    await fetch(`${server.url}/api/v1/collections/alice/secrets`, { method: "PATCH", headers, body });
    browser = await launchBrowser();
  });

  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  /** What a page asked elsewhere for, or was kept from, while another site's script stands in for Google's. */
  async function elsewhere(path: string): Promise<{ faults: string[]; told: unknown[] }> {
    const { page, faults } = await newPage(browser, server.url, {
      // That something is hidden, or not there, is what some tests want.
      refused: (url) => /\/api\/v1\/co(?:llections|ntainers)\//.test(url),
    });
    await page.route(
      (url) => url.origin !== server.url,
      (route) => route.fulfill({ contentType: "text/javascript", body: "document.documentElement.id = 'counted';" }),
    );
    await page.goto(path);
    await isLoaded(page);
    if (["/", "/alice/tools", "/alice/tools/app"].includes(path))
      await page.locator("#counted").waitFor({ state: "attached" });
    const told = await page.evaluate(() => {
      const { dataLayer = [] } = window as unknown as { dataLayer?: ArrayLike<unknown>[] };
      return dataLayer.map((words) => Array.from(words));
    });
    await page.context().close();
    return { faults, told };
  }

  it("loads Google's script, and tells it the page's path without what is asked for there", async () => {
    const { faults, told } = await elsewhere("/");
    expect(faults).toEqual(["request: https://www.googletagmanager.com/gtag/js?id=G-ABC123"]);
    expect(told[1]).toEqual(["config", "G-ABC123", { page_location: `${server.url}/` }]);
  });

  it.each(["/alice/tools", "/alice/tools/app"])("does so where something public is shown: %s", async (path) => {
    const { faults, told } = await elsewhere(path);
    expect(faults).toEqual(["request: https://www.googletagmanager.com/gtag/js?id=G-ABC123"]);
    expect(told[1]).toEqual(["config", "G-ABC123", { page_location: `${server.url}${path}` }]);
  });

  it.each(["/alice/secrets", "/alice/secrets/app", "/alice/nothing", "/tags/nothing"])(
    "does not tell what something is called that is hidden, or not there: %s",
    async (path) => {
      const { faults, told } = await elsewhere(path);
      // Chromium says so itself where the Worker knows that no page can be there.
      expect({ faults: faults.filter((fault) => !fault.includes("status of 404")), told }).toEqual({
        faults: [],
        told: [],
      });
    },
  );

  it.each(["/login?next=/account", "/auth/link#a-secret", "/auth/tokens", "/account", "/invitations#a-secret"])(
    "does not where secrets are shown or taken: %s",
    async (path) => {
      expect(await elsewhere(path)).toEqual({ faults: [], told: [] });
    },
  );
});
