import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isLoopback, originOf } from "../../worker/origin.ts";
import { anyText, codeOf } from "../support/expectations.ts";

const unset = { PUBLIC_ORIGIN: null, TRUST_PROXY: false };
const behindProxy = { PUBLIC_ORIGIN: null, TRUST_PROXY: true };

function request(url: string, headers: Record<string, string> = {}): Request {
  return new Request(url, { headers });
}

describe("the address in answers", () => {
  it("is PUBLIC_ORIGIN where that is set, whatever the request says", () => {
    const settings = { PUBLIC_ORIGIN: "https://registry.example.org", TRUST_PROXY: true };
    const forged = { "x-forwarded-proto": "https", "x-forwarded-host": "evil.example" };
    expect(originOf(settings, request("http://127.0.0.1:8787/v1", forged))).toBe("https://registry.example.org");
    expect(originOf(settings, null)).toBe("https://registry.example.org");
  });

  it.each([
    "http://127.0.0.1:8787",
    "http://localhost:8787",
    "http://[::1]:8787",
    "http://registry.localhost",
    "http://127.8.9.1",
  ])("is the request's own on loopback: %s", (origin) => {
    expect(originOf(unset, request(`${origin}/v1/images/a?b=c`))).toBe(origin);
  });

  it.each([
    "http://registry.example.org",
    "http://10.0.0.1",
    "http://localhost.example.org",
    "http://127.0.0.1.example.org",
    "http://[::2]",
    "http://notlocalhost",
  ])("is never the Host of a request from elsewhere: %s is misdirected", (origin) => {
    expect(codeOf(() => originOf(unset, request(`${origin}/v1`)))).toBe("misdirected");
  });

  it("is not known to a Cron run without PUBLIC_ORIGIN", () => {
    expect(codeOf(() => originOf(unset, null))).toBe("misdirected");
    expect(codeOf(() => originOf(behindProxy, null))).toBe("misdirected");
  });
});

describe("a proxy's headers", () => {
  const forwarded = { "x-forwarded-proto": "https", "x-forwarded-host": "registry.example.org" };

  it("count where TRUST_PROXY is set", () => {
    expect(originOf(behindProxy, request("http://10.0.0.1/v1", forwarded))).toBe("https://registry.example.org");
    const withPort = { "x-forwarded-proto": "HTTPS", "x-forwarded-host": " registry.example.org:8443 " };
    expect(originOf(behindProxy, request("http://10.0.0.1/v1", withPort))).toBe("https://registry.example.org:8443");
  });

  it("do not count otherwise", () => {
    expect(originOf(unset, request("http://127.0.0.1:8787/v1", forwarded))).toBe("http://127.0.0.1:8787");
    expect(codeOf(() => originOf(unset, request("http://10.0.0.1/v1", forwarded)))).toBe("misdirected");
  });

  it.each<Record<string, string>>([
    { "x-forwarded-host": "registry.example.org" },
    { "x-forwarded-proto": "https" },
    { ...forwarded, "x-forwarded-proto": "javascript" },
    { ...forwarded, "x-forwarded-host": "registry.example.org/path" },
    { ...forwarded, "x-forwarded-host": "user@registry.example.org" },
    { ...forwarded, "x-forwarded-host": "a.example, b.example" },
    { ...forwarded, "x-forwarded-host": "registry.example.org?x" },
  ])("that are no address are ignored: %j", (headers) => {
    expect(codeOf(() => originOf(behindProxy, request("http://10.0.0.1/v1", headers)))).toBe("misdirected");
    expect(originOf(behindProxy, request("http://localhost/v1", headers))).toBe("http://localhost");
  });

  it("make an origin or nothing: no path, user or script can be smuggled in", () => {
    fc.assert(
      fc.property(anyText, anyText, (proto, host) => {
        const headers = new Headers();
        try {
          headers.set("x-forwarded-proto", proto);
          headers.set("x-forwarded-host", host);
        } catch {
          return;
        }
        const origin = originOf(behindProxy, new Request("http://localhost/v1", { headers }));
        expect(new URL(origin).origin).toBe(origin);
        expect(origin).toMatch(/^https?:\/\//);
      }),
    );
  });
});

describe("loopback", () => {
  it.each(["localhost", "a.localhost", "[::1]", "127.0.0.1", "127.255.0.3"])("is %s", (hostname) => {
    expect(isLoopback(hostname)).toBe(true);
  });

  it.each(["", "localhost.com", "127.0.0.1.com", "128.0.0.1", "0.0.0.0", "[::]", "127.0.0"])(
    "is not %j",
    (hostname) => {
      expect(isLoopback(hostname)).toBe(false);
    },
  );
});
