import { describe, expect, it } from "vitest";
import type { Operations } from "../../ui/api/schema.d.ts";
import { addRemote, login, sregistryFile } from "../../ui/client-lines.ts";
import { blockOf, hasBrowser, linesOf } from "../support/browser.ts";
import { askedOf, aTime, idOf, meOf, Refusal, siteOf, tokenOf } from "../support/fake-api.ts";
import { noTokens, setUpPages, terms, wentTo, withTerms } from "../support/fake-pages.ts";

const { open } = setUpPages();

describe.skipIf(!hasBrowser)("access tokens", () => {
  const secret = `token-${"aB3-_xY9".repeat(25)}`;
  const made = { token: tokenOf(), secret };

  it("are made with a purpose and an end, shown once with the lines to log in, and then listed", async () => {
    let items = [] as (typeof made.token)[];
    const { page, asked } = await open("/auth/tokens", meOf(), {
      ...noTokens,
      "GET /api/v1/tokens": () => ({ items, next: null }),
      "POST /api/v1/tokens": () => {
        items = [made.token];
        return made;
      },
    });
    await page.getByLabel("Name", { exact: true }).fill(" laptop ");
    await page.getByLabel("Manage").check();
    await page.getByLabel("Only for one collection").fill("alice/tools");
    await page.getByLabel("Expires").selectOption("365");
    await page.getByRole("button", { name: "Make the token" }).click();
    await page.getByRole("heading", { name: "Copy it now" }).waitFor();
    expect(await page.evaluate(() => document.activeElement?.textContent)).toContain("Copy it now");
    expect(await linesOf(page, "The token")).toEqual([secret]);
    const site = siteOf();
    expect(await linesOf(page, "Add the registry and log in")).toEqual([...addRemote(site), ...login(site)]);
    await page.getByRole("button", { name: "I have copied it" }).click();
    expect(await page.content()).not.toContain(secret);
    await page.getByRole("listitem").filter({ hasText: "laptop" }).getByText("Active").waitFor();
    expect(askedOf(asked, "POST /api/v1/tokens").map(({ body }) => body)).toEqual([
      { name: "laptop", scopes: ["pull", "push", "manage"], collection: "alice/tools", expiresInDays: 365 },
    ]);
  });

  it("end when the form says so, also where nobody touched that field", async () => {
    const { page, asked } = await open("/auth/tokens", meOf(), { ...noTokens, "POST /api/v1/tokens": made });
    const shown = await page
      .getByLabel("Expires")
      .evaluate((field) => (field as HTMLSelectElement).selectedOptions[0]?.textContent);
    await page.getByLabel("Name", { exact: true }).fill("laptop");
    await page.getByRole("button", { name: "Make the token" }).click();
    await page.getByRole("heading", { name: "Copy it now" }).waitFor();
    const [request] = askedOf(asked, "POST /api/v1/tokens");
    expect([shown, request?.body]).toEqual(["in 90 days", expect.objectContaining({ expiresInDays: 90 })]);
  });

  it("are copied whole", async () => {
    const { page } = await open(
      "/auth/tokens",
      meOf(),
      { ...noTokens, "POST /api/v1/tokens": made },
      { permissions: ["clipboard-read", "clipboard-write"] },
    );
    await page.getByLabel("Name", { exact: true }).fill("laptop");
    await page.getByRole("button", { name: "Make the token" }).click();
    await blockOf(page, "The token").getByRole("button", { name: "Copy" }).click();
    await blockOf(page, "The token").getByRole("status").filter({ hasText: "Copied" }).waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(secret);
  });

  it("are not made from a form that cannot be right: it says what is wrong and puts the cursor there", async () => {
    const { page, asked } = await open("/auth/tokens", meOf(), { ...noTokens, "POST /api/v1/tokens": made });
    await page.getByLabel("Pull").uncheck();
    await page.getByLabel("Push").uncheck();
    await page.getByLabel("Only for one collection").fill("tools");
    await page.getByLabel("Expires").selectOption("other");
    await page.getByLabel("Days").fill("4000");
    const button = page.getByRole("button", { name: "Make the token" });
    await button.click();
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("token-name");
    expect(await page.locator(".hint.wrong").allTextContents()).toEqual([
      "Give it a name, such as the machine it is for.",
      "Choose at least one.",
      "Two names with a slash between them, such as alice/tools.",
      "A number from 1 to 3650.",
    ]);
    await page.getByLabel("Name", { exact: true }).fill("laptop");
    await page.getByLabel("Pull").check();
    await page.getByLabel("Only for one collection").fill("");
    await page.getByLabel("Expires").selectOption("never");
    await button.click();
    await page.getByRole("heading", { name: "Copy it now" }).waitFor();
    expect(askedOf(asked, "POST /api/v1/tokens").map(({ body }) => body)).toEqual([
      { name: "laptop", scopes: ["pull"], collection: null, expiresInDays: null },
    ]);
  });

  it("are revoked after a question, whose answer no is as easy; a refusal stands beside it", async () => {
    let refusals = 1;
    let items = [tokenOf(), tokenOf({ id: idOf(11), name: "ci" })];
    const { page, asked } = await open("/auth/tokens", meOf(), {
      ...noTokens,
      "GET /api/v1/tokens": () => ({ items, next: null }),
      "DELETE /api/v1/tokens/{id}": ({ path }) => {
        if (refusals-- > 0) return new Refusal(503, "unavailable", "Try again in a few seconds.");
        items = items.map((one) => (one.id === path.id ? { ...one, state: "revoked" as const } : one));
        return null;
      },
    });
    const card = page.getByRole("listitem").filter({ hasText: "laptop" });
    await card.getByRole("button", { name: "Revoke laptop" }).click();
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Cancel");
    await page.keyboard.press("Escape");
    expect(await page.evaluate(() => document.activeElement?.textContent)).toContain("Revoke laptop");
    expect(askedOf(asked, "DELETE /api/v1/tokens/{id}")).toEqual([]);
    await card.getByRole("button", { name: "Revoke laptop" }).click();
    await card.getByRole("button", { name: "Revoke it" }).click();
    await card.getByRole("alert").filter({ hasText: "Try again in a few seconds." }).waitFor();
    await card.getByRole("button", { name: "Revoke it" }).click();
    await card.getByText("Revoked").waitFor();
    await page.getByRole("status").filter({ hasText: "laptop is revoked." }).waitFor();
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("your-tokens");
    expect(askedOf(asked, "DELETE /api/v1/tokens/{id}").map(({ path }) => path.id)).toEqual([idOf(10), idOf(10)]);
  });

  it("come in pages, and the list can be tried again where it did not come", async () => {
    let isBroken = true;
    const { page } = await open("/auth/tokens", meOf(), {
      ...noTokens,
      "GET /api/v1/tokens": ({ query }) => {
        if (isBroken) return new Refusal(503, "unavailable", "Try again in a few seconds.");
        const isSecond = query.after === "second";
        const item = isSecond ? tokenOf({ id: idOf(11), name: "older" }) : tokenOf();
        return { items: [item], next: isSecond ? null : "second" };
      },
    });
    const section = page.getByRole("region", { name: "Your tokens" });
    await section.getByRole("alert").filter({ hasText: "Try again" }).waitFor();
    isBroken = false;
    await section.getByRole("button", { name: "Retry" }).click();
    await section.getByRole("button", { name: "Show more" }).click();
    await section.getByRole("heading", { name: "older" }).waitFor();
    expect(await section.getByRole("heading", { level: 3 }).allTextContents()).toEqual(["laptop", "older"]);
    expect(await section.getByRole("button", { name: "Show more" }).count()).toBe(0);
  });

  it("say that the session has ended, and lead to signing in again", async () => {
    const ended = new Refusal(401, "invalid-credential", "It has ended.");
    const { page } = await open("/auth/tokens", meOf(), { ...noTokens, "POST /api/v1/tokens": ended });
    await page.getByLabel("Name", { exact: true }).fill("laptop");
    await page.getByRole("button", { name: "Make the token" }).click();
    const link = page.getByRole("link", { name: "Sign in again" });
    expect(await link.getAttribute("href")).toBe("/login?next=%2Fauth%2Ftokens");
  });

  it("have a key beside them for sregistry-cli, which is made, replaced and ended", async () => {
    const key = { id: idOf(30), createdAt: aTime, lastUsedAt: null };
    let count = 0;
    const { page, asked } = await open("/auth/tokens", meOf(), {
      ...noTokens,
      "POST /api/v1/sregistry-key": () => ({ key, secret: `key-${++count}` }),
      "DELETE /api/v1/sregistry-key": null,
    });
    const section = page.getByRole("region", { name: "Key for sregistry-cli" });
    await section.getByRole("button", { name: "Make a key" }).click();
    await blockOf(page, "~/.sregistry").waitFor();
    expect(await linesOf(page, "~/.sregistry")).toEqual(sregistryFile(siteOf(), "alice", "key-1"));
    await section.getByRole("button", { name: "Replace" }).click();
    await section.getByRole("button", { name: "Make a new key" }).click();
    await section.getByText("key-2").waitFor();
    await section.getByRole("button", { name: "End" }).click();
    await section.getByRole("button", { name: "End it" }).click();
    await section.getByRole("button", { name: "Make a key" }).waitFor();
    expect(await section.textContent()).not.toContain("key-2");
    expect(asked.filter(([name]) => /POST|DELETE/.test(name)).map(([name]) => name)).toEqual([
      "POST /api/v1/sregistry-key",
      "POST /api/v1/sregistry-key",
      "DELETE /api/v1/sregistry-key",
    ] satisfies (keyof Operations)[]);
  });

  it("lead to the terms when new ones came since the page was loaded", async () => {
    let me = meOf();
    const { page } = await open("/auth/tokens", me, {
      ...noTokens,
      ...withTerms,
      "GET /api/v1/me": () => me,
      "POST /api/v1/tokens": () => {
        me = meOf({ terms });
        return new Refusal(403, "terms-required", "Agree to the terms first.");
      },
    });
    await page.getByLabel("Name", { exact: true }).fill("laptop");
    await page.getByRole("button", { name: "Make the token" }).click();
    await wentTo(page, "/terms?next=%2Fauth%2Ftokens");
  });
});
