import { type SQL, sql } from "drizzle-orm";
import { type Mark, markOf } from "../shown.ts";
import { isLiveShare } from "./image-details.ts";
import { actsFor, isGranted, owns } from "./owns.ts";

/** What ends when collections get another owner: it is worth no more than what its maker may do there. */
export interface EndingRights {
  /** Share links that work now: whoever made one must own the collection. */
  shares: Mark;
  /** Pipelines that may push now: whoever set one up must be a contributor. */
  publishers: Mark;
}

/**
 * An expression for that, as JSON.
 * @param moved a query for the collections' ids
 * @param newOwner the id of the account that gets them; a role of its own in them is lost to it
 */
export function endingRightsOf(moved: SQL, newOwner: string, now: number): SQL {
  return endingIn(moved, { owner: sql`${newOwner}`, lost: newOwner }, now);
}

/**
 * The same where an account goes that has roles in collections of others: what rests on those alone.
 * @param account its id
 * @param except a query for collections that do not count
 */
export function endingWithRolesOf(account: string, except: SQL, now: number): SQL {
  const held = sql`
    SELECT role.collection_id FROM collection_members AS role
    WHERE role.user_id = ${account} AND role.collection_id NOT IN (${except})`;
  return endingIn(held, { owner: null, lost: account }, now);
}

interface Change {
  /** Whose the collections are then; null where that stays. */
  owner: SQL | null;
  /** The account whose own roles in them end. */
  lost: string;
}

function endingIn(collections: SQL, change: Change, now: number): SQL {
  const images = sql`
    SELECT i.id FROM containers AS k INNER JOIN images AS i ON i.container_id = k.id WHERE k.collection_id IN (${collections})`;
  const ofShare = sql`(
    SELECT k.collection_id FROM images AS i INNER JOIN containers AS k ON k.id = i.container_id WHERE i.id = shares.image_id)`;
  const maker = { share: sql`shares.created_by`, publisher: sql`publishers.created_by` };
  const shares = sql`image_id IN (${images}) AND ${isLiveShare(now)}
    AND ${loses("owner", maker.share, ofShare, change, now)}`;
  const publishers = sql`publishers.collection_id IN (${collections})
    AND ${loses("contributor", maker.publisher, sql`publishers.collection_id`, change, now)}`;
  return sql`json_object('shares', json(${markOf(sql`shares`, sql`id`, shares)}),
    'publishers', json(${markOf(sql`publishers`, sql`id`, publishers)}))`;
}

/** Whether somebody has at least this role in a collection, and would not have it after the change. */
function loses(role: "owner" | "contributor", maker: SQL, collection: SQL, change: Change, now: number): SQL {
  const owner = sql`(
    SELECT around.owner_user_id FROM collections AS c INNER JOIN entities AS around ON around.id = c.entity_id WHERE c.id = ${collection})`;
  const one = sql`one.id`;
  const isOf = role === "owner" ? owns : actsFor;
  return sql`EXISTS (
    SELECT 1 FROM users AS one
    WHERE one.id = ${maker} AND one.disabled_at IS NULL
      AND one.is_admin = 0 AND one.is_superuser = 0 AND coalesce(one.claimed_admin_until, 0) <= ${now}
      AND (${isOf(owner, one)} OR ${isGranted(role, collection, one)})
      AND NOT ${isOf(change.owner ?? owner, one)}
      AND NOT ${isGranted(role, collection, one, sql`granted.user_id <> ${change.lost}`)})`;
}
