import type { JSONWebKeySet } from "jose";
import * as z from "zod";
import { describe, RegistryError } from "../registry/errors.ts";
import { limits } from "../registry/limits.ts";
import { boundedFetch } from "./bounded-fetch.ts";

/* The keys an issuer signs with, as its discovery document leads to them. Kept for a while, by this isolate alone. */

const discoverySchema = z.object({ issuer: z.string(), jwks_uri: z.url() });
const keysSchema = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).max(100) });

// Only issuers of the settings are ever looked up, so it holds no more than those.
const known = new Map<string, { keys: JSONWebKeySet; fetchedAt: number }>();

/**
 * The keys of an issuer. They are fetched anew when they are old, and when none has this id: but not at once again,
 * because anybody can make up an id.
 * @param issuer one of the settings': it is asked whatever it is
 * @throws `provider-unavailable`
 */
export async function keysOf(issuer: string, kid: string, now: number): Promise<JSONWebKeySet> {
  const at = known.get(issuer);
  const age = at === undefined ? Number.POSITIVE_INFINITY : now - at.fetchedAt;
  const isThere = at?.keys.keys.some((key) => key.kid === kid) === true;
  const goodFor = isThere ? limits.providerCacheSeconds : limits.keysRefreshSeconds;
  if (at !== undefined && age >= 0 && age < goodFor * 1000) return at.keys;
  const keys = await fetchKeys(issuer);
  known.set(issuer, { keys, fetchedAt: now });
  return keys;
}

async function fetchKeys(issuer: string): Promise<JSONWebKeySet> {
  try {
    const base = issuer.replace(/\/$/, "");
    const discovery = discoverySchema.parse(await fetchJson(`${base}/.well-known/openid-configuration`));
    if (discovery.issuer !== issuer) throw new Error("its discovery document is that of another issuer");
    const isSameOrigin = new URL(discovery.jwks_uri).origin === new URL(issuer).origin;
    if (!isSameOrigin) throw new Error("its keys are somewhere else");
    return keysSchema.parse(await fetchJson(discovery.jwks_uri)) as JSONWebKeySet;
  } catch (thrown) {
    const detail = `${issuer}: ${describe(thrown)}`;
    throw new RegistryError(
      "provider-unavailable",
      `${issuer} does not say which keys it signs with. Try again later.`,
      {
        detail,
      },
    );
  }
}

/** @throws whatever goes wrong: redirects and everything but 200, too many bytes, too late, no JSON */
async function fetchJson(url: string): Promise<unknown> {
  const response = await boundedFetch(url, { headers: { Accept: "application/json" } });
  if (response.status !== 200) throw new Error(`it answered ${response.status}`);
  return await response.json();
}
