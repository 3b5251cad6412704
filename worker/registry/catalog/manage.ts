import { and, eq, sql } from "drizzle-orm";
import type { Actor, CollectionRole, Visibility } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { guardAgainst, guardChanged } from "../../storage/db/guard.ts";
import { collections, containers, images, tags } from "../../storage/db/schema/catalog.ts";
import { tombstones } from "../../storage/db/schema/history.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { authorize, authorizeOnSite } from "../authorize.ts";
import type { ContainerPath, ImageReference } from "../names.ts";
import { resolveImage } from "../pull/resolve.ts";
import { auditRow } from "../upkeep/audit.ts";
import { type CollectionPath, type FoundCollection, findCollection } from "./collections.ts";
import { findContainer, targetOf } from "./containers.ts";
import { editCollection } from "./edit-collection.ts";
import { type Grantee, removePerson, setPerson } from "./people.ts";
import { removeCollection } from "./remove-collection.ts";
import { isBuried, type NameKind } from "./tombstones.ts";

/**
 * Freezes or thaws what a reference names: a tag for one architecture, or by digest the image itself.
 * A frozen tag cannot be moved or deleted, a frozen image not be deleted or lose a tag.
 * @throws `not-found`, and what the policy refuses
 */
export async function setFrozen(
  ctx: Context,
  actor: Actor,
  reference: ImageReference,
  arch: string | null,
  frozen: boolean,
): Promise<void> {
  const found = await resolveImage(ctx, actor, "collection.manage", reference, arch);
  const { image, container } = found;
  const { selector } = reference;
  const change =
    selector.kind === "digest"
      ? ctx.db.update(images).set({ frozen }).where(eq(images.id, image.id))
      : ctx.db
          .update(tags)
          .set({ frozen })
          .where(and(eq(tags.containerId, container.id), eq(tags.arch, image.arch), eq(tags.name, selector.tag)));
  await writeTogether(ctx.db, [
    change,
    guardChanged(ctx.db, "conflict"),
    auditRow(ctx, actor, frozen ? "freeze" : "thaw", targetOf(found), {
      detail: { digest: image.digest, reference: selector, arch: image.arch },
      in: found.collection.id,
    }),
  ]);
}

/** @throws `private-only`, and what the policy refuses */
export async function setVisibility(
  ctx: Context,
  actor: Actor,
  path: CollectionPath,
  visibility: Visibility,
): Promise<void> {
  await editCollection(ctx, actor, path, { visibility }, null);
}

/** Gives a user or a team a role in a collection; null takes it away. @throws as `setPerson` does */
export async function setMember(
  ctx: Context,
  actor: Actor,
  path: CollectionPath,
  name: string,
  role: CollectionRole | null,
  kind: Grantee["kind"] = "user",
): Promise<void> {
  if (role === null) await removePerson(ctx, actor, path, { kind, name });
  else await setPerson(ctx, actor, path, { kind, name }, role);
}

/** @throws `not-found`, and what the policy refuses */
export async function setReadOnly(ctx: Context, actor: Actor, path: ContainerPath, readOnly: boolean): Promise<void> {
  const found = authorize(ctx, actor, "collection.manage", await findContainer(ctx, actor, path));
  const { container } = found;
  await writeTogether(ctx.db, [
    ctx.db.update(containers).set({ readOnly, updatedAt: ctx.now() }).where(eq(containers.id, container.id)),
    auditRow(ctx, actor, "container.read-only", targetOf(found), { detail: { readOnly }, in: found.collection.id }),
  ]);
}

/** Deletes a collection, whatever is in it. @throws as `removeCollection` does */
export async function deleteCollection(ctx: Context, actor: Actor, path: CollectionPath): Promise<void> {
  await removeCollection(ctx, actor, path, null);
}

/** Makes the names of deleted things available again. @throws `not-found`, and what the policy refuses */
export async function freeName(ctx: Context, actor: Actor, kind: NameKind, name: string): Promise<void> {
  authorizeOnSite(ctx.settings, actor, "site.administer");
  await writeTogether(ctx.db, [
    ctx.db.delete(tombstones).where(and(eq(tombstones.kind, kind), eq(tombstones.name, name.toLowerCase()))),
    guardChanged(ctx.db, "not-found"),
    auditRow(ctx, actor, "name.free", `${kind} ${name}`),
  ]);
}

/**
 * Gives a collection a short name, which may be a reserved one such as `library`; null takes it away.
 * @throws `name-taken` while another collection holds it or it is kept from a deleted one
 */
export async function giveShortName(
  ctx: Context,
  actor: Actor,
  path: CollectionPath,
  shortName: string | null,
): Promise<void> {
  authorizeOnSite(ctx.settings, actor, "site.administer");
  const { collection } = await managed(ctx, actor, path);
  const isHeld = sql`EXISTS (
    SELECT 1 FROM ${collections} WHERE ${eq(collections.shortName, shortName ?? "")} AND ${collections.id} <> ${collection.id})`;
  await writeTogether(ctx.db, [
    guardAgainst(ctx.db, "name-taken", sql`${isHeld} OR ${isBuried("short-name", shortName ?? "")}`),
    ctx.db.update(collections).set({ shortName, updatedAt: ctx.now() }).where(eq(collections.id, collection.id)),
    auditRow(ctx, actor, "short-name.give", pathText(path), { detail: { shortName }, in: collection.id }),
  ]);
}

async function managed(ctx: Context, actor: Actor, path: CollectionPath): Promise<FoundCollection> {
  return authorize(ctx, actor, "collection.manage", await findCollection(ctx, actor, path));
}

function pathText(path: CollectionPath): string {
  return `${path.entity}/${path.name}`;
}
