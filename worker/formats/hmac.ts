/**
 * The Authorization header that sregistry-cli signs its requests with (0.2.39, main/registry/auth.py). Pure:
 * whatever is not one is null.
 */
export type SignatureKind = "push" | "upload" | "pull" | "delete" | "build";

/** What a header claims. Nothing of it is proved before the signature was checked. */
export interface SignedHeader {
  kind: SignatureKind;
  username: string;
  /** The hour it was signed in, in UTC: `20240102T03Z`. */
  timestamp: string;
  /** HMAC-SHA256 of the payload, as 64 lower-case hexadecimal digits. */
  signature: string;
}

/** The names that are signed, as the client has them. */
export interface SignedNames {
  collection: string;
  container: string;
  tag: string;
}

const SCHEME = "SREGISTRY-HMAC-SHA256";
const HOUR_MS = 3_600_000;
/** How far a client's clock may be ahead. */
const AHEAD_MS = 5 * 60_000;
const kinds: readonly SignatureKind[] = ["push", "upload", "pull", "delete", "build"];

/** Whether a header is meant to be a signature at all. The scheme's case does not matter. */
export function isSigned(header: string | null | undefined): header is string {
  return header?.trim().split(/\s/, 1)[0]?.toUpperCase() === SCHEME;
}

/** Reads `SREGISTRY-HMAC-SHA256 Credential=KIND/USER64/TIMESTAMP,Signature=HEX`. */
export function readSignature(header: string): SignedHeader | null {
  const parts = /^\s*\S+\s+Credential=([^,\s]+),\s*Signature=([0-9a-f]{64})\s*$/.exec(header);
  if (parts === null || !isSigned(header)) return null;
  const [, credential = "", signature = ""] = parts;
  // A name in base64 may hold slashes itself.
  const [first, last] = [credential.indexOf("/"), credential.lastIndexOf("/")];
  if (first === last) return null;
  const kind = kinds.find((known) => known === credential.slice(0, first));
  const username = decodeName(credential.slice(first + 1, last));
  const timestamp = credential.slice(last + 1);
  if (kind === undefined || username === null || !/^\d{8}T\d{2}Z$/.test(timestamp)) return null;
  return { kind, username, timestamp, signature };
}

/** What is signed. The bar at its end belongs to it. */
export function payloadOf(
  { kind, timestamp }: Pick<SignedHeader, "kind" | "timestamp">,
  { collection, container, tag }: SignedNames,
): string {
  return `${kind}|${collection}|${timestamp}|${container}|${tag}|`;
}

/** The hour of a time in milliseconds, as it is signed. */
export function timestampOf(at: number): string {
  return `${new Date(at).toISOString().slice(0, 13).replaceAll("-", "")}Z`;
}

/**
 * Whether an hour is this one or the one before: a client must not fail because the hour turned on the way. In its
 * last minutes the next one is, for clocks that are ahead.
 */
export function isCurrent(timestamp: string, now: number): boolean {
  return [now, now - HOUR_MS, now + AHEAD_MS].some((at) => timestampOf(at) === timestamp);
}

/** From when on no signature that is current now is so any more, in milliseconds. */
export function signatureEnd(now: number): number {
  return (Math.floor((now + AHEAD_MS) / HOUR_MS) + 2) * HOUR_MS;
}

function decodeName(base64: string): string | null {
  try {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    const name = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return name === "" ? null : name;
  } catch {
    return null;
  }
}
