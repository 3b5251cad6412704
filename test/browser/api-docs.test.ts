import { existsSync } from "node:fs";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { sessionCookie, signIn } from "../support/server-session.ts";
import { startTestServer, type TestServer, type Token } from "../support/test-server.ts";

const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const hasBrowser = existsSync(executablePath);
if (!hasBrowser) {
  console.warn(`The tests of /api/docs are skipped: there is no ${executablePath}. Set CHROMIUM to a Chromium.`);
}

const operation = "/api/docs#get-/api/v1/topics";

describe.skipIf(!hasBrowser)("the page of the JSON API", () => {
  let server: TestServer;
  let browser: Browser;
  let alice: Token;

  beforeAll(async () => {
    server = await startTestServer({ API_REQUIRE_AUTH: "true" });
    alice = await server.addUser("alice");
    browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
  });

  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
  });

  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  /** A page, and what it did that none may do: errors, requests to elsewhere, and what its policy forbids. */
  async function open(
    path: string,
    prepare?: (context: BrowserContext) => Promise<void>,
    viewport = { width: 1280, height: 720 },
  ) {
    const context = await browser.newContext({ baseURL: server.url, viewport });
    context.setDefaultTimeout(15_000);
    await prepare?.(context);
    const page = await context.newPage();
    const faults: string[] = [];
    page.on("pageerror", (error) => faults.push(`exception: ${error.message}`));
    page.on("console", (message) => {
      // Chromium reports the refusals that a test asks for.
      const isRefusal = message.location().url.startsWith(`${server.url}/api/v1/`);
      if (message.type() === "error" && !isRefusal) faults.push(`console: ${message.text()}`);
    });
    page.on("request", (request) => {
      if (new URL(request.url()).origin !== server.url) faults.push(`request: ${request.url()}`);
    });
    await page.exposeFunction("noteViolation", (text: string) => faults.push(`policy: ${text}`));
    await page.addInitScript(() => {
      const { noteViolation } = window as unknown as { noteViolation: (text: string) => void };
      document.addEventListener("securitypolicyviolation", (event) => {
        noteViolation(`${event.violatedDirective} ${event.blockedURI}`);
      });
    });
    await page.goto(path);
    return { page, faults };
  }

  /** Presses "Try" and waits for what the registry says. */
  async function tryOut(page: Page): Promise<{ status: number; text: string }> {
    const answered = page.waitForResponse((response) => response.url().startsWith(`${server.url}/api/v1/topics`));
    await page.getByRole("button", { name: "TRY" }).click();
    const response = await answered;
    await page
      .getByText(new RegExp(`Response Status:[^]*:\\s*${response.status()}`))
      .first()
      .waitFor();
    return { status: response.status(), text: await response.text() };
  }

  it("shows what there is, from the registry alone and within its content policy", async () => {
    const { page, faults } = await open("/api/docs");
    for (const summary of ["Who you are, and what your credential may do", "Make an access token"]) {
      await page.getByText(summary).first().waitFor();
    }
    expect(await page.title()).toBe("The registry's JSON API");
    expect(faults).toEqual([]);
  });

  it("leads to every operation on a narrow screen too", async () => {
    const { page } = await open("/api/docs", undefined, { width: 390, height: 800 });
    await page.getByText("/api/v1/tokens", { exact: true }).filter({ visible: true }).last().click();
    await page.getByRole("button", { name: "TRY" }).first().waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
  });

  it("tries an operation out as whoever is signed in with the browser", async () => {
    const { page, faults } = await open(operation, async (context) => {
      const value = await signIn(server, "alice");
      await context.addCookies([
        { name: sessionCookie, value, domain: "127.0.0.1", path: "/", secure: true, httpOnly: true, sameSite: "Lax" },
      ]);
    });
    await page.getByRole("heading", { name: "All topics" }).waitFor();
    expect(await tryOut(page)).toEqual({ status: 200, text: '{"items":[],"next":null}' });
    expect(faults).toEqual([]);
  });

  it("tries it out with a token, which it forgets with the page, and as nobody, who is told the way out", async () => {
    const { page, faults } = await open("/api/docs#auth");
    await page.getByPlaceholder("api-token").fill(alice.token);
    await page.getByRole("button", { name: "SET" }).click();
    await page.locator('[data-content-id="get-/api/v1/topics"]').click();
    expect(await tryOut(page)).toMatchObject({ status: 200 });
    const kept = await page.evaluate(() =>
      JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]),
    );
    expect(kept).not.toContain(alice.token);
    await page.reload();
    const { status, text } = await tryOut(page);
    expect([status, JSON.parse(text)]).toEqual([401, expect.objectContaining({ code: "unauthenticated" })]);
    expect(faults).toEqual([]);
  });

  it("does not make the other pages larger", async () => {
    const { page } = await open("/");
    const sources = await page.evaluate(() =>
      performance.getEntriesByType("resource").map((entry) => (entry as PerformanceResourceTiming).decodedBodySize),
    );
    expect(Math.max(...sources)).toBeLessThan(300_000);
  });
});
