import { describe, expect, it } from "vitest";
import type { Collection, ContainerDetails, Image, Tag } from "../../ui/api/schema.d.ts";
import { hasBrowser, linesOf, obstaclesOf } from "../support/browser.ts";
import { type Answers, askedOf, aTime, meOf, Refusal, siteOf } from "../support/fake-api.ts";
import { setUpPages } from "../support/fake-pages.ts";

const digestOf = (digit: number) => `sha256.${String(digit).repeat(64)}`;

const collection: Collection = {
  entity: "imaging",
  collection: "tools",
  shortName: null,
  description: "",
  visibility: "internal",
  owner: { name: "imaging", kind: "team" },
  role: "contributor",
  reason: "contributor through team imaging",
  may: ["push", "star"],
  isStarred: true,
  stars: 3,
  pulls: 12,
  images: 2,
  sizeBytes: 5_000_000_000,
  createdAt: aTime,
  updatedAt: aTime,
  offered: null,
};

const image: Image = {
  digest: digestOf(1),
  description: "",
  arch: "arm64",
  sizeBytes: 5_000_000_000,
  signed: false,
  encrypted: true,
  frozen: false,
  createdAt: aTime,
  publishedAt: aTime,
  tags: ["latest", "v2"],
  tagCount: 2,
  inspection: { state: "done", reason: null },
  state: { is: "corrupt", percent: null, reason: null },
};

const tagNamed = (name: string): Tag => ({
  name,
  updatedAt: aTime,
  architectures: ["amd64", "arm64"].map((arch, index) => ({
    ...{ arch, digest: digestOf(index), sizeBytes: 1024, frozen: index === 1, imageFrozen: false, updatedAt: aTime },
  })),
});

const container: ContainerDetails = {
  entity: "imaging",
  collection: "tools",
  name: "app",
  description: "",
  readOnly: true,
  sizeBytes: 5_000_000_000,
  imageCount: 2,
  pullCount: 12,
  createdAt: aTime,
  updatedAt: aTime,
  visibility: "internal",
  topics: [],
  createdBy: null,
  newestImage: image,
  tags: { items: [tagNamed("latest"), tagNamed("v1")], next: "behind-v1" },
  role: "contributor",
  reason: "contributor through team imaging",
};

const collectionName = "GET /api/v1/collections/{entity}/{collection}";
const containersName = "GET /api/v1/collections/{entity}/{collection}/containers";
const containerName = "GET /api/v1/containers/{entity}/{collection}/{container}";
const tagsName = "GET /api/v1/containers/{entity}/{collection}/{container}/tags";
const ofCollection: Answers = { [collectionName]: collection, [containersName]: { items: [], next: null } };

describe.skipIf(!hasBrowser)("the page of a collection, with answers made up,", () => {
  const { open } = setUpPages();

  it("says through which team one works in it, and that nothing is in it yet", async () => {
    const { page, faults } = await open("/imaging/tools", meOf(), ofCollection);
    const text = (await page.getByRole("main").textContent()) ?? "";
    expect(text).toMatch(/Internal: whoever is signed in.*Ownerteam imagingYour roleContributor through team imaging/);
    expect(text).toContain("There is nothing in it yet.");
    expect(faults).toEqual([]);
  });

  it("says why a star could not be taken away, and counts as before", async () => {
    const refusal = new Refusal(429, "rate-limited", "Too many attempts.");
    const answers = { ...ofCollection, "DELETE /api/v1/collections/{entity}/{collection}/star": refusal };
    const { page } = await open("/imaging/tools", meOf(), answers);
    const star = page.getByRole("main").getByRole("button", { name: "Star" });
    await star.click();
    await page.getByRole("alert").getByText("Too many attempts.").waitFor();
    await page.getByText("3 stars", { exact: true }).waitFor();
    expect(await star.getAttribute("aria-pressed")).toBe("true");
  });

  it("says what is wrong when it cannot be asked, and tries again", async () => {
    let isThere = false;
    const unsure = () => (isThere ? collection : new Refusal(429, "rate-limited", "Too many attempts."));
    const { page } = await open("/imaging/tools", meOf(), { ...ofCollection, [collectionName]: unsure });
    await page.getByRole("alert").getByText("Too many attempts.").waitFor();
    isThere = true;
    await page.getByRole("button", { name: "Retry" }).click();
    await page.getByRole("heading", { level: 1, name: "imaging/tools" }).waitFor();
  });

  it("leads to signing in where the registry shows nobody anything, and so does the list", async () => {
    const site = siteOf({ policies: { ...siteOf().policies, isAuthRequired: true } });
    const refusal = new Refusal(401, "unauthenticated", "Log in first.");
    const answers = { "GET /api/v1/site": site, [collectionName]: refusal, [containersName]: refusal };
    for (const path of ["/imaging/tools", "/collections?sort=stars"]) {
      const { page, asked } = await open(path, null, answers);
      await page.getByRole("heading", { level: 1, name: "Sign in first" }).waitFor();
      const href = await page.getByRole("main").getByRole("link", { name: "Sign in" }).getAttribute("href");
      expect(href).toBe(`/login?next=${encodeURIComponent(path)}`);
      expect(askedOf(asked, "GET /api/v1/collections")).toEqual([]);
    }
  });
});

describe.skipIf(!hasBrowser)("the page of a container, with answers made up,", () => {
  const { open } = setUpPages();

  it("says in words that its newest image is encrypted, unsigned and damaged", async () => {
    const { page, faults } = await open("/imaging/tools/app", meOf(), { [containerName]: container });
    const text = (await page.getByRole("main").textContent()) ?? "";
    expect(text).toMatch(/Read-onlynothing may be pushed/);
    expect(text).toMatch(/Not signed.*Encrypted: to run it you need its key.*Damaged: the stored bytes/);
    expect(await linesOf(page, "With this registry in use")).toEqual([
      "apptainer pull library://imaging/tools/app:latest",
    ]);
    expect(await page.getByText("Without logging in").count()).toBe(0);
    expect([await obstaclesOf(page), faults]).toEqual([[], []]);
  });

  it("shows each architecture of a tag, and asks for more tags from where the first ended", async () => {
    const answers = { [containerName]: container, [tagsName]: { items: [tagNamed("v2")], next: null } };
    const { page, asked } = await open("/imaging/tools/app", meOf(), answers);
    const tags = page.getByRole("region", { name: "Tags" });
    expect(await tags.getByRole("heading", { level: 3 }).allTextContents()).toEqual(["latest", "v1"]);
    expect(await tags.getByRole("button", { name: "Copy the digest of v1 for" }).count()).toBe(2);
    expect(askedOf(asked, tagsName)).toEqual([]);
    await tags.getByRole("button", { name: "Show more" }).click();
    await tags.getByRole("heading", { level: 3, name: "v2" }).waitFor();
    expect(askedOf(asked, tagsName).map(({ query }) => query)).toEqual([{ after: "behind-v1" }]);
    expect(await tags.getByRole("heading", { level: 3 }).allTextContents()).toEqual(["latest", "v1", "v2"]);
  });

  it("selects the whole digest where the browser keeps the clipboard from the page", async () => {
    const { page } = await open("/imaging/tools/app", meOf(), { [containerName]: container });
    await page.evaluate(() => Object.defineProperty(navigator, "clipboard", { value: undefined }));
    await page.getByRole("button", { name: "Copy the digest of the newest image" }).click();
    await page.getByRole("status").filter({ hasText: "Control and C" }).waitFor();
    expect(await page.evaluate(() => String(getSelection()))).toBe(image.digest);
  });

  it("says of one without images that there is nothing to pull", async () => {
    const empty = { ...container, newestImage: null, tags: { items: [], next: null } };
    const { page } = await open("/imaging/tools/app", meOf(), { [containerName]: empty });
    const text = (await page.getByRole("main").textContent()) ?? "";
    expect(text).toMatch(/There is nothing to pull yet\..*There are no tags\./);
    expect(await obstaclesOf(page)).toEqual([]);
  });
});
