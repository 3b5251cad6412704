import { and, desc, eq, type SQL, sql } from "drizzle-orm";
import type { Actor } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { columnsOf } from "../../storage/db/columns.ts";
import { guardChanged } from "../../storage/db/guard.ts";
import { containers, images, uploads } from "../../storage/db/schema/catalog.ts";
import { users } from "../../storage/db/schema/people.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { authorize } from "../authorize.ts";
import { type CollectionPath, findCollection } from "../catalog/collections.ts";
import { guardOwner } from "../catalog/guard-owner.ts";
import { isUnderWay } from "../catalog/under-way.ts";
import { RegistryError } from "../errors.ts";
import { PAGE_ROWS, type Page, pageOf, readCursor, writeCursor } from "../page.ts";
import { auditRow } from "../upkeep/audit.ts";
import { dropWanted, freeNow } from "./resumable-uploads.ts";

/*
 * Uploads into a collection, whoever sends them and however, for its owners: what somebody began holds room of theirs
 * until it ends, also when that somebody may not push any more.
 */

/** An upload on its way into a collection. Times are milliseconds. */
export interface UploadInto {
  id: string;
  container: string;
  digest: string;
  sizeBytes: number;
  state: "open" | "verifying";
  /** Whose it is; null for a deleted user. */
  username: string | null;
  createdAt: number;
  expiresAt: number;
}

/**
 * Those that hold room of the collection's owner now, the newest first. What a form of sregistry-cli's brings is none:
 * where it goes is known when it is there.
 * @throws `not-found`, `query-invalid`, and what the policy refuses
 */
export async function listUploadsInto(
  ctx: Context,
  actor: Actor,
  path: CollectionPath,
  after: string | null,
): Promise<Page<UploadInto>> {
  const found = authorize(ctx, actor, "collection.manage", await findCollection(ctx, actor, path));
  const cursor = after === null ? null : readCursor(after, ["number", "string"]);
  const isBehind =
    cursor === null ? undefined : sql`(${uploads.createdAt}, ${uploads.id}) < (${cursor[0]}, ${cursor[1]})`;
  const rows = await query(
    ctx,
    and(
      eq(uploads.quotaUserId, found.entity.ownerUserId),
      sql`${uploads.state} IN ('open', 'verifying')`,
      isUnderWay(ctx.now()),
      // With the plus they are not looked for by the containers there are, of which there may be thousands.
      sql`+${containers.collectionId} = ${found.collection.id}`,
      isBehind,
    ),
  )
    .orderBy(desc(uploads.createdAt), desc(uploads.id))
    .limit(PAGE_ROWS)
    .all();
  const { items, next } = pageOf(rows, ({ upload }) => writeCursor([upload.createdAt, upload.id]));
  return { items: items.map(present), next };
}

/**
 * Ends an upload into a collection, and gives its room back at once. Tags that its sender wanted for the image wait no
 * longer, unless somebody else sends it too.
 * @throws `not-found`, `conflict` when it is being verified, and what the policy refuses
 */
export async function cancelUploadInto(ctx: Context, actor: Actor, path: CollectionPath, id: string): Promise<void> {
  const found = authorize(ctx, actor, "collection.manage", await findCollection(ctx, actor, path));
  const [row] = await query(ctx, and(eq(uploads.id, id), eq(containers.collectionId, found.collection.id)));
  if (row?.upload.state === "verifying") {
    throw new RegistryError("conflict", "All of it has arrived, and is being verified.");
  }
  if (row?.upload.state !== "open") throw new RegistryError("not-found");
  const { upload, username, container } = row;
  const { multipartId, objectKey, digest, sizeBytes } = upload;
  const target = `${found.entity.name}/${found.collection.name}/${container}`;
  await writeTogether(ctx.db, [
    ...guardOwner(ctx, actor, found),
    ctx.db
      .update(uploads)
      // A URL for one piece is good until it ends, and upkeep looks what it left after that.
      .set({ state: "aborted", ...(multipartId === null ? {} : { expiresAt: ctx.now() }) })
      .where(and(eq(uploads.id, id), eq(uploads.state, "open"))),
    guardChanged(ctx.db, "conflict"),
    dropWanted(ctx, upload),
    auditRow(ctx, actor, "upload.cancel", target, {
      detail: { digest, bytes: sizeBytes, username },
      in: found.collection.id,
    }),
  ]);
  if (multipartId !== null) await freeNow(ctx, { id, objectKey, multipartId });
}

function query(ctx: Context, where: SQL | undefined) {
  return ctx.db
    .select({
      upload: columnsOf(uploads),
      container: sql<string>`${containers.name}`.as("container_name"),
      imageDigest: sql<string>`${images.digest}`.as("image_digest"),
      username: users.username,
    })
    .from(uploads)
    .innerJoin(images, eq(images.id, uploads.imageId))
    .innerJoin(containers, eq(containers.id, images.containerId))
    .leftJoin(users, eq(users.id, uploads.userId))
    .where(where)
    .$dynamic();
}

type Row = Awaited<ReturnType<typeof query>>[number];

function present({ upload, container, imageDigest, username }: Row): UploadInto {
  const { id, sizeBytes, createdAt, expiresAt } = upload;
  const state = upload.state === "verifying" ? "verifying" : "open";
  return { id, container, digest: imageDigest, sizeBytes: sizeBytes ?? 0, state, username, createdAt, expiresAt };
}
