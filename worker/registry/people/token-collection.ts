import type { Actor } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { authorize, mayOnCollection } from "../authorize.ts";
import type { CollectionPath } from "../catalog/collections.ts";
import { type FoundCollection, findCollection } from "../catalog/collections.ts";
import { type Account, asItself } from "./accounts.ts";

/**
 * The one collection a token is to be good for. It must be one that the account sees: what only the maker of the token
 * sees is none of its business, and its name would stand in a list the account reads. But a robot reads no list, and
 * whoever makes its token says what it is for, perhaps before it becomes a member: there either may see it.
 * @throws `not-found`
 */
export async function collectionForToken(
  ctx: Context,
  actor: Actor,
  account: Account,
  path: CollectionPath,
): Promise<FoundCollection> {
  const isOwn = actor.kind === "user" && actor.userId === account.id;
  if (isOwn || account.isRobot) {
    const found = await findCollection(ctx, actor, path);
    const isSeen = found !== null && mayOnCollection(ctx, actor, "collection.see", found.facts);
    if (isOwn || isSeen) return authorize(ctx, actor, "collection.see", found);
  }
  const itself = await asItself(ctx, account.username);
  return authorize(ctx, itself, "collection.see", await findCollection(ctx, itself, path));
}
