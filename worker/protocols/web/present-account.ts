import type * as z from "zod";
import { siteRole } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import type { User } from "../../registry/people/accounts.ts";
import type { Robot } from "../../registry/people/robots.ts";
import type { Token } from "../../registry/people/tokens.ts";
import { isAdminNow } from "../../registry/people/user-actor.ts";
import { timeOf, timeOrNull } from "./present.ts";
import type { madeTokenSchema, robotSchema, tokenSchema, userSchema } from "./schemas.ts";

/** Accounts and their credentials, as the JSON API tells of them. */

export function presentToken(token: Token): z.input<typeof tokenSchema> {
  const { createdAt, expiresAt, lastUsedAt, ...rest } = token;
  const times = { createdAt: timeOf(createdAt), expiresAt: timeOrNull(expiresAt), lastUsedAt: timeOrNull(lastUsedAt) };
  return { ...rest, ...times };
}

export function presentMadeToken(made: { token: Token; secret: string }): z.input<typeof madeTokenSchema> {
  return { token: presentToken(made.token), secret: made.secret };
}

export function presentUser(ctx: Context, user: User): z.input<typeof userSchema> {
  const isAdmin = isAdminNow(ctx, user);
  return {
    username: user.username,
    role: siteRole({ isAdmin, isSuperuser: user.isSuperuser }),
    isDisabled: user.disabledAt !== null,
    createdAt: timeOf(user.createdAt),
    isAdminByClaim: isAdmin && !user.isAdmin && !user.isSuperuser,
  };
}

export function presentRobot({ robot, owner }: Robot): z.input<typeof robotSchema> {
  const { username, description } = robot;
  const isDisabled = robot.disabledAt !== null;
  return { username, description, owner, isDisabled, createdAt: timeOf(robot.createdAt) };
}

/** A collection as a body names it: two parts, as the schema says. */
export function pathOf(path: string | null): { entity: string; name: string } | null {
  const [entity = "", name = ""] = path?.split("/") ?? [];
  return path === null ? null : { entity, name };
}
