import { type Catalog, tagOf } from "./catalog.ts";
import type { Owner, People } from "./people.ts";
import type { Random } from "./random.ts";
import type { Rows, SeedSize, Value } from "./rows.ts";

const DAY = 86_400_000;

/** What people did with what there is: stars, pulls, links, and the log of it. */
export function* sharingRows(random: Random, people: People, catalog: Catalog, size: SeedSize): Generator<Rows> {
  yield starRows(random, people, catalog, size);
  yield* pullRows(random, catalog, size);
  yield shareRows(random, catalog, size);
  yield* auditRows(catalog);
}

/** Everybody marked the first collection, and the first person a third of all. */
function starRows(random: Random, { persons }: People, { collections }: Catalog, { now }: SeedSize): Rows {
  const [first, ...others] = collections;
  const fan = persons[0];
  const star = (person: Owner | undefined, collectionId: string) => [person?.id ?? "", collectionId, now];
  const rows = others.flatMap(({ id }, at) => {
    const some = new Set(Array.from({ length: random.below(4) }, () => random.pick(persons)));
    if (at % 3 === 0 && fan !== undefined) some.add(fan);
    return [...some].map((person) => star(person, id));
  });
  if (first !== undefined) rows.push(...persons.map((person) => star(person, first.id)));
  return { table: "stars", columns: ["user_id", "collection_id", "created_at"], rows };
}

/** A year of days for the first container, and some days for every other one. */
function* pullRows(random: Random, { images, containers }: Catalog, { now }: SeedSize): Generator<Rows> {
  const today = Math.floor(now / DAY);
  const newest = new Map(images.map((image) => [image.container.id, image]));
  const columns = ["container_id", "day", "tag", "arch", "pulls", "bytes"];
  let rows: Value[][] = [];
  for (const [at, { id }] of containers.entries()) {
    const image = newest.get(id);
    if (image === undefined) continue;
    for (let day = 0; day < (at === 0 ? 365 : 5); day++) {
      const pulls = 1 + random.below(50);
      for (const tag of at === 0 ? ["latest", tagOf(image.number), ""] : ["latest"]) {
        rows.push([id, today - day, tag, image.arch, pulls, pulls * image.sizeBytes]);
      }
    }
    if (rows.length >= 5000) {
      yield { table: "pull_counts", columns, rows };
      rows = [];
    }
  }
  yield { table: "pull_counts", columns, rows };
}

/** Links that nobody knows: what their hashes are hashes of was never made. */
function shareRows(random: Random, { images }: Catalog, { now }: SeedSize): Rows {
  const shared = images.flatMap((image, at) =>
    at === 0 ? Array.from({ length: 60 }, () => image) : at % 200 === 0 ? image : [],
  );
  return {
    table: "shares",
    columns: ["id", "hash", "image_id", "note", "created_by", "created_at", "expires_at", "max_downloads"],
    rows: shared.map(({ id, container }, at) => {
      const { ownerId } = container.collection;
      return [
        random.uuid(),
        random.hex(64),
        id,
        `Reviewer ${at + 1}`,
        ownerId,
        now,
        now + 30 * DAY,
        at % 2 === 0 ? 10 : null,
      ];
    }),
  };
}

function* auditRows({ collections, containers, images }: Catalog): Generator<Rows> {
  const columns = ["at", "actor", "action", "target", "request_id", "collection_id"];
  yield {
    table: "audit",
    columns,
    rows: [
      ...collections.map(({ id, path, createdAt }) => [
        createdAt,
        actorOf(path),
        "collection.create",
        path,
        "seeded",
        id,
      ]),
      ...containers.map(({ name, collection: { id, path, createdAt } }) => [
        createdAt,
        actorOf(path),
        "container.create",
        `${path}/${name}`,
        "seeded",
        id,
      ]),
    ],
  };
  for (let at = 0; at < images.length; at += 5000) {
    const rows = images.slice(at, at + 5000).map(({ container: { name, collection }, number, publishedAt }) => {
      const target = `${collection.path}/${name}:${tagOf(number)}`;
      return [publishedAt, actorOf(collection.path), "tag.set", target, "seeded", collection.id];
    });
    yield { table: "audit", columns, rows };
  }
}

function actorOf(path: string): string {
  return path.split("/")[0] ?? "";
}
