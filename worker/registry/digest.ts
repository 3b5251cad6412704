import { RegistryError } from "./errors.ts";

/** The SHA-256 of a file as the library protocol writes it: `sha256.` and 64 lower-case hexadecimal digits. */
export type Digest = `sha256.${string}`;

const pattern = /^sha256\.[0-9a-f]{64}$/;

export function isDigest(text: string): text is Digest {
  return pattern.test(text);
}

/** @throws `digest-invalid` */
export function parseDigest(text: string): Digest {
  if (!isDigest(text)) throw new RegistryError("digest-invalid");
  return text;
}

/** The 64 hexadecimal digits. */
export function digestHex(digest: Digest): string {
  return digest.slice("sha256.".length);
}

export function hexOf(bytes: ArrayBuffer | Uint8Array): string {
  const view = bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes);
  return Array.from(view, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** SHA-256 of a text's UTF-8 bytes, in hexadecimal. */
export async function sha256Hex(text: string): Promise<string> {
  return hexOf(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}
