import { type Actor, accountIdsOf, isAdministrator, type Visibility } from "../../access/roles.ts";
import type { Settings } from "../settings.ts";

/*
 * Words of the index's column `facts`: letters and digits only, each one a token. They keep what the actor may not
 * see, or did not ask for, from using up the candidates. They are only hints, as old as the index: the main
 * database decides.
 */

export type DocumentKind = "entity" | "collection" | "container" | "image";

export const kindFact = (kind: DocumentKind): string => `k${kind}`;
export const visibilityFact = (visibility: Visibility): string => `v${visibility}`;
/** A person's, a robot's or a team's. */
export const accountFact = (accountId: string): string => `u${plain(accountId)}`;
export const collectionFact = (collectionId: string): string => `c${plain(collectionId)}`;
export const collectionNameFact = (entity: string, collection: string): string => `n${hex(`${entity}/${collection}`)}`;
export const archFact = (arch: string): string => `a${hex(arch)}`;
export const signedFact = (signed: boolean): string => (signed ? "s1" : "s0");

/** Any one of these words says that the actor may see a document; none where they may see none. Null for those who may see everything. */
export function seenBy(actor: Actor, { PRIVATE_ONLY }: Pick<Settings, "PRIVATE_ONLY">): string[] | null {
  const open = (...visibilities: Visibility[]) => (PRIVATE_ONLY ? [] : visibilities.map(visibilityFact));
  if (actor.kind === "anonymous") return open("public");
  if (actor.kind === "operator") return null;
  const { collectionId } = actor.credential;
  if (collectionId !== null) return [...open("public"), collectionFact(collectionId)];
  if (isAdministrator(actor)) return null;
  return [...open("public", "internal"), ...accountIdsOf(actor).map(accountFact)];
}

function plain(id: string): string {
  return id.replaceAll("-", "");
}

/** Names hold characters that would end a word. */
function hex(text: string): string {
  return Array.from(new TextEncoder().encode(text.toLowerCase()), (byte) => byte.toString(16).padStart(2, "0")).join(
    "",
  );
}
