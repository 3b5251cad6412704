import type { ErrorCode } from "./errors.ts";

/** The way out of everything that can go wrong: what whoever reads the error does next. */
export const errorHelp: Readonly<Record<ErrorCode, string>> = {
  unauthenticated: "Sign in with your browser, or send an access token as `Authorization: Bearer TOKEN`.",
  "invalid-credential": "Sign in again, or make a new token on the page /auth/tokens and use that one.",
  "insufficient-scope":
    "Use a token with the scope that this needs, and for this collection. The page /auth/tokens makes them.",
  "session-required": "Open the registry in your browser, sign in, and do it there.",
  "terms-required": "Sign in with your browser, read the terms and agree to them. Your tokens work again after that.",
  forbidden: "Ask an owner of the collection, or an administrator of the registry, to do it or to let you.",
  "not-found": "Look at how it is spelled. Where it may be private, sign in with an account that may see it.",
  "no-such-route": "Look at the address and the method. The page /api/docs lists what there is.",

  "reference-invalid": "Write it as ENTITY/COLLECTION/CONTAINER:TAG, with letters, digits, `.`, `-` and `_`.",
  "name-invalid":
    "Choose a name of letters and digits, with single `.`, `-` or `_` between them, of at most 80 characters.",
  "name-reserved": "Choose another name: this one is a part of the registry's own addresses.",
  "name-taken": "Choose another name.",
  "tag-invalid": "Choose a tag of letters, digits, `.`, `-` and `_`, of at most 128 characters.",
  "topic-invalid": "Choose a topic of 1 to 50 printable characters, without commas and slashes.",
  "digest-invalid": "Give the whole digest, as the registry shows it.",
  "query-invalid": "Correct the parameters that are named. The page /api/docs says what each may be.",
  "body-invalid": "Correct the fields that are named. The page /api/docs says what each may be.",
  "body-too-large": "Send less at once. Images go to an address of their own, not into a JSON body.",
  "length-required": "Use a client that says how long the body is.",
  conflict: "Look at what there is now, and repeat the change if it still fits.",
  "precondition-required":
    "Ask for the state first, and send the ETag of the answer with the change. `*` stands for whichever it is, but not where something is destroyed: there it must be the ETag of the preview (`?preview=1`).",
  "precondition-failed": "Ask for the state again, and send the new ETag.",
  "limit-reached":
    "End one that nobody needs any more, and try again. Where none is yours to end, as in a team that is full, ask its owners.",

  "pushing-disabled": "Wait until an administrator lets pushes in again. Pulling goes on.",
  "collections-disabled": "Ask an administrator to create the collection and to make you its owner.",
  "collection-limit": "Use a collection that you have, delete one, or ask an administrator.",
  "people-from-teams": "Choose somebody from a team of yours, or invite them to it first.",
  "last-owner": "Make another member of the team an owner, or delete the team.",
  "quota-exceeded": "Delete images that nobody needs any more, or ask an administrator for more space.",
  "share-ended": "Ask whoever gave it to you for another one.",
  "picture-invalid": "Send the file itself as the body: PNG, JPEG or WebP, of at most 1 MiB.",
  "topic-limit": "Take a topic away first.",
  "private-only": "Keep it private, and make those who need it members of the collection.",
  frozen: "Push under another tag, or ask an owner to unfreeze it.",
  "tag-frozen": "Push under another tag, or ask an owner to unfreeze this one.",
  "read-only": "Push to another container, or ask an owner.",

  "image-too-large": "Make the image smaller, or ask an administrator for a higher limit.",
  "size-mismatch": "Push again: something was cut off or added on the way.",
  "digest-mismatch": "Push again: something was changed on the way, or the file while it was sent.",
  "upload-expired": "Push again.",
  "upload-used": "Push again.",
  "upload-incomplete": "Push again.",
  "upload-ended": "Push again.",
  "parts-invalid": "Push again with an unchanged client.",
  verifying: "Try again when the time in `Retry-After` has passed.",
  "verification-failed": "Push again. If that fails too, tell an administrator.",
  "image-corrupt": "Push the same image again, or tell its owner.",
  "sif-invalid": "Push the file that `apptainer build` made.",
  "sif-unsupported": "Build the image with a current Apptainer or SingularityCE.",
  "architecture-mismatch": "Leave the architecture out, or give the one that the image was built for.",

  "capability-invalid": "Begin the pull or push again: it gets a new URL.",
  "capability-expired": "Begin the pull or push again: it gets a new URL.",
  "range-not-satisfiable": "Ask for a part that lies within the file.",

  "cross-site": "Open the registry itself and do it there. Scripts send an access token instead of a cookie.",
  "https-required": "Open the registry by its https address, or ask its administrator for one.",
  "sign-in-failed": "Begin again. If it happens again, tell an administrator the request's id.",
  "sign-in-expired": "Begin again in one browser, and come back within ten minutes.",
  "not-admitted": "Ask an administrator to add you, or sign in with another account.",
  "identity-taken": "Sign in with that account, or unlink it there first.",
  "last-identity": "Link another account, then unlink this one.",
  "link-ended":
    "Ask whoever gave it to you for a new one. Owners of a team make invitations, and administrators links to sign in: `npm run admin -- login-link`.",
  "provider-unavailable":
    "Try again later, or sign in with another provider. Administrators find the reason in the log.",
  "publisher-refused": "Compare the pipeline's repository and ref with the publishers of the collection.",

  "setting-locked": "Change it where the registry is deployed, or remove it there to set it here.",
  "setting-invalid": "Look at what the setting may be: its description says it.",

  "keys-disabled": "Ask an administrator to set SEALING_SECRET, or use an access token with another client.",

  "already-so": "There is nothing to do.",
  "rate-limited": "Wait as long as `Retry-After` says, then try again.",
  misdirected: "Use the address that the registry's administrator gave you.",
  misconfigured: "Tell an administrator.",
  unavailable: "Try again when the time in `Retry-After` has passed.",
  internal: "Try again. If it happens again, tell an administrator the request's id.",
};
