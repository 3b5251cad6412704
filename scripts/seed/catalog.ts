import type { Owner, People } from "./people.ts";
import type { Random } from "./random.ts";
import type { Rows, SeedSize, Value } from "./rows.ts";

export interface SeededCollection {
  id: string;
  entityId: string;
  ownerId: string;
  path: string;
  visibility: "public" | "internal" | "private";
  createdAt: number;
}

export interface SeededContainer {
  id: string;
  collection: SeededCollection;
  name: string;
}

export interface SeededImage {
  id: string;
  container: SeededContainer;
  /** The how manieth of its container. */
  number: number;
  digest: string;
  sizeBytes: number;
  arch: string;
  publishedAt: number;
}

export interface Catalog {
  collections: SeededCollection[];
  containers: SeededContainer[];
  images: SeededImage[];
}

const DAY = 86_400_000;
const MIB = 1024 * 1024;

const subjects = `alignment assembly climate docking folding genomics imaging inference microscopy modelling phylogeny
  physics proteomics reactor segmentation sequencing simulation spectra statistics variants`.split(/\s+/);
const programs = `analyse base build call cluster convert count filter index merge notebook pipeline plot quality
  render sort train trim validate viewer`.split(/\s+/);

/** What there is, and where: a container for each ten images at least. */
export function makeCatalog(random: Random, { persons, teams }: People, size: SeedSize): Catalog {
  const owners = [...persons, ...teams];
  const collections = Array.from({ length: size.collections }, (_, at) => newCollection(random, owners, at, size));
  const containerCount = Math.max(size.collections, Math.ceil(size.images / 10));
  const containers = Array.from({ length: containerCount }, (_, at) => ({
    id: random.uuid(),
    collection: place(collections, at, [0.1, 0.05]),
    name: `${programs[at % programs.length]}-${at + 1}`,
  }));
  const numbers = new Map<string, number>();
  const images: SeededImage[] = [];
  for (let at = 0; at < size.images; at++) {
    const container = place(containers, at * (containerCount / size.images), [0.05]);
    const number = (numbers.get(container.id) ?? 0) + 1;
    numbers.set(container.id, number);
    // Now and then somebody pushes what is there already, elsewhere.
    const same = random.below(20) === 0 ? images[random.below(images.length)] : undefined;
    const isSame = same !== undefined && same.container !== container;
    images.push({
      id: random.uuid(),
      container,
      number,
      digest: isSame ? same.digest : `sha256.${random.hex(64)}`,
      sizeBytes: isSame ? same.sizeBytes : Math.ceil(MIB * 4 ** (1 + random.share() * 4)),
      arch: isSame ? same.arch : random.below(5) === 0 ? "arm64" : "amd64",
      publishedAt: container.collection.createdAt + random.below(size.now - container.collection.createdAt),
    });
  }
  const kept = images.filter(onceInItsContainer());
  // Rows that stand together in an index are written together: else most of the time goes into finding their pages.
  return { collections, containers, images: kept.sort(inOrderOf(({ container }) => container.id)) };
}

/** The first ones get their shares, and all the rest is spread. */
function place<Item>(items: readonly Item[], at: number, shares: readonly number[]): Item {
  let from = 0;
  for (const [index, share] of shares.entries()) {
    from += share;
    // By a number that is spread evenly, so that each part of what is placed has its share.
    const item = items[index];
    if (item !== undefined && (at * 0.618_034) % 1 < from) return item;
  }
  const item = items[Math.floor(at) % items.length];
  if (item === undefined) throw new Error("there is no place");
  return item;
}

/** Sorts as SQLite does. Of two that are alike the first stays first. */
function inOrderOf<Item>(key: (item: Item) => string): (a: Item, b: Item) => number {
  return (a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0);
}

function onceInItsContainer(): (image: SeededImage) => boolean {
  const seen = new Set<string>();
  return ({ container, digest }) => {
    const key = `${container.id} ${digest}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  };
}

function newCollection(random: Random, owners: readonly Owner[], at: number, size: SeedSize): SeededCollection {
  const owner = place(owners, at, [0.25]);
  const lot = random.share();
  const visibility = at === 0 || lot < 0.6 ? "public" : at === 1 || lot > 0.75 ? "private" : "internal";
  return {
    id: random.uuid(),
    entityId: owner.entityId,
    ownerId: owner.id,
    path: `${owner.name}/${subjects[at % subjects.length]}-${at + 1}`,
    visibility,
    createdAt: size.now - Math.ceil(900 * DAY * (1 - at / size.collections)),
  };
}

/** Rows go out so many at once: all of them would take hundreds of megabytes. */
const CHUNK = 2000;

function* inChunks<Item>(
  table: string,
  columns: readonly string[],
  items: readonly Item[],
  rowsOf: (item: Item) => Value[][],
): Generator<Rows> {
  for (let at = 0; at < items.length; at += CHUNK) {
    yield { table, columns, rows: items.slice(at, at + CHUNK).flatMap(rowsOf) };
  }
}

export function* catalogRows(
  random: Random,
  { persons, teams }: People,
  { collections, containers, images }: Catalog,
  size: SeedSize,
): Generator<Rows> {
  yield* inChunks(
    "collections",
    "id entity_id name short_name description visibility created_by created_at updated_at".split(" "),
    collections,
    ({ id, entityId, path, visibility, ownerId, createdAt }) => {
      const name = path.split("/")[1] ?? "";
      const shortName = random.below(50) === 0 ? name : null;
      const description = `What we use for ${name}, and how it came to be.`;
      return [[id, entityId, name, shortName, description, visibility, ownerId, createdAt, createdAt]];
    },
  );
  yield {
    table: "collection_members",
    columns: ["collection_id", "user_id", "role", "created_at"],
    rows: collections.flatMap(({ id, createdAt }, at) => {
      const role = random.pick(["owner", "contributor", "contributor", "reader", "reader"]);
      const account = at % 10 === 0 ? teams[0] : at % 3 === 0 ? random.pick(teams) : random.pick(persons);
      return account === undefined ? [] : [[id, account.id, role, createdAt]];
    }),
  };
  yield* inChunks(
    "containers",
    "id collection_id name description created_by created_at updated_at".split(" "),
    containers,
    ({ id, collection: { id: collectionId, ownerId, createdAt }, name }) => [
      [id, collectionId, name, `## ${name}\n\nRuns \`${name}\`.`, ownerId, createdAt, createdAt],
    ],
  );
  yield* imageRows(random, images);
  yield* inChunks("topics", "container_id name origin changed_at".split(" "), containers, ({ id }) => {
    const names = new Set(Array.from({ length: random.below(4) }, () => `topic-${random.below(200)}`));
    return [...names].map((name) => [id, name, "person", size.now]);
  });
}

function* imageRows(random: Random, images: readonly SeededImage[]): Generator<Rows> {
  const byDigest = [...new Map(images.map((image) => [image.digest, image])).values()];
  byDigest.sort(inOrderOf(({ digest }) => digest));
  const byId = images.toSorted(inOrderOf(({ id }) => id));
  yield* inChunks(
    "blobs",
    ["digest", "object_key", "size_bytes", "created_at", "verified_at"],
    byDigest,
    ({ digest, sizeBytes, publishedAt }) => [
      [digest, `seeded/${digest.slice(7)}`, sizeBytes, publishedAt, publishedAt],
    ],
  );
  yield* inChunks(
    "images",
    `id container_id digest state blob_digest arch size_bytes signed encrypted fingerprints created_by created_at
    published_at`.split(/\s+/),
    images,
    ({ id, container, digest, arch, sizeBytes, publishedAt }) => {
      const by = container.collection.ownerId;
      const signed = random.below(3) === 0 ? 1 : 0;
      return [
        [id, container.id, digest, "published", digest, arch, sizeBytes, signed, 0, "[]", by, publishedAt, publishedAt],
      ];
    },
  );
  const tagged = "container_id arch name image_id updated_by updated_at".split(" ");
  yield* inChunks("tags", tagged, images, ({ id, container, arch, number, publishedAt }) => {
    const tag = (name: string) => [container.id, arch, name, id, container.collection.ownerId, publishedAt];
    return [tag(tagOf(number))];
  });
  yield* inChunks("tags", tagged, lastOfEach(images), ({ id, container, arch, publishedAt }) => [
    [container.id, arch, "latest", id, container.collection.ownerId, publishedAt],
  ]);
  yield* inChunks("labels", ["image_id", "key", "value"], byId, ({ id, arch, number, container }) => [
    [id, "org.label-schema.build-arch", arch],
    [id, "org.label-schema.version", tagOf(number)],
    [id, `lab.key-${random.below(200)}`, `${container.name}-${random.below(1000)}`],
  ]);
}

/** The tag of the how manieth image of a container. */
export function tagOf(number: number): string {
  return `v${Math.floor(number / 10)}.${number % 10}`;
}

/** The last image of each container and architecture. */
function lastOfEach(images: readonly SeededImage[]): SeededImage[] {
  return [...new Map(images.map((image) => [`${image.container.id} ${image.arch}`, image])).values()];
}
