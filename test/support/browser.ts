import { existsSync } from "node:fs";
import { type Browser, type BrowserContextOptions, chromium, type Locator, type Page } from "playwright-core";

const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** Whether the tests of the web pages can run at all. */
export const hasBrowser = existsSync(executablePath);
if (!hasBrowser) {
  console.warn(`The tests of the web pages are skipped: there is no ${executablePath}. Set CHROMIUM to a Chromium.`);
}

export async function launchBrowser(): Promise<Browser> {
  return await chromium.launch({
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
}

export interface OpenedPage {
  page: Page;
  /** What the page did that no page may do. */
  faults: string[];
}

interface NewPageOptions extends BrowserContextOptions {
  /** Addresses whose refusals Chromium reports, and a test demands. */
  refused?: (url: string) => boolean;
}

/** A page of its own, with cookies of its own. @param url the registry's */
export async function newPage(browser: Browser, url: string, options: NewPageOptions = {}): Promise<OpenedPage> {
  const { refused = () => false, ...rest } = options;
  const context = await browser.newContext({ baseURL: url, ...rest });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(`exception: ${error.message}`));
  page.on("console", (message) => {
    const isDemanded = refused(message.location().url);
    if (message.type() === "error" && !isDemanded) faults.push(`console: ${message.text()}`);
  });
  page.on("request", (request) => {
    if (new URL(request.url()).origin !== url) faults.push(`request: ${request.url()}`);
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

/** The footer's version waits for the registry's answer; parts of pages ask for more, and say that they are loading. */
export async function isLoaded(page: Page): Promise<void> {
  await page.getByText(/^sregistry-edge \d/).waitFor();
  await page.waitForFunction(() => document.querySelector(".loading") === null);
}

export function blockOf(page: Page, label: string): Locator {
  return page.getByRole("region", { name: label, exact: true });
}

/** The lines that are shown to be copied. */
export async function linesOf(page: Page, label: string): Promise<string[]> {
  const code = blockOf(page, label).locator("pre code");
  return ((await code.textContent()) ?? "").trimEnd().split("\n");
}

/** Texts whose colour has less contrast to what is behind them than WCAG AA wants (4.5, whatever their size). */
export async function faintTexts(page: Page): Promise<string[]> {
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

/** What a page has that people without a mouse or without eyes stumble over, as sentences. */
export async function obstaclesOf(page: Page): Promise<string[]> {
  return await page.evaluate(() => {
    const found: string[] = [];
    const levels = [...document.querySelectorAll("h1, h2, h3, h4")].map((heading) => Number(heading.tagName.slice(1)));
    if (levels.filter((level) => level === 1).length !== 1) found.push("there is not one heading of level 1");
    levels.forEach((level, index) => {
      if (level > (levels[index - 1] ?? 0) + 1) found.push(`heading ${index + 1} skips a level`);
    });
    for (const control of document.querySelectorAll<HTMLInputElement>("input, select, textarea")) {
      if ((control.labels?.length ?? 0) === 0) found.push(`${control.id || control.name} has no label`);
      const describers = (control.getAttribute("aria-describedby") ?? "").split(" ").filter((id) => id !== "");
      for (const id of describers) if (document.getElementById(id) === null) found.push(`nothing has the id ${id}`);
    }
    for (const control of document.querySelectorAll("a, button, summary")) {
      if ((control.textContent ?? "").trim() === "") found.push(`a ${control.tagName} says nothing`);
    }
    const names = [...document.querySelectorAll("button")].map((button) => button.textContent?.trim());
    for (const name of new Set(names)) {
      if (names.filter((other) => other === name).length > 1) found.push(`two buttons say ${name}`);
    }
    const ids = [...document.querySelectorAll("[id]")].map(({ id }) => id);
    if (new Set(ids).size < ids.length) found.push("two things have the same id");
    return found;
  });
}
