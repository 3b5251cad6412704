import type { CollectionItem, TagDetails, TagItem, TagPlace } from "../../registry/catalog/listing.ts";
import { digestHex } from "../../registry/digest.ts";
import type { ContainerImage } from "../../registry/pull/container-image.ts";

/*
 * The shapes of sregistry 2.1.2 (api/serializers). What it calls a container is a tag of ours.
 */

/** What sregistry-cli and shub can ask for a collection by: its short name, where it holds one. */
export function collectionText(place: Pick<TagPlace, "entity" | "collection" | "shortName">): string {
  return place.shortName ?? `${place.entity}/${place.collection}`;
}

/** `collection/container:tag` */
export function uriOf(place: TagPlace): string {
  return `${collectionText(place)}/${place.container}:${place.tag}`;
}

/** A client prints both; they must be strings. */
function presentPlace(place: TagPlace, origin: string) {
  const uri = uriOf(place);
  return { name: place.container, tag: place.tag, uri, detail: `${origin}/api/container/${uri}` };
}

/** Its metadata holds what is short; `presentTagDetails` has the rest. */
export function presentTagItem(item: TagItem) {
  return presentTag(item, smallMetadata(item));
}

/** `metadata` in sregistry's keys. What was not read is null. */
export function presentTagDetails(item: TagDetails) {
  return presentTag(item, wholeMetadata(item, attributesOf(item.metadata)));
}

/**
 * A container's manifest: sregistry's keys, in its order, and `commit`, which shub clients cache by, so that it is
 * the SHA-256 of the file.
 */
export function presentManifest({ found, tag, frozen, inspection, metadata, definition }: ContainerImage, url: string) {
  const { image, container, collection, entity } = found;
  const attributes = attributesOf(metadata);
  const labels = (attributes.labels ?? {}) as Record<string, string>;
  const { arch, sizeBytes: size } = image;
  const facts = { arch, size, signed: image.signed === true, encrypted: image.encrypted === true };
  return {
    id: `${container.id}:${tag}`,
    name: container.name,
    image: url,
    tag,
    add_date: new Date(image.publishedAt).toISOString(),
    metrics: { size_mb: megabytes(size) },
    version: image.digest,
    frozen,
    metadata: wholeMetadata({ ...facts, labels, definition, inspection }, attributes),
    collection: collectionText({ entity: entity.name, collection: collection.name, shortName: collection.shortName }),
    commit: digestHex(image.digest),
    arch,
    size,
  };
}

type Described = Pick<TagDetails, "labels" | "size" | "arch" | "signed" | "encrypted" | "inspection" | "definition">;

function wholeMetadata(described: Described, attributes: Record<string, unknown>) {
  const found = (key: string) => attributes[key] ?? null;
  return {
    deffile: described.definition,
    runscript: found("runscript"),
    test: found("test"),
    environment: found("environment"),
    startscript: found("startscript"),
    helpfile: found("helpfile"),
    apps: attributes.apps ?? {},
    ...smallMetadata(described),
  };
}

function presentTag<Metadata>(item: TagItem, metadata: Metadata) {
  return {
    id: `${item.containerId}:${item.tag}`,
    name: item.container,
    tag: item.tag,
    add_date: new Date(item.updatedAt).toISOString(),
    metrics: { size_mb: megabytes(item.size) },
    version: item.digest,
    frozen: item.frozen,
    metadata,
    collection: collectionText(item),
    arch: item.arch,
    size: item.size,
  };
}

function smallMetadata({ labels, size, arch, signed, encrypted, inspection }: Omit<Described, "definition">) {
  const state = inspection.state === "failed" ? `failed: ${inspection.reason}` : inspection.state;
  return { labels, size_mb: megabytes(size), arch, signed, encrypted, inspection: state };
}

/** Its own metadata is always empty: sregistry shows a webhook's secret there. */
export function presentCollectionItem(item: CollectionItem, origin: string) {
  return {
    id: item.id,
    name: collectionText(item),
    add_date: new Date(item.createdAt).toISOString(),
    modify_date: new Date(item.updatedAt).toISOString(),
    metadata: {},
    containers: item.tags.map((place) => presentPlace(place, origin)),
    entity: item.entity,
    private: item.visibility !== "public",
  };
}

/** Bytes as megabytes of 2^20 bytes, with three decimals. */
function megabytes(bytes: number): number {
  return Math.round((bytes / 2 ** 20) * 1000) / 1000;
}

function attributesOf(metadata: string | null): Record<string, unknown> {
  if (metadata === null) return {};
  const { attributes } = JSON.parse(metadata) as { attributes?: Record<string, unknown> };
  return attributes ?? {};
}
