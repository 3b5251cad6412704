import { createHash } from "node:crypto";
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { pull, pullAnonymously } from "../../ui/client-lines.ts";
import { faintTexts, hasBrowser, isLoaded, launchBrowser, linesOf, newPage, obstaclesOf } from "../support/browser.ts";
import { pushOverHttp } from "../support/http-client.ts";
import { makeSif } from "../support/make-sif.ts";
import { startTestServer, type TestServer } from "../support/test-server.ts";

const app = makeSif({ salt: "an app", sizeBytes: 300_000, signedBy: ["a".repeat(40)] });
const digest = `sha256.${createHash("sha256").update(app).digest("hex")}`;
const description = "# Tools of our lab\n\n<b>Not</b> bold,\n  and indented.";

describe.skipIf(!hasBrowser)("the pages of collections and containers", () => {
  let server: TestServer;
  let browser: Browser;
  const tokens: Record<string, string> = {};

  beforeAll(async () => {
    server = await startTestServer({ REGISTRY_NAME: "Test Registry" });
    for (const name of ["alice", "bob"]) tokens[name] = (await server.addUser(name)).token;
    await pushOverHttp(server.url, tokenOf("alice"), "alice/tools/app:v1.10", app);
    for (const tag of ["v1.9", "v1.2"]) await pushOverHttp(server.url, tokenOf("alice"), `alice/tools/old:${tag}`, app);
    await pushOverHttp(server.url, tokenOf("alice"), "alice/secrets/image:v1", makeSif({ salt: "a secret" }));
    await edit("collections/alice/tools", { description });
    await edit("containers/alice/tools/app", { description: "Sorts samples.\nAnd more." });
    await edit("collections/alice/secrets", { visibility: "private" });
    await call("alice", "PUT", "containers/alice/tools/app/topics/genomics");
    browser = await launchBrowser();
  });

  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
  });

  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  function tokenOf(name: string): string {
    return tokens[name] ?? "";
  }

  async function call(
    who: string,
    method: string,
    path: string,
    body: unknown = null,
    ifMatch = "*",
  ): Promise<Response> {
    const headers = { Authorization: `Bearer ${tokenOf(who)}`, "If-Match": ifMatch };
    const sent = body === null ? {} : { body: JSON.stringify(body) };
    const response = await fetch(`${server.url}/api/v1/${path}`, { method, headers, ...sent });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response;
  }

  async function edit(path: string, body: unknown): Promise<void> {
    await call("alice", "PATCH", path, body);
  }

  /** @param who is signed in; null for nobody. The API's refusals are demanded by the tests that bring them about. */
  async function open(path: string, who: string | null = null, options: Parameters<typeof newPage>[2] = {}) {
    const refused = (url: string) => /\/api\/v1\/.*(?:secrets|nothing)/.test(url);
    const opened = await newPage(browser, server.url, { refused, ...options });
    const { page } = opened;
    if (who !== null) {
      const { url } = (await server.admin("login-link", { username: who })) as { url: string };
      await page.goto(url);
      await page.getByRole("main").getByRole("button", { name: "Sign in" }).click();
      await page.getByRole("heading", { level: 1, name: who }).waitFor();
    }
    const response = await page.goto(path);
    await isLoaded(page);
    return { ...opened, status: response?.status(), main: page.getByRole("main") };
  }

  it("say to anybody what a public collection is, with its description as it was written", async () => {
    const { page, main, faults } = await open("/alice/tools");
    expect(await page.title()).toBe("alice/tools · Test Registry");
    expect(await page.getByRole("heading", { level: 1 }).textContent()).toBe("alice/tools");
    expect(await main.locator(".plain-text").textContent()).toBe(description);
    const text = (await main.textContent()) ?? "";
    expect(text).toContain("Public: everybody sees it and can pull");
    expect(text).toMatch(/Content\s*1 image, 293 KiB|Content\s*2 images, 293 KiB/);
    expect(text).not.toMatch(/Your role|Owner/);
    expect(await main.getByRole("button", { name: "Star" }).count()).toBe(0);
    const card = main.getByRole("listitem").filter({ has: page.getByRole("link", { name: "app", exact: true }) });
    expect(await card.first().textContent()).toMatch(/Sorts samples\.genomics1 image293 KiB0 pulls/);
    expect(await main.getByRole("list", { name: "Topics of app" }).getByRole("listitem").allTextContents()).toEqual([
      "genomics",
    ]);
    expect(await main.getByRole("list", { name: "Topics of old" }).count()).toBe(0);
    expect(faults).toEqual([]);
  });

  it("pass a public collection's address on, by links that load nothing before they are followed", async () => {
    const clipboard = { permissions: ["clipboard-read", "clipboard-write"] };
    const { page, main, faults } = await open("/alice/tools", null, clipboard);
    await main.getByText("Share this page").click();
    await main.getByRole("button", { name: "Copy: The address of this page" }).click();
    const url = `${server.url}/alice/tools`;
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(url);
    const links = await main.getByRole("navigation", { name: "Share by" }).getByRole("link").all();
    const seen = await Promise.all(
      links.map(async (link) => {
        const { protocol, host, pathname, searchParams } = new URL((await link.getAttribute("href")) ?? "");
        const target = `${protocol}${host}${pathname}`;
        return { target, rel: await link.getAttribute("rel"), said: Object.fromEntries(searchParams) };
      }),
    );
    const [title, rel] = ["alice/tools on Test Registry", "noopener noreferrer"];
    expect(seen).toEqual([
      { target: "mailto:", rel, said: { subject: title, body: url } },
      { target: "https:x.com/intent/post", rel, said: { text: title, url } },
      { target: "https:www.facebook.com/sharer/sharer.php", rel, said: { u: url } },
      { target: "https:www.reddit.com/submit", rel, said: { url, title } },
    ]);
    expect(await links[0]?.getAttribute("href")).toContain("subject=alice%2Ftools%20on%20Test%20Registry&");
    expect(faults).toEqual([]);
  });

  it("say to its owner what they are in it and why, and who owns it", async () => {
    const { main, faults } = await open("/alice/tools", "alice");
    expect(await main.textContent()).toMatch(/Owneralice.*Your roleOwner of the entity/);
    expect(faults).toEqual([]);
  });

  it("let whoever is signed in star a collection, and take the star away, by the keyboard too", async () => {
    const { page, main, faults } = await open("/alice/tools", "bob");
    const star = main.getByRole("button", { name: "Star" });
    expect(await star.getAttribute("aria-pressed")).toBe("false");
    await star.focus();
    await page.keyboard.press("Enter");
    await main.getByText("1 star", { exact: true }).waitFor();
    await page.reload();
    await isLoaded(page);
    expect(await star.getAttribute("aria-pressed")).toBe("true");
    await star.click();
    await main.getByText("0 stars", { exact: true }).waitFor();
    const answer = (await (await call("alice", "GET", "collections/alice/tools")).json()) as { stars: number };
    expect([answer.stars, faults]).toEqual([0, []]);
  });

  it("lead from the list to a collection, to a container, and back", async () => {
    const { page, main, faults } = await open("/");
    await page.getByRole("link", { name: "Collections" }).click();
    await main.getByRole("link", { name: "alice/tools" }).click();
    await main.getByRole("link", { name: "app", exact: true }).click();
    await page.getByRole("heading", { level: 1, name: "app" }).waitFor();
    await main.getByRole("link", { name: "alice/tools" }).click();
    await page.getByRole("heading", { level: 1, name: "alice/tools" }).waitFor();
    expect(faults).toEqual([]);
  });

  it("give the lines that pull a container, and say what its newest image is", async () => {
    const { page, main, faults } = await open("/alice/tools/app");
    expect(await page.title()).toBe("alice/tools/app · Test Registry");
    const image = "alice/tools/app:v1.10";
    expect(await linesOf(page, "With this registry in use")).toEqual(pull(server.site, image));
    expect(await linesOf(page, "Without logging in")).toEqual(pullAnonymously(server.site, image));
    const text = (await main.textContent()) ?? "";
    expect(text).toMatch(/genomicsSorts samples\.\nAnd more\./);
    expect(text).toContain(digest);
    expect(text).toMatch(/Architectureamd64Size293 KiBSignatureSigned.*EncryptionNot encrypted/);
    expect(text).not.toContain("State");
    expect(faults).toEqual([]);
  });

  it("copy a whole digest of which the beginning is seen", async () => {
    const { page, main } = await open("/alice/tools/app", null, { permissions: ["clipboard-read", "clipboard-write"] });
    await main.getByRole("button", { name: "Copy the digest of v1.10 for amd64" }).click();
    await main.getByRole("status").filter({ hasText: "Copied" }).waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(digest);
    const [seen, whole] = await main
      .locator(".digest code")
      .first()
      .evaluate((code) => [code.clientWidth, code.scrollWidth]);
    expect(seen).toBeLessThan(whole ?? 0);
  });

  it("say to whoever may push how far the newest image is", async () => {
    const { main } = await open("/alice/tools/app", "alice");
    expect(await main.textContent()).toContain("StateVerified and published");
  });

  it("have tags in natural order", async () => {
    const { main } = await open("/alice/tools/old");
    expect(await main.getByRole("heading", { level: 3, name: /^v1/ }).allTextContents()).toEqual(["v1.2", "v1.9"]);
  });

  it("lead from an address of the original to the tag it names, and say where there is none", async () => {
    const { page, main } = await open("/containers/alice/tools/old:v1.2");
    expect(new URL(page.url()).pathname).toBe("/alice/tools/old");
    expect(await linesOf(page, "With this registry in use")).toEqual(pull(server.site, "alice/tools/old:v1.2"));
    expect(await main.textContent()).toContain("The tag you came for is on:");
    expect(await obstaclesOf(page)).toEqual([]);
    const absent = await open("/alice/tools/old?tag=<b>nothing", null, { refused: (url) => url.includes("/tags/") });
    expect(await absent.main.textContent()).toContain("There is no tag “<b>nothing” here.");
    expect(absent.faults).toEqual([]);
  });

  it("show a private collection to its people", async () => {
    const collection = await open("/alice/secrets", "alice");
    expect(await collection.main.textContent()).toContain("Private: only its people see it");
    expect(await collection.page.getByText("Share this page").count()).toBe(0);
    expect(collection.faults).toEqual([]);
    const container = await open("/alice/secrets/image", "alice");
    expect(await container.main.textContent()).toContain("Private: only its people see it");
    expect(await container.page.getByText("Without logging in").count()).toBe(0);
    expect(container.faults).toEqual([]);
  });

  for (const who of [null, "bob"]) {
    it(`show ${who ?? "nobody signed in"} the same where something is hidden as where there is nothing`, async () => {
      const addresses = ["/alice/secrets", "/alice/nothing", "/alice/secrets/image", "/alice/nothing/image"];
      const seen = [];
      for (const address of addresses) {
        const { page, main, status, faults } = await open(address, who);
        await page.getByRole("heading", { level: 1, name: "Page not found" }).waitFor();
        const html = (await page.content()).replaceAll(encodeURIComponent(address), "ADDRESS");
        seen.push({ html, text: await main.textContent(), title: await page.title(), status, faults });
      }
      expect(new Set(seen.map((one) => JSON.stringify(one))).size).toBe(1);
      expect(seen[0]).toMatchObject({ title: "Page not found · Test Registry", status: 200, faults: [] });
      expect(seen[0]?.html).toContain('content="noindex"');
      expect(seen[0]?.text?.includes("sign in")).toBe(who === null);
    });
  }

  it("bring whoever must sign in first back to where they wanted to go", async () => {
    const { page, main } = await open("/alice/secrets/image?tag=v1");
    const href = (await main.getByRole("link", { name: "sign in" }).getAttribute("href")) ?? "";
    expect(new URL(href, page.url()).searchParams.get("next")).toBe("/alice/secrets/image?tag=v1");
  });

  it("are where the sitemap sends search engines", async () => {
    const read = async (url: string) =>
      [...(await (await fetch(url)).text()).matchAll(/<loc>([^<]*)<\/loc>/g)].map(([, location = ""]) => location);
    const parts = await read(`${server.url}/sitemap.xml`);
    const locations = (await Promise.all(parts.map(read))).flat();
    expect(locations).toEqual(expect.arrayContaining([`${server.url}/alice/tools`, `${server.url}/alice/tools/app`]));
    for (const location of locations) {
      const { page } = await open(location);
      expect(await page.getByRole("heading", { level: 1 }).textContent()).not.toBe("Page not found");
    }
  });

  it("list the collections that one may see, and one's own", async () => {
    const linksOf = async (path: string, who: string | null) => {
      const { main, faults } = await open(path, who);
      expect(faults).toEqual([]);
      return await main.getByRole("heading", { level: 2 }).allTextContents();
    };
    expect(await linksOf("/collections?sort=stars", null)).toEqual(["alice/tools"]);
    expect(await linksOf("/collections", "alice")).toEqual(["alice/secrets", "alice/tools"]);
    expect(await linksOf("/collections?mine=1&sort=pulls", "bob")).toEqual([]);
    const { page, main } = await open("/collections?mine=1");
    expect(await page.title()).toBe("My collections · Test Registry");
    expect(await main.getByRole("link", { name: "Sign in" }).getAttribute("href")).toBe(
      "/login?next=%2Fcollections%3Fmine%3D1",
    );
  });

  it("show more of a list than comes at once, when asked", async () => {
    const token = tokenOf("bob");
    const headers = { Authorization: `Bearer ${token}` };
    await call("bob", "POST", "collections", { entity: "bob", name: "many" });
    for (let number = 1; number <= 101; number++) {
      const body = JSON.stringify({ name: `c${number}` });
      await fetch(`${server.url}/api/v1/containers/bob/many`, { method: "POST", headers, body });
    }
    const { main, faults } = await open("/bob/many");
    const names = main.getByRole("heading", { level: 3 });
    expect(await names.count()).toBe(100);
    await main.getByRole("button", { name: "Show more" }).click();
    await names.nth(100).waitFor();
    expect(await main.getByRole("button", { name: "Show more" }).count()).toBe(0);
    expect(new Set(await names.allTextContents()).size).toBe(101);
    expect(faults).toEqual([]);
  });

  for (const path of ["/collections", "/alice/tools", "/alice/tools/app?tag=v1.10", "/alice/nothing"]) {
    it(`are readable in the dark and in the light, fit every screen, and are in order for screen readers: ${path}`, async () => {
      const { page, faults } = await open(path, "alice", {
        colorScheme: "dark",
        viewport: { width: 390, height: 844 },
      });
      // What is folded up is part of the page.
      await page.evaluate(() => {
        for (const folded of document.querySelectorAll("details")) folded.open = true;
      });
      const folder = process.env.SCREENSHOTS;
      const shoot = async (name: string) => {
        const file = `${path.replaceAll(/\W+/g, "-")}-${name}.png`;
        if (folder !== undefined) await page.screenshot({ path: `${folder}/${file}`, fullPage: true });
      };
      const widthOf = () => page.evaluate(() => document.documentElement.scrollWidth);
      const dark = await faintTexts(page);
      await shoot("390-dark");
      expect(await widthOf()).toBeLessThanOrEqual(390);
      await page.setViewportSize({ width: 320, height: 640 });
      expect(await widthOf()).toBeLessThanOrEqual(320);
      await page.setViewportSize({ width: 1280, height: 900 });
      await page.emulateMedia({ colorScheme: "light" });
      await shoot("1280-light");
      expect([dark, await faintTexts(page), await obstaclesOf(page), faults]).toEqual([[], [], [], []]);
    });
  }
});
