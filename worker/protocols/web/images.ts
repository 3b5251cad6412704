import * as z from "zod";
import { deleteContent, previewContentDeletion } from "../../registry/catalog/delete-content.ts";
import { freezeImage } from "../../registry/catalog/frozen.ts";
import { getImageDetails, type ImageDetails } from "../../registry/catalog/image-details.ts";
import { listImages } from "../../registry/catalog/list-images.ts";
import { parseDigest } from "../../registry/digest.ts";
import { containerPathOf, contentDeletionSchema, digest, imageSchema, ofContainer, presentImage } from "./content.ts";
import { afterQuery, operation, pageSchema, setETag, versionOf } from "./operation.ts";
import { presentPage } from "./present.ts";

const ofImage = ofContainer.extend({ digest });

const imageDetailsSchema = z
  .object({
    ...imageSchema.shape,
    fingerprints: z.array(z.string()).describe("Of keys that its signatures name; they were not verified."),
    createdBy: z.string().nullable().describe("Who pushed it, for people of the collection."),
    labels: z.record(z.string(), z.string()),
    definition: z.string().nullable().describe("The definition file it was built from, as the image carries it."),
    metadata: z
      .record(z.string(), z.unknown())
      .nullable()
      .describe("Header, objects, signatures and scripts as they were read; null while nothing was."),
    shares: z.int().nullable().describe("Share links that work, for owners of the collection."),
  })
  .meta({ id: "ImageDetails" });

/** Images of a container, by their digests. */
export const imageOperations = [
  operation(
    {
      id: "listImages",
      method: "get",
      path: "/api/v1/containers/{entity}/{collection}/{container}/images",
      section: "images",
      summary: "The images of a container, the newest first",
      actor: "anyone",
      params: ofContainer,
      query: afterQuery.extend({
        untagged: z.literal("1").optional().describe("Those that no tag is on."),
        pending: z
          .literal("1")
          .optional()
          .describe("Instead of those that can be pulled, those whose bytes are still to come: for who may push."),
      }),
      answer: pageSchema(imageSchema).meta({ id: "ImagePage" }),
      problems: ["not-found", "query-invalid"],
    },
    async ({ ctx, actor, params, query }) => {
      const published = query.untagged === undefined ? "all" : "untagged";
      const filter = query.pending === undefined ? published : "pending";
      const page = await listImages(ctx, actor, containerPathOf(params), { filter, after: query.after ?? null });
      return presentPage(page, presentImage);
    },
  ),
  operation(
    {
      id: "getImage",
      method: "get",
      path: "/api/v1/containers/{entity}/{collection}/{container}/images/{digest}",
      section: "images",
      summary: "An image, with all that was read of it",
      about: "One whose bytes are still to come is there for who may push. The ETag is its container's.",
      actor: "anyone",
      params: ofImage,
      answer: imageDetailsSchema,
      hasETag: true,
      problems: ["not-found", "digest-invalid"],
    },
    async ({ c, ctx, actor, params }) => {
      const path = containerPathOf(params);
      const { version, image } = await getImageDetails(ctx, actor, path, parseDigest(params.digest));
      setETag(c, version);
      return present(image);
    },
  ),
  operation(
    {
      id: "editImage",
      method: "patch",
      path: "/api/v1/containers/{entity}/{collection}/{container}/images/{digest}",
      section: "images",
      summary: "Freeze an image, or thaw it",
      about: "For owners of its collection. A frozen image is not deleted, and loses no tag.",
      actor: "user",
      params: ofImage,
      body: z.object({ frozen: z.boolean() }).meta({ id: "ImageEdit" }),
      needsIfMatch: true,
      problems: ["not-found", "digest-invalid", "conflict"],
    },
    ({ ctx, actor, params, body, ifMatch }) => {
      const of = { path: containerPathOf(params), digest: parseDigest(params.digest) };
      return freezeImage(ctx, actor, { ...of, frozen: body.frozen, seen: versionOf(ifMatch) });
    },
  ),
  operation(
    {
      id: "deleteImage",
      method: "delete",
      path: "/api/v1/containers/{entity}/{collection}/{container}/images/{digest}",
      section: "images",
      summary: "Delete an image and its tags",
      about: "For owners of its collection.",
      actor: "user",
      params: ofImage,
      preview: contentDeletionSchema,
      problems: ["not-found", "digest-invalid", "read-only", "frozen", "conflict"],
    },
    async ({ ctx, actor, params, ifMatch }) => {
      await deleteContent(ctx, actor, imageOf(params), ifMatch);
    },
    ({ ctx, actor, params }) => previewContentDeletion(ctx, actor, imageOf(params)),
  ),
];

function imageOf(params: z.output<typeof ofImage>) {
  return { path: containerPathOf(params), digest: parseDigest(params.digest) };
}

function present(image: ImageDetails): z.input<typeof imageDetailsSchema> {
  const { fingerprints, createdBy, labels, definition, metadata, shares } = image;
  return {
    ...presentImage(image),
    ...{ fingerprints, createdBy, labels, definition, shares },
    metadata: metadata as Record<string, unknown> | null,
  };
}
