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

/**
 * Who sends this Authorization header. One query, none for an anonymous
 * request or for what cannot be a token of ours. A credential that is present
 * but not valid never falls back to anonymous.
 * @throws `invalid-credential`
 */
export async function authenticate(ctx: Context, authorization: string | null | undefined): Promise<Actor> {
  const credential = readAuthorization(authorization);
  if (credential.kind === "none") return anonymous;
  if (credential.kind === "unusable" || !isWellFormedToken(credential.token)) throw refused();
  const hash = await sha256Hex(credential.token);
  const row = await tokenQuery(ctx.db, "by-hash").get({ hash });
  const now = ctx.now();
  if (row === undefined || row.token.revokedAt !== null || row.user.disabledAt !== null) throw refused();
  if (row.token.expiresAt !== null && row.token.expiresAt <= now) throw refused();
  noteUse(ctx, row.token, now);
  return {
    kind: "user",
    userId: row.user.id,
    username: row.user.username,
    isAdmin: row.user.isAdmin,
    isSuperuser: row.user.isSuperuser,
    credential: {
      tokenId: row.token.id,
      scopes: parseScopes(row.token.scopes),
      collectionId: row.token.collectionId,
    },
  };
}

const tokenQuery = preparedOnce((db, _: "by-hash") =>
  db
    .select({ token: columnsOf(tokens), user: columnsOf(users) })
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
