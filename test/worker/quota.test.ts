import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { operator } from "../../worker/access/roles.ts";
import { deleteCollection } from "../../worker/registry/catalog/manage.ts";
import { setQuota } from "../../worker/registry/people/account-quotas.ts";
import { moveGuard } from "../../worker/registry/quota.ts";
import { writeTogether } from "../../worker/storage/db/write-together.ts";
import { makeSif } from "../support/make-sif.ts";
import { interrupted } from "../support/worker/calls.ts";
import { messageOf, multipartClient, PART_BYTES, smallParts } from "../support/worker/multipart.ts";
import {
  ask,
  askJson,
  environment,
  newPerson,
  newTokenFor,
  type Person,
  pull,
  push,
  register,
  startUpload,
  storedKeys,
  testContext,
  uniqueName,
} from "../support/worker/registry.ts";
import { newSession } from "../support/worker/session.ts";
import { askAsShown } from "../support/worker/shown.ts";
import { askToPush, cidOf, newSigner, sendForm } from "../support/worker/sregistry.ts";

const KIB = 1024;
/** An image of exactly so many bytes. */
const imageOf = (salt: string, sizeBytes = 40 * KIB) => makeSif({ salt, sizeBytes });

async function give({ username }: Person, bytes: number | null): Promise<void> {
  await setQuota(testContext(), operator, username, bytes);
}

interface QuotaAnswer {
  account: string;
  isTeam: boolean;
  isOwnNumber: boolean;
  quota: { usedBytes: number; reservedBytes: number; quotaBytes: number | null };
}

async function quotaOf({ username, token }: Person): Promise<QuotaAnswer["quota"]> {
  return (await askJson<QuotaAnswer>(`/api/v1/quotas/${username}`, { token })).quota;
}

/** What starting an upload of so many bytes answers. */
async function start(token: string, imageId: string, filesize: number, of = environment()): Promise<Response> {
  const body = { filesize, sha256sum: "" };
  return await ask(`/v2/imagefile/${imageId}`, { method: "POST", token, body, env: of });
}

async function hold(person: Person, salt: string, sizeBytes?: number): Promise<string> {
  const path = `${person.username}/${uniqueName("held")}/app`;
  await push(person.token, `${path}:v1`, imageOf(salt, sizeBytes));
  return path;
}

/** A team that owns an entity of its name, and a person in it. */
async function newTeam(member: Person, role: "owner" | "member" = "owner"): Promise<{ name: string; id: string }> {
  const name = uniqueName("team");
  const id = crypto.randomUUID();
  const now = Date.now();
  await env.DB.batch([
    env.DB.prepare("INSERT INTO users (id, username, created_at, is_team) VALUES (?, ?, ?, 1)").bind(id, name, now),
    env.DB.prepare("INSERT INTO teams (id, joining) VALUES (?, 'invitation')").bind(id),
    env.DB.prepare(
      "INSERT INTO team_members (team_id, user_id, role, created_at) SELECT ?, id, ?, ? FROM users WHERE username = ?",
    ).bind(id, role, now, member.username),
    env.DB.prepare("INSERT INTO entities (id, name, owner_user_id, created_at) VALUES (?, ?, ?, ?)").bind(
      crypto.randomUUID(),
      name,
      id,
      now,
    ),
  ]);
  return { name, id };
}

describe("a quota", () => {
  it("counts an image once in each collection that has it, whatever its tags, containers and replaced tags", async () => {
    const alice = await newPerson("alice");
    const bytes = imageOf("counted once");
    const [first, second] = [uniqueName("first"), uniqueName("second")];
    await push(alice.token, `${alice.username}/${first}/app:v1,v2`, bytes);
    await push(alice.token, `${alice.username}/${first}/other:v1`, bytes);
    expect((await quotaOf(alice)).usedBytes).toBe(bytes.length);
    await push(alice.token, `${alice.username}/${second}/app:v1`, bytes);
    expect((await quotaOf(alice)).usedBytes).toBe(2 * bytes.length);
    const newer = imageOf("replaces it");
    await push(alice.token, `${alice.username}/${first}/app:v1`, newer);
    expect((await quotaOf(alice)).usedBytes).toBe(2 * bytes.length + newer.length);
    await deleteCollection(testContext(), operator, { entity: alice.username, name: first });
    expect((await quotaOf(alice)).usedBytes).toBe(bytes.length);
  });

  it("refuses a push before its first byte, and says what it needs, what is left and of how much", async () => {
    const alice = await newPerson("alice");
    await hold(alice, "takes most", 90 * KIB);
    await give(alice, 100 * KIB);
    const path = `${alice.username}/tools/app`;
    const image = await register(alice.token, path, imageOf("too much"));
    const stored = await storedKeys();
    const refused = await start(alice.token, image.imageId, 40 * KIB);
    expect(refused.status).toBe(507);
    expect(await messageOf(refused)).toBe(`This needs 40 KiB; ${alice.username} has 10 KiB left of 100 KiB.`);
    const client = await multipartClient(alice.token, path, imageOf("too much in parts", PART_BYTES + KIB));
    const inParts = await ask(`/v2/imagefile/${client.image.imageId}/_multipart`, {
      method: "POST",
      token: alice.token,
      env: environment(smallParts),
      body: { filesize: PART_BYTES + KIB },
    });
    expect([inParts.status, await messageOf(inParts)]).toEqual([507, expect.stringContaining("This needs 5.1 MiB;")]);
    const old = await ask(`/v1/imagefile/${image.imageId}`, {
      method: "POST",
      token: alice.token,
      body: imageOf("too much"),
    });
    expect(old.status).toBe(507);
    expect(await storedKeys()).toEqual(stored);
    expect(await quotaOf(alice)).toEqual({ usedBytes: 90 * KIB, reservedBytes: 0, quotaBytes: 100 * KIB });
    expect((await start(alice.token, image.imageId, 10 * KIB)).status).toBe(200);
  });

  it("is what the settings say for users and for teams, until an administrator gives another number", async () => {
    const alice = await newPerson("alice");
    const team = await newTeam(alice);
    const of = environment({ USER_QUOTA_BYTES: String(10 * KIB), TEAM_QUOTA_BYTES: String(50 * KIB) });
    const mine = await register(alice.token, `${alice.username}/tools/app`, imageOf("of settings"));
    const theirs = await register(alice.token, `${team.name}/tools/app`, imageOf("of settings"));
    expect((await start(alice.token, mine.imageId, 40 * KIB, of)).status).toBe(507);
    expect((await start(alice.token, theirs.imageId, 40 * KIB, of)).status).toBe(200);
    await give(alice, 40 * KIB);
    expect((await start(alice.token, mine.imageId, 40 * KIB, of)).status).toBe(200);
  });

  it("of users does not hold for a team that one of them makes, while there is none of teams", async () => {
    const alice = await newPerson("alice");
    const team = await newTeam(alice);
    const of = environment({ USER_QUOTA_BYTES: "1" });
    const { imageId } = await register(alice.token, `${team.name}/tools/app`, imageOf("of a team without"));
    expect((await start(alice.token, imageId, 40 * KIB, of)).status).toBe(200);
  });

  it("is the owner's of the collection, whoever pushes to it", async () => {
    const [alice, bob] = [await newPerson("alice"), await newPerson("bob")];
    await push(alice.token, `${alice.username}/shared/app:v1`, imageOf("of alice"));
    await askMember(alice, "shared", bob);
    await give(bob, 0);
    await push(bob.token, `${alice.username}/shared/app:v2`, imageOf("by bob"));
    expect((await quotaOf(alice)).usedBytes).toBe(80 * KIB);
    await give(alice, 80 * KIB);
    const image = await register(bob.token, `${alice.username}/shared/app`, imageOf("too much by bob"));
    const refused = await start(bob.token, image.imageId, 40 * KIB);
    expect(await messageOf(refused)).toBe(`This needs 40 KiB; ${alice.username} has 0 bytes left of 80 KiB.`);
  });

  it("takes nothing for what the collection holds already, also when there is no room left", async () => {
    const alice = await newPerson("alice");
    const path = await hold(alice, "held already");
    await give(alice, 1);
    await push(alice.token, `${path}:v2`, imageOf("held already"));
    const [, collection] = path.split("/");
    await push(alice.token, `${alice.username}/${collection}/another:v1`, imageOf("held already"));
    expect((await quotaOf(alice)).usedBytes).toBe(40 * KIB);
  });

  it("counts an image that comes from another collection without an upload", async () => {
    const alice = await newPerson("alice");
    await hold(alice, "twin");
    await give(alice, 79 * KIB);
    const refused = register(alice.token, `${alice.username}/elsewhere/app`, imageOf("twin"));
    await expect(refused).rejects.toThrow(`This needs 40 KiB; ${alice.username} has 39 KiB left of 79 KiB.`);
    await give(alice, 80 * KIB);
    expect((await register(alice.token, `${alice.username}/elsewhere/app`, imageOf("twin"))).uploaded).toBe(true);
  });

  it("reserves what is on its way, once for an image however often its push was begun, until that ends", async () => {
    const alice = await newPerson("alice");
    await give(alice, 60 * KIB);
    const bytes = imageOf("begun again");
    const path = `${alice.username}/tools/app`;
    const image = await register(alice.token, path, bytes);
    for (let time = 0; time < 3; time++) await startUpload(alice.token, image, bytes);
    expect(await quotaOf(alice)).toEqual({ usedBytes: 0, reservedBytes: 40 * KIB, quotaBytes: 60 * KIB });
    const other = await register(alice.token, path, imageOf("another"));
    expect((await start(alice.token, other.imageId, 40 * KIB)).status).toBe(507);
    await push(alice.token, `${path}:v1`, bytes);
    expect(await quotaOf(alice)).toMatchObject({ usedBytes: 40 * KIB, reservedBytes: 0 });
    expect((await start(alice.token, other.imageId, 20 * KIB)).status).toBe(200);
    await env.DB.prepare("UPDATE uploads SET expires_at = ? WHERE image_id = ?").bind(Date.now(), other.imageId).run();
    expect(await quotaOf(alice)).toMatchObject({ usedBytes: 40 * KIB, reservedBytes: 0 });
  });

  it("gives the room of an aborted push in parts back at once", async () => {
    const alice = await newPerson("alice");
    const client = await multipartClient(
      alice.token,
      `${alice.username}/tools/app`,
      imageOf("aborted", PART_BYTES + 9),
    );
    const { uploadID } = await client.start();
    expect((await quotaOf(alice)).reservedBytes).toBe(PART_BYTES + 9);
    await client.ask("_multipart_abort", { uploadID });
    expect((await quotaOf(alice)).reservedBytes).toBe(0);
  });

  it("lets a push end for which room was reserved, though an administrator took it away meanwhile", async () => {
    const alice = await newPerson("alice");
    const bytes = imageOf("reserved");
    const image = await register(alice.token, `${alice.username}/tools/app`, bytes);
    const url = await startUpload(alice.token, image, bytes);
    await give(alice, 1);
    expect((await ask(url, { method: "PUT", body: bytes })).status).toBe(200);
    expect((await complete(alice, image.imageId)).status).toBe(200);
  });

  it("refuses a push at its end whose room was given back because it took too long", async () => {
    const alice = await newPerson("alice");
    const bytes = imageOf("took too long");
    const path = `${alice.username}/tools/app`;
    const image = await register(alice.token, path, bytes);
    await ask(await startUpload(alice.token, image, bytes), { method: "PUT", body: bytes });
    await env.DB.prepare("UPDATE uploads SET expires_at = ? WHERE image_id = ?").bind(Date.now(), image.imageId).run();
    await give(alice, 40 * KIB - 1);
    const refused = await complete(alice, image.imageId);
    expect([refused.status, await messageOf(refused)]).toEqual([507, expect.stringContaining("has 39 KiB left")]);
    expect(await pull(`${path}:${image.digest}`, alice.token)).toBe(404);
  });
});

async function complete({ token }: Person, imageId: string): Promise<Response> {
  return await ask(`/v2/imagefile/${imageId}/_complete`, { method: "PUT", token, body: {} });
}

async function askMember(owner: Person, collection: string, member: Person): Promise<void> {
  await env.DB.prepare(
    `INSERT INTO collection_members (collection_id, user_id, role, created_at)
     SELECT c.id, u.id, 'contributor', 0 FROM collections c, entities e, users u
     WHERE e.id = c.entity_id AND e.name = ? AND c.name = ? AND u.username = ?`,
  )
    .bind(owner.username, collection, member.username)
    .run();
}

describe("the last bytes of a quota", () => {
  it("go to one of two pushes that want them at once; the other is told before it sends any", async () => {
    const alice = await newPerson("alice");
    await give(alice, 50 * KIB);
    const path = `${alice.username}/tools/app`;
    const [mine, theirs] = [
      await register(alice.token, path, imageOf("the one")),
      await register(alice.token, path, imageOf("the other")),
    ];
    let other: Response | null = null;
    const isReserving = ({ sql }: { sql: string[] }) => sql.some((text) => /^insert into "uploads"/i.test(text.trim()));
    const during = interrupted(environment(), isReserving, async () => {
      other = await start(alice.token, theirs.imageId, 40 * KIB);
    });
    const one = await start(alice.token, mine.imageId, 40 * KIB, during);
    expect([one.status, (other as Response | null)?.status]).toEqual([507, 200]);
  });

  it("go to exactly one of many that begin at the same moment", async () => {
    const alice = await newPerson("alice");
    await give(alice, 50 * KIB);
    const path = `${alice.username}/tools/app`;
    const images = [];
    for (let n = 0; n < 5; n++) images.push(await register(alice.token, path, imageOf(`many ${n}`)));
    const answers = await Promise.all(images.map(({ imageId }) => start(alice.token, imageId, 40 * KIB)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 507, 507, 507, 507]);
  });

  it("go to whoever publishes first of two forms that were let in at once", async () => {
    const signer = await newSigner("signer");
    const person = { username: signer.username, token: await newTokenFor(signer.username) };
    await give(person, 150 * KIB);
    const collection = uniqueName("forms");
    const send = async (name: string, salt: string, of = environment()) => {
      const path = `${collection}/${name}:v1`;
      const cid = await cidOf(await askToPush(signer, path));
      return await sendForm(signer, path, imageOf(salt, 100 * KIB), { cid, env: of });
    };
    expect((await send("zero", "makes the collection", environment())).status).toBe(200);
    await give(person, 250 * KIB);
    let other: Response | null = null;
    const isPublishing = ({ sql }: { sql: string[] }) =>
      sql.some((text) => /^insert into "containers"/i.test(text.trim()));
    const during = interrupted(environment(), isPublishing, async () => {
      other = await send("other", "the other form");
    });
    const one = await send("one", "the one form", during);
    expect([one.status, (other as Response | null)?.status]).toEqual([507, 200]);
    expect(await one.json()).toMatchObject({ message: expect.stringContaining("This needs 100 KiB;") });
    expect(await quotaOf(person)).toMatchObject({ usedBytes: 200 * KIB, reservedBytes: 0 });
  });

  it("are refused to a form before it is read, but not to one that may be there already", async () => {
    const signer = await newSigner("signer");
    const person = { username: signer.username, token: await newTokenFor(signer.username) };
    const collection = uniqueName("forms");
    const send = async (name: string, bytes: Uint8Array<ArrayBuffer>) => {
      const path = `${collection}/${name}:v1`;
      return await sendForm(signer, path, bytes, { cid: await cidOf(await askToPush(signer, path)) });
    };
    expect((await send("app", imageOf("a form", 100 * KIB))).status).toBe(200);
    await give(person, 110 * KIB);
    const before = (await env.DB.prepare("SELECT count(*) AS n FROM uploads").first<{ n: number }>())?.n;
    expect((await send("large", imageOf("a large form", 300 * KIB))).status).toBe(507);
    expect((await env.DB.prepare("SELECT count(*) AS n FROM uploads").first<{ n: number }>())?.n).toBe(before);
    expect((await send("again", imageOf("a form", 100 * KIB))).status).toBe(200);
    expect((await send("other", imageOf("another form", 100 * KIB))).status).toBe(507);
  });
});

describe("a collection that changes hands", () => {
  it("needs room where it goes, and none where it stays", async () => {
    const [alice, bob] = [await newPerson("alice"), await newPerson("bob")];
    const path = await hold(alice, "given away");
    const ctx = testContext();
    const [entity = "", name = ""] = path.split("/");
    const row = await env.DB.prepare(
      "SELECT c.id FROM collections c INNER JOIN entities e ON e.id = c.entity_id WHERE e.name = ? AND c.name = ?",
    )
      .bind(entity, name)
      .first<{ id: string }>();
    const idOf = async ({ username }: Person) =>
      (await env.DB.prepare("SELECT id FROM users WHERE username = ?").bind(username).first<{ id: string }>())?.id ??
      "";
    const move = async (to: Person) => await writeTogether(ctx.db, [moveGuard(ctx, row?.id ?? "", await idOf(to))]);
    await give(bob, 39 * KIB);
    await expect(move(bob)).rejects.toMatchObject({ code: "quota-exceeded" });
    await give(bob, 40 * KIB);
    await move(bob);
    await give(alice, 1);
    await move(alice);
  });
});

describe("the answer of a push", () => {
  it("says how much is taken with it, of how much, and where it is on the site", async () => {
    const alice = await newPerson("alice");
    const path = `${alice.username}/tools/app`;
    for (const [quotaBytes, quotaTotal] of [
      [null, 0],
      [100 * KIB, 100 * KIB],
    ] as const) {
      await give(alice, quotaBytes);
      const bytes = imageOf("answered");
      const image = await register(alice.token, path, bytes);
      if (!image.uploaded) await ask(await startUpload(alice.token, image, bytes), { method: "PUT", body: bytes });
      const done = await complete(alice, image.imageId);
      expect(await done.json()).toEqual({
        data: { quota: { quotaTotal, quotaUsage: 40 * KIB }, containerUrl: `/${path}` },
      });
    }
  });

  it("has the numbers in the entity too, for those whose it is alone", async () => {
    const [alice, bob] = [await newPerson("alice"), await newPerson("bob")];
    await hold(alice, "of the entity");
    await give(alice, 100 * KIB);
    const entityFor = async (token: string | null) =>
      (await askJson<{ data: object }>(`/v1/entities/${alice.username}`, { token })).data;
    expect(await entityFor(alice.token)).toMatchObject({ size: 40 * KIB, quota: 100 * KIB });
    for (const token of [bob.token, null]) expect(Object.keys(await entityFor(token))).not.toContain("size");
  });
});

describe("what is on its way to a collection", () => {
  it("takes no more room with who gave it away", async () => {
    const alice = await newPerson("alice");
    const team = await newTeam(alice, "owner");
    await give(alice, 100 * KIB);
    const path = await hold(alice, "given away");
    const image = await register(alice.token, path, imageOf("on its way", 60 * KIB));
    expect((await start(alice.token, image.imageId, 60 * KIB)).status).toBe(200);
    expect(await quotaOf(alice)).toMatchObject({ usedBytes: 40 * KIB, reservedBytes: 60 * KIB });
    const moving = { method: "POST", token: alice.token, body: { entity: team.name } };
    const [entity, collection] = path.split("/");
    expect((await askAsShown(`/api/v1/collections/${entity}/${collection}/hand-over`, moving)).status).toBe(201);
    expect(await quotaOf(alice)).toMatchObject({ usedBytes: 0, reservedBytes: 0 });
  });
});

describe("who may see and set quotas", () => {
  let alice: Person;
  let bob: Person;
  let admin: Person;

  beforeAll(async () => {
    [alice, bob] = [await newPerson("alice"), await newPerson("bob")];
    admin = await newPerson("admin", { role: "admin" });
  });

  async function ofAccount(name: string, token: string | null, body?: Record<string, unknown>): Promise<Response> {
    const change = body === undefined ? {} : { method: "PUT", body };
    return await ask(`/api/v1/quotas/${name}`, { token, ...change });
  }

  it("one sees one's own and that of one's team; another's looks absent, as nobody's does", async () => {
    const team = await newTeam(alice, "member");
    expect((await ofAccount(alice.username, alice.token)).status).toBe(200);
    expect(await (await ofAccount(team.name, alice.token)).json()).toMatchObject({ account: team.name, isTeam: true });
    const answers = [];
    for (const name of [alice.username, team.name, "nobody-at-all"]) {
      const { detail, status } = await (await ofAccount(name, bob.token)).json<{ detail: string; status: number }>();
      answers.push({ detail, status });
    }
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(answers[0]?.status).toBe(404);
    expect((await ofAccount(alice.username, null)).status).toBe(401);
  });

  it("a token for one collection reads no quota, which is of all the others too", async () => {
    const team = await newTeam(alice, "member");
    const path = await hold(alice, "for a narrow token");
    const narrow = await newTokenFor(alice.username, {
      collection: { entity: alice.username, name: path.split("/")[1] ?? "" },
    });
    for (const name of [alice.username, team.name]) expect((await ofAccount(name, narrow)).status, name).toBe(404);
  });

  it("administrators set it, and nobody for themselves; the log says so once", async () => {
    for (const token of [alice.token, bob.token]) {
      expect((await ofAccount(alice.username, token, { quotaBytes: 5 })).status).toBe(403);
    }
    for (let time = 0; time < 2; time++) {
      const set = await ofAccount(alice.username.toUpperCase(), admin.token, { quotaBytes: 5000 });
      expect(await set.json()).toMatchObject({ isOwnNumber: true, quota: { quotaBytes: 5000 } });
    }
    const entries = await env.DB.prepare("SELECT detail FROM audit WHERE action = 'quota.set' AND target = ?")
      .bind(alice.username)
      .all();
    expect(entries.results).toEqual([{ detail: '{"quotaBytes":5000}' }]);
    expect(await (await ofAccount(alice.username, admin.token, { quotaBytes: null })).json()).toMatchObject({
      isOwnNumber: false,
      quota: { quotaBytes: null },
    });
    for (const quotaBytes of [-1, 1.5, "10", 1e300]) {
      expect((await ofAccount(alice.username, admin.token, { quotaBytes })).status, String(quotaBytes)).toBe(400);
    }
    expect((await ofAccount("nobody-at-all", admin.token, { quotaBytes: 5 })).status).toBe(404);
    const pullOnly = await newTokenFor(admin.username, { scopes: ["pull"] });
    expect((await ofAccount(alice.username, pullOnly, { quotaBytes: 5 })).status).toBe(403);
  });

  it("it stands with one's own account, and with a user, where it can be changed too", async () => {
    await hold(bob, "of bob");
    const me = await askJson<{ quota: object }>("/api/v1/me", { token: bob.token });
    expect(me.quota).toEqual({ usedBytes: 40 * KIB, reservedBytes: 0, quotaBytes: null });
    const { headers } = await newSession(admin.username);
    const url = `/api/v1/users/${bob.username}`;
    const seen = await ask(url, { headers });
    expect(await seen.json()).toMatchObject({ quota: { usedBytes: 40 * KIB } });
    const change = async (ifMatch: string) =>
      await ask(url, { method: "PATCH", headers: { ...headers, "If-Match": ifMatch }, body: { quotaBytes: 9 } });
    expect(await (await change(seen.headers.get("ETag") ?? "")).json()).toMatchObject({ quota: { quotaBytes: 9 } });
    expect((await change(seen.headers.get("ETag") ?? "")).status).toBe(412);
  });
});
