import { eq, sql } from "drizzle-orm";
import type { Actor, Scope, UserActor } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import {
  isCurrent,
  isSigned,
  payloadOf,
  readSignature,
  type SignatureKind,
  type SignedHeader,
  type SignedNames,
  signatureEnd,
} from "../../formats/hmac.ts";
import { preparedOnce, type Statement } from "../../storage/db/client.ts";
import { columnsOf } from "../../storage/db/columns.ts";
import { guardChanged } from "../../storage/db/guard.ts";
import { sregistryKeys, usedSignatures, users } from "../../storage/db/schema/people.ts";
import type { Unsealed } from "../../storage/sealed.ts";
import { RegistryError } from "../errors.ts";
import { limits } from "../limits.ts";
import { authenticate } from "./authenticate.ts";
import { type KeyRow, openKey, resealKey } from "./sregistry-keys.ts";
import { teamPlaces } from "./team-places.ts";
import { actorOf, type Somebody } from "./user-actor.ts";

/** Which kinds of signature this registry takes, and what each lets its user do. */
const scopesOf = {
  push: ["push"],
  upload: ["push"],
  pull: ["pull"],
  delete: ["manage"],
} as const satisfies Partial<Record<SignatureKind, Scope[]>>;

export type TakenKind = keyof typeof scopesOf;

/** Whose key a signature must be made with. */
interface Signer extends Somebody {
  key: KeyRow;
  opened: Unsealed;
}

/** Whoever a request says it is from, whether that is proved already or only by the names still to come. */
export type Sender =
  | { kind: "known"; actor: Actor }
  /** The signer is null where there is none: that shows when the signature is checked, as a wrong one does. */
  | { kind: "signed"; header: SignedHeader; signer: Signer | null };

/** Who sends a request, and whether their credential is good for this one alone. */
export interface Authenticated {
  actor: Actor;
  /** A signature that works once: see `spendSignature`. */
  signature: string | null;
}

/**
 * Who sends a request that may be signed with a key for sregistry-cli, or carry an access token. One query,
 * none without a credential.
 * @param names what is signed, as the client typed it
 * @throws `invalid-credential`
 */
export async function authenticateSigned(
  ctx: Context,
  authorization: string | null | undefined,
  kind: TakenKind,
  names: SignedNames,
): Promise<Authenticated> {
  const sender = await findSender(ctx, authorization, kind);
  const actor = await verifySender(ctx, sender, [names]);
  return { actor, signature: sender.kind === "signed" ? sender.header.signature : null };
}

/**
 * All that can be said of a request before its names are known: for a body that is checked while it comes in.
 * The hour counts here, so that a long upload is not refused because it turned meanwhile.
 * @throws `invalid-credential`
 */
export async function findSender(
  ctx: Context,
  authorization: string | null | undefined,
  kind: TakenKind,
): Promise<Sender> {
  if (!isSigned(authorization)) return { kind: "known", actor: await authenticate(ctx, authorization) };
  const header = readSignature(authorization);
  if (header === null) throw refused("its header cannot be read.");
  if (header.kind !== kind) throw refused(`it is one for ${header.kind}, not for ${kind}.`);
  if (!isCurrent(header.timestamp, ctx.now())) throw refused("it is not of this hour. Is the clock right?");
  const row = await keyQuery(ctx.db, "by-username").get({ username: header.username.toLowerCase() });
  const opened = row === undefined || row.user.disabledAt !== null ? null : await openKey(ctx, row.key);
  return { kind: "signed", header, signer: row === undefined || opened === null ? null : { ...row, opened } };
}

/**
 * @param candidates names the client may have signed: it signs a collection's name as it was typed
 * @throws `invalid-credential`
 */
export async function verifySender(ctx: Context, sender: Sender, candidates: readonly SignedNames[]): Promise<Actor> {
  if (sender.kind === "known") return sender.actor;
  const { header, signer } = sender;
  if (signer === null) throw wrong();
  const { key, opened } = signer;
  const hmac = { name: "HMAC", hash: "SHA-256" };
  const encode = (given: string) => new TextEncoder().encode(given);
  const secret = await crypto.subtle.importKey("raw", encode(opened.text), hmac, false, ["verify"]);
  const signature = new Uint8Array(Buffer.from(header.signature, "hex"));
  for (const names of candidates) {
    // Compares in constant time.
    if (await crypto.subtle.verify("HMAC", secret, signature, encode(payloadOf(header, names)))) {
      noteUse(ctx, key, opened);
      return signedActor(ctx, signer, header.kind);
    }
  }
  throw wrong();
}

/**
 * Statements that let a signature work once, for the batch of the act it allows.
 * @throws (the batch) `already-so` when it was used before; `explainSpent` gives that its words
 */
export function spendSignature(ctx: Context, signature: string | null): Statement[] {
  if (signature === null) return [];
  const row = { signature, expiresAt: signatureEnd(ctx.now()) };
  return [ctx.db.insert(usedSignatures).values(row).onConflictDoNothing(), guardChanged(ctx.db, "already-so")];
}

export function explainSpent(thrown: unknown): unknown {
  const isSpent = thrown instanceof RegistryError && thrown.code === "already-so";
  return isSpent ? refused("it was used already, and one to delete works once. Try again in the next hour.") : thrown;
}

const keyQuery = preparedOnce((db, _: "by-username") =>
  db
    .select({ key: columnsOf(sregistryKeys), user: columnsOf(users), teams: teamPlaces })
    .from(users)
    .innerJoin(sregistryKeys, eq(sregistryKeys.userId, users.id))
    .where(eq(users.username, sql.placeholder("username")))
    .prepare(),
);

function signedActor(ctx: Context, { key, ...somebody }: Signer, kind: SignatureKind): UserActor {
  const scopes = new Set<Scope>(kind === "build" ? [] : scopesOf[kind]);
  const credential = { kind: "key" as const, id: key.id, scopes, collectionId: null };
  return actorOf(ctx, somebody, credential);
}

/** Written at most once an hour, outside the answer; a key that the previous secret sealed is sealed anew by the way. */
function noteUse(ctx: Context, key: KeyRow, opened: Unsealed): void {
  const now = ctx.now();
  if (!opened.isCurrent && ctx.settings.SEALING_SECRET !== null) {
    ctx.later(resealKey(ctx, key, opened.text));
  }
  if (key.lastUsedAt !== null && now - key.lastUsedAt < limits.tokenLastUsedSeconds * 1000) return;
  const isIt = eq(sregistryKeys.id, key.id);
  ctx.later(ctx.db.update(sregistryKeys).set({ lastUsedAt: now }).where(isIt).run());
}

/** The same whether there is no such user, no key, or another one. */
function wrong(): RegistryError {
  return refused("the username or the key is wrong, the key was replaced, or its user is disabled.");
}

function refused(why: string): RegistryError {
  return new RegistryError("invalid-credential", `The signature is not valid: ${why}`);
}
