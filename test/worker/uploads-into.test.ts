import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { operator } from "../../worker/access/roles.ts";
import { setMember } from "../../worker/registry/catalog/manage.ts";
import { forgetUploads } from "../../worker/registry/upkeep/forget-uploads.ts";
import { makeSif } from "../support/make-sif.ts";
import { interrupted } from "../support/worker/calls.ts";
import { appOf, dismiss, type Lab, newLab } from "../support/worker/lab.ts";
import { multipartClient, PART_BYTES } from "../support/worker/multipart.ts";
import {
  ask,
  askJson,
  environment,
  register,
  startUpload,
  storedKeys,
  testContext,
} from "../support/worker/registry.ts";
import { begun, complete, putPart } from "../support/worker/uploads.ts";

describe("an owner of a collection", () => {
  interface Going {
    id: string;
    container: string;
    sizeBytes: number;
    username: string | null;
    state: string;
  }
  const into = ({ entity, collection }: Lab) => `/api/v1/collections/${entity}/${collection}/uploads`;
  const going = async (lab: Lab) => (await askJson<{ items: Going[] }>(into(lab), lab.owner)).items;
  const cancelInto = async (lab: Lab, id: string, by: { token: string } = lab.owner) =>
    (await ask(`${into(lab)}/${id}`, { method: "DELETE", token: by.token })).status;
  const reservedFor = async ({ owner }: Lab) =>
    (await askJson<{ quota: { reservedBytes: number } }>("/api/v1/me", owner)).quota.reservedBytes;

  /** One of each kind, begun by the contributor. */
  async function beginAll(lab: Lab) {
    const { token } = lab.contributor;
    const whole = makeSif({ salt: `${lab.collection} whole` });
    await startUpload(token, await register(token, appOf(lab), whole), whole);
    const large = makeSif({ salt: `${lab.collection} large`, sizeBytes: PART_BYTES + 54_321 });
    const client = await multipartClient(token, appOf(lab), large);
    const started = await client.start();
    const parts = await client.putAll(started);
    const sent = makeSif({ salt: `${lab.collection} sent` });
    const upload = await begun({ token }, appOf(lab), sent, { tags: ["v1"] });
    await putPart({ token }, upload, 1, sent);
    return { client, started, parts, upload, bytes: [whole, large, sent].map(({ length }) => length) };
  }

  it("sees what is on its way into it, whoever sends it and by whichever client", async () => {
    const lab = await newLab({ private: true });
    const { bytes } = await beginAll(lab);
    await newLab();
    const items = await going(lab);
    expect(items.map(({ sizeBytes }) => sizeBytes).sort()).toEqual(bytes.sort());
    for (const item of items) {
      expect(item).toMatchObject({ container: "app", username: lab.contributor.username, state: "open" });
    }
    for (const [by, status] of [
      [lab.contributor, 403],
      [lab.reader, 403],
      [lab.stranger, 404],
    ] as const) {
      expect((await ask(into(lab), by)).status).toBe(status);
      expect(await cancelInto(lab, items[0]?.id ?? "", by)).toBe(status);
    }
    expect((await ask(into(lab))).status).toBe(401);
  });

  it("cancels those of a contributor whom they took out, and has the room back at once", async () => {
    const lab = await newLab();
    const { client, started, parts, upload, bytes } = await beginAll(lab);
    expect(await reservedFor(lab)).toBe(bytes.reduce((sum, length) => sum + length));
    await dismiss(lab);
    for (const { id } of await going(lab)) expect(await cancelInto(lab, id)).toBe(204);
    expect(await going(lab)).toEqual([]);
    expect(await reservedFor(lab)).toBe(0);
    const told = env.DB.prepare(
      "SELECT count(*) AS n FROM audit WHERE action = 'upload.cancel' AND actor = ? AND detail ->> 'username' = ?",
    );
    expect(await told.bind(lab.owner.username, lab.contributor.username).first("n")).toBe(3);
    // Also when they come back.
    const path = { entity: lab.entity, name: lab.collection };
    await setMember(testContext(), operator, path, lab.contributor.username, "contributor");
    expect((await client.complete(started.uploadID, parts)).status).toBe(410);
    expect((await complete({ token: lab.contributor.token }, upload)).status).toBe(404);
    const waiting = env.DB.prepare(
      "SELECT count(*) AS n FROM wanted_tags WHERE image_id = (SELECT image_id FROM uploads WHERE id = ?)",
    );
    expect(await waiting.bind(upload.id).first("n")).toBe(0);
  });

  it("cancels none of another collection, none twice, and none that has all arrived", async () => {
    const [lab, other] = [await newLab(), await newLab()];
    const { upload } = await beginAll(lab);
    expect(await cancelInto(other, upload.id)).toBe(404);
    await env.DB.prepare("UPDATE uploads SET state = 'verifying' WHERE id = ?").bind(upload.id).run();
    expect(await cancelInto(lab, upload.id)).toBe(409);
    expect((await going(lab)).map(({ state }) => state).sort()).toEqual(["open", "open", "verifying"]);
    await env.DB.prepare("UPDATE uploads SET state = 'open' WHERE id = ?").bind(upload.id).run();
    expect(await cancelInto(lab, upload.id)).toBe(204);
    expect(await cancelInto(lab, upload.id)).toBe(404);
  });

  it("cancels none when they are taken out in that very moment", async () => {
    const lab = await newLab();
    const { upload } = await beginAll(lab);
    const path = { entity: lab.entity, name: lab.collection };
    const set = (role: "owner" | null) => setMember(testContext(), operator, path, lab.stranger.username, role);
    await set("owner");
    const moment = interrupted(
      environment(),
      ({ sql }) => sql.some((text) => /^update "uploads"/.test(text)),
      () => set(null),
    );
    const asked = { method: "DELETE", token: lab.stranger.token, env: moment };
    expect((await ask(`${into(lab)}/${upload.id}`, asked)).status).toBe(409);
    expect((await going(lab)).map(({ id }) => id)).toContain(upload.id);
  });

  it("leaves a URL for one piece to upkeep until it ends, and then nothing", async () => {
    const lab = await newLab();
    const { token } = lab.contributor;
    const bytes = makeSif({ salt: lab.collection });
    const url = await startUpload(token, await register(token, appOf(lab), bytes), bytes);
    const before = await storedKeys();
    const [item] = await going(lab);
    expect(await cancelInto(lab, item?.id ?? "")).toBe(204);
    await ask(url, { method: "PUT", body: bytes });
    await forgetUploads(testContext());
    expect(await storedKeys()).toHaveLength(before.length + 1);
    await env.DB.prepare("UPDATE uploads SET expires_at = 1 WHERE id = ?").bind(item?.id).run();
    await forgetUploads(testContext());
    expect(await storedKeys()).toEqual(before);
  });
});
