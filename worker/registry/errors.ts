/**
 * Everything that can go wrong, declared once. The text is what a client may
 * read; `RegistryError.detail` is for the log alone. Each protocol has a total
 * map from code to its own wire form, so a new code does not compile until
 * every protocol can say it.
 */
export const errorMessages = {
  unauthenticated: "Sign in first: this needs an access token.",
  "invalid-credential": "The access token is not valid: it is unknown, expired, revoked, or its user is disabled.",
  "insufficient-scope": "The access token does not allow this.",
  "session-required": "Sign in with a browser for this: an access token is not enough.",
  "terms-required": "Agree to the terms of this registry first, on its page /terms.",
  forbidden: "You are not allowed to do this.",
  "not-found": "Not found.",
  "no-such-route": "There is nothing at this address.",

  "reference-invalid": "The reference is not valid.",
  "name-invalid": "The name is not valid.",
  "name-reserved": "This name is reserved.",
  "name-taken": "This name is taken.",
  "tag-invalid": "The tag is not valid.",
  "topic-invalid": "The topic is not valid.",
  "digest-invalid": "The digest is not valid: it must be sha256. and 64 lower-case hexadecimal digits.",
  "query-invalid": "The query is not valid.",
  "body-invalid": "The request body is not valid.",
  "body-too-large": "The request body is too large.",
  "length-required": "The request needs a Content-Length.",
  conflict: "Someone else changed this at the same time. Try again.",
  "precondition-required": "Say which state you are changing: send its ETag as If-Match.",
  "precondition-failed": "This was changed since you looked. Look again, and repeat the change if it still fits.",
  "limit-reached": "There are as many of these as this registry allows.",

  "pushing-disabled": "This registry takes no pushes at the moment.",
  "collections-disabled": "On this registry only administrators create collections.",
  "collection-limit": "You own as many collections as this registry allows.",
  "people-from-teams":
    "On this registry a collection's people are chosen from its owners' teams: there is nobody of that name in yours.",
  "last-owner": "A team needs an owner. Make somebody else one first.",
  "quota-exceeded": "There is not enough space left for this.",
  "share-ended": "This share link has ended. Ask whoever gave it to you for another one.",
  "picture-invalid": "A picture must be a PNG, JPEG or WebP file.",
  "topic-limit": "This container has as many topics as this registry allows.",
  "private-only": "On this registry every collection is private.",
  frozen: "This is frozen and cannot be replaced or deleted.",
  "tag-frozen": "This tag exists, and is frozen.",
  "read-only": "This container is read-only.",

  "image-too-large": "The image is too large.",
  "size-mismatch": "The number of bytes is not what was announced.",
  "digest-mismatch": "The bytes do not have the announced SHA-256.",
  "upload-expired": "This upload URL has expired. Push again.",
  "upload-used": "This upload URL was used already. Push again.",
  "upload-incomplete": "The bytes of this image have not arrived. Push again.",
  "upload-ended": "There is no such upload any more: it was completed, aborted, or has expired. Push again.",
  "parts-invalid": "The parts are not those of this upload.",
  verifying: "This image has arrived and is being verified. Try again in a moment.",
  "verification-failed": "The registry could not read the image back to verify it. Push it again.",
  "image-corrupt": "The stored bytes of this image are damaged. Pushing it again heals it.",
  "sif-invalid": "The file is not a SIF image.",
  "sif-unsupported": "This kind of SIF image is not supported.",
  "architecture-mismatch": "The image was built for another architecture.",

  "capability-invalid": "This URL is not valid.",
  "capability-expired": "This URL has expired.",
  "range-not-satisfiable": "The requested range cannot be served.",

  "cross-site": "This request came from another web site, and was not carried out.",
  "https-required": "Signing in needs https: browsers keep the cookie of a sign-in on https and on this machine only.",
  "sign-in-failed": "Signing in did not work. Begin again.",
  "sign-in-expired": "This attempt to sign in has expired, or was begun in another browser. Begin again.",
  "not-admitted": "This registry does not take new users from there. Ask its administrator.",
  "identity-taken": "This account is linked to a user already.",
  "last-identity": "This is the last account you can sign in with. Link another one first.",
  "link-ended": "This link is not valid: it was used already, or has expired. Ask for another one.",
  "provider-unavailable": "The identity provider does not answer as it should. Try again later.",
  "publisher-refused": "No publisher of this collection matches this token.",

  "setting-locked": "This setting is given by the environment, which goes before what is set here.",
  "setting-invalid": "This value is not allowed for this setting.",

  "keys-disabled": "This registry keeps no keys for sregistry-cli: its administrator must set SEALING_SECRET.",

  "already-so": "Nothing to change: it is so already.",
  "rate-limited": "Too many attempts. Wait a little.",
  misdirected: "This registry does not know its public address: its administrator must set PUBLIC_ORIGIN.",
  misconfigured: "This registry is not configured: its administrator finds the reasons in the log.",
  unavailable: "The registry is overloaded. Try again in a few seconds.",
  internal: "Something went wrong on our side. It was logged.",
} as const satisfies Record<string, string>;

export type ErrorCode = keyof typeof errorMessages;

export const errorCodes = Object.keys(errorMessages) as ErrorCode[];

export class RegistryError extends Error {
  override readonly name = "RegistryError";
  readonly code: ErrorCode;
  /** For the log, never for a client. */
  readonly detail: string | undefined;

  /** @param publicMessage what the client reads; the table's sentence by default */
  constructor(code: ErrorCode, publicMessage?: string, options: { detail?: string; cause?: unknown } = {}) {
    super(publicMessage ?? errorMessages[code], options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.detail = options.detail;
  }
}

/** Gives any thrown value a code. Whatever is not ours is `unavailable` (an overloaded database), `conflict` or `internal`. */
export function toRegistryError(thrown: unknown): RegistryError {
  if (thrown instanceof RegistryError) return thrown;
  const text = describe(thrown);
  // A row that was there when this request looked is gone: somebody deleted it in between.
  if (/FOREIGN KEY constraint failed/.test(text)) return new RegistryError("conflict", undefined, { cause: thrown });
  // D1 says these when its queue is full, a query was cut, or its object moved (D1's error list, 2026).
  const isOverload = /overloaded|D1 DB reset|storage operation exceeded timeout|Network connection lost/i.test(text);
  return new RegistryError(isOverload ? "unavailable" : "internal", undefined, { detail: text, cause: thrown });
}

/** The messages of an error and its causes, for the log. Of a failed statement not the values in it: people sent them. */
export function describe(thrown: unknown): string {
  const parts: string[] = [];
  let current: unknown = thrown;
  for (let depth = 0; depth < 5 && current !== undefined; depth++) {
    const text = current instanceof Error ? `${current.name}: ${current.message}` : String(current);
    // As drizzle's DrizzleQueryError ends.
    parts.push(text.replace(/\nparams: .*$/s, ""));
    current = current instanceof Error ? current.cause : undefined;
  }
  return parts.join(" <- ");
}
