import { EncryptJWT, errors, jwtDecrypt } from "jose";
import * as z from "zod";
import { type Digest, hexOf, isDigest } from "../registry/digest.ts";
import { RegistryError } from "../registry/errors.ts";
import type { Settings } from "../registry/settings.ts";

/**
 * Upload and download URLs are bearer capabilities: a JWE (A256CBC-HS512,
 * which also signs) of the object's key, its size and digest, what it is for,
 * and when it ends. It is encrypted because keys tell: who compared the key he
 * uploaded to with the one he downloads from would learn whether the registry
 * held that content already. The header names the secret it was made with, so
 * that secrets can be changed. Nothing is looked up to honour one.
 */
export interface Capability {
  audience: "download" | "upload";
  objectKey: string;
  sizeBytes: number;
  digest: Digest;
  /** When it ends, in milliseconds; kept to the second. */
  expiresAt: number;
  /** When the bytes were published, or the upload began, in milliseconds; kept to the second. */
  modifiedAt: number;
}

type Secrets = Pick<Settings, "SIGNING_SECRET" | "SIGNING_SECRET_PREVIOUS">;

const algorithms = { alg: "dir", enc: "A256CBC-HS512" } as const;

const claims = z.object({
  key: z.string().min(1),
  size: z.int().positive(),
  sha: z.string().refine(isDigest),
  exp: z.int(),
  iat: z.int(),
});

export async function signCapability(secrets: Secrets, capability: Capability): Promise<string> {
  const { kid, key } = await signingKey(secrets.SIGNING_SECRET);
  const { objectKey, sizeBytes, digest, audience, expiresAt, modifiedAt } = capability;
  return await new EncryptJWT({ key: objectKey, size: sizeBytes, sha: digest })
    .setProtectedHeader({ ...algorithms, kid })
    .setAudience(audience)
    .setIssuedAt(Math.floor(modifiedAt / 1000))
    .setExpirationTime(Math.ceil(expiresAt / 1000))
    .encrypt(key);
}

/** @throws `capability-expired`, `capability-invalid` (forged, malformed, or for something else) */
export async function openCapability(
  secrets: Secrets,
  audience: Capability["audience"],
  token: string,
  now: number,
): Promise<Capability> {
  try {
    const { payload } = await jwtDecrypt(token, async ({ kid }) => await keyNamed(secrets, kid), {
      keyManagementAlgorithms: [algorithms.alg],
      contentEncryptionAlgorithms: [algorithms.enc],
      audience,
      currentDate: new Date(now),
    });
    const { key, size, sha, exp, iat } = claims.parse(payload);
    const times = { expiresAt: exp * 1000, modifiedAt: iat * 1000 };
    return { audience, objectKey: key, sizeBytes: size, digest: sha, ...times };
  } catch (thrown) {
    const code = thrown instanceof errors.JWTExpired ? "capability-expired" : "capability-invalid";
    throw new RegistryError(code, undefined, { cause: thrown });
  }
}

async function keyNamed(secrets: Secrets, kid: string | undefined): Promise<Uint8Array> {
  for (const secret of [secrets.SIGNING_SECRET, secrets.SIGNING_SECRET_PREVIOUS]) {
    if (secret === null) continue;
    const candidate = await signingKey(secret);
    if (candidate.kid === kid) return candidate.key;
  }
  throw new RegistryError("capability-invalid");
}

interface SigningKey {
  kid: string;
  key: Uint8Array;
}

// Deriving costs more than signing, and the secrets do not change while an isolate lives.
const derived = new Map<string, Promise<SigningKey>>();

function signingKey(secret: string): Promise<SigningKey> {
  const known = derived.get(secret) ?? deriveKey(secret);
  derived.set(secret, known);
  return known;
}

async function deriveKey(secret: string): Promise<SigningKey> {
  const root = await crypto.subtle.importKey("raw", new TextEncoder().encode(secret), "HKDF", false, ["deriveBits"]);
  const purpose = (info: string) => ({
    name: "HKDF",
    hash: "SHA-256",
    salt: new Uint8Array(),
    info: new TextEncoder().encode(info),
  });
  const key = new Uint8Array(await crypto.subtle.deriveBits(purpose("sregistry-edge blob url"), root, 512));
  const kid = hexOf(await crypto.subtle.deriveBits(purpose("sregistry-edge blob url key id"), root, 32));
  return { kid, key };
}
