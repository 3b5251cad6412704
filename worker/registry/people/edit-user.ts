import { type Actor, type SiteRole, siteRole } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { authorizeOnAccount, authorizeOnSite } from "../authorize.ts";
import { accountFacts, findAccount, present, type User } from "./accounts.ts";
import { type Act, changeUser } from "./change-user.ts";

/**
 * Disables a person or enables them again, and says what they are on the whole site; each as far as it is given. What
 * is so already stays so. Whoever is disabled or gets another role is signed out everywhere.
 * @param expected the version the client saw; null for whichever it is
 * @throws `not-found`, `precondition-failed`, `conflict`, and what the policy refuses
 */
export async function editUser(
  ctx: Context,
  actor: Actor,
  username: string,
  edit: { isDisabled?: boolean | undefined; role?: SiteRole | undefined },
  expected: number | null,
): Promise<User> {
  const found = await findAccount(ctx, username, "person");
  if (edit.role !== undefined) authorizeOnSite(ctx.settings, actor, "site.govern");
  if (edit.isDisabled === undefined) authorizeOnSite(ctx.settings, actor, "site.administer");
  else authorizeOnAccount(ctx.settings, actor, "account.disable", found === null ? null : accountFacts(ctx, found));
  const user = present(found);
  const disabling = disablingOf(ctx, user, edit.isDisabled);
  const promotion = edit.role === undefined ? null : roleOf(ctx, user, edit.role);
  const change = {
    set: { ...disabling?.set, ...promotion?.set },
    acts: [disabling?.act, promotion?.act].filter((act) => act !== undefined),
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
