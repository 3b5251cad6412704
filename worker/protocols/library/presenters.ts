import type { Collection } from "../../registry/catalog/collections.ts";
import type { Container } from "../../registry/catalog/containers.ts";
import type { Entity } from "../../registry/catalog/entities.ts";
import type { TagRow } from "../../registry/catalog/tags.ts";
import { type FoundImage, isPublished } from "../../registry/pull/resolve.ts";
import type { CompletedPush } from "../../registry/push/complete-upload.ts";
import type { Quota } from "../../registry/quota.ts";

/*
 * The library's object model (scs-library-client models.go). Times are RFC 3339; what is not set is left
 * out, because an empty text in a time's place is fatal to the clients.
 */

/** @param quota for whoever may know it; the clients' model has it, and shows it nowhere (1.4.5) */
export function presentEntity(entity: Entity, quota: Quota | null = null) {
  return {
    id: entity.id,
    name: entity.name,
    description: entity.description,
    createdAt: rfc3339(entity.createdAt),
    deleted: false,
    ...(quota === null ? {} : { size: quota.usedBytes, quota: quota.quotaBytes ?? 0 }),
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
    size: collection.sizeBytes,
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
    size: container.sizeBytes,
    downloadCount: container.pullCount,
    // People mark collections.
    stars: collection.starCount,
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
    containerDownloads: container.pullCount,
    containerStars: collection.starCount,
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

/**
 * What `apptainer push` prints at its end (1.4.5): how much room is taken, with the image, and where the container is
 * on the registry's site. A total of 0 is printed as unlimited.
 */
export function presentPush({ found: { entity, collection, container }, quota }: CompletedPush) {
  const { usedBytes = 0, reservedBytes = 0, quotaBytes = null } = quota ?? {};
  return {
    quota: {
      quotaTotal: quotaBytes === null ? 0 : Math.max(quotaBytes, 1),
      quotaUsage: usedBytes + reservedBytes,
    },
    containerUrl: `/${entity.name}/${collection.name}/${container.name}`,
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
