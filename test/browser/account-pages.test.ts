import { describe, expect, it } from "vitest";
import type { Deletion } from "../../ui/api/schema.d.ts";
import { paths } from "../../ui/paths.ts";
import { faintTexts, hasBrowser, obstaclesOf } from "../support/browser.ts";
import { type Answers, askedOf, aTime, idOf, meOf, Refusal, sessionOf, tokenOf } from "../support/fake-api.ts";
import { identity, noTokens, registration, setUpPages, wentTo, withTerms } from "../support/fake-pages.ts";

const deletion: Deletion = {
  deletes: {
    entities: ["alice"],
    collections: ["alice/tools"],
    images: 3,
    tags: 4,
    bytes: 1_600_000_000,
    tokens: 2,
    sessions: 2,
    identities: 1,
    hasSregistryKey: true,
    memberships: 1,
    teams: 2,
    invitations: 0,
    publishers: 1,
    shares: 1,
    offers: 0,
    stars: 2,
    uploads: 0,
  },
  handsOver: [{ what: "The robot ci-bot", to: "bob" }],
  keeps: ["The audit log keeps what you did."],
  obstacles: [],
};
const twoSessions = {
  items: [sessionOf(), sessionOf({ id: idOf(2), isCurrent: false, signedInWith: "login-link", userAgent: "curl/8" })],
  next: null,
};
const account: Answers = {
  "GET /api/v1/identities": { items: [identity] },
  "GET /api/v1/sessions": twoSessions,
  "GET /api/v1/me/deletion": deletion,
};

const { open, url } = setUpPages();

describe.skipIf(!hasBrowser)("the account", () => {
  it("ends other sessions one by one, and all of them", async () => {
    let sessions = twoSessions;
    const { page, asked } = await open("/account", meOf(), {
      ...account,
      "GET /api/v1/sessions": () => sessions,
      "DELETE /api/v1/sessions/{id}": () => {
        sessions = { ...twoSessions, items: twoSessions.items.slice(0, 1) };
        return null;
      },
      "DELETE /api/v1/sessions": null,
    });
    const section = page.getByRole("region", { name: "Where you are signed in" });
    const ones = section.getByRole("listitem");
    expect(await ones.filter({ hasText: "This browser" }).getByRole("heading").textContent()).toBe("Chrome on Linux");
    await ones.filter({ hasText: "a login link" }).getByRole("button", { name: "Sign out" }).click();
    await ones.getByRole("button", { name: "Sign it out" }).click();
    await section.getByRole("status").filter({ hasText: "curl/8 is signed out." }).waitFor();
    expect([await ones.count(), askedOf(asked, "DELETE /api/v1/sessions/{id}")[0]?.path.id]).toEqual([1, idOf(2)]);
    sessions = twoSessions;
    await page.reload();
    await section.getByRole("button", { name: "Sign out everywhere" }).click();
    await section.getByRole("button", { name: "Sign out everywhere" }).click();
    await wentTo(page, "/");
    expect(askedOf(asked, "DELETE /api/v1/sessions")).toHaveLength(1);
  });

  it("links another account, and unlinks one but not the last", async () => {
    const last = new Refusal(409, "last-identity", "This is the last account you can sign in with.");
    const { page, asked } = await open("/account", meOf(), {
      ...account,
      ...withTerms,
      "DELETE /api/v1/identities/{id}": last,
      "POST /api/v1/identities": { url: `${url()}/terms` },
    });
    const section = page.getByRole("region", { name: "Accounts you sign in with" });
    expect(await section.textContent()).toContain("alice@example.org (not verified there)");
    await section.getByRole("button", { name: "Unlink" }).click();
    await section.getByRole("button", { name: "Unlink it" }).click();
    await section.getByRole("alert").filter({ hasText: "the last account" }).waitFor();
    await section.getByRole("button", { name: "Link Lab Login" }).click();
    await wentTo(page, "/terms");
    expect(askedOf(asked, "POST /api/v1/identities")[0]?.body).toEqual({ provider: "lab", next: "/account" });
  });

  it("is deleted after everything was shown and the name was typed, and no more than was shown", async () => {
    let isStale = true;
    const { page, asked } = await open("/account", meOf(), {
      ...account,
      "DELETE /api/v1/me": () => {
        if (!isStale) return null;
        isStale = false;
        return new Refusal(412, "precondition-failed", "This was changed since you looked.");
      },
    });
    const section = page.getByRole("region", { name: "Delete my account" });
    expect(await section.getByRole("button", { name: "for good" }).count()).toBe(0);
    await section.getByRole("button", { name: "Show what would be deleted" }).click();
    await section.getByRole("heading", { name: "Is deleted" }).waitFor();
    expect(await section.textContent()).toMatch(
      /alice\/tools.*3 images in them, 1\.5 GiB.*2 access tokens.*ci-bot: to bob.*The audit log/s,
    );
    const button = section.getByRole("button", { name: "Delete my account for good" });
    const field = section.getByLabel("Type your user name");
    await field.fill("alic");
    expect(await button.isDisabled()).toBe(true);
    await field.fill("alice");
    await button.click();
    await section.getByRole("alert").filter({ hasText: "changed since you looked" }).waitFor();
    expect([await field.inputValue(), await button.isDisabled()]).toEqual(["", true]);
    await field.fill("alice");
    await button.click();
    await page.getByRole("heading", { level: 1, name: "Your account is deleted" }).waitFor();
    await page.getByRole("banner").getByRole("link", { name: "Sign in" }).waitFor();
    expect(askedOf(asked, "DELETE /api/v1/me").map(({ ifMatch }) => ifMatch)).toEqual(['"seen"', '"seen"']);
  });

  it("says what must be settled before it can be deleted, and offers no button until then", async () => {
    const { page } = await open("/account", meOf(), {
      ...account,
      "GET /api/v1/me/deletion": { ...deletion, obstacles: ["You are the only owner of lab/shared."] },
    });
    const section = page.getByRole("region", { name: "Delete my account" });
    await section.getByRole("button", { name: "Show what would be deleted" }).click();
    await section.getByText("You are the only owner of lab/shared.").waitFor();
    expect(await section.getByRole("button", { name: "for good" }).count()).toBe(0);
    await section.getByRole("button", { name: "Keep my account" }).click();
    expect(await page.evaluate(() => document.activeElement?.textContent?.trim())).toBe("Show what would be deleted");
  });

  it("leads to signing in where nobody is", async () => {
    const { page } = await open("/account", null);
    const link = page.getByRole("main").getByRole("link", { name: "Sign in" });
    expect(await link.getAttribute("href")).toBe("/login?next=%2Faccount");
  });
});

describe.skipIf(!hasBrowser)("for those who are signed in, each page", () => {
  const answers: Answers = {
    ...account,
    ...noTokens,
    ...withTerms,
    "GET /api/v1/tokens": { items: [tokenOf(), tokenOf({ id: idOf(11), name: "ci", state: "revoked" })], next: null },
    "GET /api/v1/sregistry-key": { id: idOf(30), createdAt: aTime, lastUsedAt: aTime },
    "GET /api/v1/registration": registration,
    "GET /api/v1/collections": { items: [], next: null },
  };
  const me = meOf({ username: "a-name-that-is-as-long-as-somebody-may-want-it-and-then-some" });

  it.each(Object.values(paths))(
    "can be read, used with the keyboard, and fits a narrow telephone: %s",
    async (path) => {
      const { page, faults } = await open(path, me, answers, { viewport: { width: 360, height: 740 } });
      const faint = await faintTexts(page);
      await page.emulateMedia({ colorScheme: "dark" });
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      expect({ faint, dark: await faintTexts(page), obstacles: await obstaclesOf(page), faults, width }).toEqual({
        faint: [],
        dark: [],
        obstacles: [],
        faults: [],
        width: 360,
      });
    },
  );
});
