import { and, eq, sql } from "drizzle-orm";
import type { Actor, CollectionRole, Visibility } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { guardAgainst, guardChanged } from "../../storage/db/guard.ts";
import {
  collectionMembers,
  collections,
  containers,
  images,
  tags,
  tombstones,
} from "../../storage/db/schema/catalog.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { authorize, authorizeOnSite } from "../authorize.ts";
import { RegistryError } from "../errors.ts";
import type { ContainerPath, ImageReference } from "../names.ts";
import { findUser } from "../people/users.ts";
import { resolveImage } from "../pull/resolve.ts";
import { searchSoon } from "../search/search-soon.ts";
import { auditRow } from "../upkeep/audit.ts";
import { type FoundCollection, findCollection } from "./collections.ts";
import { findContainer, targetOf } from "./containers.ts";
import { collectionsDeletion } from "./delete-collections.ts";
import { isBuried, type NameKind } from "./tombstones.ts";

export interface CollectionPath {
  entity: string;
  name: string;
}

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
  const { collection } = await managed(ctx, actor, path);
  if (ctx.settings.PRIVATE_ONLY && visibility !== "private") throw new RegistryError("private-only");
  await writeTogether(ctx.db, [
    ctx.db.update(collections).set({ visibility, updatedAt: ctx.now() }).where(eq(collections.id, collection.id)),
    auditRow(ctx, actor, "collection.visibility", pathText(path), { detail: { visibility } }),
  ]);
  searchSoon(ctx);
}

/** Gives a user a role in a collection; null takes it away. @throws `not-found`, and what the policy refuses */
export async function setMember(
  ctx: Context,
  actor: Actor,
  path: CollectionPath,
  username: string,
  role: CollectionRole | null,
): Promise<void> {
  const { collection } = await managed(ctx, actor, path);
  const user = await findUser(ctx, username);
  const isMember = and(eq(collectionMembers.collectionId, collection.id), eq(collectionMembers.userId, user.id));
  const row = { collectionId: collection.id, userId: user.id, createdAt: ctx.now() };
  const change =
    role === null
      ? ctx.db.delete(collectionMembers).where(isMember)
      : ctx.db
          .insert(collectionMembers)
          .values({ ...row, role })
          .onConflictDoUpdate({ target: [collectionMembers.collectionId, collectionMembers.userId], set: { role } });
  await writeTogether(ctx.db, [
    change,
    auditRow(ctx, actor, "collection.member", pathText(path), { detail: { username: user.username, role } }),
  ]);
  searchSoon(ctx);
}

/** @throws `not-found`, and what the policy refuses */
export async function setReadOnly(ctx: Context, actor: Actor, path: ContainerPath, readOnly: boolean): Promise<void> {
  const found = authorize(ctx, actor, "collection.manage", await findContainer(ctx, actor, path));
  const { container } = found;
  await writeTogether(ctx.db, [
    ctx.db.update(containers).set({ readOnly, updatedAt: ctx.now() }).where(eq(containers.id, container.id)),
    auditRow(ctx, actor, "container.read-only", targetOf(found), { detail: { readOnly } }),
  ]);
}

/**
 * Deletes a collection and all in it. Its name and short name stay taken until an administrator frees them.
 * @throws `frozen` when anything in it is, and what the policy refuses
 */
export async function deleteCollection(ctx: Context, actor: Actor, path: CollectionPath): Promise<void> {
  const { collection } = await managed(ctx, actor, path);
  await writeTogether(ctx.db, [
    ...collectionsDeletion(ctx, [collection.id]),
    auditRow(ctx, actor, "collection.delete", pathText(path)),
  ]);
  searchSoon(ctx);
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
    auditRow(ctx, actor, "short-name.give", pathText(path), { detail: { shortName } }),
  ]);
}

async function managed(ctx: Context, actor: Actor, path: CollectionPath): Promise<FoundCollection> {
  return authorize(ctx, actor, "collection.manage", await findCollection(ctx, actor, path));
}

function pathText(path: CollectionPath): string {
  return `${path.entity}/${path.name}`;
}
