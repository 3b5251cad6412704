import { eq, sql } from "drizzle-orm";
import { isWellFormedToken, readAuthorization } from "../../access/credentials.ts";
import { type Actor, anonymous, type Scope, scopes } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { preparedOnce } from "../../storage/db/client.ts";
import { columnsOf } from "../../storage/db/columns.ts";
import { tokens, users } from "../../storage/db/schema/people.ts";
import { sha256Hex } from "../digest.ts";
import { RegistryError } from "../errors.ts";
import { limits } from "../limits.ts";
import { teamPlaces } from "./team-places.ts";
import { type AuthenticateOptions, actorOf } from "./user-actor.ts";

/**
 * Who sends this Authorization header. One query, none for an anonymous
 * request or for what cannot be a token of ours. A credential that is present
 * but not valid never falls back to anonymous.
 * @throws `invalid-credential`, `terms-required`
 */
export async function authenticate(
  ctx: Context,
  authorization: string | null | undefined,
  options: AuthenticateOptions = {},
): Promise<Actor> {
  const given = readAuthorization(authorization);
  if (given.kind === "none") return anonymous;
  if (given.kind === "unusable" || !isWellFormedToken(given.token)) throw refused();
  const hash = await sha256Hex(given.token);
  const row = await tokenQuery(ctx.db, "by-hash").get({ hash });
  const now = ctx.now();
  if (row === undefined || row.token.revokedAt !== null) throw refused();
  if (row.token.expiresAt !== null && row.token.expiresAt <= now) throw refused();
  const { id, collectionId } = row.token;
  const credential = { kind: "token" as const, id, scopes: parseScopes(row.token.scopes), collectionId };
  const actor = actorOf(ctx, row, credential, options);
  noteUse(ctx, row.token, now);
  return actor;
}

const tokenQuery = preparedOnce((db, _: "by-hash") =>
  db
    .select({ token: columnsOf(tokens), user: columnsOf(users), teams: teamPlaces })
    .from(tokens)
    .innerJoin(users, eq(users.id, tokens.userId))
    .where(eq(tokens.hash, sql.placeholder("hash")))
    .prepare(),
);

export function parseScopes(text: string): ReadonlySet<Scope> {
  const given = text.split(" ");
  return new Set(scopes.filter((scope) => given.includes(scope)));
}

/** Written at most once an hour, outside the answer. */
function noteUse(ctx: Context, token: { id: string; lastUsedAt: number | null }, now: number): void {
  if (token.lastUsedAt !== null && now - token.lastUsedAt < limits.tokenLastUsedSeconds * 1000) return;
  ctx.later(ctx.db.update(tokens).set({ lastUsedAt: now }).where(eq(tokens.id, token.id)).run());
}

function refused(): RegistryError {
  return new RegistryError("invalid-credential");
}
