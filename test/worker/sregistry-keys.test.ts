import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { isWellFormedToken } from "../../worker/access/credentials.ts";
import { operator } from "../../worker/access/roles.ts";
import type { Context } from "../../worker/context.ts";
import { setFrozen, setMember } from "../../worker/registry/catalog/manage.ts";
import { parseImageReference } from "../../worker/registry/names.ts";
import { authenticateSigned, type TakenKind } from "../../worker/registry/people/authenticate-signature.ts";
import { addKey, listKeys, resealKeys, revokeKey } from "../../worker/registry/people/sregistry-keys.ts";
import { setDisabled } from "../../worker/registry/people/users.ts";
import { runUpkeep } from "../../worker/registry/upkeep/run-upkeep.ts";
import { makeSif } from "../support/make-sif.ts";
import { namesOf, signed } from "../support/sregistry-client.ts";
import { ask, environment, newPerson, pull, push, testContext, uniqueName } from "../support/worker/registry.ts";
import { newSigner, type SregistryUser, sregistryDelete, sregistryPush } from "../support/worker/sregistry.ts";

const HOUR_MS = 3_600_000;
const names = namesOf("demo/tool:1.0");
let alice: SregistryUser;

beforeAll(async () => {
  alice = await newSigner("alice");
});

/** What an attempt to authenticate ends in: a name, or an error's code. */
async function outcome(header: string, kind: TakenKind = "pull", ctx: Context = testContext()): Promise<unknown> {
  try {
    const { actor } = await authenticateSigned(ctx, header, kind, names);
    return actor.kind === "user" ? [actor.username, ...actor.credential.scopes] : actor.kind;
  } catch (thrown) {
    return (thrown as { code?: string }).code ?? thrown;
  }
}

describe("a signature", () => {
  it("lets its user do what its kind says, and nothing else", async () => {
    const scopes = { push: "push", upload: "push", pull: "pull", delete: "manage" } as const;
    for (const kind of Object.keys(scopes) as TakenKind[]) {
      expect(await outcome(signed(kind, alice, names), kind)).toEqual([alice.username, scopes[kind]]);
      for (const other of (Object.keys(scopes) as TakenKind[]).filter((one) => one !== kind)) {
        expect(await outcome(signed(kind, alice, names), other)).toBe("invalid-credential");
      }
    }
    expect(await outcome(signed("build", alice, names))).toBe("invalid-credential");
  });

  it("is good for its names alone, in its hour and the next one (F-119)", async () => {
    for (const [changed, value] of Object.entries({ collection: "x", container: "x", tag: "x" })) {
      expect(await outcome(signed("pull", alice, { ...names, [changed]: value }))).toBe("invalid-credential");
    }
    const at = Date.UTC(2026, 0, 2, 3, 0, 1);
    const ctx = { ...testContext(), now: () => at };
    const offsets = [-2, -1, 0, 1].map((hours) => signed("pull", alice, names, at + hours * HOUR_MS));
    const outcomes = await Promise.all(offsets.map((header) => outcome(header, "pull", ctx)));
    expect(outcomes.map((one) => Array.isArray(one))).toEqual([false, true, true, false]);
  });

  it("that is wrong does not count as a use of the key", async () => {
    const carol = await newSigner("carol");
    const lastUsed = env.DB.prepare(
      "SELECT last_used_at AS at FROM sregistry_keys WHERE user_id = (SELECT id FROM users WHERE username = ?)",
    ).bind(carol.username);
    const send = async (key: string) =>
      await ask("/api/container/demo/tool:1.0", {
        headers: { Authorization: signed("pull", { ...carol, key }, names) },
      });
    await send("another");
    expect(await lastUsed.first("at")).toBeNull();
    await send(carol.key);
    expect(await lastUsed.first("at")).toEqual(expect.any(Number));
  });

  it("of another key, of nobody, or of a user without a key is refused in the same words", async () => {
    const bob = await newPerson("bob");
    const nobody = { username: "nobody-at-all", key: alice.key };
    for (const by of [{ ...alice, key: "another" }, nobody, { username: bob.username, key: alice.key }]) {
      const answer = await ask("/api/container/demo/tool:1.0", {
        headers: { Authorization: signed("pull", by, names) },
      });
      expect([answer.status, ((await answer.json()) as { detail: string }).detail]).toEqual([
        401,
        "The signature is not valid: the username or the key is wrong, the key was replaced, or its user is disabled.",
      ]);
    }
  });

  it("that is garbage is refused, and no fault of ours (W-11, F-117)", async () => {
    const good = signed("pull", alice, names);
    const garbage = [
      "",
      "x",
      "Credential=,Signature=",
      good.slice(0, -1),
      `${good}0`,
      good.replace("/", ""),
      good.replace(",", " "),
      good.toUpperCase(),
    ];
    for (const rest of garbage) {
      const header = rest.startsWith("SREG") ? rest : `SREGISTRY-HMAC-SHA256 ${rest}`;
      const answer = await ask("/api/container/demo/tool:1.0", { headers: { Authorization: header } });
      expect(answer.status, header).toBe(401);
    }
  });

  it("of a disabled user stops at once", async () => {
    const carol = await newSigner("carol");
    expect(await outcome(signed("pull", carol, names))).toEqual([carol.username, "pull"]);
    await setDisabled(testContext(), operator, carol.username, true);
    expect(await outcome(signed("pull", carol, names))).toBe("invalid-credential");
  });

  it("cannot be bought with what a server would have to store: a token is no key, and a key no token (W-11)", async () => {
    expect(isWellFormedToken(alice.key)).toBe(false);
    expect((await ask("/v1/entities", { token: alice.key })).status).toBe(401);
    expect(await outcome(signed("pull", { ...alice, key: alice.token }, names))).toBe("invalid-credential");
  });
});

describe("a key", () => {
  it("stands nowhere as it was given out", async () => {
    for (const table of ["sregistry_keys", "audit"]) {
      const { results } = await env.DB.prepare(`SELECT * FROM ${table}`).all();
      expect(JSON.stringify(results)).not.toContain(alice.key.slice(8));
    }
    expect(alice.key).toMatch(/^sregkey_[\w-]{43}$/);
  });

  it("replaces the one before, and can be revoked", async () => {
    const dave = await newSigner("dave");
    const { key } = await addKey(testContext(), operator, { username: dave.username, kind: "any" });
    expect(await outcome(signed("pull", dave, names))).toBe("invalid-credential");
    expect(await outcome(signed("pull", { ...dave, key }, names))).toEqual([dave.username, "pull"]);
    await revokeKey(testContext(), operator, { username: dave.username, kind: "any" });
    expect(await outcome(signed("pull", { ...dave, key }, names))).toBe("invalid-credential");
    await expect(revokeKey(testContext(), operator, { username: dave.username, kind: "any" })).rejects.toMatchObject({
      code: "already-so",
    });
  });

  it("is made by administrators alone, and not where there is nothing to seal it with", async () => {
    const without = testContext(environment({ SEALING_SECRET: "" }));
    await expect(addKey(without, operator, { username: alice.username, kind: "any" })).rejects.toMatchObject({
      code: "keys-disabled",
    });
    expect(await outcome(signed("pull", alice, names), "pull", without)).toBe("invalid-credential");
    const stranger = { kind: "anonymous" } as const;
    await expect(addKey(testContext(), stranger, { username: alice.username, kind: "any" })).rejects.toMatchObject({
      code: "unauthenticated",
    });
  });

  it("does not work for another user, wherever its row is put", async () => {
    const erin = await newSigner("erin");
    const mallory = await newSigner("mallory");
    await env.DB.prepare(
      `UPDATE sregistry_keys SET sealed = (SELECT sealed FROM sregistry_keys INNER JOIN users ON users.id = user_id WHERE username = ?)
       WHERE user_id = (SELECT id FROM users WHERE username = ?)`,
    )
      .bind(mallory.username, erin.username)
      .run();
    expect(await outcome(signed("pull", { ...erin, key: mallory.key }, names))).toBe("invalid-credential");
  });

  it("outlives a change of the sealing secret: sealed anew when it is used, or all at once", async () => {
    const [frank, grace] = [await newSigner("frank"), await newSigner("grace")];
    const old = testContext().settings.SEALING_SECRET ?? "";
    const fresh = "the-next-sealing-secret-that-only-tests-know";
    const rotated = environment({ SEALING_SECRET: fresh, SEALING_SECRET_PREVIOUS: old });
    const header = signed("pull", frank, namesOf("absent/tool:1"));
    const answer = await ask("/api/container/absent/tool:1", { headers: { Authorization: header }, env: rotated });
    expect(answer.status).toBe(404);
    const sealedWith = async (username: string) => {
      const { items } = await listKeys(testContext(rotated), operator, null);
      return items.find((item) => item.username === username)?.sealedWith;
    };
    expect([await sealedWith(frank.username), await sealedWith(grace.username)]).toEqual(["present", "previous"]);
    const { resealed, lost } = await resealKeys(testContext(rotated), operator, null);
    expect([resealed > 0, lost > 0]).toEqual([true, true]);
    const only = testContext(environment({ SEALING_SECRET: fresh }));
    for (const person of [frank, grace]) {
      expect(await outcome(signed("pull", person, names), "pull", only)).toEqual([person.username, "pull"]);
    }
    // Back again, for the tests that follow.
    await resealKeys(testContext(environment({ SEALING_SECRET: old, SEALING_SECRET_PREVIOUS: fresh })), operator, null);
  });
});

describe("a deletion by sregistry-cli", () => {
  const pushed = async (by: SregistryUser, tags = ["1"]) => {
    const path = `${uniqueName("deleting")}/tool`;
    for (const tag of tags) await sregistryPush(by, `${path}:${tag}`, makeSif({ salt: path }));
    return path;
  };

  it("by its owner answers 204 with nothing, and the tag is gone (F-116, W-16)", async () => {
    const path = await pushed(alice, ["1", "2"]);
    const answer = await sregistryDelete(`${path}:1`, alice);
    expect([answer.status, await answer.text()]).toEqual([204, ""]);
    expect((await ask(`/api/container/${path}:1`)).status).toBe(404);
    expect((await ask(`/api/container/${path}:2`)).status).toBe(200);
  });

  it("by anybody else is refused: who may push may not delete (W-16)", async () => {
    const path = await pushed(alice);
    const [bob, contributor] = [await newSigner("bob"), await newSigner("contributor")];
    const [collection = ""] = path.split("/");
    const of = { entity: alice.username, name: collection };
    await setMember(testContext(), operator, of, contributor.username, "contributor");
    for (const by of [bob, contributor]) expect((await sregistryDelete(`${path}:1`, by)).status).toBe(403);
    expect((await ask(`/api/container/${path}:1`, { method: "DELETE" })).status).toBe(403);
    expect((await ask(`/api/container/${path}:1`)).status).toBe(200);
  });

  it("of what is frozen is refused, with its name", async () => {
    const path = await pushed(alice);
    await setFrozen(testContext(), operator, parseImageReference(`${alice.username}/${path}:1`), null, true);
    const answer = await sregistryDelete(`${path}:1`, alice);
    expect([answer.status, ((await answer.json()) as { detail: string }).detail]).toEqual([
      403,
      `${path}:1 is frozen, delete not allowed.`,
    ]);
    const manifest = (await (await ask(`/api/container/${path}:1`)).json()) as { frozen: boolean };
    expect(manifest.frozen).toBe(true);
  });

  it("takes the tag of every architecture at once, unless one is named", async () => {
    const path = await pushed(alice);
    const others = ["04", "11"].map((archCode) => makeSif({ salt: path, archCode }));
    for (const bytes of others) await sregistryPush(alice, `${path}:1`, bytes);
    const statusOf = async (arch: string) => (await ask(`/v1/images/${alice.username}/${path}:1?arch=${arch}`)).status;
    const named = await ask(`/api/container/${path}:1?arch=s390x`, { method: "DELETE", token: alice.token });
    expect([named.status, await statusOf("s390x"), await statusOf("arm64")]).toEqual([204, 404, 200]);
    expect((await sregistryDelete(`${path}:1`, alice)).status).toBe(204);
    expect([await statusOf("amd64"), await statusOf("arm64")]).toEqual([404, 404]);
    expect((await ask(`/api/container/${path}:1`)).status).toBe(404);
  });

  it("works once: the same request again deletes nothing that was pushed since (W-11)", async () => {
    const path = await pushed(alice);
    const at = Date.now();
    expect((await sregistryDelete(`${path}:1`, alice, at)).status).toBe(204);
    expect((await sregistryDelete(`${path}:1`, alice, at)).status).toBe(404);
    await sregistryPush(alice, `${path}:1`, makeSif({ salt: path }));
    const replayed = await sregistryDelete(`${path}:1`, alice, at);
    expect([replayed.status, ((await replayed.json()) as { detail: string }).detail]).toEqual([
      401,
      expect.stringContaining("used already"),
    ]);
    expect(typeof (await pull(`${alice.username}/${path}:1`))).toBe("object");
    expect((await sregistryDelete(`${path}:1`, alice, at - HOUR_MS)).status).toBe(204);
  });

  it("twice at once happens once", async () => {
    const path = await pushed(alice);
    const at = Date.now();
    const answers = await Promise.all([1, 2].map(() => sregistryDelete(`${path}:1`, alice, at)));
    expect(answers.filter(({ status }) => status === 204)).toHaveLength(1);
  });

  it("that was refused has not used its signature up", async () => {
    const path = await pushed(alice);
    const at = Date.now();
    const reference = parseImageReference(`${alice.username}/${path}:1`);
    await setFrozen(testContext(), operator, reference, null, true);
    expect((await sregistryDelete(`${path}:1`, alice, at)).status).toBe(403);
    await setFrozen(testContext(), operator, reference, null, false);
    expect((await sregistryDelete(`${path}:1`, alice, at)).status).toBe(204);
  });

  it("by a token works too, by version does not, and a GET never deletes (W-12)", async () => {
    const path = await pushed(alice);
    const version = `sha256.${"0".repeat(64)}`;
    const byVersion = await ask(`/api/container/${path}:1@${version}`, { method: "DELETE", token: alice.token });
    expect(byVersion.status).toBe(404);
    for (const query of ["?_method=DELETE", "?delete=1"]) {
      await ask(`/api/container/${path}:1${query}`, { headers: { Authorization: `Bearer ${alice.token}` } });
    }
    expect((await ask(`/api/container/${path}:1`)).status).toBe(200);
    expect((await ask(`/api/container/${path}:1`, { method: "DELETE", token: alice.token })).status).toBe(204);
  });

  it("leaves a used signature only as long as it could be used again", async () => {
    const path = await pushed(alice);
    await sregistryDelete(`${path}:1`, alice);
    const count = () => env.DB.prepare("SELECT count(*) AS n FROM used_signatures").first<number>("n");
    await runUpkeep(testContext());
    expect(await count()).toBeGreaterThan(0);
    await runUpkeep({ ...testContext(), now: () => Date.now() + 3 * HOUR_MS });
    expect(await count()).toBe(0);
  });
});

it("a pull counts as done by its user in a private collection that a reader was given", async () => {
  const reader = await newSigner("reader");
  const path = `${alice.username}/${uniqueName("shared")}/tool`;
  await push(alice.token, `${path}:1`, makeSif({ salt: path }), { private: true });
  const [entity = "", name = ""] = path.split("/");
  await setMember(testContext(), operator, { entity, name }, reader.username, "reader");
  const url = `/api/container/${name}/tool:1`;
  const headers = { Authorization: signed("pull", reader, namesOf(`${name}/tool:1`)) };
  expect((await ask(url, { headers })).status).toBe(200);
});
