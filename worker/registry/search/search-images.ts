import { and, eq } from "drizzle-orm";
import type { Actor } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { columnsOf } from "../../storage/db/columns.ts";
import { collections, containers, entities, images } from "../../storage/db/schema/catalog.ts";
import { authorizeList } from "../authorize.ts";
import { visibleTo } from "../catalog/facts.ts";
import { labelObject } from "../catalog/listing.ts";
import { topicNames } from "../catalog/topic-names.ts";
import { limits } from "../limits.ts";
import { tagNames } from "../pull/resolve.ts";
import { findCandidates } from "./candidates.ts";
import { archFact, collectionNameFact, signedFact } from "./facts.ts";
import { isOneOf } from "./load-documents.ts";
import { anyFact, labelMatch, matchOf, searchText } from "./match.ts";
import { inOrder, isFindable } from "./search-catalog.ts";

export interface ImageQuery {
  text: string;
  /** Any of these; empty for all. */
  architectures: readonly string[];
  signed: boolean | null;
  collection: { entity: string; name: string } | null;
  /** All of these, whatever the case of their letters. A null value asks only for the key. */
  labels: readonly { key: string; value: string | null }[];
}

export type FoundItem = Awaited<ReturnType<typeof visibleImages>>[number];

export interface FacetValue {
  value: string;
  count: number;
}

export interface ImageSearch {
  items: FoundItem[];
  facets: Record<"arch" | "signed" | "collection" | "label", FacetValue[]>;
  /** Whether there are more that match than were looked at. */
  isCapped: boolean;
}

type Facet = keyof ImageSearch["facets"];

/**
 * Finds images among what the actor may see, with facets: how many of the visible candidates each value would
 * leave, under all filters but the facet's own. Of at most `limits.searchImages` candidates half are the best that
 * match the filters too, as soon as there are any, so that the others do not crowd them out.
 * @throws `body-invalid` for a text that is too short or too long, `unauthenticated`, `unavailable`
 */
export async function searchImages(ctx: Context, actor: Actor, query: ImageQuery): Promise<ImageSearch> {
  authorizeList(ctx, actor);
  const match = matchOf(searchText(query.text));
  if (match === null) return { items: [], facets: facetsOf([], query), isCapped: false };
  const also = hintsOf(query);
  const limit = also.length === 0 ? limits.searchImages : limits.searchImages / 2;
  const [best = [], others = []] = await findCandidates(ctx, actor, match, [
    { kind: "image", also, limit },
    ...(also.length === 0 ? [] : [{ kind: "image", limit } as const]),
  ]);
  const ids = [...new Set([...best, ...others])];
  const visible = inOrder(await visibleImages(ctx, actor, ids), ids, (row) => row.image.id);
  const items = visible.filter((item) => passes(item, query, null));
  return { items, facets: facetsOf(visible, query), isCapped: best.length === limit };
}

/** The filters as the index knows them: what it finds is held against the rows all the same. */
function hintsOf({ architectures, signed, collection, labels }: ImageQuery): string[] {
  return [
    architectures.length === 0 ? null : anyFact(architectures.map(archFact)),
    signed === null ? null : anyFact([signedFact(signed)]),
    collection === null ? null : anyFact([collectionNameFact(collection.entity, collection.name)]),
    ...labels.map(({ key, value }) => labelMatch(key, value)),
  ].filter((hint) => hint !== null);
}

async function visibleImages(ctx: Context, actor: Actor, ids: readonly string[]) {
  const labelValues = labelObject(limits.searchIndexedText).as("label_values");
  const rows = await ctx.db
    .select({
      image: columnsOf(images),
      container: columnsOf(containers),
      collection: columnsOf(collections),
      entity: columnsOf(entities),
      tags: tagNames,
      topics: topicNames,
      labels: labelValues,
    })
    .from(images)
    .innerJoin(containers, eq(containers.id, images.containerId))
    .innerJoin(collections, eq(collections.id, containers.collectionId))
    .innerJoin(entities, eq(entities.id, collections.entityId))
    .where(and(isOneOf(images.id, ids), visibleTo(actor, ctx.settings), isFindable))
    .all();
  return rows.map((row) => ({
    ...row,
    tags: JSON.parse(row.tags) as string[],
    labels: JSON.parse(row.labels) as Record<string, string>,
  }));
}

/** Whether an image passes all filters, but for one facet's own. */
function passes(item: FoundItem, query: ImageQuery, except: Facet | null): boolean {
  const { architectures, signed, collection, labels } = query;
  if (except !== "arch" && architectures.length > 0 && !architectures.includes(item.image.arch ?? "")) return false;
  if (except !== "signed" && signed !== null && (item.image.signed === true) !== signed) return false;
  if (except !== "collection" && collection !== null) {
    if (pathOf(item) !== `${collection.entity}/${collection.name}`.toLowerCase()) return false;
  }
  return except === "label" || labels.every((wanted) => hasLabel(item, wanted));
}

function hasLabel(item: FoundItem, { key, value }: ImageQuery["labels"][number]): boolean {
  return Object.entries(item.labels).some(
    ([own, ownValue]) => isSame(own, key) && (value === null || isSame(ownValue, value)),
  );
}

function facetsOf(visible: readonly FoundItem[], query: ImageQuery): ImageSearch["facets"] {
  const count = (facet: Facet, valuesOf: (item: FoundItem) => readonly string[]) =>
    counted(visible.filter((item) => passes(item, query, facet)).flatMap(valuesOf));
  return {
    arch: count("arch", ({ image }) => (image.arch === null ? [] : [image.arch])),
    signed: count("signed", ({ image }) => [String(image.signed === true)]),
    collection: count("collection", (item) => [pathOf(item)]),
    label: count("label", (item) => Object.entries(item.labels).map(([key, value]) => `${key}=${value}`)),
  };
}

function counted(values: readonly string[]): FacetValue[] {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts]
    .map(([value, count]) => ({ value, count }))
    .sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1))
    .slice(0, limits.searchFacetValues);
}

function pathOf({ entity, collection }: FoundItem): string {
  return `${entity.name}/${collection.name}`;
}

function isSame(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
