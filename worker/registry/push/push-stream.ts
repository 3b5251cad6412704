import { and, eq } from "drizzle-orm";
import { type Actor, actorUserId } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { readHeader } from "../../formats/sif/header.ts";
import { guardChanged } from "../../storage/db/guard.ts";
import { uploads } from "../../storage/db/schema/catalog.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { uploadObjectKey } from "../../storage/layout.ts";
import { abortMultipart } from "../../storage/multipart.ts";
import { streamIn } from "../../storage/stream-in.ts";
import { parseDigest } from "../digest.ts";
import { describe, type ErrorCode, RegistryError } from "../errors.ts";
import { limits, multipartSeconds } from "../limits.ts";
import { checkImage } from "./check-image.ts";
import { planParts } from "./multipart.ts";
import { findPushTarget, type PushTarget } from "./prepare-push.ts";
import { publishStreamed } from "./publish-streamed.ts";
import { ensureSizeAllowed } from "./start-upload.ts";

/** Bytes that come in, of which nobody has said what they are. */
export interface StreamedUpload {
  id: string;
  objectKey: string;
  /** Set once it is known whether they go in parts. */
  multipartId: string | null;
}

/**
 * Takes an image in as it comes, and publishes it under its tag. What it is becomes known by the way: its SHA-256
 * is taken while it goes to R2. The rights are asked for again when it is there, for that may take an hour.
 * @param target where it goes, by `findPushTarget`
 * @param bytes the file; throws when the request is not what it should be, also after its last byte
 * @param atMostBytes how large it may be by what was announced
 * @throws `image-too-large`, `sif-invalid`, `sif-unsupported`, `tag-frozen`, what `bytes` throws, and what the
 *   policy refuses. Nothing is published then, and what was stored is freed.
 */
export async function pushStream(
  ctx: Context,
  actor: Actor,
  target: PushTarget,
  bytes: AsyncIterable<Uint8Array>,
  atMostBytes: number,
): Promise<void> {
  const id = crypto.randomUUID();
  const upload: StreamedUpload = { id, objectKey: uploadObjectKey(id), multipartId: null };
  const { partBytes } = planParts(atMostBytes, limits.formPartBytes);
  let start: Uint8Array = new Uint8Array();
  try {
    const streamed = await streamIn(ctx.bucket, upload.objectKey, sizeChecked(ctx, bytes), partBytes, async (plan) => {
      const header = readHeader(plan.start);
      if ("problem" in header) {
        throw new RegistryError("sif-invalid", `The file is not a SIF image: ${header.problem}.`);
      }
      start = plan.start.slice(0, limits.sifFirstReadBytes);
      upload.multipartId = plan.multipartId;
      await openRow(ctx, actor, upload, { atMostBytes, partBytes: plan.multipartId === null ? null : partBytes });
    });
    const { sizeBytes, sha256Hex } = streamed;
    const sif = await checkImage(ctx.bucket, upload.objectKey, { bytes: start, sizeBytes, sha256Hex });
    const { container, tag } = target;
    const stillThere = await findPushTarget(ctx, actor, { id: target.collection.id }, { container, tag });
    const known = { ...upload, sizeBytes, digest: parseDigest(`sha256.${sha256Hex}`) };
    await publishStreamed(ctx, actor, stillThere, known, sif);
  } catch (thrown) {
    await dropStreamed(ctx, upload, thrown);
    throw thrown;
  }
}

/** @throws `image-too-large` */
async function* sizeChecked(ctx: Context, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  let sizeBytes = 0;
  for await (const chunk of bytes) {
    sizeBytes += chunk.length;
    if (sizeBytes > ctx.settings.MAX_IMAGE_BYTES) ensureSizeAllowed(ctx, sizeBytes);
    yield chunk;
  }
}

/**
 * Writes the row that lets upkeep find the bytes, whatever becomes of them. It lives as long as the slowest
 * request that brings so many.
 */
async function openRow(
  ctx: Context,
  actor: Actor,
  { id, objectKey, multipartId }: StreamedUpload,
  { atMostBytes, partBytes }: { atMostBytes: number; partBytes: number | null },
): Promise<void> {
  const now = ctx.now();
  const seconds = multipartSeconds(Math.ceil(atMostBytes / limits.singleUploadBytes));
  const row = { id, objectKey, multipartId, partBytes, userId: actorUserId(actor), createdAt: now };
  await ctx.db
    .insert(uploads)
    .values({ ...row, state: "open", expiresAt: now + seconds * 1000 })
    .run();
}

/**
 * Frees what a push that failed has stored, unless it was published after all and only the answer was lost. When
 * this fails too, upkeep does it.
 */
async function dropStreamed(ctx: Context, { id, objectKey, multipartId }: StreamedUpload, why: unknown): Promise<void> {
  const code: ErrorCode = why instanceof RegistryError ? why.code : "internal";
  try {
    await writeTogether(ctx.db, [
      ctx.db
        .update(uploads)
        .set({ state: "refused", refusedCode: code, expiresAt: ctx.now() })
        .where(and(eq(uploads.id, id), eq(uploads.state, "open"))),
      guardChanged(ctx.db, "conflict"),
    ]);
    if (multipartId !== null) await abortMultipart(ctx.bucket, objectKey, multipartId);
    await ctx.bucket.delete(objectKey);
  } catch (thrown) {
    const isNothing = thrown instanceof RegistryError && thrown.code === "conflict";
    if (!isNothing) ctx.log.error("dropStreamed", { id, error: describe(thrown) });
  }
}
