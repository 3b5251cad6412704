import { EncryptJWT, errors, jwtDecrypt } from "jose";
import * as z from "zod";
import { hexOf, isDigest } from "../registry/digest.ts";
import { RegistryError } from "../registry/errors.ts";
import type { Settings } from "../registry/settings.ts";
import { deriveBytes, derivedOnce } from "./derive-key.ts";

const objectKey = z.string().min(1);
const sizeBytes = z.int().positive();
const digest = z.string().refine(isDigest);

/** What each kind of capability says. */
const claims = {
  /** Read an object. `isPublic`: anybody could, when it was signed, so that its bytes may be cached for all. */
  download: z.object({ objectKey, sizeBytes, digest, isPublic: z.boolean() }),
  /** Write an object in one piece. */
  upload: z.object({ objectKey, sizeBytes, digest }),
  /** Ask for the parts' URLs of one multipart upload, and end it. For the user it was given to. */
  multipart: z.object({
    uploadId: z.string(),
    imageId: z.string(),
    userId: z.string(),
    objectKey,
    sizeBytes,
    /** R2's id of it. */
    multipartId: z.string(),
    partBytes: sizeBytes,
    /** What `decide` knew when it began. */
    facts: z.object({
      collectionId: z.string(),
      visibility: z.enum(["public", "internal", "private"]),
      entityOwnerId: z.string(),
      grant: z.object({ role: z.enum(["owner", "contributor", "reader"]), to: z.string() }).nullable(),
    }),
  }),
  /** Upload one image by sregistry's form, for the user it was given to. `typed` is what its signature names. */
  "sregistry-push": z.object({ userId: z.string(), collectionId: z.string(), typed: z.string() }),
  /** Come back from an identity provider, in the browser that went there. `sessionId`: to link an account to its user. */
  "sign-in": z.object({
    provider: z.string(),
    state: z.string(),
    nonce: z.string(),
    verifier: z.string(),
    next: z.string(),
    sessionId: z.string().nullable(),
  }),
  /** Become a user with this account of a provider's. `isAdmin`: its claims make an administrator. */
  registration: z.object({
    provider: z.string(),
    issuer: z.string(),
    subject: z.string(),
    name: z.string(),
    email: z.string().nullable(),
    emailVerified: z.boolean(),
    suggestedName: z.string(),
    isAdmin: z.boolean(),
  }),
  /** Write one part of one multipart upload. */
  part: z.object({ objectKey, multipartId: z.string(), partNumber: z.int().positive(), sizeBytes }),
} as const;

export type Audience = keyof typeof claims;

export type Claims<For extends Audience> = z.output<(typeof claims)[For]>;

export interface Lifetime {
  /** When it ends, in milliseconds; kept to the second. */
  expiresAt: number;
  /** When the bytes were published, or the upload began, in milliseconds; kept to the second. */
  since: number;
}

type Secrets = Pick<Settings, "SIGNING_SECRET" | "SIGNING_SECRET_PREVIOUS">;

/** The key is used as it is, for a cipher that also signs. */
const algorithms = { alg: "dir", enc: "A256CBC-HS512" } as const;

/**
 * Upload and download URLs are bearer capabilities: a JWE of what it is good for and when it ends. It is
 * encrypted because keys tell: who compared the key they uploaded to with the one they download from would
 * learn whether the registry held that content already. The header names the secret it was made with, so
 * that secrets can be changed. Nothing is looked up to honour one.
 */
export async function signCapability<For extends Audience>(
  secrets: Secrets,
  audience: For,
  said: Claims<For>,
  { expiresAt, since }: Lifetime,
): Promise<string> {
  const { kid, key } = await signingKey(secrets.SIGNING_SECRET);
  // Parsed, so that nothing else of what the caller holds gets into it.
  return await new EncryptJWT({ may: claims[audience].parse(said) })
    .setProtectedHeader({ ...algorithms, kid })
    .setAudience(audience)
    .setIssuedAt(Math.floor(since / 1000))
    .setExpirationTime(Math.ceil(expiresAt / 1000))
    .encrypt(key);
}

/** @throws `capability-expired`, `capability-invalid` (forged, malformed, or for something else) */
export async function openCapability<For extends Audience>(
  secrets: Secrets,
  audience: For,
  token: string,
  now: number,
): Promise<Claims<For> & Lifetime> {
  try {
    const { payload } = await jwtDecrypt(token, async ({ kid }) => await keyNamed(secrets, kid), {
      keyManagementAlgorithms: [algorithms.alg],
      contentEncryptionAlgorithms: [algorithms.enc],
      audience,
      currentDate: new Date(now),
    });
    const { exp, iat, may } = envelope.parse(payload);
    const said = claims[audience].parse(may) as Claims<For>;
    return { ...said, expiresAt: exp * 1000, since: iat * 1000 };
  } catch (thrown) {
    const code = thrown instanceof errors.JWTExpired ? "capability-expired" : "capability-invalid";
    throw new RegistryError(code, undefined, { cause: thrown });
  }
}

const envelope = z.object({ exp: z.int(), iat: z.int(), may: z.unknown() });

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

const signingKey = derivedOnce(async (secret): Promise<SigningKey> => {
  const key = await deriveBytes(secret, "sregistry-edge blob url", 512);
  const kid = hexOf(await deriveBytes(secret, "sregistry-edge blob url key id", 32));
  return { kid, key };
});
