import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { operator } from "../../worker/access/roles.ts";
import { limits } from "../../worker/registry/limits.ts";
import { type SettingName, settingDefinitions } from "../../worker/registry/settings.ts";
import { changeSetting, resetSetting } from "../../worker/registry/site/manage-settings.ts";
import { forgetStoredSettings } from "../../worker/storage/db/stored-settings.ts";
import { makeSif } from "../support/make-sif.ts";
import { observed } from "../support/worker/calls.ts";
import {
  type Ask,
  ask,
  askJson,
  environment,
  newPerson,
  type Person,
  pull,
  push,
  register,
  testContext,
} from "../support/worker/registry.ts";
import { newSession } from "../support/worker/session.ts";

interface Setting {
  name: string;
  value: string | null;
  isSet: boolean;
  source: string;
  isEditable: boolean;
  updatedBy: string | null;
  updatedAt: string | null;
}

let admin: Person;

beforeAll(async () => {
  admin = await newPerson("setter", { role: "admin" });
});

afterEach(async () => {
  vi.restoreAllMocks();
  await env.DB.prepare("DELETE FROM settings").run();
  forgetStoredSettings();
});

const url = (name: string) => `/api/v1/settings/${name}`;

/** As an administrator's program asks. */
async function asked(name: string, options: Ask = {}) {
  const response = await ask(url(name), { token: admin.token, ...options });
  const body = (await response.json()) as Setting & { code?: string; detail?: string };
  return { status: response.status, etag: response.headers.get("ETag"), ...body };
}

const changed = (name: string, value: string, ifMatch = "*") =>
  asked(name, { method: "PUT", body: { value }, headers: { "If-Match": ifMatch } });
const reset = (name: string, ifMatch = "*") => asked(name, { method: "DELETE", headers: { "If-Match": ifMatch } });

/** A change in another isolate: nobody here hears of it. */
async function changeElsewhere(name: string, value: string): Promise<void> {
  await env.DB.prepare(
    `INSERT INTO settings (name, value, version, updated_by, updated_at) VALUES (?, ?, 1, 'alice', 0)
     ON CONFLICT (name) DO UPDATE SET value = excluded.value, version = version + 1`,
  )
    .bind(name, value)
    .run();
}

const nameOf = async (settings: Record<string, string> = {}) =>
  (await askJson<{ name: string }>("/api/v1/site", { env: environment(settings) })).name;

describe("a setting", () => {
  it("is its default, then what an administrator sets, and the environment goes before both", async () => {
    expect(await nameOf()).toBe("Singularity Registry");
    expect(await changed("REGISTRY_NAME", " Lab images ")).toMatchObject({
      status: 200,
      value: "Lab images",
      source: "database",
      isSet: true,
      updatedBy: admin.username,
    });
    expect(await nameOf()).toBe("Lab images");
    expect(await nameOf({ REGISTRY_NAME: "Given" })).toBe("Given");
    // A variable that is empty says nothing.
    expect(await nameOf({ REGISTRY_NAME: " " })).toBe("Lab images");
    expect(await reset("REGISTRY_NAME")).toMatchObject({
      value: "Singularity Registry",
      source: "default",
      isSet: false,
    });
    expect(await nameOf()).toBe("Singularity Registry");
  });

  it("that the environment gives shows so, and cannot be changed", async () => {
    const given = environment({ DEFAULT_PRIVATE: "1" });
    const shown = { value: "true", source: "environment", isEditable: false, isSet: true };
    expect(await asked("DEFAULT_PRIVATE", { env: given })).toMatchObject({ status: 200, ...shown });
    const headers = { "If-Match": "*" };
    const put = await asked("DEFAULT_PRIVATE", { method: "PUT", body: { value: "false" }, headers, env: given });
    expect(put).toMatchObject({ status: 409, code: "setting-locked" });
    expect(await asked("DEFAULT_PRIVATE", { method: "DELETE", headers, env: given })).toMatchObject({ status: 409 });
  });

  it.each(["PUBLIC_ORIGIN", "SIGNING_SECRET", "CI_GITHUB_ISSUERS"])(
    "of the deployment, such as %s, is not changed",
    async (name) => {
      expect(await asked(name)).toMatchObject({ status: 200, isEditable: false });
      expect(await changed(name, "https://example.org")).toMatchObject({ status: 409, code: "setting-locked" });
      await changeElsewhere(name, "https://example.org");
      expect(await asked(name)).not.toMatchObject({ source: "database" });
    },
  );

  it("that nobody knows does not exist", async () => {
    for (const name of ["NOTHING", "__proto__", "constructor"]) {
      expect(await asked(name)).toMatchObject({ status: 404, code: "not-found" });
      expect(await changed(name, "x")).toMatchObject({ status: 404 });
      expect(await reset(name)).toMatchObject({ status: 404 });
    }
  });

  it.each([
    ["PRIVATE_ONLY", "maybe", "PRIVATE_ONLY must be true, 1, false or 0."],
    ["USER_COLLECTION_LIMIT", "-1", "USER_COLLECTION_LIMIT must be a whole number or 'unlimited'."],
    ["HELP_INSTITUTION_SITE", "javascript:alert(1)", /^HELP_INSTITUTION_SITE must be an http/],
    ["GOOGLE_ANALYTICS", "'><script>", /^GOOGLE_ANALYTICS must be an id/],
  ])("%s takes no %s, and says what it takes", async (name, value, detail) => {
    const refusal = typeof detail === "string" ? detail : expect.stringMatching(detail);
    expect(await changed(name, value)).toMatchObject({ status: 400, code: "setting-invalid", detail: refusal });
    expect(await asked(name)).toMatchObject({ source: "default" });
  });

  it("is written as it is read", async () => {
    expect(await changed("PRIVATE_ONLY", "1")).toMatchObject({ value: "true" });
    expect(await changed("ADMINS", "alice ,bob,, alice")).toMatchObject({ value: "alice, bob" });
    expect(await changed("USER_COLLECTION_LIMIT", "unlimited")).toMatchObject({ value: "unlimited", isSet: true });
    expect(await changed("ADMINS", "  ")).toMatchObject({ value: "", source: "default" });
    expect(await asked("HELP_INSTITUTION_SITE")).toMatchObject({ value: null });
  });

  it("in the database that is not allowed any more does not count, and stops nothing", async () => {
    await changeElsewhere("PRIVATE_ONLY", "maybe");
    await changeElsewhere("REMOVED_LATER", "x");
    await changeElsewhere("REGISTRY_NAME", "Lab images");
    forgetStoredSettings();
    expect(await nameOf()).toBe("Lab images");
    expect(await asked("PRIVATE_ONLY")).toMatchObject({ status: 200, value: "false", source: "default" });
    expect(await reset("PRIVATE_ONLY")).toMatchObject({ status: 200 });
  });
});

describe("a change", () => {
  it("must say what it changes, and comes too late where somebody else was faster", async () => {
    const before = await asked("REGISTRY_NAME");
    expect(before.etag).toBe('"0"');
    const unsaid = await asked("REGISTRY_NAME", { method: "PUT", body: { value: "x" } });
    expect(unsaid).toMatchObject({ status: 428, code: "precondition-required" });
    const first = await changed("REGISTRY_NAME", "one", before.etag ?? "");
    expect(first.status).toBe(200);
    expect(await changed("REGISTRY_NAME", "two", before.etag ?? "")).toMatchObject({ status: 412 });
    expect(await reset("REGISTRY_NAME", before.etag ?? "")).toMatchObject({ status: 412 });
    expect((await asked("REGISTRY_NAME")).etag).toBe(first.etag);
    const second = await changed("REGISTRY_NAME", "two", first.etag ?? "");
    expect(second).toMatchObject({ status: 200, value: "two" });
    expect(second.etag).not.toBe(first.etag);
  });

  it("of something that was reset and set again is not one of what was there before", async () => {
    const first = await changed("REGISTRY_NAME", "one");
    vi.spyOn(Date, "now").mockReturnValue(Date.now() + 60_000);
    await reset("REGISTRY_NAME");
    expect((await changed("REGISTRY_NAME", "other")).etag).not.toBe(first.etag);
    expect(await changed("REGISTRY_NAME", "two", first.etag ?? "")).toMatchObject({ status: 412 });
  });

  it("is made by one of two at once; the other is told", async () => {
    for (const etag of ["0", (await changed("REGISTRY_URI", "first")).etag ?? ""]) {
      const name = etag === "0" ? "REGISTRY_NAME" : "REGISTRY_URI";
      const both = await Promise.all([changed(name, "left", etag), changed(name, "right", etag)]);
      expect(both.map(({ status }) => status).sort()).toEqual([200, 412]);
      const winner = both.find(({ status }) => status === 200)?.value;
      expect(await asked(name)).toMatchObject({ value: winner });
    }
  });

  it("between looking and writing rolls everything back, the record too", async () => {
    const isWrite = (sql: string[]) => sql.some((text) => /INSERT INTO "settings"/.test(text));
    let isFirst = true;
    const racing = observed(environment(), async ({ sql }) => {
      if (!isFirst || !isWrite(sql)) return;
      isFirst = false;
      await changeElsewhere("REGISTRY_NAME", "faster");
    });
    const change = { name: "REGISTRY_NAME", value: "slower", version: null };
    await expect(changeSetting(testContext(racing), operator, change)).rejects.toMatchObject({ code: "conflict" });
    expect(await asked("REGISTRY_NAME")).toMatchObject({ value: "faster" });
    const records = await env.DB.prepare("SELECT 1 FROM audit WHERE detail LIKE '%slower%'").all();
    expect(records.results).toEqual([]);
  });

  it("is recorded with what was there and what is there now", async () => {
    await changed("REGISTRY_NAME", "one");
    await changed("REGISTRY_NAME", "two");
    await reset("REGISTRY_NAME");
    await reset("REGISTRY_NAME");
    const { items } = await askJson<{ items: { action: string; detail: unknown; actor: string }[] }>(
      "/api/v1/audit?action=setting.&target=REGISTRY_NAME",
      { token: admin.token },
    );
    expect(items.slice(0, 3)).toMatchObject([
      { action: "setting.reset", actor: admin.username, detail: { from: "two" } },
      { action: "setting.change", detail: { from: "one", to: "two" } },
      { action: "setting.change", detail: { from: "Singularity Registry", to: "one" } },
    ]);
  });

  it("counts at once here, and elsewhere within ten seconds, at one read of the database in that time", async () => {
    let reads = 0;
    const counting = observed(environment(), ({ sql }) => {
      if (sql.some((text) => /from "settings"/.test(text))) reads++;
    });
    const nameNow = async () => (await askJson<{ name: string }>("/api/v1/site", { env: counting })).name;
    const now = Date.now();
    const clock = vi.spyOn(Date, "now").mockReturnValue(now);
    expect(await nameNow()).toBe("Singularity Registry");
    await changeElsewhere("REGISTRY_NAME", "elsewhere");
    clock.mockReturnValue(now + limits.settingsCacheSeconds * 1000 - 1);
    for (let times = 0; times < 3; times++) expect(await nameNow()).toBe("Singularity Registry");
    expect(reads).toBe(1);
    clock.mockReturnValue(now + limits.settingsCacheSeconds * 1000);
    expect(await nameNow()).toBe("elsewhere");
    expect(reads).toBe(2);
    await changed("REGISTRY_NAME", "here");
    expect(await nameNow()).toBe("here");
  });
});

describe("a request that no page or program of ours sends", () => {
  const put = (body: string, headers: Record<string, string> = {}) =>
    asked("REGISTRY_NAME", { method: "PUT", body, headers: { "If-Match": "*", ...headers } });

  it.each(["", "{", "null", "[]", '"text"', '{"value":5}', '{"value":null}', "{}"])(
    "with the body %j changes nothing",
    async (body) => {
      expect(await put(body)).toMatchObject({ status: 400, code: "body-invalid" });
      expect(await asked("REGISTRY_NAME")).toMatchObject({ source: "default" });
    },
  );

  it("of ten megabytes, or of a value that is too long, changes nothing", async () => {
    expect(await put(JSON.stringify({ value: "x".repeat(10_000_000) }))).toMatchObject({ status: 413 });
    expect(await put(JSON.stringify({ value: "x".repeat(10_000_000) }), { "Content-Length": "100" })).toMatchObject({
      status: 413,
    });
    expect(await asked("REGISTRY_NAME")).toMatchObject({ source: "default" });
  });

  it.each(["0x0", "-1", "1e3", "nothing", '"', "9".repeat(30)])(
    "that says If-Match: %s changes nothing",
    async (ifMatch) => {
      expect(await changed("REGISTRY_NAME", "x", ifMatch)).toMatchObject({ status: 412, code: "precondition-failed" });
      expect(await reset("REGISTRY_NAME", ifMatch)).toMatchObject({ status: 412 });
    },
  );
});

describe("the list of settings", () => {
  it("has them all, and says nothing of a secret but whether it is set", async () => {
    const response = await ask("/api/v1/settings", { token: admin.token });
    const text = await response.text();
    const { items } = JSON.parse(text) as { items: Setting[] };
    expect(items.map(({ name }) => name)).toEqual([...Object.keys(settingDefinitions), "OIDC_PROVIDERS"]);
    const variables = Object.entries(environment()).filter(
      ([name, value]) => Object.hasOwn(settingDefinitions, name) && typeof value === "string",
    );
    const secrets = variables.filter(([name]) => settingDefinitions[name as SettingName].group === "secrets");
    expect(secrets.length).toBeGreaterThan(2);
    for (const [name, value] of secrets) {
      expect(text).not.toContain(value);
      expect(items.find((item) => item.name === name)).toMatchObject({
        value: null,
        isSet: true,
        source: "environment",
      });
    }
    expect(items.find(({ name }) => name === "S3_ACCESS_KEY_ID")).toMatchObject({ value: null, isSet: false });
  });

  it("tells of the identity providers that are set up, but no secret, and that they are changed elsewhere", async () => {
    const variables = { GITHUB_CLIENT_ID: "an-id", GITHUB_CLIENT_SECRET: "a-secret-of-github", GITHUB_ADMIT: "nobody" };
    const of = environment(variables);
    const { items } = await askJson<{ items: (Setting & { group: string })[] }>("/api/v1/settings", {
      token: admin.token,
      env: of,
    });
    const shown = new Map(items.filter(({ group }) => group === "sign-in").map((item) => [item.name, item]));
    expect(shown.get("GITHUB_ADMIT")).toMatchObject({ value: "nobody", source: "environment", isEditable: false });
    expect(shown.get("GITHUB_CLIENT_SECRET")).toMatchObject({ value: null, isSet: true });
    expect(shown.has("GOOGLE_CLIENT_ID")).toBe(false);
    expect(JSON.stringify(items)).not.toContain("a-secret-of-github");
    expect(await asked("GITHUB_CLIENT_ID", { env: of })).toMatchObject({ status: 200, etag: '"0"', value: "an-id" });
    const put = { method: "PUT", body: { value: "everyone" }, headers: { "If-Match": "*" }, env: of };
    expect(await asked("GITHUB_ADMIT", put)).toMatchObject({ status: 409, code: "setting-locked" });
  });

  it("is for administrators alone, with whole credentials", async () => {
    const user = await newPerson("nobody");
    const session = await newSession(admin.username);
    const puller = await newPerson("limited", { role: "admin", scopes: ["pull", "push"] });
    const statusOf = async (options: Ask) => (await ask("/api/v1/settings", options)).status;
    expect(await statusOf({})).toBe(401);
    expect(await statusOf({ token: user.token })).toBe(403);
    expect(await statusOf({ token: puller.token })).toBe(403);
    expect(await statusOf({ headers: session.headers })).toBe(200);
    const change = { method: "PUT", body: { value: "x" } };
    const put = (options: Ask) => ask(url("REGISTRY_NAME"), { ...change, ...options });
    expect((await put({ headers: { "If-Match": "*" } })).status).toBe(401);
    expect((await put({ token: user.token, headers: { "If-Match": "*" } })).status).toBe(403);
    const { Cookie } = session.headers;
    expect((await put({ headers: { Cookie, "If-Match": "*", "Sec-Fetch-Site": "cross-site" } })).status).toBe(403);
    expect((await put({ headers: { ...session.headers, "If-Match": "*" } })).status).toBe(200);
  });

  it("is the operator's too", async () => {
    const change = { name: "REGISTRY_NAME", value: "from the command line", version: null };
    expect(await changeSetting(testContext(), operator, change)).toMatchObject({ updatedBy: "operator" });
    expect(await resetSetting(testContext(), operator, change)).toMatchObject({ source: "default", version: 0 });
  });
});

describe("while the registry runs, without a restart", () => {
  it("PRIVATE_ONLY hides what was public, and shows it again", async () => {
    const alice = await newPerson("hidden");
    const bytes = makeSif({ salt: "switched" });
    await push(alice.token, `${alice.username}/switched/app:v1`, bytes);
    expect(await pull(`${alice.username}/switched/app:v1`)).toEqual(bytes);
    await changed("PRIVATE_ONLY", "true");
    expect(await pull(`${alice.username}/switched/app:v1`)).toBe(404);
    await reset("PRIVATE_ONLY");
    expect(await pull(`${alice.username}/switched/app:v1`)).toEqual(bytes);
  });

  it("DISABLE_BUILDING refuses pushes", async () => {
    const alice = await newPerson("pusher");
    await push(alice.token, `${alice.username}/pushed/app:v1`, makeSif({ salt: "before" }));
    await changed("DISABLE_BUILDING", "true");
    const { collectionId } = await askJson<{ data: { id: string } }>(`/v1/collections/${alice.username}/pushed`).then(
      ({ data }) => ({ collectionId: data.id }),
    );
    const body = { name: "other", collection: collectionId };
    expect((await ask("/v1/containers", { method: "POST", token: alice.token, body })).status).toBe(403);
    await reset("DISABLE_BUILDING");
    await expect(
      register(alice.token, `${alice.username}/pushed/app`, makeSif({ salt: "after" })),
    ).resolves.toBeTruthy();
  });

  it("API_REQUIRE_AUTH asks everyone for a token", async () => {
    const alice = await newPerson("asker");
    await push(alice.token, `${alice.username}/asked/app:v1`, makeSif({ salt: "asked" }));
    const path = `/v1/images/${alice.username}/asked/app:v1?arch=amd64`;
    expect((await ask(path)).status).toBe(200);
    await changed("API_REQUIRE_AUTH", "true");
    expect((await ask(path)).status).toBe(401);
    expect((await ask(path, { token: alice.token })).status).toBe(200);
    expect((await ask("/version")).status).toBe(200);
  });

  it("the terms are there for everybody to read, once they have a version", async () => {
    expect((await ask("/api/v1/terms")).status).toBe(404);
    await changed("TERMS", "Be kind.\nCite us.");
    await changed("TERMS_VERSION", "2026-11");
    expect(await askJson("/api/v1/terms")).toEqual({ version: "2026-11", text: "Be kind.\nCite us." });
  });

  it("an analytics id stands where the original had it in the discovery document, as an object", async () => {
    const discover = () => askJson<Record<string, unknown>>("/assets/config/config.prod.json");
    expect(Object.keys(await discover())).toEqual(["libraryAPI", "keystoreAPI", "tokenAPI"]);
    await changed("GOOGLE_ANALYTICS", "G-ABC123");
    expect(await discover()).toMatchObject({ googleAnalytics: { googleAnalyticsId: "G-ABC123" } });
  });
});
