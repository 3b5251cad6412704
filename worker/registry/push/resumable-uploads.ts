import { and, asc, desc, eq, isNotNull, ne, type SQL, sql } from "drizzle-orm";
import { type Actor, actorUserId, type CollectionFacts } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { type Statement, statement } from "../../storage/db/client.ts";
import { columnsOf } from "../../storage/db/columns.ts";
import { guardChanged } from "../../storage/db/guard.ts";
import {
  collections,
  containers,
  entities,
  images,
  uploadParts,
  uploads,
  wantedTags,
} from "../../storage/db/schema/catalog.ts";
import { jobs } from "../../storage/db/schema/upkeep.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { abortMultipart, storePart } from "../../storage/multipart.ts";
import { authorize, authorizeList } from "../authorize.ts";
import { factsFor, isWithin, visibleTo } from "../catalog/facts.ts";
import { isUnderWay } from "../catalog/under-way.ts";
import { describe, RegistryError } from "../errors.ts";
import { jobId } from "../jobs.ts";
import { PAGE_ROWS, type Page, pageOf, readCursor, writeCursor } from "../page.ts";
import { partsOf } from "./multipart.ts";
import { toUpload, type Upload } from "./start-upload.ts";
import { bodyOfSize } from "./take-upload.ts";

/*
 * Uploads whose parts are noted one by one, so that a browser or a script can go on with them after a break. They are
 * their user's alone: to everybody else they are not there.
 */

/** What is needed of such an upload to write to it. */
export interface ResumableUpload extends Upload {
  multipartId: string;
  partBytes: number;
}

/** Such an upload as its user sees it. */
export interface FoundUpload {
  upload: ResumableUpload;
  entity: string;
  collection: string;
  container: string;
  /** Bytes that are verified so far. */
  verifiedBytes: number;
  facts: CollectionFacts;
}

/** One with the parts that are there. */
export type UploadWithParts = FoundUpload & { received: number[] };

/** @throws (as a fault of ours) when it is no such upload */
export function resumable(row: Parameters<typeof toUpload>[0]): ResumableUpload {
  const { multipartId, partBytes, ...upload } = toUpload(row);
  if (multipartId === null || partBytes === null) throw new Error(`upload ${row.id} has no parts`);
  return { ...upload, multipartId, partBytes };
}

/** The actor's own uploads that are going on, the newest first. `after` is the last page's `next`. */
export async function listUploads(ctx: Context, actor: Actor, after: string | null): Promise<Page<FoundUpload>> {
  authorizeList(ctx, actor);
  const cursor = after === null ? null : readCursor(after, ["number", "string"]);
  const isBehind =
    cursor === null ? undefined : sql`(${uploads.createdAt}, ${uploads.id}) < (${cursor[0]}, ${cursor[1]})`;
  const rows = await uploadQuery(
    ctx,
    actor,
    and(
      sql`${uploads.state} IN ('open', 'verifying')`,
      isUnderWay(ctx.now()),
      isBehind,
      visibleTo(actor, ctx.settings),
    ),
  )
    .orderBy(desc(uploads.createdAt), desc(uploads.id))
    .limit(PAGE_ROWS)
    .all();
  const { items, next } = pageOf(rows, ({ upload }) => writeCursor([upload.createdAt, upload.id]));
  return { items: items.map(toFound), next };
}

/** One's own, with what is there of it. @throws `not-found`, also for somebody else's */
export async function getUpload(ctx: Context, actor: Actor, id: string): Promise<UploadWithParts> {
  const [rows, parts] = await ctx.db.batch([uploadQuery(ctx, actor, eq(uploads.id, id)), partsQuery(ctx, id)]);
  const [row] = rows;
  const found = authorize(ctx, actor, "collection.see", row === undefined ? null : toFound(row));
  return { ...found, received: parts.map(({ number }) => number) };
}

/**
 * Takes a part. It may come again: the last one counts. Of two requests that bring the same at once neither knows
 * which of them R2 keeps, so that it is brought once more.
 * @throws `parts-invalid` for a number that is none of its parts, `length-required`, `size-mismatch`, `upload-ended`,
 *   `conflict`, and what the policy refuses
 */
export async function takeResumablePart(
  ctx: Context,
  actor: Actor,
  input: { id: string; number: number },
  body: ReadableStream | null,
  contentLength: number | null,
): Promise<void> {
  const { upload } = await openUploadOf(ctx, actor, input.id);
  const parts = partsOf(upload);
  const { number } = input;
  if (number > parts) {
    throw new RegistryError("parts-invalid", `There is no part ${number}: this upload has ${parts} parts.`);
  }
  const sizeBytes = Math.min(upload.partBytes, upload.sizeBytes - (number - 1) * upload.partBytes);
  const bytes = bodyOfSize(body, contentLength, sizeBytes);
  const claim = await claimPart(ctx, upload, number);
  const stored = await storePart(ctx.bucket, upload, number, bytes);
  if (stored === "no-such-upload") {
    // All parts are one object by now, and only the answer to that was lost. Completing finds it.
    if ((await ctx.bucket.head(upload.objectKey)) !== null) return;
    throw new RegistryError("upload-ended");
  }
  const isIt = and(eq(uploadParts.uploadId, upload.id), eq(uploadParts.number, number));
  const [noted] = await ctx.db.batch([
    ctx.db
      .update(uploadParts)
      .set({ etag: stored.etag })
      .where(and(isIt, eq(uploadParts.claim, claim)))
      .returning({ number: uploadParts.number }),
    // What another request noted, or is about to, may not be what R2 has now.
    ctx.db.delete(uploadParts).where(and(isIt, ne(uploadParts.claim, claim))),
  ]);
  if (noted.length === 0) {
    throw new RegistryError("conflict", `Part ${number} was sent twice at the same time. Send it once more.`);
  }
}

/** Says who brings a part, from when on it is not there until it is noted. @throws `upload-ended` */
async function claimPart(ctx: Context, { id }: ResumableUpload, number: number): Promise<string> {
  const claim = crypto.randomUUID();
  try {
    await writeTogether(ctx.db, [
      statement(
        ctx.db,
        sql`
        INSERT INTO ${uploadParts} (upload_id, number, etag, claim, created_at)
        SELECT ${uploads.id}, ${number}, NULL, ${claim}, ${ctx.now()} FROM ${uploads}
        WHERE ${uploads.id} = ${id} AND ${uploads.state} = 'open'
        ON CONFLICT (upload_id, number) DO UPDATE
        SET etag = NULL, claim = excluded.claim, created_at = excluded.created_at`,
      ),
      guardChanged(ctx.db, "conflict"),
    ]);
    return claim;
  } catch (thrown) {
    const isOver = thrown instanceof RegistryError && thrown.code === "conflict";
    throw isOver ? new RegistryError("upload-ended") : thrown;
  }
}

/**
 * Ends an upload that is not complete, and gives its room back at once.
 * @throws `conflict` when it is being verified or has ended, `not-found`, and what the policy refuses
 */
export async function cancelUpload(ctx: Context, actor: Actor, id: string): Promise<void> {
  const [row] = await uploadQuery(ctx, actor, eq(uploads.id, id)).limit(1).all();
  const { upload } = authorize(ctx, actor, "collection.push", row === undefined ? null : toFound(row));
  if (upload.state === "verifying") {
    throw new RegistryError("conflict", "All of it has arrived, and is being verified.");
  }
  await writeTogether(ctx.db, [
    ctx.db
      .update(uploads)
      .set({ state: "aborted", expiresAt: ctx.now() })
      .where(and(eq(uploads.id, id), eq(uploads.state, "open"))),
    guardChanged(ctx.db, "conflict"),
    dropWanted(ctx, upload),
  ]);
  await freeNow(ctx, upload);
}

/** A statement that drops the tags that somebody wanted for an image, when nothing brings it any more. */
export function dropWanted(
  ctx: Context,
  { imageId, userId }: Pick<typeof uploads.$inferSelect, "imageId" | "userId">,
): Statement {
  const isPending = sql`EXISTS (SELECT 1 FROM ${uploads} WHERE ${uploads.imageId} = ${imageId} AND ${isUnderWay(ctx.now())})`;
  return ctx.db
    .delete(wantedTags)
    .where(sql`${wantedTags.imageId} = ${imageId} AND ${wantedTags.wantedBy} IS ${userId} AND NOT ${isPending}`);
}

/** Frees the parts of an upload that has ended. When this fails upkeep does it. */
export async function freeNow(
  ctx: Context,
  { id, objectKey, multipartId }: Pick<ResumableUpload, "id" | "objectKey" | "multipartId">,
): Promise<void> {
  try {
    await abortMultipart(ctx.bucket, objectKey, multipartId);
  } catch (thrown) {
    ctx.log.error("freeNow", { id, error: describe(thrown) });
  }
}

/** One's own that takes parts, by whoever may push. @throws `not-found`, `upload-ended`, and what the policy refuses */
export async function openUploadOf(ctx: Context, actor: Actor, id: string): Promise<FoundUpload> {
  const [row] = await uploadQuery(ctx, actor, eq(uploads.id, id)).limit(1).all();
  const found = authorize(ctx, actor, "collection.push", row === undefined ? null : toFound(row));
  if (found.upload.state !== "open" || isExpired(ctx, found.upload)) throw new RegistryError("upload-ended");
  return found;
}

export function isExpired(ctx: Context, { state, expiresAt }: Pick<Upload, "state" | "expiresAt">): boolean {
  return state === "open" && expiresAt <= ctx.now();
}

/** The parts of an upload that are there, in order. */
export function partsQuery(ctx: Context, id: string) {
  return ctx.db
    .select({ number: uploadParts.number, etag: uploadParts.etag })
    .from(uploadParts)
    .where(and(eq(uploadParts.uploadId, id), isNotNull(uploadParts.etag)))
    .orderBy(asc(uploadParts.number));
}

/** The actor's own uploads. One that was cancelled is not there any more. */
export function uploadQuery(ctx: Context, actor: Actor, where: SQL | undefined) {
  const isTheirs = and(
    eq(uploads.userId, actorUserId(actor) ?? ""),
    eq(uploads.resumable, true),
    ne(uploads.state, "aborted"),
    isWithin(actor, sql`${collections.id}`),
  );
  return ctx.db
    .select({
      upload: columnsOf(uploads),
      entity: sql<string>`${entities.name}`.as("entity_name"),
      collection: sql<string>`${collections.name}`.as("collection_name"),
      container: sql<string>`${containers.name}`.as("container_name"),
      verifiedBytes: sql<number>`coalesce(${jobs.doneBytes}, 0)`.as("verified_bytes"),
      facts: factsFor(actor),
    })
    .from(uploads)
    .innerJoin(images, eq(images.id, uploads.imageId))
    .innerJoin(containers, eq(containers.id, images.containerId))
    .innerJoin(collections, eq(collections.id, containers.collectionId))
    .innerJoin(entities, eq(entities.id, collections.entityId))
    .leftJoin(jobs, eq(jobs.id, sql`${jobId("verify-upload", "")} || ${uploads.id}`))
    .where(and(isTheirs, where))
    .$dynamic();
}

type Row = Omit<FoundUpload, "upload"> & { upload: Parameters<typeof toUpload>[0] };

export function toFound(row: Row): FoundUpload {
  return { ...row, upload: resumable(row.upload) };
}
