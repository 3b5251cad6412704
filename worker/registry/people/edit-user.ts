import { type Actor, type SiteRole, siteRole } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { authorizeOnAccount, authorizeOnSite } from "../authorize.ts";
import { accountFacts, findAccount, present, type User } from "./accounts.ts";
import { type Act, changeUser } from "./change-user.ts";

/**
 * Disables a person or enables them again, says what they are on the whole site and how much they may hold; each as far
 * as it is given. What is so already stays so. Whoever is disabled or gets another role is signed out everywhere.
 * @param expected the version the client saw; null for whichever it is
 * @throws `not-found`, `precondition-failed`, `conflict`, and what the policy refuses
 */
export async function editUser(
  ctx: Context,
  actor: Actor,
  username: string,
  edit: { isDisabled?: boolean | undefined; role?: SiteRole | undefined; quotaBytes?: number | null | undefined },
  expected: number | null,
): Promise<User> {
  const found = await findAccount(ctx, username, "person");
  if (edit.role !== undefined) authorizeOnSite(ctx.settings, actor, "site.govern");
  const isForAdministrators = edit.isDisabled === undefined || edit.quotaBytes !== undefined;
  if (isForAdministrators) authorizeOnSite(ctx.settings, actor, "site.administer");
  if (edit.isDisabled !== undefined)
    authorizeOnAccount(ctx.settings, actor, "account.disable", found === null ? null : accountFacts(ctx, found));
  const user = present(found);
  const disabling = disablingOf(ctx, user, edit.isDisabled);
  const promotion = edit.role === undefined ? null : roleOf(ctx, user, edit.role);
  const quota = quotaPartOf(user, edit.quotaBytes);
  const change = {
    set: { ...disabling?.set, ...promotion?.set, ...quota?.set },
    acts: [disabling?.act, promotion?.act, quota?.act].filter((act) => act !== undefined),
    endsSignIns: edit.isDisabled === true || promotion !== null,
  };
  return await changeUser(ctx, actor, user, change, expected);
}

interface Part {
  set: Partial<User>;
  act: Act;
}

/** Null where it is so already. */
export function disablingOf(ctx: Context, user: User, isDisabled: boolean | undefined): Part | null {
  if (isDisabled === undefined || isDisabled === (user.disabledAt !== null)) return null;
  const set = { disabledAt: isDisabled ? ctx.now() : null };
  return { set, act: { action: isDisabled ? "user.disable" : "user.enable" } };
}

function quotaPartOf(user: User, quotaBytes: number | null | undefined): Part | null {
  if (quotaBytes === undefined || quotaBytes === user.quotaBytes) return null;
  return { set: { quotaBytes }, act: { action: "quota.set", detail: { quotaBytes } } };
}

/** The role that is given counts from now on, not a claim of an identity provider: that counts again at the next sign-in. */
function roleOf(ctx: Context, user: User, role: SiteRole): Part | null {
  const isClaimed = (user.claimedAdminUntil ?? 0) > ctx.now();
  if (siteRole(user) === role && !isClaimed) return null;
  const set = {
    isAdmin: role === "admin",
    isSuperuser: role === "superuser",
    claimedAdminUntil: null,
    claimedAdminBy: null,
  };
  return { set, act: { action: "user.role", detail: { role } } };
}
