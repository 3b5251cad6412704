import { describe, expect, it } from "vitest";
import type { ShownInvitation } from "../../ui/api/schema.d.ts";
import { faintTexts, hasBrowser, isLoaded, obstaclesOf } from "../support/browser.ts";
import { type Answers, askedOf, aTime, meOf, Refusal } from "../support/fake-api.ts";
import { setUpPages, terms, wentTo, withTerms } from "../support/fake-pages.ts";

const { open, url } = setUpPages();

const shown: ShownInvitation = {
  team: { name: "imaging", description: "Microscopes, and what becomes of their images." },
  role: "member",
  invitedBy: "bob",
  expiresAt: aTime,
  yourRole: null,
};
const member = { username: "alice", role: "member" as const, joinedAt: aTime };
const answers: Answers = {
  "POST /api/v1/invitations/preview": shown,
  "POST /api/v1/invitations/acceptance": { team: "imaging", member },
};

describe.skipIf(!hasBrowser)("an invitation's page", () => {
  it("shows the team and who invites, uses nothing up by being opened, and joins by its button", async () => {
    const { page, asked, faults } = await open("/invitations#the-secret", meOf(), answers);
    expect(page.url()).toBe(`${url()}/invitations`);
    await page.getByRole("heading", { level: 1, name: "Join imaging" }).waitFor();
    expect(await page.getByRole("main").textContent()).toMatch(/bob invites you.*Microscopes.*as a member/s);
    expect(askedOf(asked, "POST /api/v1/invitations/acceptance")).toEqual([]);
    await page.getByRole("button", { name: "Join as alice" }).click();
    await page.getByRole("heading", { level: 1, name: "You are in imaging" }).waitFor();
    const ways = await page.getByRole("main").getByRole("link").all();
    expect(await Promise.all(ways.map((way) => way.getAttribute("href")))).toEqual([
      "/collections?mine=1&sort=updated",
      "/",
    ]);
    const bodies = (["preview", "acceptance"] as const).map((act) =>
      askedOf(asked, `POST /api/v1/invitations/${act}`).map(({ body }) => body),
    );
    expect(bodies).toEqual([[{ secret: "the-secret" }], [{ secret: "the-secret" }]]);
    expect(faults).toEqual([]);
    await page.reload();
    await page.getByText("There is none in this page's address.").waitFor();
  });

  it("keeps the secret in the tab while somebody signs in, out of every address", async () => {
    const { page, asked } = await open("/invitations#the-secret", null, {
      ...answers,
      "POST /api/v1/sign-ins": { url: `${url()}/invitations` },
    });
    const requests: string[] = [];
    page.on("request", (request) => requests.push(request.url() + (request.postData() ?? "")));
    await page.getByRole("heading", { level: 1, name: "You are invited to a team" }).waitFor();
    const ways = page.getByRole("link", { name: "Sign in" });
    for (const link of await ways.all()) expect(await link.getAttribute("href")).toBe("/login?next=%2Finvitations");
    await page.getByRole("main").getByRole("link", { name: "Sign in" }).click();
    await isLoaded(page);
    await page.getByRole("button", { name: "Sign in with Lab Login" }).click();
    await wentTo(page, "/invitations");
    expect(askedOf(asked, "POST /api/v1/sign-ins").map(({ body }) => body)).toEqual([
      { provider: "lab", next: "/invitations" },
    ]);
    expect(requests.join(" ")).not.toContain("the-secret");
    expect(await page.evaluate(() => sessionStorage.getItem("invitation"))).toBe("the-secret");
  });

  it("waits for the terms of use, and goes on from there", async () => {
    const { page } = await open("/terms", meOf({ terms }), { ...answers, ...withTerms });
    await page.goto("/invitations#the-secret");
    await wentTo(page, "/terms?next=%2Finvitations");
    expect(page.url()).not.toContain("the-secret");
  });

  it("says that one has ended, with the way out, and forgets it", async () => {
    const ended = new Refusal(410, "link-ended", "It has ended.", "Ask for another one.");
    const { page } = await open("/invitations#old", meOf(), { "POST /api/v1/invitations/preview": ended });
    await page.getByRole("alert").filter({ hasText: "It has ended.Ask for another one." }).waitFor();
    expect(await page.getByRole("main").getByRole("button").count()).toBe(0);
    expect(await page.evaluate(() => sessionStorage.getItem("invitation"))).toBeNull();
  });

  it("says beside the button that somebody else was faster", async () => {
    const ended = new Refusal(410, "link-ended", "It was used already.");
    const { page } = await open("/invitations#the-secret", meOf(), {
      ...answers,
      "POST /api/v1/invitations/acceptance": ended,
    });
    await page.getByRole("button", { name: "Join as alice" }).click();
    await page.getByRole("alert").filter({ hasText: "It was used already." }).waitFor();
  });

  it("takes another link that is pasted into the same tab", async () => {
    const { page } = await open("/invitations#first", meOf(), {
      "POST /api/v1/invitations/preview": ({ body }) => {
        const { secret } = body as { secret: string };
        return { ...shown, team: { name: secret, description: "" } };
      },
    });
    await page.getByRole("heading", { level: 1, name: "Join first" }).waitFor();
    await page.evaluate(() => {
      location.hash = "second";
    });
    await page.getByRole("heading", { level: 1, name: "Join second" }).waitFor();
    expect(page.url()).toBe(`${url()}/invitations`);
  });

  it("offers no button to whoever is in the team already", async () => {
    const { page } = await open("/invitations#the-secret", meOf(), {
      "POST /api/v1/invitations/preview": { ...shown, yourRole: "owner" },
    });
    await page.getByText("You are in it already").waitFor();
    expect(await page.getByRole("main").getByRole("button").count()).toBe(0);
  });

  it.each([360, 1280])("can be read and used with the keyboard at a width of %d", async (width) => {
    const { page, faults } = await open("/invitations#the-secret", meOf(), answers, {
      viewport: { width, height: 740 },
    });
    await page.getByRole("button", { name: "Join as alice" }).waitFor();
    const faint = await faintTexts(page);
    await page.emulateMedia({ colorScheme: "dark" });
    const scrolls = await page.evaluate(() => document.documentElement.scrollWidth);
    expect({ faint, dark: await faintTexts(page), obstacles: await obstaclesOf(page), faults, scrolls }).toEqual({
      faint: [],
      dark: [],
      obstacles: [],
      faults: [],
      scrolls: width,
    });
  });
});
