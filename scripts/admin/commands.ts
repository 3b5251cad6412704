/** Each command and the options it takes; what they may hold is checked by the registry. */
export const commands: Record<string, { takes: string; does: string }> = {
  "add-superuser": { takes: "--username NAME", does: "make a user a superuser; creates the user if need be" },
  "remove-superuser": { takes: "--username NAME", does: "take that away" },
  "add-admin": { takes: "--username NAME", does: "make a user an administrator; creates the user if need be" },
  "remove-admin": { takes: "--username NAME", does: "take that away" },
  "add-user": { takes: "--username NAME", does: "create a user, and the entity of the same name" },
  "disable-user": {
    takes: "--username NAME",
    does: "stop all of a user's or robot's tokens, keys and sessions at once",
  },
  "enable-user": { takes: "--username NAME", does: "let them work again" },
  "delete-user": { takes: "--username NAME", does: "delete a user who owns no collection" },
  "list-users": { takes: "", does: "list all users" },
  "add-robot": {
    takes: "--username NAME [--owner NAME | --team NAME] [--description TEXT]",
    does: "create a user who is no person, and works with tokens alone; it belongs to an administrator or a team",
  },
  "delete-robot": { takes: "--username NAME", does: "delete it, with its tokens and memberships" },
  "list-robots": { takes: "", does: "list all of them" },
  "list-teams": { takes: "", does: "list all teams" },
  "add-team": {
    takes: "--name NAME --owner NAME [--description TEXT] [--joining open|invitation]",
    does: "make a team that a user owns, and the entity of the same name",
  },
  "set-team-member": {
    takes: "--team NAME --username NAME --role owner|member|none",
    does: "put a user into a team, say what they are in it, or take them out",
  },
  "delete-team": { takes: "--name NAME", does: "delete a team with its collections and robots" },
  "add-token": {
    takes: "--username NAME [--name TEXT] [--scopes pull,push,manage] [--collection ENTITY/COLLECTION] [--days N]",
    does: "make an access token; it is printed once, alone on its line",
  },
  "list-tokens": { takes: "--username NAME", does: "list a user's tokens, without what could be used as one" },
  "revoke-token": { takes: "--username NAME --id ID", does: "end a token; the first 8 characters of its id will do" },
  "login-link": {
    takes: "--username NAME",
    does: "make a link that signs a user in once, within ten minutes; the ones they had end",
  },
  "add-key": {
    takes: "--username NAME",
    does: "make the key sregistry-cli signs with, in place of the one there was; it is printed once, alone on its line",
  },
  "list-keys": { takes: "", does: "list who has such a key, and which sealing secret it is sealed with" },
  "revoke-key": { takes: "--username NAME", does: "end it" },
  "reseal-keys": { takes: "", does: "seal all of them with the present SEALING_SECRET, after it was changed" },
  "set-quota": {
    takes: "--name NAME --bytes N|default",
    does: "say how many bytes a user or a team may hold; default is what the settings say",
  },
  "show-quota": { takes: "--name NAME", does: "show how many bytes a user or a team holds, and may hold" },
  "list-collections": { takes: "", does: "list all collections" },
  "set-visibility": {
    takes: "--collection ENTITY/COLLECTION --visibility public|internal|private",
    does: "say who may see a collection",
  },
  "set-member": {
    takes: "--collection ENTITY/COLLECTION --username NAME --role owner|contributor|reader|none [--team]",
    does: "give a user, or with --team a team, a role in a collection, or take it away",
  },
  "delete-collection": { takes: "--collection ENTITY/COLLECTION", does: "delete a collection and all its images" },
  "give-short-name": {
    takes: "--collection ENTITY/COLLECTION --name SHORT",
    does: "let two-part references find it; 'library' for one-part ones; '' takes the name away",
  },
  "free-name": {
    takes: "--kind entity|collection|short-name --name NAME",
    does: "let the name of something deleted be used again",
  },
  freeze: {
    takes: "--image REFERENCE [--arch ARCH]",
    does: "keep a tag, or by digest an image, from being replaced or deleted",
  },
  thaw: { takes: "--image REFERENCE [--arch ARCH]", does: "undo that" },
  "set-read-only": {
    takes: "--container ENTITY/COLLECTION/CONTAINER --value true|false",
    does: "keep a container as it is",
  },
  "add-topic": { takes: "--container ENTITY/COLLECTION/CONTAINER --topic TEXT", does: "give a container a topic tag" },
  "remove-topic": { takes: "--container ENTITY/COLLECTION/CONTAINER --topic TEXT", does: "take it away" },
  "list-topics": { takes: "", does: "list all topic tags, with how many containers have each" },
  "delete-image": { takes: "--image REFERENCE [--arch ARCH]", does: "delete a tag, or by digest an image" },
  "list-audit": {
    takes: "[--actor NAME] [--action ACTION] [--target NAME] [--since TIME] [--until TIME]",
    does: "show who did what, newest first; an ACTION ending in a dot is what actions begin with, a TIME like 2026-11-25",
  },
  "show-settings": {
    takes: "[--name NAME]",
    does: "show settings and where they come from; of secrets only whether they are set",
  },
  "set-setting": { takes: "--name NAME --value TEXT", does: "change a setting while the registry runs" },
  "reset-setting": { takes: "--name NAME", does: "go back to a setting's default" },
  register: {
    takes: "[--folder DIR] [--force]",
    does: "write the page that puts this registry on the list of Singularity registries",
  },
  verify: {
    takes: "--all | --image REFERENCE [--arch ARCH]",
    does: "read what is stored and hold it against its digests; what is damaged is marked, and heals when it is pushed again",
  },
  inspect: {
    takes: "--all | --again | --image REFERENCE [--arch ARCH]",
    does: "read the metadata of images: of those that nobody has read yet or that failed, of all again, or of one",
  },
  "rebuild-search": {
    takes: "",
    does: "make the search index anew; meanwhile searches find what is in it so far",
  },
  "check-integrity": { takes: "", does: "hold database and bucket against each other; reads only" },
};
