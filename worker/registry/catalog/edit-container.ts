import { and, eq, ne, sql } from "drizzle-orm";
import type { Actor } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { guardAgainst } from "../../storage/db/guard.ts";
import { containers } from "../../storage/db/schema/catalog.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { authorize } from "../authorize.ts";
import { RegistryError } from "../errors.ts";
import { type ContainerPath, parseName } from "../names.ts";
import { searchSoon } from "../search/search-soon.ts";
import { auditRow } from "../upkeep/audit.ts";
import {
  ensureWritable,
  type FoundContainer,
  findContainer,
  guardSeen,
  guardWritable,
  targetOf,
} from "./containers.ts";
import { isFrozenIn } from "./frozen.ts";
import { guardOwner } from "./guard-owner.ts";

/** What is to be changed; what is left out stays. */
export interface ContainerEdit {
  name?: string | undefined;
  /** Markdown. */
  description?: string | undefined;
  readOnly?: boolean | undefined;
}

/**
 * Changes a container. With another name it is found by that alone; who takes the old one gets an empty container, so
 * nothing is pulled under it that was not pushed there anew.
 * @param seen the version it was seen in; null for whichever it is, but not for a new name
 * @returns it as it is now
 * @throws `not-found`, `name-invalid`, `name-taken`, `read-only` and `frozen` where it may not be renamed,
 *   `precondition-required`, `precondition-failed`, and what the policy refuses
 */
export async function editContainer(
  ctx: Context,
  actor: Actor,
  path: ContainerPath,
  edit: ContainerEdit,
  seen: number | null,
): Promise<FoundContainer> {
  const found = authorize(ctx, actor, "collection.manage", await findContainer(ctx, actor, path));
  const { container, collection, entity } = found;
  const name = edit.name === undefined ? container.name : parseName(edit.name);
  const isRenamed = name !== container.name;
  if (isRenamed && seen === null) {
    throw new RegistryError("precondition-required", "A new name breaks references: look first which.");
  }
  const { description = container.description, readOnly = container.readOnly } = edit;
  // Who thaws it in the same edit may.
  if (isRenamed && readOnly) ensureWritable(container);
  const isTaken = and(
    eq(containers.collectionId, collection.id),
    eq(containers.name, name),
    ne(containers.id, container.id),
  );
  const results = await writeTogether(ctx.db, [
    ...guardSeen(ctx, container, seen),
    ...guardOwner(ctx, actor, found),
    guardAgainst(ctx.db, "name-taken", sql`EXISTS (SELECT 1 FROM ${containers} WHERE ${isTaken})`),
    // Whoever froze something in it relies on its name.
    ...(isRenamed ? [guardAgainst(ctx.db, "frozen", isFrozenIn(container.id))] : []),
    ...(isRenamed && !container.readOnly ? [guardWritable(ctx, container)] : []),
    ctx.db
      .update(containers)
      .set({
        ...(isRenamed ? { name } : {}),
        ...(edit.description === undefined ? {} : { description }),
        ...(edit.readOnly === undefined ? {} : { readOnly }),
        updatedAt: ctx.now(),
      })
      .where(eq(containers.id, container.id)),
    ...changesOf(found, { name, description, readOnly }).map(({ action, detail }) =>
      auditRow(ctx, actor, action, targetOf(found), { in: collection.id, detail }),
    ),
    ctx.db.select().from(containers).where(eq(containers.id, container.id)),
  ]);
  searchSoon(ctx);
  const [now = container] = results.at(-1) as (typeof container)[];
  return { collection, entity, facts: found.facts, container: now };
}

/** The acts of an edit, as the audit log names them. Of a description it does not keep the text. */
function changesOf(
  { container }: FoundContainer,
  { name, description, readOnly }: Required<{ name: string; description: string; readOnly: boolean }>,
): { action: string; detail: Record<string, unknown> }[] {
  return [
    ...(name === container.name ? [] : [{ action: "container.rename", detail: { to: name } }]),
    ...(description === container.description
      ? []
      : [{ action: "container.describe", detail: { length: description.length } }]),
    ...(readOnly === container.readOnly ? [] : [{ action: "container.read-only", detail: { readOnly } }]),
  ];
}
