/**
 * Bytes of a secret for one purpose: HKDF-SHA-256, without a salt, as the secrets are random.
 * @param purpose tells them from those for every other one
 */
export async function deriveBytes(secret: string, purpose: string, bits: number): Promise<Uint8Array<ArrayBuffer>> {
  const encode = (text: string) => new TextEncoder().encode(text);
  const root = await crypto.subtle.importKey("raw", encode(secret), "HKDF", false, ["deriveBits"]);
  const how = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: encode(purpose) };
  return new Uint8Array(await crypto.subtle.deriveBits(how, root, bits));
}

/** What is derived from a secret, once: deriving costs more than using it, and secrets do not change while an isolate lives. */
export function derivedOnce<Key>(derive: (secret: string) => Promise<Key>): (secret: string) => Promise<Key> {
  const derived = new Map<string, Promise<Key>>();
  return (secret) => {
    const key = derived.get(secret) ?? derive(secret);
    derived.set(secret, key);
    return key;
  };
}
