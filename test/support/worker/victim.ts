import { env } from "cloudflare:workers";
import { operator } from "../../../worker/access/roles.ts";
import { sha256Hex } from "../../../worker/registry/digest.ts";
import { makeLoginLink } from "../../../worker/registry/people/login-links.ts";
import { addKey } from "../../../worker/registry/people/sregistry-keys.ts";
import { makeSif } from "../make-sif.ts";
import { MultipartClient } from "./multipart.ts";
import { ask, environment, newPerson, push, register, startUpload, testContext, uniqueName } from "./registry.ts";
import { newSession } from "./session.ts";
import { teamOf } from "./teams.ts";

/** What things of somebody's are called: names, ids and secrets, by what a path or a body calls them. */
export interface Identifiers {
  entity: string;
  collection: string;
  container: string;
  /** Names of other kinds, by the word for them. */
  names: Record<string, string>;
  /** Every id of theirs, by what has it. */
  ids: Record<string, string>;
  /** What lets in whoever has it, but for its last letter. */
  secrets: Record<string, string>;
}

const DAY = 86_400_000;

/** Texts of theirs that nothing is called by. */
export const hiddenTexts = ["hidden-note", "hidden/repository"];

/** Somebody who has one of everything, and shows nobody any of it. */
export async function newVictim(): Promise<Identifiers> {
  const alice = await newPerson("alice");
  await newSession(alice.username);
  const path = `${alice.username}/secret-work/hidden-app`;
  const pushed = await push(alice.token, `${path}:hidden-tag`, makeSif({ salt: uniqueName("victim") }), {
    private: true,
  });
  const pending = await register(alice.token, path, makeSif({ salt: uniqueName("pending") }));
  const parts = await new MultipartClient(alice.token, pending, new Uint8Array(100), environment()).start();
  const uploadUrl = await startUpload(alice.token, pending, makeSif({ salt: "pending-1" }));
  const topic = "unheard-of-topic";
  await ask(`/api/v1/containers/${path}/topics/${topic}`, { method: "PUT", token: alice.token });
  const download =
    (await ask(`/v1/imagefile/${path}:hidden-tag`, { token: alice.token })).headers.get("Location") ?? "";
  await addKey(testContext(), operator, { username: alice.username, kind: "any" });
  const link = new URL((await makeLoginLink(testContext(), operator, alice.username)).url).hash.slice(1);
  const made = await insertRest(alice.username, pushed);
  return {
    entity: alice.username,
    collection: "secret-work",
    container: "hidden-app",
    names: {
      username: alice.username,
      robot: made.robot,
      team: made.team,
      teamEntity: made.team,
      member: alice.username,
      tag: "hidden-tag",
      digest: pushed.digest,
      topic,
      key: "unheard-of-key",
      value: "unheard-of-value",
    },
    ids: {
      ...made.ids,
      container: pushed.containerId,
      collection: pushed.collectionId,
      image: pushed.imageId,
      pending: pending.imageId,
      upload: await idOf("SELECT id FROM uploads WHERE image_id = ? LIMIT 1", pending.imageId),
      user: await idOf("SELECT id FROM users WHERE username = ?", alice.username),
      entity: await idOf("SELECT id FROM entities WHERE name = ?", alice.username),
      token: await idOf(
        "SELECT tokens.id FROM tokens JOIN users ON users.id = user_id WHERE username = ?",
        alice.username,
      ),
      session: await idOf(
        "SELECT sessions.id FROM sessions JOIN users ON users.id = user_id WHERE username = ?",
        alice.username,
      ),
      key: await idOf(
        "SELECT k.id FROM sregistry_keys k JOIN users ON users.id = user_id WHERE username = ?",
        alice.username,
      ),
    },
    secrets: { ...made.secrets, token: alice.token, link, uploadID: parts.uploadID, uploadUrl, download },
  };
}

async function idOf(sql: string, of: string): Promise<string> {
  const row = await env.DB.prepare(sql).bind(of).first<{ id: string }>();
  if (row === null) throw new Error(`there is no row for: ${sql}`);
  return row.id;
}

/** Rows of what is made elsewhere: a robot, a team by invitation with a collection, links, offers, an identity, a pipeline. */
async function insertRest(username: string, pushed: { collectionId: string; containerId: string; imageId: string }) {
  const user = await idOf("SELECT id FROM users WHERE username = ?", username);
  const id = () => crypto.randomUUID();
  const secret = () => Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url");
  const ids = { robot: id(), team: id(), teamEntity: id(), teamCollection: id(), publisher: id(), identity: id() };
  const links = { invitation: id(), share: id(), uploadInParts: id(), robotToken: id() };
  const secrets = { invitation: secret(), share: secret() };
  const [robot, team] = [uniqueName("hidden-robot"), uniqueName("hidden-team")];
  const now = Date.now();
  const till = now + DAY;
  const rows: [string, Record<string, string | number | null>][] = [
    ["users", { id: ids.robot, username: robot, created_at: now, is_robot: 1, owner_user_id: user }],
    ["users", { id: ids.team, username: team, created_at: now, is_team: 1 }],
    ["teams", { id: ids.team, joining: "invitation" }],
    ["team_members", { team_id: ids.team, user_id: user, role: "owner", created_at: now }],
    ["entities", { id: ids.teamEntity, name: team, owner_user_id: ids.team, created_at: now }],
    [
      "collections",
      {
        id: ids.teamCollection,
        entity_id: ids.teamEntity,
        name: "secret-work",
        visibility: "private",
        created_at: now,
        updated_at: now,
      },
    ],
    [
      "invitations",
      {
        id: links.invitation,
        team_id: ids.team,
        hash: await sha256Hex(secrets.invitation),
        role: "member",
        note: "hidden-note",
        created_by: user,
        created_at: now,
        expires_at: till,
      },
    ],
    [
      "shares",
      {
        id: links.share,
        hash: await sha256Hex(secrets.share),
        image_id: pushed.imageId,
        note: "hidden-note",
        created_by: user,
        created_at: now,
        expires_at: till,
        max_downloads: 3,
      },
    ],
    [
      "hand_overs",
      {
        collection_id: pushed.collectionId,
        to_entity_id: ids.teamEntity,
        to_user_id: ids.team,
        offered_by: user,
        created_at: now,
        expires_at: till,
      },
    ],
    ["stars", { user_id: user, collection_id: pushed.collectionId, created_at: now }],
    ["labels", { image_id: pushed.imageId, key: "unheard-of-key", value: "unheard-of-value" }],
    [
      "publishers",
      {
        id: ids.publisher,
        collection_id: pushed.collectionId,
        issuer: "https://gitlab.com",
        repository: "hidden/repository",
        ref_kind: "branch",
        ref: "main",
        created_by: user,
        created_at: now,
      },
    ],
    [
      "identities",
      {
        id: ids.identity,
        user_id: user,
        provider: "lab",
        issuer: "https://idp.example",
        subject: id(),
        origin: "admission",
        created_at: now,
        last_used_at: now,
      },
    ],
    [
      "uploads",
      {
        id: links.uploadInParts,
        image_id: pushed.imageId,
        user_id: user,
        object_key: id(),
        digest: null,
        size_bytes: 100,
        state: "open",
        created_at: now,
        expires_at: till,
        multipart_id: "hidden",
        part_bytes: 100,
        resumable: 1,
      },
    ],
    [
      "tokens",
      {
        id: links.robotToken,
        user_id: ids.robot,
        name: "hidden",
        hash: await sha256Hex(id()),
        hint: "hidden",
        scopes: "pull",
        created_at: now,
      },
    ],
  ];
  await env.DB.batch(
    rows.map(([table, row]) => {
      const columns = Object.keys(row);
      const places = columns.map(() => "?").join(", ");
      return env.DB.prepare(`INSERT INTO ${table} (${columns.join(", ")}) VALUES (${places})`).bind(
        ...Object.values(row),
      );
    }),
  );
  return { robot, team, ids: { ...ids, ...links }, secrets };
}

/**
 * The same identifiers for things that are not there, of the same form. Only the team is there, because teams are no
 * secret: it is a stranger's, and has nothing.
 */
export async function absentLike({ names, ids, secrets }: Identifiers): Promise<Identifiers> {
  const stranger = await newPerson("carol");
  const team = await teamOf("other-team", { owners: [stranger.username] });
  const noId = crypto.randomUUID();
  const other = (secret: string) => [...secret].reverse().join("").slice(0, -1);
  return {
    entity: "nobody-at-all",
    collection: "nothing-here",
    container: "no-app",
    names: {
      ...names,
      username: "nobody-at-all",
      robot: "no-robot",
      team,
      teamEntity: "no-team",
      member: stranger.username,
      tag: "no-tag",
      digest: `sha256.${"0".repeat(64)}`,
      topic: "no-topic",
      key: "no-key",
      value: "no-value",
    },
    ids: Object.fromEntries(Object.keys(ids).map((name) => [name, noId])),
    secrets: Object.fromEntries(
      Object.entries(secrets).map(([name, secret]) => [name, secret.startsWith("http") ? cut(secret) : other(secret)]),
    ),
  };
}

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** A secret that was copied badly: the last letter but one is the next one, also when it was so before. */
export function cut(secret: string): string {
  const next = LETTERS[(LETTERS.indexOf(secret.at(-2) ?? "") + 1) % LETTERS.length];
  return `${secret.slice(0, -2)}${next}${secret.at(-1)}`;
}

/** Tables whose rows come and go with everybody's requests. */
const passing = ["search_outbox", "jobs", "used_signatures", "d1_migrations"];

/** Every row there is, as texts, but for when a credential was used last; and every object. */
export async function everything(): Promise<Set<string>> {
  const tables = await env.DB.prepare(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_%' ESCAPE '\\' AND name NOT LIKE 'sqlite%'",
  ).all<{ name: string }>();
  const names = tables.results.map(({ name }) => name).filter((name) => !passing.includes(name));
  const results = await env.DB.batch<Record<string, unknown>>(
    names.map((name) => env.DB.prepare(`SELECT * FROM ${name}`)),
  );
  const rows = results.flatMap(({ results: found }, at) =>
    found.map((row) => `${names[at]} ${JSON.stringify({ ...row, last_used_at: undefined })}`),
  );
  const { objects } = await env.BLOBS.list();
  return new Set([...rows, ...objects.map(({ key, etag }) => `object ${key} ${etag}`)]);
}
