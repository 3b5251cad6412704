import { describe, expect, it } from "vitest";
import { makeLoginLink } from "../../ui/client-lines.ts";
import { hasBrowser, isLoaded, linesOf } from "../support/browser.ts";
import { type Answers, askedOf, aTime, meOf, Refusal, siteOf } from "../support/fake-api.ts";
import {
  noKey,
  noTokens,
  provider,
  registration,
  setUpPages,
  terms,
  termsText,
  wentTo,
  withTerms,
} from "../support/fake-pages.ts";

const { open, url } = setUpPages();

describe.skipIf(!hasBrowser)("signing in", () => {
  it("begins at the provider one chooses, and keeps in mind where to go on", async () => {
    const { page, asked } = await open("/login?next=/auth/tokens", null, {
      "POST /api/v1/sign-ins": { url: `${url()}/terms` },
    });
    await page.getByRole("button", { name: "Sign in with Lab Login" }).click();
    await wentTo(page, "/terms");
    expect(askedOf(asked, "POST /api/v1/sign-ins").map(({ body }) => body)).toEqual([
      { provider: "lab", next: "/auth/tokens" },
    ]);
  });

  it.each(["https://evil.example/", "//evil.example", "/\\evil.example", "/\t/evil.example", "/.//evil.example"])(
    "never goes on to another site: %j",
    async (next) => {
      const { page, asked } = await open(`/login?${new URLSearchParams({ next })}`, null, {
        "POST /api/v1/sign-ins": { url: `${url()}/terms` },
      });
      await page.getByRole("button", { name: "Sign in with Lab Login" }).click();
      await wentTo(page, "/terms");
      expect(askedOf(asked, "POST /api/v1/sign-ins")[0]?.body).toEqual({ provider: "lab", next: "/" });
    },
  );

  it("says why it did not work, in the registry's words, and nothing for a code that is none", async () => {
    const words = { code: "sign-in-expired", title: "This attempt has expired.", status: 400, help: "Begin again." };
    const answers: Answers = {
      "GET /api/v1/errors/{code}": ({ path }) => (path.code === "sign-in-expired" ? words : noKey),
    };
    const { page } = await open("/login?error=sign-in-expired", null, answers);
    expect(await page.locator(".problem").textContent()).toBe("This attempt has expired.Begin again.");
    for (const code of ["no-such-code", "<b>Call 555", ""]) {
      await page.goto(`/login?${new URLSearchParams({ error: code })}`);
      await isLoaded(page);
      await page.getByRole("button", { name: "Sign in with Lab Login" }).waitFor();
      expect(await page.locator(".problem").count()).toBe(0);
    }
  });

  it("says beside the button that a provider does not answer, with the way out, and lets it be tried again", async () => {
    const { page } = await open("/login", null, {
      "POST /api/v1/sign-ins": new Refusal(503, "provider-unavailable", "It does not answer.", "Try again later."),
    });
    const button = page.getByRole("button", { name: "Sign in with Lab Login" });
    await button.click();
    await page.getByRole("alert").filter({ hasText: "It does not answer.Try again later." }).waitFor();
    expect(await button.isEnabled()).toBe(true);
  });

  it("tells how an administrator makes a link where there is no provider", async () => {
    const site = siteOf({ signIn: { obstacle: "no-providers", providers: [] } });
    const { page } = await open("/login", null, { "GET /api/v1/site": site });
    expect(await linesOf(page, "Make a login link")).toEqual(makeLoginLink(site, "NAME"));
  });

  it("says why it needs https, and offers no button that cannot work", async () => {
    const origin = "http://registry.example.org";
    const signIn = { obstacle: "https-required" as const, providers: [provider] };
    const { page } = await open("/login", null, { "GET /api/v1/site": siteOf({ origin, signIn }) });
    expect(await page.getByRole("main").textContent()).toMatch(/needs https.*http:\/\/registry.example.org/s);
    expect(await page.getByRole("main").getByRole("button").count()).toBe(0);
  });

  it("is not asked of somebody who is signed in", async () => {
    const { page } = await open("/login?next=/auth/tokens", meOf());
    expect(await page.getByRole("main").textContent()).toContain("signed in as alice");
    expect(await page.getByRole("link", { name: "Go on" }).getAttribute("href")).toBe("/auth/tokens");
  });

  it("is not asked about in the API where nobody is signed in", async () => {
    const { asked } = await open("/", null);
    expect(asked.map(([name]) => name)).toEqual(["GET /api/v1/site"]);
  });

  it("has ended where the registry says so: the page is as for anybody", async () => {
    const ended = new Refusal(401, "invalid-credential", "It has ended.");
    const { page } = await open("/", meOf(), { "GET /api/v1/me": ended });
    await page.getByRole("banner").getByRole("link", { name: "Sign in" }).waitFor();
  });

  it("ends by a button on every page", async () => {
    const { page, asked } = await open("/terms", meOf(), { "DELETE /api/v1/sessions/{id}": null });
    await page.getByRole("banner").getByRole("button", { name: "Sign out" }).click();
    await wentTo(page, "/");
    expect(askedOf(asked, "DELETE /api/v1/sessions/{id}").map(({ path }) => path.id)).toEqual(["current"]);
  });

  it("is brought to new terms, and from there on to the very page that was wanted", async () => {
    let agreed: string | null = null;
    const { page } = await open("/terms", meOf({ terms }), {
      ...withTerms,
      "GET /api/v1/me": () => meOf({ terms: { ...terms, agreed } }),
      "GET /api/v1/collections": { items: [], next: null },
      "PUT /api/v1/me/terms": () => {
        agreed = "2026-1";
        return meOf({ terms: { ...terms, agreed } });
      },
    });
    await page.goto("/collections?mine=1&sort=stars&next=//elsewhere.example");
    await page.waitForURL((address) => address.pathname === "/terms");
    await page.getByRole("button", { name: "I agree" }).click();
    await wentTo(page, "/collections?mine=1&sort=stars&next=//elsewhere.example");
    await page.getByRole("heading", { level: 1, name: "My collections" }).waitFor();
  });

  it("puts one's own name into the lines of the home page", async () => {
    const { page } = await open("/", meOf({ username: "bob" }));
    expect(await linesOf(page, "Push an image")).toEqual(["apptainer push -U image.sif library://bob/tools/image:v1"]);
  });
});

describe.skipIf(!hasBrowser)("choosing a name", () => {
  it("suggests one, says at once what cannot be one, and by the server what is taken", async () => {
    const taken = new Refusal(409, "name-taken", "The name bob is taken.");
    const { page, asked } = await open("/login?next=/auth/tokens", null, {
      // The provider sends somebody new here.
      "POST /api/v1/sign-ins": { url: `${url()}/auth/register` },
      "GET /api/v1/registration": registration,
      "POST /api/v1/registration": ({ body }) => ((body as { username: string }).username === "bob" ? taken : meOf()),
      ...noTokens,
    });
    await page.getByRole("button", { name: "Sign in with Lab Login" }).click();
    const field = page.getByLabel("Your user name");
    const button = page.getByRole("button", { name: "Create my account" });
    expect(await field.inputValue()).toBe("alice");
    await field.fill("no good");
    expect([await field.getAttribute("aria-invalid"), await button.isDisabled()]).toEqual(["true", true]);
    await field.fill("Bob");
    await button.click();
    await page.getByRole("alert").filter({ hasText: "The name bob is taken." }).waitFor();
    await field.fill("carol");
    await button.click();
    await wentTo(page, "/auth/tokens");
    expect(askedOf(asked, "POST /api/v1/registration").map(({ body }) => body)).toEqual([
      { username: "bob", terms: null },
      { username: "carol", terms: null },
    ]);
  });

  it("waits for a yes to the terms, and asks again when they changed meanwhile", async () => {
    let version = "2026-1";
    const changed = new Refusal(403, "terms-required", "There are new terms.");
    const { page, asked } = await open("/auth/register", null, {
      "GET /api/v1/registration": () => ({ ...registration, terms: version }),
      "POST /api/v1/registration": ({ body }) => {
        if ((body as { terms: string }).terms === "2026-2") return meOf();
        version = "2026-2";
        return changed;
      },
    });
    const button = page.getByRole("button", { name: "Create my account" });
    expect(await button.isDisabled()).toBe(true);
    await page.getByLabel("I agree to the terms of use").check();
    await button.click();
    await page.getByText("version 2026-2").waitFor();
    expect(await button.isDisabled()).toBe(true);
    await page.getByLabel("I agree to the terms of use").check();
    await button.click();
    await wentTo(page, "/");
    expect(askedOf(asked, "POST /api/v1/registration").at(-1)?.body).toEqual({ username: "alice", terms: "2026-2" });
  });

  it("leads to signing in where nobody is at it", async () => {
    const { page } = await open("/auth/register", null, { "GET /api/v1/registration": noKey });
    const link = page.getByRole("main").getByRole("link", { name: "Sign in" });
    expect(await link.getAttribute("href")).toBe("/login");
  });
});

describe.skipIf(!hasBrowser)("a login link", () => {
  it("changes nothing by being opened, leaves the address bar, and signs in by its button", async () => {
    const { page, asked } = await open("/auth/link#the-secret", null, { "POST /api/v1/sessions": meOf() });
    expect(page.url()).toBe(`${url()}/auth/link`);
    expect(asked.map(([name]) => name)).toEqual(["GET /api/v1/site"]);
    await page.getByRole("main").getByRole("button", { name: "Sign in" }).click();
    await wentTo(page, "/account");
    expect(askedOf(asked, "POST /api/v1/sessions").map(({ body }) => body)).toEqual([{ link: "the-secret" }]);
    await page.goBack();
    expect(page.url()).toBe(`${url()}/auth/link`);
  });

  it("that has ended says so; another one pasted into the same tab counts", async () => {
    const { page, asked } = await open("/auth/link#old", null, {
      "POST /api/v1/sessions": ({ body }) =>
        (body as { link: string }).link === "new" ? meOf({ terms }) : new Refusal(410, "link-ended", "It has ended."),
      ...withTerms,
    });
    const button = page.getByRole("main").getByRole("button", { name: "Sign in" });
    await button.click();
    await page.getByRole("alert").filter({ hasText: "It has ended." }).waitFor();
    await page.evaluate(() => {
      location.hash = "new";
    });
    await page.waitForFunction(() => location.hash === "");
    await button.click();
    await wentTo(page, "/terms?next=%2Faccount");
    expect(askedOf(asked, "POST /api/v1/sessions").map(({ body }) => body)).toEqual([{ link: "old" }, { link: "new" }]);
  });

  it("that is incomplete says so, without a button", async () => {
    const { page } = await open("/auth/link", null);
    expect(await page.getByRole("main").textContent()).toContain("There is no link");
    expect(await page.getByRole("main").getByRole("button").count()).toBe(0);
  });
});

describe.skipIf(!hasBrowser)("the terms of use", () => {
  it("can be read by anybody, as paragraphs", async () => {
    const { page } = await open("/terms", null, withTerms);
    expect(await page.locator(".terms p").allTextContents()).toEqual(["Be kind.", "Images are yours."]);
    expect(await page.getByRole("button", { name: "I agree" }).count()).toBe(0);
    expect(await page.getByRole("contentinfo").getByRole("link", { name: "Terms of use" }).count()).toBe(1);
  });

  it("come before anything else for whoever has not agreed, and lead on afterwards", async () => {
    let me = meOf({ terms });
    const { page, asked } = await open("/auth/tokens", me, {
      ...withTerms,
      ...noTokens,
      "GET /api/v1/me": () => me,
      "PUT /api/v1/me/terms": () => {
        me = meOf({ terms: { ...terms, agreed: "2026-1", agreedAt: aTime } });
        return me;
      },
    });
    await wentTo(page, "/terms?next=%2Fauth%2Ftokens");
    await page.getByRole("button", { name: "I agree" }).click();
    await page.getByRole("heading", { level: 1, name: "Access tokens" }).waitFor();
    expect(askedOf(asked, "PUT /api/v1/me/terms").map(({ body }) => body)).toEqual([{ version: "2026-1" }]);
    await page.goto("/terms");
    await page.getByText("You agreed to this version on").waitFor();
  });

  it("that changed while they were read are shown anew", async () => {
    let text = termsText;
    const { page } = await open("/terms", meOf({ terms }), {
      ...withTerms,
      "GET /api/v1/terms": () => text,
      "PUT /api/v1/me/terms": () => {
        text = { version: "2026-2", text: "Be kinder." };
        return new Refusal(409, "conflict", "There are new terms.");
      },
    });
    await page.getByRole("button", { name: "I agree" }).click();
    await page.getByText("Be kinder.").waitFor();
    await page.getByRole("alert").filter({ hasText: "There are new terms." }).waitFor();
  });

  it("can be declined: the account can be left without agreeing", async () => {
    const { page, asked } = await open("/account", meOf({ terms }), {
      ...withTerms,
      "GET /api/v1/sessions": { items: [], next: null },
    });
    await page.getByRole("button", { name: "Show what would be deleted" }).waitFor();
    expect(askedOf(asked, "GET /api/v1/identities")).toEqual([]);
  });
});
