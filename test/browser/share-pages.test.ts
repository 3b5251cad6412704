import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { SharedImage } from "../../ui/api/schema.d.ts";
import { downloadShared, pullShared } from "../../ui/client-lines.ts";
import { faintTexts, hasBrowser, isLoaded, launchBrowser, linesOf, newPage, obstaclesOf } from "../support/browser.ts";
import { askedOf, aTime, meOf, Refusal } from "../support/fake-api.ts";
import { setUpPages, terms, withTerms } from "../support/fake-pages.ts";
import { pushOverHttp } from "../support/http-client.ts";
import { makeSif } from "../support/make-sif.ts";
import { startTestServer, type TestServer } from "../support/test-server.ts";

const bytes = makeSif({ salt: "shared in a browser", sizeBytes: 300_000 });
const hex = createHash("sha256").update(bytes).digest("hex");

describe.skipIf(!hasBrowser)("the page of a share link", () => {
  let server: TestServer;
  let browser: Browser;
  let token: string;
  let shares: string;

  beforeAll(async () => {
    server = await startTestServer({ REGISTRY_NAME: "Test Registry", DEFAULT_PRIVATE: "true" });
    ({ token } = await server.addUser("alice"));
    await pushOverHttp(server.url, token, "alice/secrets/image:v1", bytes);
    shares = `${server.url}/api/v1/containers/alice/secrets/image/images/sha256.${hex}/shares`;
    browser = await launchBrowser();
  });

  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
  });

  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  async function share(body: Record<string, unknown> = {}): Promise<{ url: string; share: { id: string } }> {
    const headers = { Authorization: `Bearer ${token}` };
    const response = await fetch(shares, { method: "POST", headers, body: JSON.stringify(body) });
    return (await response.json()) as { url: string; share: { id: string } };
  }

  async function downloadsOf(id: string): Promise<number | undefined> {
    const response = await fetch(shares, { headers: { Authorization: `Bearer ${token}` } });
    const { items } = (await response.json()) as { items: { id: string; downloads: number }[] };
    return items.find((item) => item.id === id)?.downloads;
  }

  async function open(url: string, options: Parameters<typeof newPage>[2] = {}) {
    const opened = await newPage(browser, server.url, options);
    await opened.page.goto(url);
    await isLoaded(opened.page);
    return opened;
  }

  it("says what the image is, with lines that pull and check it, and nothing of where it stands", async () => {
    const { url, share: made } = await share({ maxDownloads: 5, note: "for carol" });
    const { page, faults } = await open(url);
    const main = (await page.getByRole("main").textContent()) ?? "";
    expect(await page.getByRole("heading", { level: 1 }).textContent()).toBe("image:v1");
    expect(await page.title()).toBe("Shared image · Test Registry");
    expect(main).toContain(hex);
    expect(main).toMatch(/amd64/);
    expect(main).toMatch(/Downloads left5/);
    expect(await linesOf(page, "With Apptainer")).toEqual(pullShared(url));
    expect(await linesOf(page, "With curl")).toEqual(downloadShared(url, hex));
    expect(await page.content()).not.toMatch(/alice|secrets|carol/);
    expect(faults).toEqual([]);
    expect(await downloadsOf(made.id)).toBe(0);
  });

  it("downloads by a button, once, and then says that it was the last one", async () => {
    const { url, share: made } = await share({ maxDownloads: 1 });
    const { page, faults } = await open(url);
    const begun = page.waitForEvent("download");
    await page.getByRole("button", { name: "Download" }).click();
    const download = await begun;
    expect(download.suggestedFilename()).toBe("image_v1.sif");
    expect(readFileSync(await download.path()).equals(bytes)).toBe(true);
    await page.getByRole("status").filter({ hasText: "It was the last one" }).waitFor();
    expect(await page.getByRole("button", { name: "Download" }).isDisabled()).toBe(true);
    expect(await downloadsOf(made.id)).toBe(1);
    expect(faults).toEqual([]);
  });

  it("says of a link that is over only that", async () => {
    const { url } = await share({ maxDownloads: 1 });
    await fetch(url);
    const { page } = await open(url, { refused: (address) => address.includes("/api/v1/shared/") });
    await page.getByRole("heading", { level: 1, name: "This link has ended" }).waitFor();
    expect(await page.getByRole("main").textContent()).toContain("Ask whoever gave it to you");
    expect(await obstaclesOf(page)).toEqual([]);
  });

  it("is readable in the dark and in the light, fits a telephone, and is in order for screen readers", async () => {
    const { url } = await share({ maxDownloads: 5 });
    const { page, faults } = await open(url, { colorScheme: "dark", viewport: { width: 360, height: 740 } });
    const dark = await faintTexts(page);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
    await page.emulateMedia({ colorScheme: "light" });
    expect([dark, await faintTexts(page), await obstaclesOf(page), faults]).toEqual([[], [], [], []]);
  });
});

describe.skipIf(!hasBrowser)("the page of a share link, with answers made up,", () => {
  const { open } = setUpPages();
  const secret = "A".repeat(43);
  const image: SharedImage = {
    url: `https://registry.example.org/s/${secret}/image_v1.sif`,
    container: "image",
    tag: null,
    digest: `sha256.${"0".repeat(64)}`,
    arch: "arm64",
    sizeBytes: 5_000_000_000,
    signed: true,
    encrypted: true,
    expiresAt: aTime,
    downloadsLeft: null,
  };
  const answers = { ...withTerms, "GET /api/v1/shared/{secret}": image };

  it("is shown to whoever has not agreed to new terms too: its address goes nowhere else", async () => {
    const { page, asked, faults } = await open(`/s/${secret}/image_v1.sif`, meOf({ terms }), answers);
    await page.getByRole("heading", { level: 1, name: "image" }).waitFor();
    expect(askedOf(asked, "GET /api/v1/shared/{secret}").map(({ path }) => path.secret)).toEqual([secret]);
    expect(await page.getByRole("main").textContent()).toMatch(/4\.7 GiB.*arm64.*needs? its key/s);
    expect(faults).toEqual([]);
  });

  it("says what is wrong when it cannot be asked, and tries again", async () => {
    let isThere = false;
    const unsure = () => (isThere ? image : new Refusal(429, "rate-limited", "Too many attempts."));
    const { page } = await open(`/s/${secret}`, null, { ...answers, "GET /api/v1/shared/{secret}": unsure });
    await page.getByRole("alert").getByText("Too many attempts.").waitFor();
    isThere = true;
    await page.getByRole("button", { name: "Retry" }).click();
    await page.getByRole("heading", { level: 1, name: "image" }).waitFor();
  });
});
