import { catalogRows, makeCatalog } from "./catalog.ts";
import { makePeople, peopleRows } from "./people.ts";
import { Random } from "./random.ts";
import type { Rows, SeedSize } from "./rows.ts";
import { sharingRows } from "./sharing.ts";

/**
 * A registry as years of use may leave it, table by table in the order in which they refer to each other. Most of it is
 * spread evenly; the first entity, collection, container, team and person have so much that a page does not show it all.
 */
export function* seedRows(size: SeedSize): Generator<Rows> {
  const random = new Random(size.seed);
  const people = makePeople(random, size);
  const catalog = makeCatalog(random, people, size);
  yield* peopleRows(random, people, size);
  yield* catalogRows(random, people, catalog, size);
  yield* sharingRows(random, people, catalog, size);
}
