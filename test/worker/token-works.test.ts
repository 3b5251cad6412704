import { describe, expect, it } from "vitest";
import { newLab } from "../support/worker/lab.ts";
import { ask, askJson, newTokenFor, pull } from "../support/worker/registry.ts";
import { newSession } from "../support/worker/session.ts";

/*
 * What docs/sharing.md says of tokens that may manage: what was made with one rests on the person, not on the token.
 */

describe("what was made with a token that may manage", () => {
  it("outlives the token: a share link and a role, which the owner finds and ends", async () => {
    const lab = await newLab({ private: true });
    const { owner, stranger, entity, collection } = lab;
    const { digest } = await lab.push("app", "v2");
    const token = await newTokenFor(owner.username, { collection: { entity, name: collection } });
    const at = lab.at("app", "images", digest, "shares");
    const { url, share } = await askJson<{ url: string; share: { id: string } }>(at, {
      ...{ method: "POST", token, body: {} },
    });
    const people = `/api/v1/collections/${entity}/${collection}/people`;
    const admin = `${people}/users/${lab.reader.username}`;
    expect((await ask(admin, { method: "PUT", token, body: { role: "owner" } })).status).toBe(204);
    await revokeAll(owner.username, owner.token);
    expect((await ask(people, { token })).status).toBe(401);

    expect((await ask(url)).status).toBe(303);
    const asked = await askJson<{ role: string }>(`/api/v1/collections/${entity}/${collection}`, lab.reader);
    expect(asked.role).toBe("owner");
    expect(await pull(`${entity}/${collection}/app:v2`, stranger.token)).toBe(404);

    const { items } = await askJson<{ items: { id: string }[] }>("/api/v1/me/shares", owner);
    expect(items.map(({ id }) => id)).toEqual([share.id]);
    expect((await ask(`${at}/${share.id}`, { method: "DELETE", token: owner.token })).status).toBe(200);
    expect((await ask(admin, { method: "DELETE", token: owner.token })).status).toBe(204);
    expect((await ask(url)).status).toBe(410);
    expect((await ask(people, lab.reader)).status).toBe(404);
  });
});

/** All tokens but the one that is kept. */
async function revokeAll(username: string, kept: string): Promise<void> {
  const { headers } = await newSession(username);
  const { items } = await askJson<{ items: { id: string; isNarrowed?: boolean }[] }>("/api/v1/tokens", { headers });
  const { credential } = await askJson<{ credential: { id: string } }>("/api/v1/me", { token: kept });
  for (const { id } of items.filter((token) => token.id !== credential.id)) {
    expect((await ask(`/api/v1/tokens/${id}`, { method: "DELETE", headers })).status).toBe(204);
  }
}
