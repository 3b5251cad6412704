import { type Action, decide, type PolicySettings } from "../access/policy.ts";
import {
  type AccountFacts,
  type Actor,
  type CollectionFacts,
  collectionRole,
  type EntityFacts,
  type TeamFacts,
} from "../access/roles.ts";
import type { Context } from "../context.ts";
import { RegistryError } from "./errors.ts";

/** What is absent is judged by the facts of something nobody may see, so that both answer alike. */
const nothing: CollectionFacts & EntityFacts = {
  collectionId: "",
  visibility: "private",
  entityOwnerId: "",
  grant: null,
  hasVisibleCollection: false,
};

const nobody: AccountFacts = { userId: "", role: "user", isRobot: false, ownerUserId: null };

/**
 * Asks the policy about a row that a query found, or did not find.
 * @returns the row
 * @throws what the policy refuses with; `not-found` for an absent row
 */
export function authorize<Row extends { facts: CollectionFacts }>(
  ctx: Context,
  actor: Actor,
  action: Extract<Action, `collection.${string}`>,
  row: Row | null,
): Row {
  ensure(decide(actor, action, row?.facts ?? nothing, ctx.settings));
  return present(row);
}

/** The same for an entity. */
export function authorizeOnEntity<Row extends { facts: EntityFacts }>(
  ctx: Context,
  actor: Actor,
  action: Extract<Action, `entity.${string}`>,
  row: Row | null,
): Row {
  ensure(decide(actor, action, row?.facts ?? nothing, ctx.settings));
  return present(row);
}

/** The same for a team. */
export function authorizeOnTeam<Row extends { facts: TeamFacts }>(
  ctx: Context,
  actor: Actor,
  action: Extract<Action, `team.${string}`>,
  row: Row | null,
): Row {
  ensure(decide(actor, action, row?.facts ?? { teamId: "", joining: "invitation" }, ctx.settings));
  return present(row);
}

/**
 * For lists, which hold only what the actor may see (`visibleTo`): whether there is any for them.
 * @throws `unauthenticated`
 */
export function authorizeList(ctx: Context, actor: Actor): void {
  if (actor.kind === "anonymous" && ctx.settings.API_REQUIRE_AUTH) throw new RegistryError("unauthenticated");
}

/** The same for the registry as a whole. */
export function authorizeOnSite(
  settings: PolicySettings,
  actor: Actor,
  action: Extract<Action, `site.${string}`>,
): void {
  ensure(decide(actor, action, null, settings));
}

/** The same for a user's account; absent is what nobody but an administrator may know of. */
export function authorizeOnAccount(
  settings: PolicySettings,
  actor: Actor,
  action: Extract<Action, `account.${string}`>,
  facts: AccountFacts | null,
): void {
  ensure(decide(actor, action, facts ?? nobody, settings));
  if (facts === null) throw new RegistryError("not-found", "There is no such user.");
}

export function mayOnCollection(
  ctx: Context,
  actor: Actor,
  action: Extract<Action, `collection.${string}`>,
  facts: CollectionFacts,
): boolean {
  return decide(actor, action, facts, ctx.settings).allowed;
}

/**
 * The version of a collection, or of a container in it, for whoever has a right there. It counts share links, roles and
 * images on their way, too: to others it would tell of what they do not see. They change nothing, and need none.
 */
export function versionFor(actor: Actor, facts: CollectionFacts, version: number): number | null {
  return collectionRole(actor, facts).role === null ? null : version;
}

export function mayOnSite(settings: PolicySettings, actor: Actor, action: Extract<Action, `site.${string}`>): boolean {
  return decide(actor, action, null, settings).allowed;
}

function ensure(decision: ReturnType<typeof decide>): void {
  if (!decision.allowed) throw new RegistryError(decision.code);
}

function present<Row>(row: Row | null): Row {
  if (row === null) throw new RegistryError("not-found");
  return row;
}
