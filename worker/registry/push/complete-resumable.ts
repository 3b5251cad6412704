import { and, eq } from "drizzle-orm";
import { type Actor, operator } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { images, uploadParts, uploads } from "../../storage/db/schema/catalog.ts";
import type { Part } from "../../storage/multipart.ts";
import { authorize } from "../authorize.ts";
import { ensureWritable } from "../catalog/containers.ts";
import { RegistryError } from "../errors.ts";
import { limits } from "../limits.ts";
import { imageQuery, isPublished, toFoundImage } from "../pull/resolve.ts";
import { assemble, markVerifying, waitForVerification } from "./complete-multipart.ts";
import { partsOf } from "./multipart.ts";
import {
  freeNow,
  getUpload,
  isExpired,
  partsQuery,
  type ResumableUpload,
  toFound,
  type UploadWithParts,
  uploadQuery,
} from "./resumable-uploads.ts";
import { ensureNotRefused, outcomeOf } from "./verify-upload.ts";

/**
 * Makes one image of the parts, has it verified, and waits a while for that; when it takes longer the image is
 * published afterwards. Completing again is fine. The rights are asked for again.
 * @throws `upload-incomplete`, naming the parts that are missing; `upload-ended`, `read-only`, `quota-exceeded`, what
 *   verification found within that time (`digest-mismatch`, `sif-invalid` …), and what the policy refuses
 */
export async function completeResumable(ctx: Context, actor: Actor, id: string): Promise<UploadWithParts> {
  const [rows, parts, imageRows] = await ctx.db.batch([
    uploadQuery(ctx, actor, eq(uploads.id, id)),
    partsQuery(ctx, id),
    imageQuery(
      ctx,
      operator,
      eq(images.id, ctx.db.select({ id: uploads.imageId }).from(uploads).where(eq(uploads.id, id))),
    ),
  ]);
  const [row] = rows;
  const { upload } = authorize(ctx, actor, "collection.push", row === undefined ? null : toFound(row));
  const image = toFoundImage(imageRows);
  if (image === null) throw new RegistryError("not-found");
  if (upload.state === "open") {
    if (isPublished(image)) await endNeedless(ctx, upload);
    else {
      if (isExpired(ctx, upload)) throw new RegistryError("upload-ended");
      ensureWritable(image.container);
      await assembleNoted(ctx, upload, parts);
      await markVerifying(ctx, actor, image.collection.id, { ...upload, uploadId: upload.id });
      ensureNotRefused(await waitForVerification(ctx, upload.id));
    }
  } else if (upload.state === "verifying") ensureNotRefused(await waitForVerification(ctx, upload.id));
  else if (upload.state !== "published") ensureNotRefused(outcomeOf(upload));
  return await getUpload(ctx, actor, id);
}

type Noted = { number: number; etag: string | null }[];

/** Every part once, and those that are missing. */
function partsOfAll(upload: ResumableUpload, noted: Noted): { parts: Part[]; missing: number[] } {
  const etags = new Map(noted.map(({ number, etag }) => [number, etag]));
  const parts: Part[] = [];
  const missing: number[] = [];
  for (let partNumber = 1; partNumber <= partsOf(upload); partNumber++) {
    const etag = etags.get(partNumber) ?? null;
    if (etag === null) missing.push(partNumber);
    else parts.push({ partNumber, etag });
  }
  return { parts, missing };
}

function incomplete(missing: number[]): RegistryError {
  const named = missing.slice(0, limits.missingParts).join(", ");
  const rest = missing.length - limits.missingParts;
  const message = `Not every part has arrived. Missing: ${named}${rest > 0 ? ` and ${rest} more` : ""}.`;
  return new RegistryError("upload-incomplete", message);
}

/**
 * Makes the parts one object, unless they are that already.
 *
 * Where R2 has other parts than those noted, a request that brought one never came to its end: which, nobody can say.
 * @throws `upload-incomplete`, `upload-ended`
 */
async function assembleNoted(ctx: Context, upload: ResumableUpload, noted: Noted): Promise<void> {
  const { parts, missing } = partsOfAll(upload, noted);
  if (missing.length > 0) {
    // An earlier call may have come this far, its answer been lost, and a part been sent again since.
    if ((await ctx.bucket.head(upload.objectKey)) !== null) return;
    throw incomplete(missing);
  }
  try {
    await assemble(ctx, { ...upload, uploadId: upload.id }, parts);
  } catch (thrown) {
    if (!(thrown instanceof RegistryError && thrown.code === "parts-invalid")) throw thrown;
    await ctx.db.delete(uploadParts).where(eq(uploadParts.uploadId, upload.id)).run();
    const message = "What has arrived is not what was noted, because a part was cut off. Send all parts once more.";
    throw new RegistryError("upload-incomplete", message, { cause: thrown });
  }
}

/** Somebody else has brought the same image meanwhile, and its tags moved with it. */
async function endNeedless(ctx: Context, upload: ResumableUpload): Promise<void> {
  await ctx.db
    .update(uploads)
    .set({ state: "published", expiresAt: ctx.now() })
    .where(and(eq(uploads.id, upload.id), eq(uploads.state, "open")))
    .run();
  await freeNow(ctx, upload);
}
