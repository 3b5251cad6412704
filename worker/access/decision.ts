import type { ErrorCode } from "../registry/errors.ts";
import type { Actor, Scope } from "./roles.ts";

export type Refusal = Extract<
  ErrorCode,
  | "unauthenticated"
  | "not-found"
  | "forbidden"
  | "insufficient-scope"
  | "session-required"
  | "pushing-disabled"
  | "collections-disabled"
>;

export type Decision = { allowed: true; reason: string } | { allowed: false; code: Refusal };

export function allow(reason: string): Decision {
  return { allowed: true, reason };
}

export function refuse(code: Refusal): Decision {
  return { allowed: false, code };
}

/** An operator has every scope; whoever is anonymous none. */
export function hasScope(actor: Actor, scope: Scope): boolean {
  return actor.kind === "operator" || (actor.kind === "user" && actor.credential.scopes.has(scope));
}
