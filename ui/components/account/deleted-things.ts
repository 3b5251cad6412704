import type { Deletion } from "../../api/schema.d.ts";
import { counted, formatBytes } from "../../numbers.ts";

/** What deleting an account deletes, as a list for people. The account itself always is in it. */
export function deletedThings(deletes: Deletion["deletes"]): string[] {
  const { entities, collections, images, tags, bytes, tokens, sessions, identities, hasSregistryKey } = deletes;
  const { memberships, teams, invitations, publishers, shares, offers, stars, uploads } = deletes;
  return [
    "Your account, and everything the registry keeps about you as a person",
    ...entities.map((name) => `The entity ${name}`),
    ...collections.map((path) => `The collection ${path}`),
    ...(images > 0
      ? [`${counted(images, "image")} in them, ${formatBytes(bytes)}, under ${counted(tags, "tag")}`]
      : []),
    ...(tokens > 0 ? [counted(tokens, "access token")] : []),
    ...(hasSregistryKey ? ["Your key for sregistry-cli"] : []),
    ...(publishers > 0
      ? [`${counted(publishers, "publisher")}: pipelines that push in your name, or to what is deleted, stop`]
      : []),
    ...(shares > 0 ? [counted(shares, "share link")] : []),
    ...(uploads > 0 ? [`${counted(uploads, "push", "pushes")} under way`] : []),
    ...(offers > 0 ? [`${counted(offers, "offer")} of a collection, by you or to you`] : []),
    ...(memberships > 0 ? [`Your part in ${counted(memberships, "collection")} of others`] : []),
    ...(teams > 0 ? [`Your place in ${counted(teams, "team")}`] : []),
    ...(invitations > 0 ? [`${counted(invitations, "invitation")} into teams that you made`] : []),
    ...(stars > 0 ? [counted(stars, "star")] : []),
    ...(identities > 0 ? [`The links to ${counted(identities, "account")} you sign in with`] : []),
    ...(sessions > 0 ? [`${counted(sessions, "session")}: you are signed out everywhere`] : []),
  ];
}
