import { env } from "cloudflare:workers";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { operator } from "../../worker/access/roles.ts";
import { deleteCollection, setMember } from "../../worker/registry/catalog/manage.ts";
import { limits } from "../../worker/registry/limits.ts";
import { setDisabled } from "../../worker/registry/people/users.ts";
import { makeSif } from "../support/make-sif.ts";
import { counted, observed } from "../support/worker/calls.ts";
import { pipeline, rotateKeys } from "../support/worker/pipeline.ts";
import {
  type Ask,
  ask,
  askJson,
  environment,
  newPerson,
  type Person,
  push,
  testContext,
  uniqueName,
} from "../support/worker/registry.ts";
import { newSession, type TestSession } from "../support/worker/session.ts";

const GITHUB = "https://token.actions.githubusercontent.com";
const GITLAB = "https://gitlab.com";
const rule = { issuer: GITHUB, repository: "a/b", refKind: "branch", ref: "main" };

interface Publisher {
  id: string;
  repository: string;
  ref: string;
  repositoryId: string | null;
  createdBy: string;
  lastUsedAt: string | null;
}

interface Answer {
  status: number;
  code?: string;
  detail?: string;
  secret?: string;
  id?: string;
}

let alice: Person;
let session: TestSession;
let path: string;

beforeAll(async () => {
  alice = await newPerson("alice");
  session = await newSession(alice.username);
});

beforeEach(async () => {
  path = `${alice.username}/${uniqueName("tools")}`;
  await push(alice.token, `${path}/app:v1`, makeSif({ salt: path }));
});

afterEach(() => {
  vi.restoreAllMocks();
});

async function answered(url: string, options: Ask): Promise<Answer> {
  const response = await ask(url, options);
  const text = await response.text();
  expect(response.status, text).toBeLessThan(500);
  return { status: response.status, ...(text === "" ? {} : (JSON.parse(text) as Omit<Answer, "status">)) };
}

const rulesUrl = () => `/api/v1/collections/${path}/publishers`;
const add = (body: Ask["body"], options: Ask = { headers: session.headers }) =>
  answered(rulesUrl(), { method: "POST", body: body ?? null, ...options });
const remove = (id = "", options: Ask = { token: alice.token }) =>
  answered(`${rulesUrl()}/${id}`, { method: "DELETE", ...options });
const list = async () => (await askJson<{ items: Publisher[] }>(rulesUrl(), { token: alice.token })).items;
const exchange = (token: string, collection = path, options: Ask = {}) =>
  answered("/api/v1/publisher-tokens", { method: "POST", body: { token, collection }, ...options });

/** Whether a token pushes there: the first step of a push, which needs the right to. */
async function pushes(token: string | undefined, where = path): Promise<boolean> {
  const { data } = await askJson<{ data: { id: string } }>(`/v1/collections/${where}`, { token: alice.token });
  const body = { name: uniqueName("pushed"), collection: data.id };
  return (await ask("/v1/containers", { method: "POST", token: token ?? null, body })).status === 201;
}

describe("a collection's owner", () => {
  it("says which pipelines push there, sees them, and takes them away", async () => {
    const added = await add(rule);
    expect(added).toMatchObject({ status: 201, ...rule, createdBy: alice.username, repositoryId: null });
    expect(await list()).toMatchObject([{ id: added.id, ...rule, lastUsedAt: null }]);
    expect(await remove(added.id)).toEqual({ status: 204 });
    expect(await list()).toEqual([]);
    expect(await remove(added.id)).toMatchObject({ status: 404, code: "not-found" });
  });

  it("says the same once, whatever the case, and also when it is said twice at once", async () => {
    const [one, two] = await Promise.all([add(rule), add(rule)]);
    expect([one.status, two.status].sort()).toEqual([201, 409]);
    expect(await add({ ...rule, repository: "A/B" })).toMatchObject({ status: 409, code: "already-so" });
    expect(await add({ ...rule, ref: "Main" })).toMatchObject({ status: 201 });
  });

  it("does so in a browser alone: a token makes nothing that makes tokens", async () => {
    expect(await add(rule, { token: alice.token })).toMatchObject({ status: 403, code: "session-required" });
    expect(await add(rule, {})).toMatchObject({ status: 401 });
    expect(await add(rule, { token: "garbage" })).toMatchObject({ status: 401 });
    const { Cookie } = session.headers;
    expect(await add(rule, { headers: { Cookie } })).toMatchObject({ status: 403, code: "cross-site" });
    expect(await list()).toEqual([]);
  });

  it("is the only one who does, beside administrators", async () => {
    const bob = await newPerson("bob");
    const bobs = await newSession(bob.username);
    const added = await add(rule);
    const role = (given: "contributor" | "owner" | null) => {
      const [entity = "", name = ""] = path.split("/");
      return setMember(testContext(), operator, { entity, name }, bob.username, given);
    };
    const attempts = async () => [
      (await ask(rulesUrl(), { token: bob.token })).status,
      (await add({ ...rule, ref: "bobs" }, { headers: bobs.headers })).status,
      (await remove(added.id, { token: bob.token })).status,
    ];
    expect(await attempts()).toEqual([403, 403, 403]);
    await role("contributor");
    expect(await attempts()).toEqual([403, 403, 403]);
    await role("owner");
    expect(await attempts()).toEqual([200, 201, 204]);
  });

  it.each([
    ["an issuer that nobody named", { issuer: "https://evil.example.org" }],
    ["a repository without its owner", { repository: "tools" }],
    ["a repository that is a group's on GitHub", { repository: "a/b/c" }],
    ["a star in the repository", { repository: "a/*" }],
    ["a path in the repository", { repository: "a/.." }],
    ["a whole ref", { ref: "refs/heads/main" }],
    ["a ref that git does not allow", { ref: "a b" }],
    ["another kind", { refKind: "commit" }],
    ["no text", { ref: 5 }],
    ["too much", { ref: "x".repeat(limits.publisherRefLength + 1) }],
  ])("is refused %s", async (_, changes) => {
    expect(await add({ ...rule, ...changes })).toMatchObject({ status: 400, code: "body-invalid" });
    expect(await list()).toEqual([]);
  });

  it("may name groups in groups on GitLab", async () => {
    expect(await add({ ...rule, issuer: GITLAB, repository: "lab/group/tools" })).toMatchObject({ status: 201 });
  });

  it("has as many as there may be, and no more", async () => {
    const statuses: number[] = [];
    for (let at = 0; at <= limits.publishersPerCollection; at++) {
      statuses.push((await add({ ...rule, ref: `branch-${at}` })).status);
    }
    expect(statuses.filter((status) => status === 201)).toHaveLength(limits.publishersPerCollection);
    expect(statuses.at(-1)).toBe(409);
    expect(await add({ ...rule, ref: "branch-0" })).toMatchObject({ code: "already-so" });
  });

  it.each(["", "{", "null", "[]", '"text"', "5", '{"issuer":{}}'])("is refused the body %j", async (body) => {
    expect(await add(body)).toMatchObject({ status: 400, code: "body-invalid" });
  });

  it("is refused ten megabytes", async () => {
    expect(await add(JSON.stringify({ ...rule, filler: "x".repeat(10_000_000) }))).toMatchObject({ status: 413 });
  });
});

describe("a pipeline's token", () => {
  it.each([
    ["GitHub", GITHUB],
    ["GitLab", GITLAB],
  ])(
    "of %s is exchanged for one that pushes to that collection for an hour, in its owner's name",
    async (service, issuer) => {
      await add({ ...rule, issuer });
      const now = Date.now();
      const answer = await exchange(await pipeline(issuer));
      expect(answer).toMatchObject({ status: 201, collection: path });
      expect(await pushes(answer.secret)).toBe(true);
      const row = await env.DB.prepare(
        "SELECT * FROM tokens WHERE publisher_id IS NOT NULL ORDER BY created_at DESC",
      ).first();
      expect(row).toMatchObject({ name: `${service} a/b branch main`, scopes: "pull push" });
      const seconds = (Number(row?.expires_at) - now) / 1000;
      expect(Math.abs(seconds - limits.publisherTokenSeconds)).toBeLessThan(30);
      expect(await list()).toMatchObject([{ repositoryId: "7", lastUsedAt: expect.any(String) }]);
      const [entity = "", name = ""] = path.split("/");
      expect(
        (await ask(`/v1/images/${entity}/${name}/app:v1?arch=amd64`, { method: "DELETE", token: answer.secret ?? "" }))
          .status,
      ).toBe(403);
      const audited = await env.DB.prepare(
        "SELECT actor, target FROM audit WHERE action = 'publisher.exchange' ORDER BY id DESC",
      ).first();
      expect(audited).toEqual({ actor: alice.username, target: path });
    },
  );

  it("gives what pushes to no other collection", async () => {
    await add(rule);
    const { secret } = await exchange(await pipeline(GITHUB));
    const other = `${alice.username}/${uniqueName("other")}`;
    await push(alice.token, `${other}/app:v1`, makeSif({ salt: other }));
    expect(await pushes(secret, other)).toBe(false);
    expect(await pushes(secret)).toBe(true);
  });

  it("works once for each collection, and once of two at once", async () => {
    await add(rule);
    const token = await pipeline(GITHUB);
    const both = await Promise.all([exchange(token), exchange(token)]);
    expect(both.map(({ status }) => status).sort()).toEqual([201, 403]);
    expect(await exchange(token)).toMatchObject({ code: "publisher-refused", detail: expect.stringMatching(/once/) });
    const first = path;
    path = `${alice.username}/${uniqueName("second")}`;
    await push(alice.token, `${path}/app:v1`, makeSif({ salt: path }));
    await add(rule);
    expect(await exchange(token, path)).toMatchObject({ status: 201 });
    expect(await exchange(token, first)).toMatchObject({ status: 403 });
  });

  it("spends nothing when it is refused", async () => {
    const token = await pipeline(GITHUB);
    expect(await exchange(token)).toMatchObject({ status: 403 });
    await add(rule);
    expect(await exchange(token)).toMatchObject({ status: 201 });
  });

  it("is told alike of a collection that is hidden, of one that is not there, and of one without such a publisher", async () => {
    const hidden = `${alice.username}/${uniqueName("hidden")}`;
    await push(alice.token, `${hidden}/app:v1`, makeSif({ salt: hidden }), { private: true });
    const absent = `${alice.username}/${uniqueName("absent")}`;
    const token = await pipeline(GITHUB);
    const told = await Promise.all(
      [path, hidden, absent, "nobody/nothing"].map(async (name) => {
        const { env: counting, counts } = counted();
        const { status, code, detail } = await exchange(token, name, { env: counting });
        return { status, code, detail: detail?.replace(name, "IT"), d1: counts.d1 };
      }),
    );
    expect(new Set(told.map((one) => JSON.stringify(one))).size).toBe(1);
    expect(told[0]).toMatchObject({ status: 403, d1: 1 });
  });

  it("is told what does not match, of its own repository's publishers alone", async () => {
    await add({ ...rule, repository: "secret/one", ref: "release/*" });
    const other = await exchange(await pipeline(GITHUB));
    expect(other.detail).toMatch(/no publisher of it is for the repository a\/b\.$/);
    expect(JSON.stringify(other)).not.toMatch(/secret|release/);
    await add({ ...rule, refKind: "tag", ref: "v*" });
    expect((await exchange(await pipeline(GITHUB))).detail).toBe(`No publisher of ${path} is for the branch main.`);
  });

  it.each([
    ["main", "branch", "main", true],
    ["main", "branch", "maintenance", false],
    ["Main", "branch", "main", false],
    ["*", "branch", "any/thing", true],
    ["release/*", "branch", "release/1", true],
    ["release/*", "branch", "my-release/1", false],
    ["v*.*.*", "tag", "v1.2.3", true],
    ["v*.*.*", "tag", "v1.2", false],
    ["v*", "branch", "v1", true],
    ["a.c", "branch", "abc", false],
  ] as const)("of a publisher for %s is, for the %s %s: %s", async (ref, kind, name, isTaken) => {
    await add({ ...rule, refKind: kind, ref });
    const claims = { ref_type: kind, ref: `refs/${kind === "tag" ? "tags" : "heads"}/${name}` };
    expect((await exchange(await pipeline(GITHUB, claims))).status).toBe(isTaken ? 201 : 403);
    const otherKind = {
      ref_type: kind === "tag" ? "branch" : "tag",
      ref: `refs/${kind === "tag" ? "heads" : "tags"}/${name}`,
    };
    expect((await exchange(await pipeline(GITHUB, otherKind))).status).toBe(403);
  });

  it("names its repository in whatever case", async () => {
    await add({ ...rule, repository: "Alice/Tools" });
    expect((await exchange(await pipeline(GITHUB, { repository: "alice/tools" }))).status).toBe(201);
  });

  it.each([
    [GITHUB, "a pull request", { event_name: "pull_request" }],
    [GITHUB, "a pull request of a fork, run by the base", { event_name: "pull_request_target" }],
    [GITHUB, "a pull request's ref", { ref: "refs/pull/1/merge" }],
    [GITHUB, "a branch said to be a tag", { ref_type: "tag" }],
    [GITHUB, "no ref at all", { ref: undefined }],
    [GITHUB, "a fork", { repository: "mallory/b", repository_id: "8" }],
    [GITLAB, "a merge request", { pipeline_source: "merge_request_event" }],
    [GITLAB, "an external pull request", { pipeline_source: "external_pull_request_event" }],
    [GITLAB, "a child pipeline that does not say of what", { pipeline_source: "parent_pipeline" }],
    [
      GITLAB,
      "a child pipeline of a merge request",
      { pipeline_source: "parent_pipeline", ref_path: "refs/merge-requests/1/head" },
    ],
    [GITLAB, "a path of another ref", { ref_path: "refs/heads/other" }],
    [GITLAB, "another project", { project_path: "a/c" }],
    [GITLAB, "GitHub's claims", { project_path: undefined, repository: "a/b" }],
  ])("of %s for %s is refused", async (issuer, _, claims) => {
    await add({ ...rule, issuer });
    expect(await exchange(await pipeline(issuer, claims))).toMatchObject({ status: 403, code: "publisher-refused" });
    expect((await exchange(await pipeline(issuer))).status).toBe(201);
  });

  it("of a child pipeline that says of which branch is taken", async () => {
    await add({ ...rule, issuer: GITLAB });
    const claims = { pipeline_source: "parent_pipeline", ref_path: "refs/heads/main" };
    expect((await exchange(await pipeline(GITLAB, claims))).status).toBe(201);
  });

  it("of whoever took a repository's name after it was given up is refused, by all of its publishers", async () => {
    await add(rule);
    await add({ ...rule, refKind: "tag", ref: "v*" });
    const tag = { ref: "refs/tags/v1", ref_type: "tag" };
    expect((await exchange(await pipeline(GITHUB))).status).toBe(201);
    const taker = { repository_id: "666" };
    for (const claims of [taker, { ...taker, ...tag }]) {
      const { status, detail } = await exchange(await pipeline(GITHUB, claims));
      expect([status, detail]).toEqual([403, expect.stringMatching(/another repository now/)]);
    }
    expect((await exchange(await pipeline(GITHUB, tag))).status).toBe(201);
    // Added later, it is for the same repository still.
    await add({ ...rule, ref: "later" });
    expect((await exchange(await pipeline(GITHUB, { ...taker, ref: "refs/heads/later" }))).status).toBe(403);
    for (const { id } of await list()) await remove(id);
    await add(rule);
    expect((await exchange(await pipeline(GITHUB, taker))).status).toBe(201);
  });

  it("of two repositories that come first at once is one's alone", async () => {
    await add(rule);
    await add({ ...rule, refKind: "tag", ref: "v*" });
    const other = { repository_id: "8", ref: "refs/tags/v1", ref_type: "tag" };
    const tokens = [await pipeline(GITHUB), await pipeline(GITHUB, other)];
    const both = await Promise.all(tokens.map((token) => exchange(token)));
    expect(both.map(({ status }) => status).sort()).toEqual([201, 403]);
    expect(new Set((await list()).map(({ repositoryId }) => repositoryId)).size).toBe(1);
  });
});

describe("what changes while a pipeline's token is looked at", () => {
  /** An environment in which something happens just before the token would be given. */
  const before = (act: () => Promise<unknown>) => {
    let isFirst = true;
    return observed(environment(), async ({ sql }) => {
      if (!isFirst || !sql.some((text) => /insert into "used_signatures"/i.test(text))) return;
      isFirst = false;
      await act();
    });
  };

  it.each([
    ["its publisher is removed", async () => await remove((await list())[0]?.id)],
    [
      "another repository of that name comes first",
      async () => await exchange(await pipeline(GITHUB, { repository_id: "666" })),
    ],
  ])("counts: none is given when %s, and the token is not used up", async (what, act) => {
    await add(rule);
    const token = await pipeline(GITHUB);
    const spent = () => env.DB.prepare("SELECT count(*) AS n FROM used_signatures").first<number>("n");
    const [spentBefore, tokensBefore] = [await spent(), await tokensGiven()];
    const others = what.startsWith("another") ? 1 : 0;
    expect(await exchange(token, path, { env: before(act) })).toMatchObject({ status: 403, code: "publisher-refused" });
    expect([await spent(), await tokensGiven()]).toEqual([Number(spentBefore) + others, tokensBefore + others]);
  });

  it("counts: a token that is given meanwhile ends with its publisher", async () => {
    const { id } = await add(rule);
    let secret: string | undefined;
    let isFirst = true;
    const racing = observed(environment(), async ({ sql }) => {
      if (!isFirst || !sql.some((text) => /delete from "publishers"/i.test(text))) return;
      isFirst = false;
      ({ secret } = await exchange(await pipeline(GITHUB)));
      expect(await pushes(secret)).toBe(true);
    });
    expect(await remove(id, { token: alice.token, env: racing })).toEqual({ status: 204 });
    expect(await pushes(secret)).toBe(false);
  });

  async function tokensGiven(): Promise<number> {
    const count = env.DB.prepare("SELECT count(*) AS n FROM tokens WHERE publisher_id IS NOT NULL");
    return Number(await count.first("n"));
  }
});

describe("a token that was exchanged", () => {
  it("ends at once when its publisher is removed", async () => {
    const { id } = await add(rule);
    const { secret } = await exchange(await pipeline(GITHUB));
    expect(await pushes(secret)).toBe(true);
    await remove(id);
    expect(await pushes(secret)).toBe(false);
    expect((await exchange(await pipeline(GITHUB))).status).toBe(403);
  });

  it("ends at once when its creator is disabled, and no other is given", async () => {
    const bob = await newPerson("bob");
    const bobs = await newSession(bob.username);
    path = `${bob.username}/tools`;
    await push(bob.token, `${path}/app:v1`, makeSif({ salt: path }));
    await add(rule, { headers: bobs.headers });
    const { secret } = await exchange(await pipeline(GITHUB));
    expect(await pushes(secret)).toBe(true);
    await setDisabled(testContext(), operator, bob.username, true);
    expect(await pushes(secret)).toBe(false);
    const refused = await exchange(await pipeline(GITHUB));
    expect([refused.status, refused.detail]).toEqual([403, expect.stringMatching(/^Whoever set up this publisher/)]);
    await setDisabled(testContext(), operator, bob.username, false);
    expect((await exchange(await pipeline(GITHUB))).status).toBe(201);
  });

  it("ends with all of its creator's credentials, and so does what gives others", async () => {
    const bob = await newPerson("bob");
    const bobs = await newSession(bob.username);
    path = `${bob.username}/tools`;
    await push(bob.token, `${path}/app:v1`, makeSif({ salt: path }));
    await add(rule, { headers: bobs.headers });
    const { secret } = await exchange(await pipeline(GITHUB));
    const { secret: other } = await exchange(await pipeline(GITHUB));
    expect(other).not.toBe(secret);
    const admin = await newPerson("admin", { role: "admin" });
    const url = `/api/v1/users/${bob.username}/credentials`;
    expect((await ask(url, { method: "DELETE", token: admin.token })).status).toBe(204);
    expect((await ask("/api/v1/me", { token: secret ?? null })).status).toBe(401);
    expect((await exchange(await pipeline(GITHUB))).status).toBe(403);
  });

  it("does no more than its creator may: nothing, once they are no owner any more", async () => {
    const bob = await newPerson("bob");
    const bobs = await newSession(bob.username);
    const [entity = "", name = ""] = path.split("/");
    const role = (given: "contributor" | "owner" | "reader") =>
      setMember(testContext(), operator, { entity, name }, bob.username, given);
    await role("owner");
    await add(rule, { headers: bobs.headers });
    const { secret } = await exchange(await pipeline(GITHUB));
    await role("contributor");
    expect(await pushes(secret)).toBe(true);
    await role("reader");
    expect(await pushes(secret)).toBe(false);
    expect((await exchange(await pipeline(GITHUB))).status).toBe(403);
    // Whoever may still push has a publisher of their own.
    await add({ ...rule, ref: "*" });
    expect((await exchange(await pipeline(GITHUB))).status).toBe(201);
  });

  it("goes with the collection, also where another gets its name", async () => {
    await add(rule);
    const { secret } = await exchange(await pipeline(GITHUB));
    const [entity = "", name = ""] = path.split("/");
    await deleteCollection(testContext(), operator, { entity, name });
    expect((await exchange(await pipeline(GITHUB))).status).toBe(403);
    expect((await ask(`/v1/collections/${path}`, { token: secret ?? "" })).status).toBe(404);
  });

  it("is not given where pushing is switched off", async () => {
    await add(rule);
    const token = await pipeline(GITHUB);
    const off = { env: environment({ DISABLE_BUILDING: "true" }) };
    expect(await exchange(token, path, off)).toMatchObject({ status: 403, code: "pushing-disabled" });
  });

  it("leaves the list some days after it ended", async () => {
    await add(rule);
    await exchange(await pipeline(GITHUB));
    const count = () =>
      env.DB.prepare("SELECT count(*) AS n FROM tokens WHERE publisher_id IS NOT NULL AND name LIKE '%gone'").first(
        "n",
      );
    await env.DB.prepare("UPDATE tokens SET name = 'gone', expires_at = ? WHERE publisher_id IS NOT NULL")
      .bind(Date.now() - (limits.publisherTokenKeptSeconds + 1) * 1000)
      .run();
    expect(await count()).not.toBe(0);
    const before = Number(await count());
    await exchange(await pipeline(GITHUB));
    expect(Number(await count())).toBeLessThan(before);
  });
});

describe("the exchange", () => {
  it.each([
    "",
    "{",
    "[]",
    '{"token":5}',
    '{"token":"x"}',
    '{"token":"x","collection":"one"}',
    '{"token":"","collection":"a/b"}',
  ])("refuses the body %j", async (body) => {
    expect(await answered("/api/v1/publisher-tokens", { method: "POST", body })).toMatchObject({ status: 400 });
  });

  it("refuses a token that is too long, and ten megabytes", async () => {
    expect(await exchange("x".repeat(limits.assertionLength + 1))).toMatchObject({ status: 400 });
    expect(await exchange("x".repeat(10_000_000))).toMatchObject({ status: 413 });
  });

  it.each(["x", "a.b.c", "..", "eyJhbGciOiJub25lIn0.eyJpc3MiOiJhIn0."])(
    "refuses %j, and asks nobody",
    async (token) => {
      const asked = vi.spyOn(globalThis, "fetch");
      expect(await exchange(token)).toMatchObject({ status: 403, code: "publisher-refused" });
      expect(asked).not.toHaveBeenCalled();
    },
  );

  it("asks no issuer but those of the settings", async () => {
    const token = await pipeline("https://gitlab.example.org");
    const asked = vi.spyOn(globalThis, "fetch");
    expect(await exchange(token)).toMatchObject({
      status: 403,
      detail: "This registry takes no tokens of this issuer.",
    });
    const off = { env: environment({ CI_GITHUB_ISSUERS: "none" }) };
    expect(await exchange(await pipeline(GITHUB), path, off)).toMatchObject({ status: 403 });
    expect(asked).not.toHaveBeenCalled();
  });

  it("takes tokens of an issuer's new key, as soon as a minute after it last asked for its keys", async () => {
    await add(rule);
    const now = Date.now();
    expect((await exchange(await pipeline(GITHUB))).status).toBe(201);
    rotateKeys();
    const clock = vi.spyOn(Date, "now").mockReturnValue(now + limits.providerCacheSeconds * 1000);
    expect((await exchange(await pipeline(GITHUB))).status).toBe(201);
    rotateKeys();
    const soon = now + (limits.providerCacheSeconds + limits.keysRefreshSeconds) * 1000;
    clock.mockReturnValue(soon - 1);
    const refused = await exchange(await pipeline(GITHUB));
    expect([refused.status, refused.detail]).toEqual([403, expect.stringMatching(/^The issuer has no such key/)]);
    clock.mockReturnValue(soon);
    expect((await exchange(await pipeline(GITHUB))).status).toBe(201);
    // For the tests behind this one it is old again.
    clock.mockReturnValue(now + 2 * limits.providerCacheSeconds * 1000);
  });

  it("is bounded for each address, and for all where addresses are not known", async () => {
    const from = { headers: { "CF-Connecting-IP": "203.0.113.50" } };
    const statuses: number[] = [];
    for (let times = 0; times <= limits.signInsPerMinute; times++)
      statuses.push((await exchange("x", path, from)).status);
    expect(new Set(statuses.slice(0, -1))).toEqual(new Set([403]));
    expect(statuses.at(-1)).toBe(429);
    expect((await exchange("x", path, { headers: { "CF-Connecting-IP": "203.0.113.51" } })).status).toBe(403);
  });
});
