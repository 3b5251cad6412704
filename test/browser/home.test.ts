import { existsSync } from "node:fs";
import { type Browser, type BrowserContextOptions, chromium, type Locator, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { addRemote, addToken, download, login, pull, pullAnonymously, push } from "../../ui/client-lines.ts";
import { startTestServer, type TestServer } from "../support/test-server.ts";

const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const hasBrowser = existsSync(executablePath);
if (!hasBrowser) {
  console.warn(`The tests of the web pages are skipped: there is no ${executablePath}. Set CHROMIUM to a Chromium.`);
}

const unknownPath = "/no/such/page";
const paths = ["/", "/auth/tokens", unknownPath];

describe.skipIf(!hasBrowser)("the web pages", () => {
  let server: TestServer;
  let browser: Browser;
  let site: TestServer["site"];

  beforeAll(async () => {
    server = await startTestServer({ REGISTRY_NAME: "Test Registry", HELP_CONTACT_EMAIL: "help@example.org" });
    ({ site } = server);
    browser = await chromium.launch({
      executablePath,
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    });
  });

  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
  });

  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  /** A page of its own, and what it did that no page may do. */
  async function newPage(options: BrowserContextOptions = {}): Promise<{ page: Page; faults: string[] }> {
    const context = await browser.newContext({ baseURL: server.url, ...options });
    const page = await context.newPage();
    const faults: string[] = [];
    page.on("pageerror", (error) => faults.push(`exception: ${error.message}`));
    page.on("console", (message) => {
      // Chromium reports the status of the unknown page itself, which another test demands.
      const isUnknownPage = message.location().url === `${server.url}${unknownPath}`;
      if (message.type() === "error" && !isUnknownPage) faults.push(`console: ${message.text()}`);
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
    return { page, faults };
  }

  async function open(path: string, options: BrowserContextOptions = {}): Promise<{ page: Page; faults: string[] }> {
    const opened = await newPage(options);
    await opened.page.goto(path);
    await isLoaded(opened.page);
    return opened;
  }

  it("show the registry's name and version", async () => {
    const { page } = await open("/");
    expect(await page.getByRole("heading", { level: 1 }).textContent()).toBe("Test Registry");
    expect(await page.title()).toBe("Test Registry");
    expect(await page.getByRole("contentinfo").textContent()).toMatch(/sregistry-edge \d+\.\d+\.\d+/);
  });

  it("give lines to paste for this very registry", async () => {
    const { page } = await open("/");
    const image = "alice/tools/image:v1";
    expect(await linesOf(page, "Add the registry and log in")).toEqual([...addRemote(site), ...login(site)]);
    expect(await linesOf(page, "Push an image")).toEqual(push(site, image));
    expect(await linesOf(page, "Pull it")).toEqual(pull(site, image));
    expect(await linesOf(page, "With Apptainer")).toEqual(pullAnonymously(site, image));
    expect(await linesOf(page, "With curl")).toEqual(download(site, image));
    expect(addRemote(site).join("\n")).toContain(server.url);
  });

  it("put the reader's user name into the lines, and no text that cannot be one", async () => {
    const { page } = await open("/");
    const field = page.getByLabel("Your user name");
    await field.fill("Bob.Smith");
    expect(await linesOf(page, "Push an image")).toEqual(push(site, "bob.smith/tools/image:v1"));
    await field.fill("bob; reboot");
    expect(await field.getAttribute("aria-invalid")).toBe("true");
    expect(await linesOf(page, "Push an image")).toEqual(push(site, "alice/tools/image:v1"));
  });

  it("copy the lines to the clipboard and say so", async () => {
    const { page } = await open("/", { permissions: ["clipboard-read", "clipboard-write"] });
    const block = blockOf(page, "Add the registry and log in");
    await block.getByRole("button", { name: "Copy the lines" }).click();
    await block.getByRole("status").filter({ hasText: "Copied" }).waitFor();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    expect(copied).toBe([...addRemote(site), ...login(site)].join("\n"));
  });

  it("select the lines where the browser keeps the clipboard from the page", async () => {
    const { page } = await newPage();
    await page.addInitScript(() => Object.defineProperty(navigator, "clipboard", { value: undefined }));
    await page.goto("/");
    const block = blockOf(page, "Add the registry and log in");
    await block.getByRole("button", { name: "Copy the lines" }).click();
    await block.getByRole("status").filter({ hasText: "Control and C" }).waitFor();
    const selected = await page.evaluate(() => String(getSelection()));
    expect(selected.trim().split("\n")).toEqual([...addRemote(site), ...login(site)]);
  });

  it("say at the address that `apptainer remote login` prints how to get a token", async () => {
    const { page } = await open("/auth/tokens");
    expect(await page.title()).toBe("Access tokens · Test Registry");
    expect(await linesOf(page, "Make a token")).toEqual(addToken(site, "NAME"));
    expect(await linesOf(page, "Log in")).toEqual(login(site));
    const main = page.getByRole("main");
    expect(await main.getByRole("link", { name: "help@example.org" }).getAttribute("href")).toBe(
      "mailto:help@example.org",
    );
    expect(await main.textContent()).toMatch(/shown once.*at least 200 characters/s);
  });

  it("lead from the home page to the tokens and back", async () => {
    const { page } = await open("/");
    await page.getByRole("link", { name: "How to get an access token" }).click();
    await page.getByRole("heading", { level: 1, name: "Access tokens" }).waitFor();
    await page.getByRole("banner").getByRole("link", { name: "Test Registry" }).click();
    await page.getByRole("heading", { level: 1, name: "Test Registry" }).waitFor();
  });

  it("say that an unknown address has no page, to programs by its status", async () => {
    const { page } = await newPage();
    const response = await page.goto(unknownPath);
    expect(response?.status()).toBe(404);
    await page.getByRole("heading", { level: 1, name: "Page not found" }).waitFor();
    await page.getByRole("link", { name: "Go to the home page" }).click();
    await page.getByRole("heading", { level: 1, name: "Test Registry" }).waitFor();
  });

  it("say why there is nothing to show, and try again when asked", async () => {
    const { page } = await newPage();
    const address = "**/api/v1/site";
    await page.route(address, (route) => route.abort());
    await page.goto("/");
    const failure = page.getByRole("alert");
    await failure.getByText("does not answer").waitFor();
    await page.unroute(address);
    await page.route(address, (route) => route.fulfill({ json: { name: 1 } }));
    await failure.getByRole("button", { name: "Retry" }).click();
    await failure.getByText("not what this page expects").waitFor();
    await page.unroute(address);
    await page.route(address, (route) => route.fulfill({ status: 421, json: { title: "Another address, please." } }));
    await failure.getByRole("button", { name: "Retry" }).click();
    await failure.getByText("Another address, please.").waitFor();
    await page.unroute(address);
    await failure.getByRole("button", { name: "Retry" }).click();
    await page.getByRole("heading", { level: 1, name: "Test Registry" }).waitFor();
  });

  it("let the keyboard skip to the content", async () => {
    const { page } = await open("/");
    await page.keyboard.press("Tab");
    const skip = page.getByRole("link", { name: "Skip to the content" });
    expect(await skip.evaluate((link) => link === document.activeElement)).toBe(true);
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.activeElement?.id === "main");
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("username");
  });

  it("have an icon, from the registry itself", async () => {
    const { page } = await open("/");
    const href = await page.locator("link[rel=icon]").getAttribute("href");
    const response = await page.request.get(href ?? "");
    expect([response.status(), response.headers()["content-type"]]).toEqual([200, "image/svg+xml"]);
  });

  for (const path of paths) {
    it(`keep to this origin and to the content policy, without an error: ${path}`, async () => {
      const { page, faults } = await newPage();
      const response = await page.goto(path);
      await isLoaded(page);
      expect(response?.headers()["content-security-policy"]).toContain("default-src 'none'");
      expect(faults).toEqual([]);
    });

    it(`are dark where the reader wants it, and readable either way: ${path}`, async () => {
      const { page, faults } = await open(path, { colorScheme: "dark" });
      const dark = await faintTexts(page);
      expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe("rgb(16, 22, 26)");
      await page.emulateMedia({ colorScheme: "light" });
      const light = await faintTexts(page);
      expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe("rgb(251, 251, 249)");
      expect({ dark, light, faults }).toEqual({ dark: [], light: [], faults: [] });
    });

    it(`fit a narrow telephone without scrolling sideways: ${path}`, async () => {
      const { page } = await open(path, { viewport: { width: 360, height: 740 } });
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      expect(width).toBeLessThanOrEqual(360);
    });
  }
});

/** The footer's version is the last thing that waits for the registry's answer. */
async function isLoaded(page: Page): Promise<void> {
  await page.getByText(/^sregistry-edge \d/).waitFor();
}

function blockOf(page: Page, label: string): Locator {
  return page.getByRole("region", { name: label, exact: true });
}

async function linesOf(page: Page, label: string): Promise<string[]> {
  const code = blockOf(page, label).locator("pre code");
  return ((await code.textContent()) ?? "").trimEnd().split("\n");
}

/** Texts whose colour has less contrast to what is behind them than WCAG AA wants (4.5, whatever their size). */
async function faintTexts(page: Page): Promise<string[]> {
  return await page.evaluate(() => {
    const channels = (colour: string) => (colour.match(/[\d.]+/g) ?? []).map(Number);
    const luminance = (colour: string) => {
      const [r = 0, g = 0, b = 0] = channels(colour).map((value) => {
        const part = value / 255;
        return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const backgroundOf = (element: Element | null): string => {
      if (element === null) return "rgb(255, 255, 255)";
      const { backgroundColor } = getComputedStyle(element);
      return channels(backgroundColor)[3] === 0 ? backgroundOf(element.parentElement) : backgroundColor;
    };
    const faint: string[] = [];
    for (const element of document.querySelectorAll("body *")) {
      const hasText = [...element.childNodes].some(
        (node) => node.nodeType === Node.TEXT_NODE && node.nodeValue?.trim(),
      );
      if (!hasText) continue;
      const pair = [luminance(getComputedStyle(element).color), luminance(backgroundOf(element))];
      const contrast = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
      if (contrast < 4.5) faint.push(`${contrast.toFixed(1)} ${element.textContent?.slice(0, 40)}`);
    }
    return faint;
  });
}
