import * as z from "zod";
import type { Context } from "../../context.ts";
import { contentLength } from "../../http/body.ts";
import { parseDigest } from "../../registry/digest.ts";
import { errorMessages } from "../../registry/errors.ts";
import { limits } from "../../registry/limits.ts";
import { beginResumable } from "../../registry/push/begin-resumable.ts";
import { completeResumable } from "../../registry/push/complete-resumable.ts";
import { partsOf } from "../../registry/push/multipart.ts";
import {
  cancelUpload,
  type FoundUpload,
  getUpload,
  isExpired,
  listUploads,
  takeResumablePart,
  type UploadWithParts,
} from "../../registry/push/resumable-uploads.ts";
import { outcomeOf } from "../../registry/push/verify-upload.ts";
import { afterQuery, operation, pageSchema } from "./operation.ts";
import { presentPage, timeOf } from "./present.ts";
import { time } from "./schemas.ts";

const ofUpload = z.object({ id: z.uuid() });
const ofPart = ofUpload.extend({
  number: z.coerce.number().int().min(1).max(limits.parts).describe("From 1 on."),
});

const name = z.string().max(limits.referenceLength);

const newUploadBody = z
  .object({
    entity: name,
    collection: name,
    container: name,
    digest: z.string().max(limits.referenceLength).describe("`sha256.` and the file's SHA-256 in hexadecimal."),
    sizeBytes: z.int().positive(),
    tags: z
      .array(z.string().max(limits.referenceLength))
      .max(limits.tagsPerUpload)
      .default([])
      .describe("Set when the image is published."),
    description: z.string().max(limits.descriptionLength).default(""),
  })
  .meta({ id: "NewUpload" });

const uploadSchema = z
  .object({
    id: z.uuid(),
    entity: z.string(),
    collection: z.string(),
    container: z.string(),
    digest: z.string(),
    sizeBytes: z.int(),
    partBytes: z.int().describe("The size of each part, but for the last, which has what is left."),
    parts: z.int().describe("How many there are."),
    state: z.enum(["open", "verifying", "published", "refused"]),
    verifiedBytes: z.int().describe("How far verifying is."),
    reason: z
      .object({ code: z.string(), message: z.string() })
      .nullable()
      .describe("Why it was refused; null where it was not."),
    createdAt: time,
    expiresAt: time.describe("Until when it takes parts."),
  })
  .meta({ id: "Upload", description: "An image on its way, in parts." });

const uploadWithPartsSchema = uploadSchema
  .extend({ received: z.array(z.int()).describe("The numbers of the parts that are there, in order.") })
  .meta({ id: "UploadWithParts" });

/** Images from browsers and scripts, in parts. */
export const uploadOperations = [
  operation(
    {
      id: "beginUpload",
      method: "post",
      path: "/api/v1/uploads",
      section: "uploads",
      summary: "Begin to upload an image, or go on with it",
      about:
        "Collection and container are made where there are none. The same image begun again is the same upload, with the parts that are there. `published` says that nothing needs to be sent: you may read an image with this digest already.",
      actor: "user",
      body: newUploadBody,
      answer: z
        .object({ published: z.boolean(), upload: uploadWithPartsSchema.nullable() })
        .meta({ id: "BegunUpload" }),
      problems: [
        "not-found",
        "conflict",
        "digest-invalid",
        "name-invalid",
        "name-taken",
        "tag-invalid",
        "tag-frozen",
        "image-too-large",
        "quota-exceeded",
        "limit-reached",
        "read-only",
        "pushing-disabled",
        "collections-disabled",
        "collection-limit",
      ],
    },
    async ({ ctx, actor, body }) => {
      const begun = await beginResumable(ctx, actor, { ...body, digest: parseDigest(body.digest) });
      if (begun === null) return { published: true, upload: null };
      return { published: false, upload: presentWithParts(ctx, await getUpload(ctx, actor, begun.id)) };
    },
  ),
  operation(
    {
      id: "listUploads",
      method: "get",
      path: "/api/v1/uploads",
      section: "uploads",
      summary: "Your uploads that are going on, the newest first",
      actor: "user",
      query: afterQuery,
      answer: pageSchema(uploadSchema).meta({ id: "UploadPage" }),
    },
    async ({ ctx, actor, query }) =>
      presentPage(await listUploads(ctx, actor, query.after ?? null), (found) => present(ctx, found)),
  ),
  operation(
    {
      id: "getUpload",
      method: "get",
      path: "/api/v1/uploads/{id}",
      section: "uploads",
      summary: "An upload of yours: which parts are there, and what became of it",
      about: "One that has ended is forgotten some hours later.",
      actor: "user",
      params: ofUpload,
      answer: uploadWithPartsSchema,
      problems: ["not-found"],
    },
    async ({ ctx, actor, params }) => presentWithParts(ctx, await getUpload(ctx, actor, params.id)),
  ),
  operation(
    {
      id: "putUploadPart",
      method: "put",
      path: "/api/v1/uploads/{id}/parts/{number}",
      section: "uploads",
      summary: "Send a part",
      about:
        "The body is the bytes themselves, with their exact `Content-Length`. Parts come in any order, several at once. One that is sent again is replaced.",
      actor: "user",
      params: ofPart,
      takes: ["application/octet-stream"],
      problems: [
        "not-found",
        "parts-invalid",
        "length-required",
        "size-mismatch",
        "upload-ended",
        "conflict",
        "pushing-disabled",
      ],
    },
    ({ c, ctx, actor, params }) => takeResumablePart(ctx, actor, params, c.req.raw.body, contentLength(c.req.raw)),
  ),
  operation(
    {
      id: "completeUpload",
      method: "post",
      path: "/api/v1/uploads/{id}/completion",
      section: "uploads",
      summary: "Have the image verified and published",
      about:
        "Waits a while for that. Where it takes longer the answer says `verifying`, and the image is published afterwards.",
      actor: "user",
      params: ofUpload,
      answer: uploadWithPartsSchema,
      problems: [
        "not-found",
        "conflict",
        "upload-incomplete",
        "upload-ended",
        "read-only",
        "quota-exceeded",
        "pushing-disabled",
        "size-mismatch",
        "digest-mismatch",
        "sif-invalid",
        "sif-unsupported",
        "verification-failed",
      ],
    },
    async ({ ctx, actor, params }) => presentWithParts(ctx, await completeResumable(ctx, actor, params.id)),
  ),
  operation(
    {
      id: "cancelUpload",
      method: "delete",
      path: "/api/v1/uploads/{id}",
      section: "uploads",
      summary: "Cancel an upload; its room is given back at once",
      actor: "user",
      params: ofUpload,
      problems: ["not-found", "conflict", "pushing-disabled"],
    },
    ({ ctx, actor, params }) => cancelUpload(ctx, actor, params.id),
  ),
];

function presentWithParts(ctx: Context, found: UploadWithParts): z.input<typeof uploadWithPartsSchema> {
  return { ...present(ctx, found), received: found.received };
}

function present(
  ctx: Context,
  { upload, entity, collection, container, verifiedBytes }: FoundUpload,
): z.input<typeof uploadSchema> {
  const { id, digest, sizeBytes, partBytes, createdAt, expiresAt } = upload;
  const times = { createdAt: timeOf(createdAt), expiresAt: timeOf(expiresAt) };
  const rest = { id, entity, collection, container, digest, sizeBytes, partBytes, parts: partsOf(upload) };
  return { ...rest, ...times, ...progressOf(ctx, upload, verifiedBytes) };
}

function progressOf(
  ctx: Context,
  upload: FoundUpload["upload"],
  verifiedBytes: number,
): Pick<z.input<typeof uploadSchema>, "state" | "verifiedBytes" | "reason"> {
  if (upload.state === "open" && !isExpired(ctx, upload)) return { state: "open", verifiedBytes: 0, reason: null };
  if (upload.state === "published") return { state: "published", verifiedBytes: upload.sizeBytes, reason: null };
  if (upload.state === "verifying") return { state: "verifying", verifiedBytes, reason: null };
  const outcome = outcomeOf(upload);
  const code = outcome.state === "refused" ? outcome.code : "upload-ended";
  const message = outcome.state === "refused" ? outcome.message : errorMessages["upload-ended"];
  return { state: "refused", verifiedBytes: 0, reason: { code, message } };
}
