import { createHmac } from "node:crypto";
import type { Settings } from "../registry/settings.ts";

/**
 * Stands for a network address where it must not be readable: equal addresses have equal hashes until the signing
 * secret changes. Keyed, because there are few enough addresses to try them all.
 */
export function hashAddress({ SIGNING_SECRET }: Pick<Settings, "SIGNING_SECRET">, address: string): string {
  return createHmac("sha256", SIGNING_SECRET)
    .update(`sregistry-edge network address ${address}`)
    .digest("hex")
    .slice(0, 16);
}
