import { and, asc, eq, isNull, sql } from "drizzle-orm";
import type { Actor } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { guardAgainst, guardChanged } from "../../storage/db/guard.ts";
import { tokens, users } from "../../storage/db/schema/people.ts";
import { publishers } from "../../storage/db/schema/publishers.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { authorize } from "../authorize.ts";
import type { CollectionPath } from "../catalog/collections.ts";
import { type FoundCollection, findCollection } from "../catalog/collections.ts";
import { RegistryError } from "../errors.ts";
import { limits } from "../limits.ts";
import { guardStillGood } from "../people/still-good.ts";
import { auditRow } from "../upkeep/audit.ts";

/** A pipeline that may push to a collection. Times are milliseconds. */
export type Publisher = Omit<typeof publishers.$inferSelect, "collectionId">;

export interface PublisherRule {
  issuer: string;
  repository: string;
  refKind: "branch" | "tag";
  /** A `*` stands for any characters. */
  ref: string;
}

// A name as GitHub and GitLab allow it, without what a path could make of it.
const segment = /^(?!\.{1,2}$)[A-Za-z0-9._-]+$/;
// What no ref of git has, but for the star, which is ours.
const notInRefs = /[\s\p{C}~^:?[\\]|\.\.|\/\/|@\{|^\/|\/$/u;

/** A collection's publishers, the oldest first; `createdBy` is a username. @throws what the policy refuses */
export async function listPublishers(ctx: Context, actor: Actor, path: CollectionPath): Promise<Publisher[]> {
  const { collection } = await findManaged(ctx, actor, path);
  const rows = await ctx.db
    .select({ publisher: publishers, username: users.username })
    .from(publishers)
    .innerJoin(users, eq(users.id, publishers.createdBy))
    .where(eq(publishers.collectionId, collection.id))
    .orderBy(asc(publishers.createdAt), asc(publishers.id))
    .limit(limits.publishersPerCollection)
    .all();
  return rows.map(({ publisher: { collectionId: _, ...publisher }, username }) => ({
    ...publisher,
    createdBy: username,
  }));
}

/**
 * Lets a pipeline push to a collection in the actor's name, for as long as they may push there themselves. In a
 * browser only: a token must not make what makes tokens.
 * @throws `session-required`, `body-invalid`, `already-so`, `limit-reached`, and what the policy refuses
 */
export async function addPublisher(
  ctx: Context,
  actor: Actor,
  path: CollectionPath,
  rule: PublisherRule,
): Promise<Publisher> {
  const { collection, entity } = await findManaged(ctx, actor, path);
  if (actor.kind !== "user" || actor.credential.kind !== "session") throw new RegistryError("session-required");
  ensureRule(ctx, rule);
  const { issuer, repository, refKind, ref } = rule;
  const row = {
    id: crypto.randomUUID(),
    collectionId: collection.id,
    issuer,
    repository,
    refKind,
    ref,
    repositoryId: null,
    createdBy: actor.userId,
    createdAt: ctx.now(),
    lastUsedAt: null,
  };
  const ofCollection = sql`SELECT count(*) FROM ${publishers} WHERE ${eq(publishers.collectionId, collection.id)}`;
  // Services compare names whatever their case.
  const isSame = sql`${publishers.issuer} = ${issuer} AND lower(${publishers.repository}) = ${repository.toLowerCase()}
    AND ${publishers.refKind} = ${refKind} AND ${publishers.ref} = ${ref}`;
  await writeTogether(ctx.db, [
    guardAgainst(ctx.db, "already-so", sql`(${ofCollection} AND ${isSame}) > 0`),
    guardAgainst(ctx.db, "limit-reached", sql`(${ofCollection}) >= ${limits.publishersPerCollection}`),
    ...guardStillGood(ctx, actor),
    ctx.db.insert(publishers).values(row),
    auditRow(ctx, actor, "publisher.add", `${entity.name}/${collection.name}`, {
      detail: { id: row.id, ...rule },
      in: collection.id,
    }),
  ]);
  const { collectionId: _, ...publisher } = row;
  return { ...publisher, createdBy: actor.username };
}

/** Takes that away; the tokens that pipelines got by it end at once. @throws `not-found`, and what the policy refuses */
export async function removePublisher(ctx: Context, actor: Actor, path: CollectionPath, id: string): Promise<void> {
  const { collection, entity } = await findManaged(ctx, actor, path);
  const isIt = and(eq(publishers.id, id), eq(publishers.collectionId, collection.id));
  const found = await ctx.db.select().from(publishers).where(isIt).get();
  if (found === undefined) throw new RegistryError("not-found", "There is no such publisher.");
  const { issuer, repository, refKind, ref } = found;
  const isItsToken = and(eq(tokens.userId, found.createdBy), eq(tokens.publisherId, id), isNull(tokens.revokedAt));
  await writeTogether(ctx.db, [
    ctx.db.delete(publishers).where(isIt),
    guardChanged(ctx.db, "not-found"),
    ctx.db.update(tokens).set({ revokedAt: ctx.now() }).where(isItsToken),
    auditRow(ctx, actor, "publisher.remove", `${entity.name}/${collection.name}`, {
      detail: { id, issuer, repository, refKind, ref },
      in: collection.id,
    }),
  ]);
}

async function findManaged(ctx: Context, actor: Actor, path: CollectionPath): Promise<FoundCollection> {
  return authorize(ctx, actor, "collection.manage", await findCollection(ctx, actor, path));
}

/** @throws `body-invalid`, saying what is allowed */
function ensureRule(ctx: Context, { issuer, repository, ref }: PublisherRule): void {
  const { CI_GITHUB_ISSUERS, CI_GITLAB_ISSUERS } = ctx.settings;
  const isGitlab = CI_GITLAB_ISSUERS.includes(issuer);
  if (!isGitlab && !CI_GITHUB_ISSUERS.includes(issuer)) {
    const known = [...CI_GITHUB_ISSUERS, ...CI_GITLAB_ISSUERS].join(", ");
    throw new RegistryError("body-invalid", `The issuer must be one that this registry takes tokens of: ${known}.`);
  }
  const parts = repository.split("/");
  const isWholeName = isGitlab ? parts.length >= 2 : parts.length === 2;
  if (!isWholeName || !parts.every((part) => segment.test(part))) {
    throw new RegistryError("body-invalid", "The repository must be named as OWNER/NAME, with nothing around it.");
  }
  if (notInRefs.test(ref) || ref.startsWith("refs/")) {
    throw new RegistryError("body-invalid", "The ref must be a branch's or tag's name alone, such as main or v*.");
  }
}
