import { and, eq, type SQL, sql } from "drizzle-orm";
import type { Actor } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { guardChanged } from "../../storage/db/guard.ts";
import { images, tags } from "../../storage/db/schema/catalog.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { authorize } from "../authorize.ts";
import type { Digest } from "../digest.ts";
import type { ContainerPath } from "../names.ts";
import { auditRow } from "../upkeep/audit.ts";
import { findContainer, guardSeen, targetOf } from "./containers.ts";
import { guardOwner } from "./guard-owner.ts";

/** Whether anything in a container is frozen: an image or a tag. */
export function isFrozenIn(containerId: string): SQL {
  return sql`(
    EXISTS (SELECT 1 FROM ${images} WHERE ${and(eq(images.containerId, containerId), eq(images.frozen, true))})
    OR EXISTS (SELECT 1 FROM ${tags} WHERE ${and(eq(tags.containerId, containerId), eq(tags.frozen, true))}))`;
}

/**
 * Freezes or thaws an image: a frozen one is not deleted, and loses no tag.
 * @param seen the version its container was seen in; null for whichever it is
 * @throws `not-found`, `precondition-failed`, `conflict`, and what the policy refuses
 */
export async function freezeImage(
  ctx: Context,
  actor: Actor,
  { path, digest, frozen, seen }: { path: ContainerPath; digest: Digest; frozen: boolean; seen: number | null },
): Promise<void> {
  const found = authorize(ctx, actor, "collection.manage", await findContainer(ctx, actor, path));
  const isIt = and(
    eq(images.containerId, found.container.id),
    eq(images.digest, digest),
    eq(images.state, "published"),
  );
  await writeTogether(ctx.db, [
    ...guardSeen(ctx, found.container, seen),
    ...guardOwner(ctx, actor, found),
    ctx.db.update(images).set({ frozen }).where(isIt),
    guardChanged(ctx.db, "not-found"),
    auditRow(ctx, actor, frozen ? "freeze" : "thaw", targetOf(found), { in: found.collection.id, detail: { digest } }),
  ]);
}

/**
 * Freezes or thaws a tag: a frozen one is neither moved nor deleted.
 * @param of.arch for one architecture alone; null for all that it stands for
 * @throws as `freezeImage`
 */
export async function freezeTag(
  ctx: Context,
  actor: Actor,
  of: { path: ContainerPath; tag: string; arch: string | null; frozen: boolean; seen: number | null },
): Promise<void> {
  const { path, tag, arch, frozen, seen } = of;
  const found = authorize(ctx, actor, "collection.manage", await findContainer(ctx, actor, path));
  const isIt = and(
    eq(tags.containerId, found.container.id),
    eq(tags.name, tag),
    arch === null ? undefined : eq(tags.arch, arch),
  );
  await writeTogether(ctx.db, [
    ...guardSeen(ctx, found.container, seen),
    ...guardOwner(ctx, actor, found),
    ctx.db.update(tags).set({ frozen }).where(isIt),
    guardChanged(ctx.db, "not-found"),
    auditRow(ctx, actor, frozen ? "freeze" : "thaw", `${targetOf(found)}:${tag}`, {
      in: found.collection.id,
      detail: { tag, arch },
    }),
  ]);
}
