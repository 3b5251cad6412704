import { and, eq, isNotNull, isNull, lt, sql } from "drizzle-orm";
import { newToken } from "../../access/credentials.ts";
import type { Scope } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { type ProvedJob, verifyCiToken } from "../../identity/ci-token.ts";
import { columnsOf } from "../../storage/db/columns.ts";
import { guardChanged } from "../../storage/db/guard.ts";
import { collections, entities } from "../../storage/db/schema/catalog.ts";
import { tokens, usedSignatures, users } from "../../storage/db/schema/people.ts";
import { publishers } from "../../storage/db/schema/publishers.ts";
import { writeTogether } from "../../storage/db/write-together.ts";
import { authorize } from "../authorize.ts";
import type { CollectionPath } from "../catalog/collections.ts";
import { collectionIs } from "../catalog/collections.ts";
import { accountsOfUser, factsOfAccounts } from "../catalog/facts.ts";
import { sha256Hex } from "../digest.ts";
import { RegistryError } from "../errors.ts";
import { limits } from "../limits.ts";
import { teamPlaces } from "../people/team-places.ts";
import { actorOf } from "../people/user-actor.ts";
import { auditRow } from "../upkeep/audit.ts";
import { matchesRef } from "./match-ref.ts";

export interface ExchangedToken {
  secret: string;
  /** Milliseconds since the epoch. */
  expiresAt: number;
}

type Rule = Awaited<ReturnType<typeof rulesOf>>[number];

const scopes: readonly Scope[] = ["pull", "push"];
/** How much of a token's end is kept, to tell it from others. */
const HINT_LENGTH = 6;

/**
 * Gives a pipeline that proves what it runs for a token to push to one collection with, where the collection's
 * owner has set up a publisher for it. The token is its creator's, and may do no more than they. A pipeline's token
 * works once for each collection.
 * @throws `rate-limited`, `publisher-refused` with what is wrong for the pipeline's author, `provider-unavailable`,
 *   `pushing-disabled`
 */
export async function exchangeToken(
  ctx: Context,
  input: { token: string; collection: CollectionPath },
): Promise<ExchangedToken> {
  await countAttempt(ctx);
  const audience = ctx.origin();
  const job = await verifyCiToken(input.token, { issuers: ctx.settings, audience, now: ctx.now() });
  const rule = chooseRule(ctx, job, await rulesOf(ctx, job.issuer, input.collection), input.collection);
  return await grant(ctx, job, rule, input.collection);
}

async function countAttempt(ctx: Context): Promise<void> {
  const { address } = ctx.client;
  const isWithin =
    address === null
      ? await ctx.rateLimits.count("publisher tokens", limits.signInsPerMinuteOfAll)
      : await ctx.rateLimits.count(`publisher tokens ${address}`, limits.signInsPerMinute);
  if (!isWithin) throw new RegistryError("rate-limited");
}

/** The publishers of a collection for one issuer, with what each one's creator is there. None where there is no such. */
async function rulesOf(ctx: Context, issuer: string, path: CollectionPath) {
  return await ctx.db
    .select({
      publisher: columnsOf(publishers),
      user: columnsOf(users),
      teams: teamPlaces,
      facts: factsOfAccounts(accountsOfUser(publishers.createdBy)),
    })
    .from(collections)
    .innerJoin(entities, eq(entities.id, collections.entityId))
    .innerJoin(publishers, and(eq(publishers.collectionId, collections.id), eq(publishers.issuer, issuer)))
    .innerJoin(users, eq(users.id, publishers.createdBy))
    .where(collectionIs(path))
    .limit(limits.publishersPerCollection)
    .all();
}

/** Says of a repository's own publishers only, and to that repository's job, what does not match. */
function chooseRule(ctx: Context, job: ProvedJob, rules: readonly Rule[], path: CollectionPath): Rule {
  const where = `${path.entity}/${path.name}`;
  const isRepository = ({ publisher }: Rule) => publisher.repository.toLowerCase() === job.repository.toLowerCase();
  const ofRepository = rules.filter(isRepository);
  if (ofRepository.length === 0) {
    throw refused(`There is no collection ${where}, or no publisher of it is for the repository ${job.repository}.`);
  }
  // Any of them was used by the repository that was meant: the others are for that one too.
  const pinned = ofRepository.flatMap(({ publisher }) => publisher.repositoryId ?? []);
  if (pinned.length > 0 && !pinned.includes(job.repositoryId)) {
    throw refused(
      `${job.repository} is another repository now than the one that pushed to ${where} before: its id is ${job.repositoryId}. If that is meant, remove its publishers and add them again.`,
    );
  }
  const matching = ofRepository.filter(
    ({ publisher }) => publisher.refKind === job.refKind && matchesRef(publisher.ref, job.ref),
  );
  if (matching.length === 0) throw refused(`No publisher of ${where} is for the ${job.refKind} ${job.ref}.`);
  const usable = matching.find((rule) => creatorMayPush(ctx, rule));
  if (usable !== undefined) return usable;
  throw refused(`Whoever set up this publisher may not push to ${where} any more.`);
}

/** @throws `pushing-disabled` */
function creatorMayPush(ctx: Context, { facts, ...creator }: Rule): boolean {
  const credential = { kind: "token", id: "", scopes: new Set(scopes), collectionId: facts.collectionId } as const;
  try {
    authorize(ctx, actorOf(ctx, creator, credential), "collection.push", { facts });
    return true;
  } catch (thrown) {
    if (!(thrown instanceof RegistryError) || thrown.code === "pushing-disabled") throw thrown;
    return false;
  }
}

async function grant(ctx: Context, job: ProvedJob, rule: Rule, path: CollectionPath): Promise<ExchangedToken> {
  const { publisher, user: creator } = rule;
  const { issuer, repository, repositoryId, refKind, ref, expiresAt } = job;
  const secret = newToken();
  const token = { ...tokenFor(ctx, job, rule), hash: await sha256Hex(secret), hint: secret.slice(-HINT_LENGTH) };
  const signature = `publisher ${await sha256Hex(`${publisher.collectionId} ${job.signed}`)}`;
  const isStill = sql`${publishers.id} = ${publisher.id} AND coalesce(${publishers.repositoryId}, ${repositoryId}) = ${repositoryId}`;
  const isOver = and(
    eq(tokens.userId, creator.id),
    isNotNull(tokens.publisherId),
    lt(tokens.expiresAt, ctx.now() - limits.publisherTokenKeptSeconds * 1000),
  );
  const doer = { kind: "on-behalf", username: creator.username } as const;
  const detail = { id: token.id, publisher: publisher.id, issuer, repository, repositoryId, refKind, ref };
  await writeTogether(ctx.db, [
    ctx.db.insert(usedSignatures).values({ signature, expiresAt }).onConflictDoNothing(),
    guardChanged(ctx.db, "already-so"),
    ctx.db.update(publishers).set({ lastUsedAt: ctx.now(), repositoryId }).where(isStill),
    guardChanged(ctx.db, "conflict"),
    ctx.db.update(publishers).set({ repositoryId }).where(isUnpinned(publisher, repository)),
    ctx.db.delete(tokens).where(isOver),
    ctx.db.insert(tokens).values(token),
    auditRow(ctx, doer, "publisher.exchange", `${path.entity}/${path.name}`, { detail, in: publisher.collectionId }),
  ]).catch((thrown) => {
    throw explainRefusal(thrown);
  });
  return { secret, expiresAt: token.expiresAt };
}

/** The token's row, but for what only its secret can say. */
function tokenFor(ctx: Context, job: ProvedJob, { publisher, user: creator }: Rule) {
  const now = ctx.now();
  return {
    id: crypto.randomUUID(),
    userId: creator.id,
    name: `${job.service} ${job.repository} ${job.refKind} ${job.ref}`.slice(0, limits.tokenNameLength),
    scopes: scopes.join(" "),
    collectionId: publisher.collectionId,
    expiresAt: now + limits.publisherTokenSeconds * 1000,
    createdAt: now,
    publisherId: publisher.id,
  };
}

/** The repository's other publishers of the same collection: its first token says for all of them which one it is. */
function isUnpinned({ collectionId, issuer }: Rule["publisher"], repository: string) {
  return and(
    eq(publishers.collectionId, collectionId),
    eq(publishers.issuer, issuer),
    sql`lower(${publishers.repository}) = ${repository.toLowerCase()}`,
    isNull(publishers.repositoryId),
  );
}

function explainRefusal(thrown: unknown): unknown {
  if (!(thrown instanceof RegistryError)) return thrown;
  if (thrown.code === "already-so") {
    return refused(
      "This token was exchanged already, and works once for each collection. Ask the service for another.",
    );
  }
  return thrown.code === "conflict" ? refused("The publisher was changed or removed just now.") : thrown;
}

function refused(why: string): RegistryError {
  return new RegistryError("publisher-refused", why);
}
