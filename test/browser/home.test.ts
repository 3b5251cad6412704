import type { Browser, BrowserContextOptions } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { addRemote, addToken, download, login, pull, pullAnonymously, push } from "../../ui/client-lines.ts";
import { paths as uiPaths } from "../../ui/paths.ts";
import {
  blockOf,
  faintTexts,
  hasBrowser,
  isLoaded,
  launchBrowser,
  linesOf,
  newPage as newPageOf,
  type OpenedPage,
  obstaclesOf,
} from "../support/browser.ts";
import { startTestServer, type TestServer } from "../support/test-server.ts";

const unknownPath = "/no/such/page/here";
const paths = [...Object.values(uiPaths), unknownPath];

describe.skipIf(!hasBrowser)("the web pages", () => {
  let server: TestServer;
  let browser: Browser;
  let site: TestServer["site"];

  beforeAll(async () => {
    server = await startTestServer({ REGISTRY_NAME: "Test Registry", HELP_CONTACT_EMAIL: "help@example.org" });
    ({ site } = server);
    browser = await launchBrowser();
  });

  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
  });

  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  /** Chromium reports the status of the unknown page itself, and that nobody is choosing a name. */
  async function newPage(options: BrowserContextOptions = {}): Promise<OpenedPage> {
    const demanded = [unknownPath, "/api/v1/registration"].map((path) => `${server.url}${path}`);
    return await newPageOf(browser, server.url, { ...options, refused: (url) => demanded.includes(url) });
  }

  async function open(path: string, options: BrowserContextOptions = {}): Promise<OpenedPage> {
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

  it.each(paths)("are in order, wherever and however they are read: %s", async (path) => {
    const { page, faults } = await newPage();
    const response = await page.goto(path);
    await isLoaded(page);
    // From this origin, within the content policy, without an error.
    expect(response?.headers()["content-security-policy"]).toContain("default-src 'none'");
    // For screen readers, with every control labelled.
    const obstacles = await obstaclesOf(page);
    // Readable in the light and in the dark.
    const shown = async (colorScheme: "light" | "dark") => {
      await page.emulateMedia({ colorScheme });
      const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      return { background, faint: await faintTexts(page) };
    };
    const [light, dark] = [await shown("light"), await shown("dark")];
    // On a narrow telephone, without scrolling sideways.
    await page.setViewportSize({ width: 360, height: 740 });
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    expect({ faults, obstacles, light, dark, isNarrow: width <= 360 }).toEqual({
      faults: [],
      obstacles: [],
      light: { background: "rgb(251, 251, 249)", faint: [] },
      dark: { background: "rgb(16, 22, 26)", faint: [] },
      isNarrow: true,
    });
  });
});
