import { type Bench, report, withFolder, withRegistry } from "../bench.ts";
import { ask } from "../client.ts";
import { interleave, median } from "../measure.ts";
import type { Registry } from "../registry.ts";

const FEW = 1_000;
const MANY = 100_000;
/** Rows that one statement writes. */
const AT_ONCE = 10_000;
/** Requests behind one figure of a round. */
const REQUESTS = 15;

const texts = {
  "the rarest word": "solitaire",
  "the commonest word": "ubiquitous",
  "the first letters of the commonest word": "ubi",
} as const;

/** A search among 100,000 images beside the same among 1,000, by words that one of them or every one of them has. */
export async function measureSearch(bench: Bench): Promise<void> {
  await withFolder(bench, "search-few", async (few) => {
    await withFolder(bench, "search-many", async (many) => {
      await withRegistry(bench, few, async (small) => {
        await withRegistry(bench, many, async (large) => {
          await fill(small, FEW);
          await fill(large, MANY);
          for (const [what, text] of Object.entries(texts)) {
            const measures = { ours: () => searchMs(large, text), bare: () => searchMs(small, text) };
            // The first ones find nothing in memory.
            await interleave(1, measures);
            const name = `Search for ${what}, among 100,000 images ÷ among 1,000`;
            report(bench, { name, unit: "ms", ...(await interleave(bench.rounds, measures)), goal: { atMost: 5 } });
          }
        });
      });
    });
  });
}

/** The median time of a search by somebody anonymous. @throws when it finds nothing */
async function searchMs({ url }: Registry, text: string): Promise<number> {
  const times: number[] = [];
  for (let request = 0; request < REQUESTS; request++) {
    const began = performance.now();
    const answer = await ask(`${url}/v1/search?value=${text}`);
    times.push(performance.now() - began);
    if ((JSON.parse(answer) as { data: { image: unknown[] } }).data.image.length === 0) {
      throw new Error(`${text} was not found.`);
    }
  }
  return median(times);
}

/** Writes images and their documents straight into both databases, as pushes and indexing would have. */
async function fill({ server }: Registry, count: number): Promise<void> {
  const [main, search] = [
    await server.miniflare.getD1Database("DB"),
    await server.miniflare.getD1Database("SEARCH_DB"),
  ];
  await main.batch(place.map((sql) => main.prepare(sql)));
  for (let first = 1; first <= count; first += AT_ONCE) {
    const last = Math.min(first + AT_ONCE - 1, count);
    const numbered = (sql: string) => `WITH RECURSIVE n (i) AS (
      SELECT ${first} UNION ALL SELECT i + 1 FROM n WHERE i < ${last}) ${sql}`;
    await main.batch(rows.map((sql) => main.prepare(numbered(sql))));
    await search.batch(documents.map((sql) => search.prepare(numbered(sql))));
  }
  // Filled already.
  await main.prepare("DELETE FROM search_outbox").run();
}

const digest = "printf('sha256.%064x', i)";

const place = [
  `INSERT INTO collections (id, entity_id, name, visibility, created_at, updated_at)
   SELECT 'search', id, 'search', 'public', 1, 1 FROM entities WHERE name = 'bench'`,
  "INSERT INTO containers (id, collection_id, name, created_at, updated_at) VALUES ('search', 'search', 'app', 1, 1)",
];

const rows = [
  `INSERT INTO blobs (digest, object_key, size_bytes, created_at) SELECT ${digest}, 'search/' || i, 5, 1 FROM n`,
  `INSERT INTO images (id, container_id, digest, state, blob_digest, arch, size_bytes, created_at, published_at)
   SELECT 'search-' || i, 'search', ${digest}, 'published', ${digest}, 'amd64', 5, 1, 1 FROM n`,
  `INSERT INTO tags (container_id, arch, name, image_id, updated_at)
   SELECT 'search', 'amd64', 'v' || i, 'search-' || i, 1 FROM n`,
];

/** About 60 words of a definition file each, of some 10,000 that there are, and one that all have. */
const words = `(
  WITH RECURSIVE w (k) AS (SELECT 0 UNION ALL SELECT k + 1 FROM w WHERE k < 59)
  SELECT group_concat('word' || ((i * (7919 + 2 * k) + k) % 10007), ' ') FROM w)`;

const documents = [
  "INSERT INTO documents (id, kind, subject) SELECT i, 'image', 'search-' || i FROM n",
  `INSERT INTO document_text (rowid, names, parts, description, topics, labels, definition, facts)
   SELECT i, 'bench/search/app v' || i, 'ench nch earch arch rch', 'ubiquitous ' || iif(i = 500, 'solitaire', ''), 'debian',
     'org.label-schema.build-arch amd64', ${words}, 'kimage vpublic csearch a616d643634 s0 ubench' FROM n`,
];
