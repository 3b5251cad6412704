import { hexOf } from "../registry/digest.ts";
import { RegistryError } from "../registry/errors.ts";
import type { Settings } from "../registry/settings.ts";
import { deriveBytes, derivedOnce } from "./derive-key.ts";

/*
 * Texts that must be read back, sealed at rest: base64url of
 *
 *     version (1 byte) | which secret (4 bytes) | IV (12 random bytes) | AES-256-GCM ciphertext and tag
 *
 * The context a text is sealed in (its purpose and the ids of its row) and the first two fields are the
 * additional data, so that no sealed text can be moved to another row.
 */

export type SealingSecrets = Pick<Settings, "SEALING_SECRET" | "SEALING_SECRET_PREVIOUS">;

export interface Unsealed {
  text: string;
  /** Whether the present secret sealed it; else the previous one did, and it is to be sealed anew. */
  isCurrent: boolean;
}

const VERSION = 1;
const KEY_ID_BYTES = 4;
const IV_BYTES = 12;
const HEADER_BYTES = 1 + KEY_ID_BYTES;

export function canSeal(secrets: SealingSecrets): boolean {
  return secrets.SEALING_SECRET !== null;
}

/** @throws `keys-disabled` where no SEALING_SECRET is set */
export async function seal(secrets: SealingSecrets, context: string, text: string): Promise<string> {
  if (secrets.SEALING_SECRET === null) throw new RegistryError("keys-disabled");
  const { id, key } = await sealingKey(secrets.SEALING_SECRET);
  const header = Uint8Array.of(VERSION, ...id);
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const cipher = { name: "AES-GCM", iv, additionalData: additionalData(header, context) };
  const sealed = await crypto.subtle.encrypt(cipher, key, new TextEncoder().encode(text));
  return Buffer.concat([header, iv, new Uint8Array(sealed)]).toString("base64url");
}

/** Null for what neither secret sealed in this context. */
export async function unseal(secrets: SealingSecrets, context: string, sealed: string): Promise<Unsealed | null> {
  const bytes = new Uint8Array(Buffer.from(sealed, "base64url"));
  const header = bytes.slice(0, HEADER_BYTES);
  const iv = bytes.slice(HEADER_BYTES, HEADER_BYTES + IV_BYTES);
  if (header[0] !== VERSION || iv.length < IV_BYTES) return null;
  for (const secret of [secrets.SEALING_SECRET, secrets.SEALING_SECRET_PREVIOUS]) {
    if (secret === null) continue;
    const { id, key } = await sealingKey(secret);
    if (hexOf(id) !== hexOf(header.slice(1))) continue;
    const cipher = { name: "AES-GCM", iv, additionalData: additionalData(header, context) };
    try {
      const text = await crypto.subtle.decrypt(cipher, key, bytes.slice(HEADER_BYTES + IV_BYTES));
      return { text: new TextDecoder().decode(text), isCurrent: secret === secrets.SEALING_SECRET };
    } catch {
      return null;
    }
  }
  return null;
}

function additionalData(header: Uint8Array, context: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.concat([header, new TextEncoder().encode(context)]));
}

interface SealingKey {
  /** Tells the secrets apart, and says nothing of them. */
  id: Uint8Array;
  key: CryptoKey;
}

const sealingKey = derivedOnce(async (secret): Promise<SealingKey> => {
  const bytes = await deriveBytes(secret, "sregistry-edge sealed text", 256);
  const key = await crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]);
  return { id: await deriveBytes(secret, "sregistry-edge sealed text key id", 8 * KEY_ID_BYTES), key };
});
