import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { operator } from "../../worker/access/roles.ts";
import type { Env } from "../../worker/env.ts";
import { setMember } from "../../worker/registry/catalog/manage.ts";
import { jobId } from "../../worker/registry/jobs.ts";
import { deleteUser } from "../../worker/registry/people/delete-user.ts";
import { attemptJob } from "../../worker/registry/run-job.ts";
import { makeSif } from "../support/make-sif.ts";
import { type Call, interrupted } from "../support/worker/calls.ts";
import { appOf, dismiss, type Lab, newLab } from "../support/worker/lab.ts";
import { multipartClient, PART_BYTES, smallParts } from "../support/worker/multipart.ts";
import {
  type Ask,
  ask,
  askJson,
  digestOf,
  environment,
  type Pushed,
  pull,
  push,
  register,
  startUpload,
  testContext,
  uniqueName,
} from "../support/worker/registry.ts";
import { askToPush, cidOf, newSigner, sendForm } from "../support/worker/sregistry.ts";
import { leaveTeam, teamOf } from "../support/worker/teams.ts";
import { begun, complete, putPart } from "../support/worker/uploads.ts";

/*
 * Who may not push any more ends nothing that they began while they could: no tag that waits for its image moves in
 * their name, and no upload is completed.
 */

const small = () => makeSif({ salt: uniqueName("ending") });

const setTag = async (token: string, { containerId, imageId }: Pushed, tag: string, arch = "amd64") =>
  (await ask(`/v2/tags/${containerId}`, { method: "POST", token, body: { Arch: arch, Tag: tag, ImageID: imageId } }))
    .status;

/** A contributor wants `v1` for an image whose bytes are still to come. */
async function wanting(lab: Lab, bytes = small()): Promise<Pushed & { bytes: Uint8Array<ArrayBuffer> }> {
  const image = await register(lab.contributor.token, appOf(lab), bytes);
  expect(await setTag(lab.contributor.token, image, "v1")).toBe(200);
  return { ...image, bytes };
}

/** What the audit log says became of `v1`, the newest first, and how many tags still wait. */
async function becameOf(lab: Lab): Promise<unknown> {
  const { results } = await env.DB.prepare(
    "SELECT actor, action, detail ->> 'reason' AS reason FROM audit WHERE target = ? ORDER BY id DESC",
  )
    .bind(`${appOf(lab)}:v1`)
    .all();
  const waiting = await env.DB.prepare(
    `SELECT count(*) AS n FROM wanted_tags AS w JOIN images AS i ON i.id = w.image_id
     JOIN containers AS k ON k.id = i.container_id JOIN collections AS c ON c.id = k.collection_id WHERE c.name = ?`,
  )
    .bind(lab.collection)
    .first("n");
  return { last: results[0], waiting };
}

const refused = (actor: string) => ({
  last: { actor, action: "tag.refuse", reason: "Whoever wanted it may not push here any more." },
  waiting: 0,
});

describe("a tag that waits for its image", () => {
  const endings: [string, (lab: Lab) => Promise<unknown>, who?: string][] = [
    ["taken out of the collection", dismiss],
    [
      "made a reader",
      async ({ contributor, entity, collection: name }) =>
        await setMember(testContext(), operator, { entity, name }, contributor.username, "reader"),
    ],
    [
      "disabled",
      async ({ contributor: { username } }) =>
        await env.DB.prepare("UPDATE users SET disabled_at = 1 WHERE username = ?").bind(username).run(),
    ],
    [
      "deleted",
      async ({ contributor }) => await deleteUser(testContext(), operator, contributor.username, "any", null),
      "deleted user",
    ],
  ];

  it.each(endings)("stays where it was when whoever wanted it was %s", async (_, end, who) => {
    const lab = await newLab();
    const old = await pull(`${appOf(lab)}:v1`);
    const { bytes } = await wanting(lab);
    await end(lab);
    await push(lab.owner.token, `${appOf(lab)}:v2`, bytes);
    expect(await pull(`${appOf(lab)}:v2`)).toEqual(bytes);
    expect(await pull(`${appOf(lab)}:v1`)).toEqual(old);
    expect(await becameOf(lab)).toEqual(refused(who ?? lab.contributor.username));
  });

  it("stays where it was when whoever wanted it left the team by which they could push", async () => {
    const lab = await newLab();
    const old = await pull(`${appOf(lab)}:v1`);
    const team = await teamOf("team", { members: [lab.stranger.username] });
    const path = { entity: lab.entity, name: lab.collection };
    await setMember(testContext(), operator, path, team, "contributor", "team");
    const { bytes } = await wanting({ ...lab, contributor: lab.stranger });
    await leaveTeam(team, lab.stranger.username);
    await push(lab.owner.token, `${appOf(lab)}:v2`, bytes);
    expect(await pull(`${appOf(lab)}:v1`)).toEqual(old);
    expect(await becameOf(lab)).toEqual(refused(lab.stranger.username));
  });

  it("moves for whoever may push still, though somebody else publishes the image", async () => {
    const lab = await newLab();
    const { bytes } = await wanting(lab);
    await push(lab.owner.token, `${appOf(lab)}:v2`, bytes);
    expect(await pull(`${appOf(lab)}:v1`)).toEqual(bytes);
    expect(await becameOf(lab)).toMatchObject({ last: { actor: lab.contributor.username, action: "tag.set" } });
  });

  it("stays where it was also when a job publishes the image, or sregistry-cli, or an image elsewhere that is the same", async () => {
    const ways: ((lab: Lab, image: Awaited<ReturnType<typeof wanting>>) => Promise<unknown>)[] = [
      async (lab, { bytes }) => {
        const upload = await begun({ token: lab.owner.token }, appOf(lab), bytes);
        await putPart({ token: lab.owner.token }, upload, 1, bytes);
        expect((await complete({ token: lab.owner.token }, upload)).status).toBe(200);
      },
      async (lab, { bytes }) => {
        const signer = await newSigner("signer");
        await setMember(
          testContext(),
          operator,
          { entity: lab.entity, name: lab.collection },
          signer.username,
          "contributor",
        );
        const name = `${appOf(lab)}:v2`;
        expect((await sendForm(signer, name, bytes, { cid: await cidOf(await askToPush(signer, name)) })).status).toBe(
          200,
        );
      },
      async (lab, image) => {
        await push(lab.owner.token, `${lab.entity}/${uniqueName("elsewhere")}/app:v1`, image.bytes);
        const { containerId: container, digest: hash } = image;
        const body = { hash, container, description: "" };
        expect((await ask("/v1/images", { method: "POST", token: lab.owner.token, body })).status).toBe(201);
      },
    ];
    for (const publish of ways) {
      const lab = await newLab();
      const old = await pull(`${appOf(lab)}:v1`);
      const image = await wanting(lab);
      await dismiss(lab);
      await publish(lab, image);
      expect(await pull(`${appOf(lab)}:${image.digest}`)).toEqual(image.bytes);
      expect(await pull(`${appOf(lab)}:v1`)).toEqual(old);
      expect(await becameOf(lab)).toEqual(refused(lab.contributor.username));
    }
  });

  it("moves for the last who wanted it, with what they may do", async () => {
    const lab = await newLab();
    const image = await wanting(lab);
    expect(await setTag(lab.owner.token, image, "v1")).toBe(200);
    await dismiss(lab);
    await push(lab.owner.token, `${appOf(lab)}:v2`, image.bytes);
    expect(await pull(`${appOf(lab)}:v1`)).toEqual(image.bytes);
    expect(await becameOf(lab)).toMatchObject({ last: { actor: lab.owner.username, action: "tag.set" } });
  });

  it("is not said to be set by whoever may not push any more, when somebody else sets it on the same image", async () => {
    const lab = await newLab();
    const { bytes } = await wanting(lab);
    await dismiss(lab);
    const signer = await newSigner("signer");
    const path = { entity: lab.entity, name: lab.collection };
    await setMember(testContext(), operator, path, signer.username, "contributor");
    const name = `${appOf(lab)}:v1`;
    expect((await sendForm(signer, name, bytes, { cid: await cidOf(await askToPush(signer, name)) })).status).toBe(200);
    const { results } = await env.DB.prepare(
      "SELECT actor, action FROM audit WHERE target = ? ORDER BY id DESC LIMIT 2",
    )
      .bind(name)
      .all();
    expect(results).toEqual([
      { actor: signer.username, action: "tag.set" },
      { actor: lab.contributor.username, action: "tag.refuse" },
    ]);
  });

  it("is told of in the collection's activity when it was wanted for another architecture, or is frozen", async () => {
    const lab = await newLab();
    const bytes = small();
    const image = await register(lab.owner.token, appOf(lab), bytes);
    expect(await setTag(lab.owner.token, image, "foreign", "arm64")).toBe(200);
    expect(await setTag(lab.owner.token, image, "v1")).toBe(200);
    await env.DB.prepare("UPDATE tags SET frozen = 1 WHERE container_id = ?").bind(image.containerId).run();
    await push(lab.owner.token, `${appOf(lab)}:v2`, bytes);
    const url = `/api/v1/collections/${lab.entity}/${lab.collection}/activity`;
    const { items } = await (await ask(url, { token: lab.owner.token })).json<{
      items: { action: string; target: string; detail: { reason?: string; arch?: string } }[];
    }>();
    const told = items.filter(({ action }) => action === "tag.refuse");
    expect(told.map(({ target, detail }) => [target.split(":")[1], detail.reason]).sort()).toEqual([
      ["foreign", "It was wanted for another architecture."],
      ["v1", "This tag exists, and is frozen."],
    ]);
    expect(items.find(({ action }) => action === "tag.set")?.detail).not.toHaveProperty("reason");
  });
});

describe("somebody who is taken out in the very moment", () => {
  it("sets no tag on an image that is there", async () => {
    const lab = await newLab();
    const old = await pull(`${appOf(lab)}:v1`);
    const { containerId, imageId } = await push(lab.owner.token, `${appOf(lab)}:v2`, small());
    const moment = interrupted(environment(), insertInto("tags"), () => dismiss(lab));
    const body = { Arch: "amd64", Tag: "v1", ImageID: imageId };
    const set = { method: "POST", token: lab.contributor.token, body, env: moment };
    expect((await ask(`/v2/tags/${containerId}`, set)).status).toBe(409);
    expect(await pull(`${appOf(lab)}:v1`)).toEqual(old);
  });

  it("deletes and freezes nothing, though they were an owner", async () => {
    const lab = await newLab();
    const { token, username } = lab.contributor;
    const { digest } = await push(lab.owner.token, `${appOf(lab)}:v2`, small());
    const acts: [string, Ask, string][] = [
      [`/v1/images/${appOf(lab)}:v2?arch=amd64`, { method: "DELETE" }, "audit"],
      [
        lab.at("app", "images", digest),
        { method: "PATCH", body: { frozen: true }, headers: { "If-Match": "*" } },
        "audit",
      ],
      [lab.at("app", "tags", "v2"), { method: "PATCH", body: { frozen: true }, headers: { "If-Match": "*" } }, "audit"],
    ];
    for (const [url, how, table] of acts) {
      await setMember(testContext(), operator, { entity: lab.entity, name: lab.collection }, username, "owner");
      const moment = interrupted(environment(), insertInto(table), () => dismiss(lab));
      expect((await ask(url, { ...how, token, env: moment })).status, url).toBe(409);
    }
    const there = await askJson(lab.at("app", "tags", "v2"));
    expect(there).toMatchObject({ architectures: [{ digest, frozen: false }] });
  });

  it("brings no image from a collection of their own", async () => {
    const lab = await newLab();
    const bytes = small();
    await push(lab.contributor.token, `${lab.contributor.username}/${uniqueName("own")}/app:v1`, bytes);
    const { containerId } = await register(lab.owner.token, appOf(lab), small());
    const moment = interrupted(environment(), insertInto("images"), () => dismiss(lab));
    const body = { hash: await digestOf(bytes), container: containerId, description: "" };
    const brought = { method: "POST", token: lab.contributor.token, body, env: moment };
    expect((await ask("/v1/images", brought)).status).toBe(409);
    expect(await pull(`${appOf(lab)}:${body.hash}`)).toBe(404);
  });
});

describe("an upload of somebody who may not push any more is not completed", () => {
  /** By when the contributor was dismissed nothing may be published. */
  async function expectNothing(lab: Lab, answer: Response): Promise<void> {
    expect([answer.status, await answer.text()]).toEqual([403, expect.stringContaining("not allowed")]);
    expect(await publishedIn(lab)).toBe(1);
  }

  async function publishedIn({ collection }: Lab): Promise<number | null> {
    return await env.DB.prepare("SELECT image_count AS n FROM collections WHERE name = ?").bind(collection).first("n");
  }

  it("sent in one piece by apptainer", async () => {
    const lab = await newLab();
    const bytes = small();
    const { token } = lab.contributor;
    const image = await register(token, appOf(lab), bytes);
    await ask(await startUpload(token, image, bytes), { method: "PUT", body: bytes });
    await dismiss(lab);
    await expectNothing(lab, await ask(`/v2/imagefile/${image.imageId}/_complete`, { method: "PUT", token, body: {} }));
  });

  it("sent in parts by apptainer", async () => {
    const lab = await newLab();
    const bytes = makeSif({ salt: lab.collection, sizeBytes: PART_BYTES + 54_321 });
    const client = await multipartClient(lab.contributor.token, appOf(lab), bytes);
    const started = await client.start();
    const parts = await client.putAll(started);
    await dismiss(lab);
    await expectNothing(lab, await client.complete(started.uploadID, parts));
  });

  it("sent by a browser", async () => {
    const lab = await newLab();
    const bytes = small();
    const by = { token: lab.contributor.token };
    const upload = await begun(by, appOf(lab), bytes);
    await putPart(by, upload, 1, bytes);
    await dismiss(lab);
    await expectNothing(lab, await complete(by, upload));
    expect((await putPart(by, upload, 1, bytes)).status).toBe(403);
  });

  it("sent by sregistry-cli", async () => {
    const lab = await newLab();
    const signer = await newSigner("signer");
    const path = { entity: lab.entity, name: lab.collection };
    await setMember(testContext(), operator, path, signer.username, "contributor");
    const name = `${appOf(lab)}:v2`;
    const cid = await cidOf(await askToPush(signer, name));
    const whileItComes = interrupted(environment(), insertInto("uploads"), () =>
      dismiss({ ...lab, contributor: signer }),
    );
    await expectNothing(lab, await sendForm(signer, name, small(), { cid, env: whileItComes }));
    await expectNothing(lab, await sendForm(signer, name, small(), { cid }));
  });

  it("though the right ends just before it is published", async () => {
    const lab = await newLab();
    const bytes = small();
    const { token } = lab.contributor;
    const image = await register(token, appOf(lab), bytes);
    await ask(await startUpload(token, image, bytes), { method: "PUT", body: bytes });
    const moment = interrupted(environment(), publishing, () => dismiss(lab));
    const answer = await ask(`/v2/imagefile/${image.imageId}/_complete`, {
      method: "PUT",
      token,
      body: {},
      env: moment,
    });
    expect(answer.status).toBe(409);
    expect(await publishedIn(lab)).toBe(1);
  });

  it("sent by sregistry-cli, though the right ends just before it is published", async () => {
    const lab = await newLab();
    const signer = await newSigner("signer");
    const path = { entity: lab.entity, name: lab.collection };
    await setMember(testContext(), operator, path, signer.username, "contributor");
    const name = `${appOf(lab)}:v2`;
    const cid = await cidOf(await askToPush(signer, name));
    const moment = interrupted(environment(), publishing, () => dismiss({ ...lab, contributor: signer }));
    expect((await sendForm(signer, name, small(), { cid, env: moment })).status).toBe(409);
    expect(await publishedIn(lab)).toBe(1);
  });

  it("though the right ends just before all of it is verified", async () => {
    const lab = await newLab();
    const bytes = makeSif({ salt: lab.collection, sizeBytes: PART_BYTES + 54_321 });
    const moment = interrupted(environment(smallParts), insertInto("jobs"), () => dismiss(lab));
    const client = await multipartClient(lab.contributor.token, appOf(lab), bytes, { env: moment });
    expect((await client.pushAll()).status).toBe(410);
    expect(await publishedIn(lab)).toBe(1);
  });

  it("but one that was completed before is published", async () => {
    const lab = await newLab();
    const bytes = makeSif({ salt: lab.collection, sizeBytes: PART_BYTES + 54_321 });
    const client = await multipartClient(lab.contributor.token, appOf(lab), bytes, { env: withoutRunner() });
    await client.pushAll();
    await client.setTag("v1");
    const old = await pull(`${appOf(lab)}:v1`);
    await dismiss(lab);
    const uploadId = await env.DB.prepare("SELECT id FROM uploads WHERE image_id = ?")
      .bind(client.image.imageId)
      .first<string>("id");
    await attemptJob(testContext(), jobId("verify-upload", uploadId ?? ""));
    expect(await pull(`${appOf(lab)}:${client.image.digest}`)).toEqual(bytes);
    expect(await pull(`${appOf(lab)}:v1`)).toEqual(old);
    expect(await becameOf(lab)).toEqual(refused(lab.contributor.username));
  });
});

function insertInto(table: string): (call: Call) => boolean {
  return ({ sql }) => sql.some((text) => text.trim().toLowerCase().startsWith(`insert into "${table}"`));
}

function publishing({ sql }: Call): boolean {
  return sql.some((text) => text.trim().startsWith('insert into "blobs"'));
}

/** Jobs that nobody runs. */
function withoutRunner(): Env {
  const silent = { idFromName: (name: string) => name, get: () => ({ run: async () => ({ state: "running" }) }) };
  return { ...environment(smallParts), JOB_RUNNER: silent as unknown as Env["JOB_RUNNER"] };
}
