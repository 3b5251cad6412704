import { crc32 } from "node:zlib";
import { limits } from "../registry/limits.ts";

/** What a request presents, before anything is looked up. */
export type Credential = { kind: "none" } | { kind: "token"; token: string } | { kind: "unusable" };

const TOKEN_PREFIX = "sreg_";
const bodyLength = Math.ceil((limits.tokenRandomBytes * 4) / 3);
const tokenPattern = new RegExp(`^${TOKEN_PREFIX}[A-Za-z0-9_-]{${bodyLength}}[0-9a-f]{8}$`);

/**
 * Reads an Authorization header. The scheme's case does not matter, and
 * `Bearer` with nothing after it is anonymous: apptainer's key commands send
 * that when logged out (1.4.5).
 */
export function readAuthorization(header: string | null | undefined): Credential {
  const text = header?.trim() ?? "";
  if (text === "") return { kind: "none" };
  const [scheme, ...rest] = text.split(/\s+/);
  if (scheme?.toLowerCase() !== "bearer" || rest.length > 1) return { kind: "unusable" };
  const token = rest[0] ?? "";
  if (token === "") return { kind: "none" };
  return token.length <= limits.tokenMaxLength ? { kind: "token", token } : { kind: "unusable" };
}

/**
 * A new token: `sreg_`, 200 characters of base64url, and the CRC-32 of those as
 * eight hexadecimal digits. Long because `apptainer remote login --tokenfile`
 * refuses fewer than 200 characters; the prefix and the checksum let secret
 * scanners find it and let us refuse a mistyped one without a look-up.
 */
export function newToken(): string {
  const random = crypto.getRandomValues(new Uint8Array(limits.tokenRandomBytes));
  const body = Buffer.from(random).toString("base64url");
  return `${TOKEN_PREFIX}${body}${checksum(body)}`;
}

/** Whether a text can be a token of ours at all. Says nothing of its validity. */
export function isWellFormedToken(text: string): boolean {
  if (!tokenPattern.test(text)) return false;
  return checksum(text.slice(TOKEN_PREFIX.length, -8)) === text.slice(-8);
}

function checksum(body: string): string {
  return crc32(body).toString(16).padStart(8, "0");
}
