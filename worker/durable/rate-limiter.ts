import { DurableObject } from "cloudflare:workers";

const MINUTE_MS = 60_000;

/**
 * Counts events of one key (the object's name) with the generic cell rate
 * algorithm: one timestamp, no timers. It lives in memory alone: an eviction
 * forgives, which is right for something that is only a brake.
 */
export class RateLimiter extends DurableObject {
  /** When the bucket will be empty again, in milliseconds. */
  #emptyAt = 0;

  /** Counts one event; answers whether it is within so many a minute, bursts of that many included. */
  count(perMinute: number): boolean {
    const now = Date.now();
    const next = Math.max(this.#emptyAt, now) + MINUTE_MS / perMinute;
    if (next - now > MINUTE_MS) return false;
    this.#emptyAt = next;
    return true;
  }
}
