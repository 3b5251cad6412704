import { describe, expect, it } from "vitest";
import { version } from "../../worker/version.ts";
import { counted } from "../support/worker/calls.ts";
import { ask, environment, ORIGIN } from "../support/worker/registry.ts";

const browser = { Accept: "text/html,application/xhtml+xml" };

describe("the web pages", () => {
  const routes = ["/", "/collections", "/login", "/auth/register", "/auth/link", "/auth/tokens", "/account", "/terms"];

  it.each(routes)("are there, and load nothing from elsewhere: %s", async (path) => {
    const response = await ask(path, { headers: browser });
    expect(response.status).toBe(200);
    expect(response.headers.get("Content-Type")).toBe("text/html; charset=utf-8");
    expect(response.headers.get("Content-Security-Policy")).toMatch(/^default-src 'none'; script-src 'self'; /);
    expect(response.headers.get("Content-Security-Policy")).toContain("frame-ancestors 'none'");
    expect(response.headers.get("Content-Security-Policy")).not.toContain("http");
    expect(response.headers.get("X-Content-Type-Options")).toBe("nosniff");
    expect(await response.text()).toMatch(/<script [^>]*src="\/static\/[\w.-]+\.js"/);
  });

  it("let Google's script in where the registry counts its readers, and never where secrets are shown", async () => {
    const env = environment({ GOOGLE_ANALYTICS: "G-ABC123" });
    const policies = await Promise.all(
      [...routes, "/no/such/page/here"].map(async (path) => {
        const { headers } = await ask(path, { env, headers: browser });
        return [path, headers.get("Content-Security-Policy")?.includes("googletagmanager.com")];
      }),
    );
    expect(policies.filter(([, isLetIn]) => isLetIn).map(([path]) => path)).toEqual(["/", "/collections", "/terms"]);
  });

  it("come from a registry too whose settings are wrong, to say so", async () => {
    const response = await ask("/login", { env: environment({ USER_COLLECTIONS: "perhaps" }), headers: browser });
    expect(response.status).toBe(200);
  });

  it("answer a script or style by its name, for good, and HEAD like GET", async () => {
    const [, script = ""] = /src="(\/static\/[\w.-]+\.js)"/.exec(await (await ask("/")).text()) ?? [];
    for (const method of ["GET", "HEAD"]) {
      const response = await ask(script, { method });
      expect(response.status).toBe(200);
      expect(response.headers.get("Content-Type")).toBe("text/javascript; charset=utf-8");
      expect(response.headers.get("Cache-Control")).toContain("immutable");
    }
  });

  it("know what the registry is, without a database or a credential", async () => {
    const env = environment({ REGISTRY_NAME: "Lab", REGISTRY_URI: "lab", HELP_CONTACT_EMAIL: "help@example.org" });
    const response = await ask("/api/v1/site", { env });
    expect(await response.json()).toMatchObject({
      name: "Lab",
      uri: "lab",
      contactEmail: "help@example.org",
      origin: ORIGIN,
      version,
    });
  });
});

describe("the address of a collection or container", () => {
  const addresses = ["/alice/tools", "/Alice/Tools", "/alice/tools/app", "/alice/tools/app?tag=v1", "/no/such"];

  it.each(addresses)("brings the same page, whether there is one or not: %s", async (path) => {
    const [response, home] = await Promise.all([ask(path, { headers: browser }), ask("/", { headers: browser })]);
    expect(response.status).toBe(200);
    expect(response.headers.get("Content-Security-Policy")).toBe(home.headers.get("Content-Security-Policy"));
    expect(response.headers.get("Cache-Control")).toBe("no-cache");
    expect(await response.text()).toBe(await home.text());
    expect((await ask(path, { method: "HEAD", headers: browser })).status).toBe(200);
    expect((await ask(path, { method: "POST", headers: browser })).status).toBe(404);
  });

  it("brings nothing to a client that would take whatever comes for an image", async () => {
    for (const headers of [{}, { Accept: "*/*" }, { Accept: "application/octet-stream" }] as Record<string, string>[]) {
      expect((await ask("/alice/tools/app", { headers })).status).toBe(404);
    }
  });

  it("asks no database", async () => {
    const { env, counts } = counted();
    for (const path of addresses) await ask(path, { env, headers: browser });
    expect(counts).toMatchObject({ d1: 0, r2: 0, durable: 0 });
  });

  it.each([
    "/alice/-tools",
    "/alice/tools/",
    "/alice//app",
    "/tags/tools",
    "/TAGS/tools",
    "/%61lice/tools",
    "/a/b/c/d",
  ])("is not %s", async (path) => {
    expect((await ask(path, { headers: browser })).status).toBe(404);
  });
});

describe("an address of Singularity Registry Server's pages", () => {
  it.each([
    ["/accounts/login/?next=/token", "/login?next=%2Ftoken"],
    ["/token/update", "/auth/tokens"],
    ["/u/profile", "/account"],
    ["/collections/alice/tools/", "/alice/tools"],
    ["/containers/alice/tools/app:v1", "/alice/tools/app?tag=v1"],
  ])("%s leads for good to the page that is there now", async (path, target) => {
    const response = await ask(path, { headers: browser });
    expect([response.status, response.headers.get("Location")]).toEqual([301, target]);
    expect((await ask(path, { method: "POST", headers: browser })).status).toBe(404);
    expect((await ask(target, { headers: browser })).status).toBe(200);
  });
});

describe("what is not there", () => {
  const json = "application/json";
  const problem = "application/problem+json";
  const text = "text/plain; charset=utf-8";
  const page = "text/html; charset=utf-8";

  it.each([
    ["/v1/nothing", json],
    ["/v1/images", json],
    ["/v2/nothing/here", json],
    ["/version/more", json],
    ["/assets/config/other.json", json],
    ["/assets/", json],
    ["/pks/lookup?op=get&search=0x0", json],
    ["/admin", json],
    ["/admin/nothing", json],
    ["/api/v1/nothing", problem],
    ["/api/v1", problem],
    ["/api/nothing", json],
    ["/alice/api/container", json],
    ["/upload", json],
    ["/api/uploads/complete/", json],
    ["/static/x.js", text],
    ["/static/../index.html", page],
    ["/static/", text],
    ["/no/such/page/here", page],
    ["/index.html", page],
    ["/.env", page],
    ["/favicon.ico", page],
    ["/cdn-cgi/mf/scheduled", page],
    ["/library", page],
  ])("%s is a 404 in the form of its protocol, to browsers too", async (path, type) => {
    const response = await ask(path, { headers: browser });
    expect(response.status).toBe(404);
    expect(response.headers.get("Content-Type")).toBe(type);
    expect(response.headers.get("Cache-Control")).toMatch(/no-store|no-cache/);
  });

  it("is plain text where no page is wanted, whatever the method", async () => {
    for (const method of ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]) {
      const response = await ask("/no/such/page/here", { method, headers: { Accept: "*/*" } });
      expect([response.status, response.headers.get("Content-Type")], method).toEqual([404, text]);
    }
  });

  it("is a 404 without a body that could be saved as an image, under /blobs", async () => {
    const response = await ask("/blobs/app.sif", { headers: browser });
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(response.status).toBeLessThan(500);
    expect(await response.text()).toBe("");
  });

  it("is opened to no other site's scripts: no answer has a CORS header", async () => {
    for (const path of [
      "/v1/collections",
      "/version",
      "/api/v1/site",
      "/admin/rpc",
      "/blobs/app.sif",
      "/blobs/upload",
    ]) {
      for (const method of ["GET", "POST", "PUT", "OPTIONS"]) {
        const headers = { Origin: "https://evil.example", "Access-Control-Request-Method": "PUT" };
        const response = await ask(path, { method, headers });
        const names = [...response.headers.keys()].filter((name) => name.startsWith("access-control-"));
        expect([names, response.headers.get("Set-Cookie")], `${method} ${path}`).toEqual([[], null]);
        if (method === "OPTIONS") expect([401, 403, 404], path).toContain(response.status);
      }
    }
  });

  it("is refused in the form of its protocol, as is a method that a route does not take", async () => {
    for (const [method, path] of [
      ["PATCH", "/v1/entities"],
      ["DELETE", "/v1/collections"],
      ["POST", "/version"],
      ["PUT", "/assets/config/config.prod.json"],
      ["GET", "/admin/rpc"],
    ] as const) {
      const response = await ask(path, { method });
      expect([401, 404, 405], `${method} ${path}`).toContain(response.status);
      expect(response.headers.get("Content-Type")).toBe(json);
    }
  });
});
