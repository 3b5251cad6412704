import type { Collection } from "../../registry/catalog/collections.ts";
import type { Container } from "../../registry/catalog/containers.ts";
import type { Entity } from "../../registry/catalog/entities.ts";
import type { TagRow } from "../../registry/catalog/tags.ts";
import { type FoundImage, isPublished } from "../../registry/pull/resolve.ts";

/*
 * The library's object model (scs-library-client models.go). Times are RFC 3339; what is not set is left
 * out, because an empty text in a time's place is fatal to the clients.
 */

export function presentEntity(entity: Entity) {
  return {
    id: entity.id,
    name: entity.name,
    description: entity.description,
    createdAt: rfc3339(entity.createdAt),
    deleted: false,
  };
}

export function presentCollection({ collection, entity }: { collection: Collection; entity: Entity }) {
  return {
    id: collection.id,
    name: collection.name,
    description: collection.description,
    entity: entity.id,
    entityName: entity.name,
    private: collection.visibility !== "public",
    createdAt: rfc3339(collection.createdAt),
    updatedAt: rfc3339(collection.updatedAt),
    deleted: false,
  };
}

type InCollection = { container: Container; collection: Collection; entity: Entity };

export function presentContainer({ container, collection, entity }: InCollection) {
  return {
    id: container.id,
    name: container.name,
    description: container.description,
    collection: collection.id,
    collectionName: collection.name,
    entity: entity.id,
    entityName: entity.name,
    private: collection.visibility !== "public",
    readOnly: container.readOnly,
    createdAt: rfc3339(container.createdAt),
    updatedAt: rfc3339(container.updatedAt),
    deleted: false,
  };
}

/** `uploaded` says whether there is nothing to upload: while an upload is being verified that is so too. */
export function presentFoundImage(found: FoundImage) {
  return presentImage(found, isPublished(found) || found.verification !== null);
}

/** `hash` is the clients' cache key: always the file's SHA-256, never empty. */
export function presentImage(found: Omit<FoundImage, "facts" | "objectKey" | "verification">, uploaded: boolean) {
  const { image, tags, container, collection, entity } = found;
  return {
    id: image.id,
    hash: image.digest,
    description: image.description,
    uploaded,
    container: container.id,
    containerName: container.name,
    collection: collection.id,
    collectionName: collection.name,
    entity: entity.id,
    entityName: entity.name,
    tags,
    createdAt: rfc3339(image.createdAt),
    deleted: false,
    ...(image.sizeBytes === null ? {} : { size: image.sizeBytes }),
    ...(image.arch === null ? {} : { arch: image.arch }),
    ...(image.signed === null ? {} : { signed: image.signed }),
    ...(image.encrypted === null ? {} : { encrypted: image.encrypted }),
    ...(image.fingerprints === null ? {} : { fingerprints: image.fingerprints }),
    ...(image.publishedAt === null ? {} : { updatedAt: rfc3339(image.publishedAt) }),
  };
}

/** `{arch: {tag: image id}}` */
export function presentTagsByArch(rows: TagRow[]): Record<string, Record<string, string>> {
  const byArch: Record<string, Record<string, string>> = {};
  for (const { arch, name, imageId } of rows) {
    byArch[arch] ??= {};
    byArch[arch][name] = imageId;
  }
  return byArch;
}

/** `{tag: image id}` for clients that know no architectures; amd64 wins where a tag has several. */
export function presentTags(rows: TagRow[]): Record<string, string> {
  const byName: Record<string, string> = {};
  for (const { arch, name, imageId } of rows) {
    if (byName[name] === undefined || arch === "amd64") byName[name] = imageId;
  }
  return byName;
}

function rfc3339(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
