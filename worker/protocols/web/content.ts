import * as z from "zod";
import type { ImageState } from "../../registry/catalog/image-state.ts";
import type { ListedImage } from "../../registry/catalog/list-images.ts";
import type { NamedTag } from "../../registry/catalog/list-tags.ts";
import { timeOf, timeOrNull } from "./present.ts";
import { time } from "./schemas.ts";

/** Containers, images and tags, as the JSON API tells of them. */

export const ofContainer = z.object({ entity: z.string(), collection: z.string(), container: z.string() });

export const digest = z.string().describe("`sha256.` and 64 hexadecimal digits: the SHA-256 of the file.");

export const namedTagSchema = z
  .object({
    name: z.string(),
    updatedAt: time.describe("When it was set last, for whichever architecture."),
    architectures: z.array(
      z.object({
        arch: z.string(),
        digest,
        sizeBytes: z.int(),
        frozen: z.boolean().describe("Whether the tag stays on this image."),
        imageFrozen: z.boolean().describe("Whether the image stays."),
        updatedAt: time,
      }),
    ),
  })
  .meta({ id: "Tag", description: "A tag, with the image it is on for each architecture." });

export const imageStateSchema = z
  .object({
    is: z.enum(["registered", "verifying", "published", "refused", "corrupt"]),
    percent: z.int().nullable().describe("How far verifying is."),
    reason: z.string().nullable().describe("Why it was refused."),
  })
  .meta({ id: "ImageState", description: "How far an image is, for who may push it." });

export const inspectionSchema = z
  .object({
    state: z.enum(["pending", "done", "failed"]),
    reason: z.string().nullable().describe("Why it failed, for who may push."),
  })
  .meta({ id: "Inspection", description: "What became of reading what an image says of itself." });

export const imageSchema = z
  .object({
    digest,
    description: z.string(),
    arch: z.string().nullable().describe("Null, as what stands below, while its bytes are still to come."),
    sizeBytes: z.int().nullable(),
    signed: z.boolean().nullable(),
    encrypted: z.boolean().nullable(),
    frozen: z.boolean(),
    createdAt: time,
    publishedAt: time.nullable(),
    tags: z.array(z.string()).describe("In natural order, a hundred at most."),
    tagCount: z.int(),
    inspection: inspectionSchema,
    state: imageStateSchema.nullable().describe("Null for who may not push."),
  })
  .meta({ id: "Image" });

export const contentDeletionSchema = z
  .object({
    images: z.int(),
    digests: z.array(digest).describe("Of the first hundred of them."),
    tags: z.int().describe("References by tag that break, one for each architecture."),
    tagNames: z.array(z.string()).describe("The first hundred of them."),
    bytes: z
      .int()
      .describe(
        "By how much the collection gets smaller: freed when nobody else has the same content, and the last download has ended.",
      ),
    shares: z.int().describe("Share links that work, and end."),
    uploads: z.int().describe("Pushes that are under way to what goes."),
    obstacles: z
      .array(z.string())
      .describe("What must be settled first, in sentences; empty where nothing is in the way."),
  })
  .meta({ id: "ContentDeletion", description: "What deleting a container, or something in it, would take along." });

/** Of a path's names, which the registry knows under other names. */
export function containerPathOf({ entity, collection, container }: z.output<typeof ofContainer>) {
  return { entity, collection, container };
}

export function presentNamedTag({ name, updatedAt, architectures }: NamedTag): z.input<typeof namedTagSchema> {
  const present = (one: NamedTag["architectures"][number]) => ({ ...one, updatedAt: timeOf(one.updatedAt) });
  return { name, updatedAt: timeOf(updatedAt), architectures: architectures.map(present) };
}

export function presentImage(image: ListedImage): z.input<typeof imageSchema> {
  const { digest, description, arch, sizeBytes, signed, encrypted, frozen, tags, tagCount } = image;
  return {
    ...{ digest, description, arch, sizeBytes, signed, encrypted, frozen },
    createdAt: timeOf(image.createdAt),
    publishedAt: timeOrNull(image.publishedAt),
    ...{ tags, tagCount },
    inspection: image.inspection,
    state: image.state === null ? null : presentState(image.state),
  };
}

function presentState(state: ImageState): z.input<typeof imageStateSchema> {
  return {
    is: state.is,
    percent: state.is === "verifying" ? state.percent : null,
    reason: state.is === "refused" ? state.reason : null,
  };
}
