import { env } from "cloudflare:workers";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { type Actor, operator } from "../../worker/access/roles.ts";
import { setMember, setVisibility } from "../../worker/registry/catalog/manage.ts";
import { limits } from "../../worker/registry/limits.ts";
import { authenticate } from "../../worker/registry/people/authenticate.ts";
import { search } from "../../worker/registry/search/search-catalog.ts";
import { makeSif } from "../support/make-sif.ts";
import { counted } from "../support/worker/calls.ts";
import {
  ask,
  askJson,
  environment,
  indexed,
  newPerson,
  newTokenFor,
  type Person,
  push,
  testContext,
  uniqueName,
} from "../support/worker/registry.ts";

interface Item {
  entity: string;
  collection: string;
  container: string;
  tags: string[];
  arch: string;
  labels: Record<string, string>;
  topics: string[];
}
interface Answer {
  items: Item[];
  facets: Record<"arch" | "signed" | "collection" | "label", { value: string; count: number }[]>;
  isCapped: boolean;
}

/** Containers of the images found. */
async function found(value: string, token: string | null = null, more = ""): Promise<string[]> {
  const url = `/v1/search?value=${encodeURIComponent(value)}${more}`;
  const { data } = await askJson<{ data: { image: { containerName: string }[] } }>(url, { token });
  return [...new Set(data.image.map((image) => image.containerName))].sort();
}

async function answer(query: Record<string, string>, token: string | null = null): Promise<Answer> {
  return await askJson<Answer>(`/api/v1/search?${new URLSearchParams(query)}`, { token });
}

async function run(sql: string, ...values: unknown[]): Promise<void> {
  await env.DB.prepare(sql)
    .bind(...values)
    .run();
}

async function describeImage(imageId: string, texts: { definition?: string; labels?: Record<string, string> }) {
  await run(
    `INSERT INTO inspections (image_id, state, reader, definition, inspected_at) VALUES (?1, 'done', 1, ?2, 1)
     ON CONFLICT DO UPDATE SET definition = ?2`,
    imageId,
    texts.definition ?? null,
  );
  for (const [key, value] of Object.entries(texts.labels ?? {})) {
    await run("INSERT INTO labels (image_id, key, value) VALUES (?, ?, ?)", imageId, key, value);
  }
  await run("UPDATE inspections SET inspected_at = 2 WHERE image_id = ?", imageId);
}

let alice: Person;

beforeAll(async () => {
  alice = await newPerson("alice");
});

describe("a search finds an image", () => {
  let path: string;
  beforeAll(async () => {
    path = `${alice.username}/fluid-dynamics/lattice-boltzmann`;
    const { imageId, containerId } = await push(alice.token, `${path}:v2.7`, makeSif({ salt: path }));
    await indexed();
    await run("UPDATE containers SET description = 'Strömungen und Wirbel' WHERE id = ?", containerId);
    await run("UPDATE images SET description = 'Mesures à l''École' WHERE id = ?", imageId);
    await run(
      "INSERT INTO topics (container_id, name, origin, changed_at) VALUES (?, 'glaciology', 'person', 1)",
      containerId,
    );
    await run(
      "INSERT INTO topics (container_id, name, origin, removed, changed_at) VALUES (?, 'volcanology', 'image', 1, 1)",
      containerId,
    );
    await describeImage(imageId, {
      definition: "Bootstrap: docker\nFrom: debian:13\n%post\n  apt-get install -y openfoam",
      labels: { "org.example.Maintainer": "Zuse Institute" },
    });
    await indexed();
  });

  it.each([
    ["the beginning of a name", "lattic"],
    ["a part of a name", "boltz"],
    ["a part from the middle of a word", "namics"],
    ["capital letters", "LATTICE"],
    ["parts of two names with what stands between", "namics/lattice"],
    ["a path", "fluid-dynamics/lattice-boltzmann"],
    ["a tag", "v2.7"],
    ["a description's word", "wirbel"],
    ["a word with an umlaut", "Strömungen"],
    ["the same without", "stromungen"],
    ["a word with an apostrophe", "l'École"],
    ["a label's key", "org.example.maintainer"],
    ["a label's value", "zuse"],
    ["a topic", "glaciology"],
    ["its definition file", "openfoam"],
    ["several words of different texts", "glaciology openfoam boltzmann zuse"],
    ["words with signs around them", "*** openfoam ()"],
  ])("by %s", async (_, text) => {
    expect(await found(text)).toEqual(["lattice-boltzmann"]);
  });

  it.each(["volcanology", "openfoam absent", "no-such-thing", "%%%", '"""', "zzzlattice", "e s"])(
    "but not by %s",
    async (text) => {
      expect(await found(text)).toEqual([]);
    },
  );

  it.each([
    "openfoam OR nothing",
    "openfoam NOT lattice",
    "names : openfoam",
    'openfoam" OR "x',
    "facts:vpublic",
    "NEAR(openfoam debian)",
  ])("and takes %s for words", async (text) => {
    expect(await found(text)).toEqual([]);
  });

  it("and its entity, collection and container by theirs, which a text too short or too long finds not", async () => {
    const { data } = await askJson<{ data: Record<string, { name?: string }[]> }>("/v1/search?value=dynamics");
    expect(data.collection?.map(({ name }) => name)).toEqual(["fluid-dynamics"]);
    expect(data.container?.map(({ name }) => name)).toEqual(["lattice-boltzmann"]);
    const byOwner = await askJson<{ data: { entity: { name: string }[] } }>(`/v1/search?value=${alice.username}`);
    expect(byOwner.data.entity.map(({ name }) => name)).toEqual([alice.username]);
    for (const text of ["", "ab", "  a ", "x".repeat(101)]) {
      expect((await ask(`/v1/search?value=${encodeURIComponent(text)}`)).status).toBe(400);
      expect((await ask(`/api/v1/search?q=${encodeURIComponent(text)}`)).status).toBe(400);
    }
    expect(await (await ask("/api/v1/search")).json()).toMatchObject({ status: 400, code: "query-invalid" });
  });

  it("by one call to the index and one to the database", async () => {
    for (const url of ["/v1/search?value=lattice", "/api/v1/search?q=lattice&arch=amd64"]) {
      const { env: watched, counts } = counted();
      expect((await ask(url, { env: watched })).status).toBe(200);
      expect(counts).toEqual({ d1: 2, r2: 0, durable: 0 });
    }
  });
});

it("any text at all is answered, and never by an error of ours", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: "binary", maxLength: 110 }),
      fc.string({ maxLength: 20 }),
      async (text, other) => {
        const query = new URLSearchParams({ value: text, q: text, arch: other, label: other, collection: other });
        for (const path of ["/v1/search", "/api/v1/search"]) {
          expect([200, 400]).toContain((await ask(`${path}?${query}`)).status);
        }
        const signs = `${text}"*():^-+{}' AND OR NOT NEAR`.slice(0, 100);
        expect([200, 400]).toContain((await ask(`/v1/search?value=${encodeURIComponent(signs)}`)).status);
      },
    ),
    { numRuns: 60 },
  );
});

it("as many words as a text holds are no error either", async () => {
  for (const word of ["a ", "ab ", "a-b ", "a.b-c_d/", "é ", "- a "]) {
    const text = encodeURIComponent(word.repeat(100).slice(0, 99));
    for (const url of [`/v1/search?value=${text}`, `/api/v1/search?q=${text}&arch=${"x,".repeat(16)}`]) {
      expect((await ask(url)).status, url).toBe(200);
    }
  }
});

describe("what may not be seen", () => {
  it("is found by those alone who may see it", async () => {
    const word = uniqueName("quetzal").replace("-", "");
    const collections = ["public", "internal", "private"] as const;
    for (const visibility of collections) {
      const name = `${visibility}-${word}`;
      await push(alice.token, `${alice.username}/${name}/in-${visibility}:v1`, makeSif({ salt: name }));
      await setVisibility(testContext(), operator, { entity: alice.username, name }, visibility);
    }
    const secret = { entity: alice.username, name: `private-${word}` };
    const [member, stranger] = [await newPerson("member"), await newPerson("stranger")];
    const [admin, root] = [await newPerson("admin", { role: "admin" }), await newPerson("root", { role: "superuser" })];
    await setMember(testContext(), operator, secret, member.username, "reader");
    await indexed();
    const all = ["in-internal", "in-private", "in-public"];
    expect(await found(word)).toEqual(["in-public"]);
    expect(await found(word, stranger.token)).toEqual(["in-internal", "in-public"]);
    for (const { token } of [alice, member, admin, root]) expect(await found(word, token)).toEqual(all);
    const narrowed = await newTokenFor(member.username, { collection: secret });
    expect(await found(word, narrowed)).toEqual(["in-private", "in-public"]);
    const elsewhere = await newTokenFor(admin.username, { collection: { ...secret, name: `internal-${word}` } });
    expect(await found(word, elsewhere)).toEqual(["in-internal", "in-public"]);
    const byOperator = await search(testContext(), operator, { text: word, architectures: [], signedOnly: false });
    expect(byOperator.images).toHaveLength(3);
    // At once, whatever the index believes.
    await run("UPDATE collections SET visibility = 'private' WHERE name = ?", `public-${word}`);
    expect(await found(word)).toEqual([]);
    expect((await answer({ q: word })).facets.collection).toEqual([]);
    await setMember(testContext(), operator, secret, member.username, null);
    expect(await found(word, member.token)).toEqual(["in-internal"]);
    await indexed();
    expect(await found(word, member.token)).toEqual(["in-internal"]);
  });

  it("does not hide what may be seen, however much of it there is", async () => {
    const bob = await newPerson("bob");
    const word = "starvation";
    await push(alice.token, `${alice.username}/visible/${word}:v1`, makeSif({ salt: word }));
    await push(bob.token, `${bob.username}/hoard/first:v1`, makeSif({ salt: "hoard" }), { private: true });
    await indexed();
    const rows = (table: string, columns: string, values: string) =>
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 600)
       INSERT INTO ${table} (${columns}) SELECT ${values}, 1 FROM n, containers c, images m, blobs b
       WHERE c.name = 'first' AND m.container_id = c.id AND m.id NOT LIKE 'hoard-%' AND b.digest = m.digest`;
    await env.DB.batch(
      [
        rows("blobs", "digest, object_key, size_bytes, created_at", "printf('sha256.%064x', i), 'hoard/' || i, 5"),
        rows(
          "images",
          "id, container_id, digest, state, blob_digest, arch, size_bytes, description, published_at, created_at",
          `'hoard-' || i, c.id, printf('sha256.%064x', i), 'published', printf('sha256.%064x', i), 'amd64', 5, '${word}', 1`,
        ),
        rows("tags", "container_id, arch, name, image_id, updated_at", "c.id, 'amd64', 't' || i, 'hoard-' || i"),
      ].map((text) => env.DB.prepare(text)),
    );
    await indexed();
    expect(await found(word)).toEqual([word]);
    expect((await answer({ q: word })).items).toHaveLength(1);
    expect(await found(word, bob.token)).toEqual(["first"]);
    expect(await answer({ q: word }, bob.token)).toMatchObject({ isCapped: true });
  });

  it("in any catalog, a search is exactly what the policy shows", async () => {
    const people = await Promise.all(["one", "two", "three"].map((name) => newPerson(name)));
    const actors: Actor[] = [{ kind: "anonymous" }, operator];
    for (const { token } of people) actors.push(await authenticate(testContext(), `Bearer ${token}`));
    const collection = fc.record({
      owner: fc.nat(2),
      visibility: fc.constantFrom("public", "internal", "private" as const),
      members: fc.uniqueArray(fc.nat(2)),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(collection, { minLength: 1, maxLength: 3 }), async (catalog) => {
        const word = uniqueName("catalog").replace("-", "");
        const expected = actors.map((): string[] => []);
        for (const [index, { owner, visibility, members }] of catalog.entries()) {
          const name = `${word}-${index}`;
          const person = people[owner] ?? alice;
          await push(person.token, `${person.username}/${name}/app:v1`, makeSif({ salt: name }));
          const path = { entity: person.username, name };
          await setVisibility(testContext(), operator, path, visibility);
          // Whoever owns it is given no role in it.
          for (const member of members.filter((one) => one !== owner)) {
            await setMember(testContext(), operator, path, people[member]?.username ?? "", "reader");
          }
          for (const [who, names] of expected.entries()) {
            const isUser = who >= 2;
            const mine = isUser && (owner === who - 2 || members.includes(who - 2));
            if (visibility === "public" || who === 1 || mine || (isUser && visibility === "internal")) names.push(name);
          }
        }
        await indexed();
        for (const [who, actor] of actors.entries()) {
          const result = await search(testContext(), actor, { text: word, architectures: [], signedOnly: false });
          expect(result.images.map((image) => image.collection.name).sort()).toEqual(expected[who]);
          expect(result.collections.map((row) => row.collection.name).sort()).toEqual(expected[who]);
        }
      }),
      { numRuns: 6 },
    );
  });

  it("asks for a credential where the registry does", async () => {
    const env = environment({ API_REQUIRE_AUTH: "true" });
    expect((await ask("/api/v1/search?q=anything", { env })).status).toBe(401);
    expect((await ask("/v1/search?value=anything", { env })).status).toBe(401);
    expect((await ask("/api/v1/search?q=anything", { env, token: alice.token })).status).toBe(200);
  });
});

describe("facets", () => {
  it("count what else there is, and narrow what is shown", async () => {
    const word = uniqueName("facet").replace("-", "");
    const one = await push(alice.token, `${alice.username}/${word}-a/app:v1`, makeSif({ salt: `${word}1` }));
    const arm = makeSif({ salt: `${word}2`, archCode: "04" });
    const two = await push(alice.token, `${alice.username}/${word}-b/app:v1`, arm, { arch: "arm64" });
    const signedBy = ["B1370B258AFD83A6B1370B258AFD83A6B1370B25"];
    await push(alice.token, `${alice.username}/${word}-b/app:v2`, makeSif({ salt: `${word}3`, signedBy }));
    await indexed();
    await describeImage(one.imageId, { labels: { Licence: "MIT", team: "ice" } });
    await describeImage(two.imageId, { labels: { licence: "mit" } });
    await indexed();
    const all = await answer({ q: word });
    expect(all.items).toHaveLength(3);
    expect(all.isCapped).toBe(false);
    const [a, b] = [`${alice.username}/${word}-a`, `${alice.username}/${word}-b`];
    expect(all.facets.arch).toEqual([
      { value: "amd64", count: 2 },
      { value: "arm64", count: 1 },
    ]);
    expect(all.facets.signed).toEqual([
      { value: "false", count: 2 },
      { value: "true", count: 1 },
    ]);
    expect(all.facets.collection).toEqual([
      { value: b, count: 2 },
      { value: a, count: 1 },
    ]);
    expect(all.facets.label).toHaveLength(3);
    const tagged = async (query: Record<string, string>) => {
      const { items } = await answer({ q: word, ...query });
      return items.map((item) => `${item.collection}:${item.tags.join()}`).sort();
    };
    expect(await tagged({ arch: "arm64" })).toEqual([`${word}-b:v1`]);
    expect(await tagged({ signed: "true" })).toEqual([`${word}-b:v2`]);
    expect(await tagged({ signed: "false" })).toEqual([`${word}-a:v1`, `${word}-b:v1`]);
    expect(await tagged({ collection: a.toUpperCase() })).toEqual([`${word}-a:v1`]);
    expect(await tagged({ label: "licence" })).toEqual([`${word}-a:v1`, `${word}-b:v1`]);
    expect(await tagged({ label: "LICENCE=mit", arch: "amd64" })).toEqual([`${word}-a:v1`]);
    expect(await tagged({ label: "team=fire" })).toEqual([]);
    // The facet of a filter goes on showing the other values.
    expect((await answer({ q: word, arch: "arm64" })).facets).toMatchObject({
      arch: [
        { value: "amd64", count: 2 },
        { value: "arm64", count: 1 },
      ],
      collection: [{ value: b, count: 1 }],
    });
    expect((await ask(`/api/v1/search?q=${word}&signed=perhaps`)).status).toBe(400);
    expect((await ask(`/api/v1/search?q=${word}&collection=nonsense`)).status).toBe(400);
  });
});

it("with PRIVATE_ONLY what was public before does not hide what one may see", async () => {
  const word = "crowdedword";
  const owner = await newPerson("crowded");
  await push(owner.token, `${owner.username}/${word}/mine:1`, makeSif({ salt: word }), { private: true });
  await indexed();
  // Documents that nobody may see any more, newer than that and more than are ranked.
  const crowd = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i <= ${limits.searchRanked})`;
  await env.SEARCH_DB.batch(
    [
      `${crowd} INSERT INTO documents (kind, subject) SELECT 'image', 'crowd-' || i FROM n`,
      `INSERT INTO document_text (rowid, names, facts)
       SELECT id, '${word}', 'kimage vpublic' FROM documents WHERE subject LIKE 'crowd-%'`,
    ].map((sql) => env.SEARCH_DB.prepare(sql)),
  );
  const url = `/api/v1/search?q=${word}`;
  const found = await askJson<{ items: unknown[] }>(url, {
    token: owner.token,
    env: environment({ PRIVATE_ONLY: "1" }),
  });
  expect(found.items).toHaveLength(1);
  const nobody = await askJson<{ items: unknown[] }>(url, { env: environment({ PRIVATE_ONLY: "1" }) });
  expect(nobody.items).toEqual([]);
});
