import { RegistryError } from "./registry/errors.ts";
import type { Settings } from "./registry/settings.ts";

type NetworkSettings = Pick<Settings, "PUBLIC_ORIGIN" | "TRUST_PROXY">;

/**
 * The one address of the registry that its answers may contain: the configured
 * one; behind a trusted proxy what that says; else the request's own, on
 * loopback only, because any client can write any Host.
 * @throws `misdirected`
 */
export function originOf(settings: NetworkSettings, request: Request | null): string {
  if (settings.PUBLIC_ORIGIN !== null) return settings.PUBLIC_ORIGIN;
  if (request === null) throw new RegistryError("misdirected");
  if (settings.TRUST_PROXY) {
    const forwarded = forwardedOrigin(request.headers);
    if (forwarded !== null) return forwarded;
  }
  // A client may write a Host that no URL can have.
  const url = URL.canParse(request.url) ? new URL(request.url) : null;
  if (url !== null && isLoopback(url.hostname)) return url.origin;
  throw new RegistryError("misdirected");
}

export function isLoopback(hostname: string): boolean {
  return (
    hostname === "localhost" ||
    hostname.endsWith(".localhost") ||
    hostname === "[::1]" ||
    /^127(?:\.\d{1,3}){3}$/.test(hostname)
  );
}

function forwardedOrigin(headers: Headers): string | null {
  const scheme = headers.get("x-forwarded-proto")?.trim().toLowerCase();
  const host = headers.get("x-forwarded-host")?.trim();
  if ((scheme !== "http" && scheme !== "https") || !host) return null;
  const text = `${scheme}://${host}`;
  // URL.origin of what is only an origin is itself: nothing can be smuggled in behind the host.
  return URL.canParse(text) && new URL(text).origin === text ? text : null;
}
