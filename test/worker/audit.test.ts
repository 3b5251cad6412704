import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { limits } from "../../worker/registry/limits.ts";
import {
  type Ask,
  ask,
  askJson,
  environment,
  newPerson,
  type Person,
  testContext,
} from "../support/worker/registry.ts";

interface Entry {
  id: number;
  at: string;
  actor: string;
  action: string;
  target: string;
  requestId: string;
  address: string | null;
  credential: string | null;
}

let admin: Person;

beforeAll(async () => {
  await record(limits.pageSize + 10, "ancient", "token.add", "2020-01-01T00:00:00Z");
  await record(3, "ancient", "token.revoke", "2020-02-01T00:00:00Z");
  await record(2, "other", "tokens.like", "2020-02-02T00:00:00Z");
  await record(1, "ahead", "skew.a", "2020-05-01T00:00:30Z");
  await record(1, "behind", "skew.b", "2020-05-01T00:00:00Z");
  admin = await newPerson("auditor", { role: "admin" });
});

afterEach(() => {
  vi.restoreAllMocks();
});

async function listed(query: Record<string, string> = {}): Promise<{ items: Entry[]; next: string | null }> {
  return await askJson(`/api/v1/audit?${new URLSearchParams(query)}`, { token: admin.token });
}

async function all(query: Record<string, string>): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (let after: string | null = null; ; ) {
    const page = await listed(after === null ? query : { ...query, after });
    entries.push(...page.items);
    after = page.next;
    if (after === null) return entries;
  }
}

/** What happened long ago, one act a minute. */
async function record(count: number, actor: string, action: string, from: string): Promise<void> {
  const rows = Array.from({ length: count }, (_, minute) =>
    env.DB.prepare("INSERT INTO audit (at, actor, action, target, request_id) VALUES (?, ?, ?, ?, 'then')").bind(
      Date.parse(from) + minute * 60_000,
      actor,
      action,
      `${actor}/${minute}`,
    ),
  );
  await env.DB.batch(rows);
}

/** Something that is audited. Answers its entry. */
async function act(options: Ask): Promise<Entry | undefined> {
  const body = { value: crypto.randomUUID() };
  const headers = { "If-Match": "*", ...options.headers };
  const put = await ask("/api/v1/settings/HELP_CONTACT_EMAIL", {
    method: "PUT",
    token: admin.token,
    body,
    ...options,
    headers,
  });
  expect(put.status).toBe(200);
  return (await listed({ action: "setting.change" })).items[0];
}

describe("the audit log", () => {
  it("is read by who, what, and whereon, page by page, the newest first", async () => {
    expect(await all({ actor: "ancient" })).toHaveLength(limits.pageSize + 13);
    const added = await all({ actor: "ancient", action: "token.add" });
    expect(added).toHaveLength(limits.pageSize + 10);
    expect(added.map(({ id }) => id)).toEqual(added.map(({ id }) => id).sort((a, b) => b - a));
    expect(await all({ target: "ancient/2" })).toHaveLength(2);
    expect((await all({ actor: "ancient", target: "ancient/2", action: "token.revoke" })).map(({ at }) => at)).toEqual([
      "2020-02-01T00:02:00.000Z",
    ]);
    expect(await all({ actor: "nobody" })).toEqual([]);
  });

  it("is read by what actions begin with", async () => {
    const actions = new Set((await all({ action: "token." })).map(({ action }) => action));
    expect(actions).toEqual(new Set(["token.add", "token.revoke"]));
    expect(await all({ action: "token" })).toEqual([]);
    expect(await all({ action: "." })).toEqual([]);
  });

  it("is read by when: from a moment on, and before another", async () => {
    const span = { since: "2020-01-01T00:01:00Z", until: "2020-01-01T00:03:00Z" };
    expect((await all(span)).map(({ target }) => target)).toEqual(["ancient/2", "ancient/1"]);
    expect(await all({ until: "2020-01-01T00:00:00Z" })).toEqual([]);
    expect(await all({ since: "2999-01-01T00:00:00Z" })).toEqual([]);
    expect(await all({ until: "2020-03-01T00:00:00Z" })).toHaveLength(limits.pageSize + 15);
    expect(await all({ until: "2020-03-01T00:00:00Z", action: "token.revoke" })).toHaveLength(3);
    const recent = await all({ since: "2020-02-01T00:01:00Z" });
    expect(recent.filter(({ requestId }) => requestId === "then")).toHaveLength(6);
    expect(recent.length).toBeGreaterThan(3);
  });

  it("misses nothing where the clocks of two of its writers differ by some seconds", async () => {
    expect(await all({ action: "skew.", since: "2020-05-01T00:00:10Z" })).toHaveLength(1);
    expect(await all({ action: "skew.", until: "2020-05-01T00:00:10Z" })).toHaveLength(1);
    expect(await all({ since: "2020-05-01T00:00:00Z", until: "2020-05-01T00:01:00Z" })).toHaveLength(2);
  });

  it.each(["since=yesterday", "until=2020-01-01", `actor=${"x".repeat(200)}`])("refuses ?%s", async (query) => {
    const response = await ask(`/api/v1/audit?${query}`, { token: admin.token });
    expect([response.status, await response.json()]).toEqual([400, expect.objectContaining({ code: "query-invalid" })]);
  });

  it("is for administrators alone", async () => {
    const user = await newPerson("curious");
    expect((await ask("/api/v1/audit")).status).toBe(401);
    expect((await ask("/api/v1/audit", { token: user.token })).status).toBe(403);
  });
});

describe("an entry", () => {
  it("names the credential, and the request as the registry's own log does", async () => {
    const lines: string[] = [];
    vi.spyOn(console, "info").mockImplementation((line) => lines.push(String(line)));
    const secret = testContext().settings.ADMIN_SECRET;
    const body = { verb: "set-setting", args: { name: "ADMINS", value: "alice" } };
    expect((await ask("/admin/rpc", { method: "POST", token: secret, body })).status).toBe(200);
    const [entry] = (await listed({ target: "ADMINS" })).items;
    expect(entry).toMatchObject({ actor: "operator", credential: null });
    expect(lines.map((line) => (JSON.parse(line) as { requestId: string }).requestId)).toContain(entry?.requestId);
    const token = await env.DB.prepare("SELECT t.id FROM tokens t JOIN users u ON u.id = t.user_id WHERE username = ?")
      .bind(admin.username)
      .first("id");
    expect(await act({})).toMatchObject({ actor: admin.username, credential: token });
  });

  it("shows equal addresses as equal, and none as it is", async () => {
    const from = async (address: string, settings = {}) =>
      await act({ headers: { "CF-Connecting-IP": address }, env: environment(settings) });
    const [first, second, other] = [await from("203.0.113.7"), await from("203.0.113.7"), await from("203.0.113.8")];
    expect(first?.address).toMatch(/^[0-9a-f]{16}$/);
    expect(second?.address).toBe(first?.address);
    expect(other?.address).not.toBe(first?.address);
    // Whoever has the database alone cannot try all addresses.
    const otherwise = await from("203.0.113.7", { SIGNING_SECRET: "another-signing-secret-that-only-tests-know" });
    expect(otherwise?.address).not.toBe(first?.address);
  });

  it("has the address that the header of the deployment says, and no other", async () => {
    const said = { "CF-Connecting-IP": "203.0.113.7", "X-Real-IP": "203.0.113.9" };
    const by = async (name: string, headers: Record<string, string> = said) =>
      (await act({ headers, env: environment({ CLIENT_ADDRESS_HEADER: name }) }))?.address;
    const usual = (await act({ headers: said }))?.address;
    expect(await by("CF-Connecting-IP")).toBe(usual);
    expect(await by("x-real-ip")).not.toBe(usual);
    expect(await by("X-Real-IP", { "CF-Connecting-IP": "203.0.113.9", "X-Real-IP": "203.0.113.7" })).toBe(usual);
    expect(await by("none")).toBeNull();
    expect(await by("X-Absent")).toBeNull();
  });

  it("leaves no address readable in any table, nor in the log", async () => {
    const lines: string[] = [];
    for (const level of ["info", "error", "warn", "log"] as const) {
      vi.spyOn(console, level).mockImplementation((line) => lines.push(String(line)));
    }
    await act({ headers: { "CF-Connecting-IP": "198.51.100.77" } });
    await ask("/api/v1/publisher-tokens", { method: "POST", headers: { "CF-Connecting-IP": "198.51.100.77" } });
    await ask("/api/v1/audit", { token: "wrong", headers: { "CF-Connecting-IP": "198.51.100.77" } });
    expect(lines.join("\n")).not.toContain("198.51.100");
    const tables = await env.DB.prepare(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_%' ESCAPE '\\'",
    ).all<{
      name: string;
    }>();
    for (const { name } of tables.results) {
      const { results } = await env.DB.prepare(`SELECT * FROM "${name}"`).all();
      expect(JSON.stringify(results), name).not.toContain("198.51.100");
    }
  });
});
