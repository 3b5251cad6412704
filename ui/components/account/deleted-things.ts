import type { Deletion } from "../../api/schema.d.ts";
import { counted, formatBytes } from "../../numbers.ts";

/** What deleting an account deletes, as a list for people. The account itself always is in it. */
export function deletedThings(deletes: Deletion["deletes"]): string[] {
  const { collections, images, bytes, tokens, sessions, identities, hasSregistryKey, memberships } = deletes;
  const { teams, publishers, shares } = deletes;
  return [
    "Your account, and everything the registry keeps about you as a person",
    ...collections.map((path) => `The collection ${path}`),
    ...(images > 0 ? [`${counted(images, "image")} in them, ${formatBytes(bytes)}`] : []),
    ...(tokens > 0 ? [counted(tokens, "access token")] : []),
    ...(hasSregistryKey ? ["Your key for sregistry-cli"] : []),
    ...(publishers > 0 ? [`${counted(publishers, "publisher")}: pipelines that push in your name stop`] : []),
    ...(shares > 0 ? [counted(shares, "share link")] : []),
    ...(memberships > 0 ? [`Your part in ${counted(memberships, "collection")} of others`] : []),
    ...(teams > 0 ? [`Your place in ${counted(teams, "team")}`] : []),
    ...(identities > 0 ? [`The links to ${counted(identities, "account")} you sign in with`] : []),
    ...(sessions > 0 ? [`${counted(sessions, "session")}: you are signed out everywhere`] : []),
  ];
}
