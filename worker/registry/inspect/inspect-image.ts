import { and, eq, sql } from "drizzle-orm";
import type { Context, JobOutcome } from "../../context.ts";
import { operatingSystemOf } from "../../formats/operating-system.ts";
import { inspectSif, type SifInspection } from "../../formats/sif/inspect.ts";
import { readObjectRange } from "../../storage/blobs.ts";
import { type Statement, statement } from "../../storage/db/client.ts";
import { blobs, images } from "../../storage/db/schema/catalog.ts";
import { inspections, labels, topics } from "../../storage/db/schema/inspection.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { endJob, type Job } from "../jobs.ts";
import { limits } from "../limits.ts";
import { searchSoon } from "../search/search-soon.ts";
import { READER } from "./inspection-job.ts";

/** What the column `inspections.metadata` holds, as JSON. The definition file's text stands beside it. */
export type Metadata = Omit<SifInspection, "definition" | "definitionFile">;

/**
 * Reads a published image's metadata by a few ranged reads, and writes down what was found, or why nothing was.
 * Its labels become rows, and what it was built from a topic of its container.
 */
export async function inspectImage(ctx: Context, imageId: string): Promise<JobOutcome> {
  const target = await findTarget(ctx, imageId);
  // Deleted since, or its bytes are damaged: those that heal it bring a job of their own.
  if (target === null) {
    await writeTogether(ctx.db, [endJob(ctx, "inspect-image", imageId)]);
    return { state: "done" };
  }
  const { objectKey, sizeBytes } = target;
  const read = async (range: { offset: number; length: number }) => await readObjectRange(ctx.bucket, objectKey, range);
  const found = await inspectSif({ sizeBytes, read }, limits);
  // Upkeep may have deleted it, or a push replaced it, since its key was looked up.
  if (found === "gone") throw new Error("the object is not there");
  if ("problem" in found) return await fail(ctx, imageId, `The image cannot be read: ${found.problem}.`);
  await writeTogether(ctx.db, [
    noteInspection(ctx, imageId, found),
    ...replaceLabels(ctx, imageId, found.attributes.labels),
    ...addTopic(ctx, imageId, operatingSystemOf(found.definitionFile)),
    endJob(ctx, "inspect-image", imageId),
  ]);
  searchSoon(ctx);
  return { state: "done" };
}

/** Its bytes could not be read, however often that was tried. */
export async function giveUpInspection(ctx: Context, job: Job): Promise<JobOutcome> {
  return await fail(ctx, job.subject, "The registry could not read the image's bytes.");
}

async function fail(ctx: Context, imageId: string, error: string): Promise<JobOutcome> {
  await writeTogether(ctx.db, [
    noteState(ctx, imageId, { state: "failed", error, definition: null, metadata: null }),
    ...replaceLabels(ctx, imageId, {}),
    endJob(ctx, "inspect-image", imageId),
  ]);
  searchSoon(ctx);
  return { state: "refused", code: "inspection-failed", message: error };
}

async function findTarget(ctx: Context, imageId: string): Promise<{ objectKey: string; sizeBytes: number } | null> {
  const row = await ctx.db
    .select({ objectKey: blobs.objectKey, sizeBytes: blobs.sizeBytes })
    .from(images)
    .innerJoin(blobs, and(eq(blobs.digest, images.blobDigest), eq(blobs.state, "stored")))
    .where(and(eq(images.id, imageId), eq(images.state, "published")))
    .get();
  return row ?? null;
}

function noteInspection(ctx: Context, imageId: string, found: SifInspection): Statement {
  const { definition, definitionFile: _, ...metadata } = found;
  // The metadata repeats the definition file.
  const attributes = { ...metadata.attributes, deffile: null };
  const text = JSON.stringify({ ...metadata, attributes } satisfies Metadata);
  return noteState(ctx, imageId, { state: "done", error: null, definition, metadata: text });
}

/** Every statement here takes its image from the table: it may be deleted while its bytes are read. */
function noteState(
  ctx: Context,
  imageId: string,
  row: Pick<typeof inspections.$inferInsert, "state" | "error" | "definition" | "metadata">,
): Statement {
  return statement(
    ctx.db,
    sql`
    INSERT INTO ${inspections} (image_id, state, error, reader, definition, metadata, inspected_at)
    SELECT ${images.id}, ${row.state}, ${row.error}, ${READER}, ${row.definition}, ${row.metadata}, ${ctx.now()}
    FROM ${images} WHERE ${images.id} = ${imageId}
    ON CONFLICT (image_id) DO UPDATE SET state = excluded.state, error = excluded.error, reader = excluded.reader,
      definition = excluded.definition, metadata = excluded.metadata, inspected_at = excluded.inspected_at`,
  );
}

function replaceLabels(ctx: Context, imageId: string, given: Readonly<Record<string, string>>): Statement[] {
  return [
    ctx.db.delete(labels).where(eq(labels.imageId, imageId)),
    statement(
      ctx.db,
      sql`
      INSERT INTO ${labels} (image_id, key, value)
      SELECT ${images.id}, each.key, each.value FROM ${images}, json_each(${JSON.stringify(given)}) AS each
      WHERE ${images.id} = ${imageId}`,
    ),
  ];
}

/** Not where somebody took it away. */
function addTopic(ctx: Context, imageId: string, topic: string | null): Statement[] {
  if (topic === null) return [];
  return [
    statement(
      ctx.db,
      sql`
      INSERT INTO ${topics} (container_id, name, origin, changed_at)
      SELECT ${images.containerId}, ${topic}, 'image', ${ctx.now()} FROM ${images} WHERE ${images.id} = ${imageId}
      ON CONFLICT DO NOTHING`,
    ),
  ];
}
