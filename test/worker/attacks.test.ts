import { beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { operations } from "../../worker/protocols/web/api.ts";
import { type Description, needsIfMatch } from "../../worker/protocols/web/operation.ts";
import { writeCursor } from "../../worker/registry/page.ts";
import { makeSif } from "../support/make-sif.ts";
import { type Own, pairsFor, queryWith, urlOf } from "../support/worker/attack-paths.ts";
import { pathOf, requests } from "../support/worker/attack-requests.ts";
import { bodiesOf } from "../support/worker/bodies.ts";
import { type Ask, ask, newPerson, newTokenFor, push } from "../support/worker/registry.ts";
import { newSession } from "../support/worker/session.ts";
import { tagOfPreview } from "../support/worker/shown.ts";
import { newRobotOf, teamOf } from "../support/worker/teams.ts";
import { absentLike, everything, hiddenTexts, type Identifiers, newVictim } from "../support/worker/victim.ts";

/*
 * Bob knows everything that leaks of Alice's: every name, id, digest, link and URL. Whatever he does with it, on every
 * route, is answered as if there were no such thing, and changes nothing of hers. That there is a team, everybody signed
 * in may know: of hers nothing else is told than of a stranger's that has nothing. An operation that is added is tested
 * here by itself; where its path has a word that is new, say in attack-paths.ts what to fill in.
 */

let alice: Identifiers;
let absent: Identifiers;
/** What no answer to Bob may hold, but where he said it himself. */
let hers: string[];
let untouched: Set<string>;
/** A Bob who only reads, and so can be the same in every test. */
let reader: Bob;

beforeAll(async () => {
  alice = await newVictim();
  absent = await absentLike(alice);
  const ids = [...Object.values(alice.ids), ...Object.values(alice.secrets)];
  hers = [...ids, ...Object.values(alice.names), alice.entity, alice.collection, alice.container].concat(hiddenTexts);
  reader = await newBob();
  untouched = await everything();
});

/** What these answer is not about things of others. */
const exempt: Readonly<Record<string, string>> = {
  getError: "its only word is an error's code",
  getSetting: "its only word is a setting's name, for administrators",
  changeSetting: "as above",
  resetSetting: "as above",
};

/** What everybody who is signed in may know, by the operation that tells it. */
const known: Readonly<Record<string, readonly string[]>> = {
  listTeams: ["team"],
  listTeamMembers: ["member"],
};

interface Bob {
  username: string;
  credentials: [string, Ask][];
  own: Own;
}

let serial = 0;

async function newBob(): Promise<Bob> {
  const bob = await newPerson("bob");
  const { digest } = await push(bob.token, `${bob.username}/own/app:v1`, makeSif({ salt: `bob ${++serial}` }));
  const own = {
    entity: bob.username,
    collection: "own",
    container: "app",
    team: await teamOf("own-team", { owners: [bob.username] }),
    robot: await newRobotOf(bob.username),
    digest,
  };
  const session = await newSession(bob.username);
  const narrow = await newTokenFor(bob.username, { collection: { entity: bob.username, name: "own" } });
  const pullOnly = await newTokenFor(bob.username, { scopes: ["pull"] });
  return {
    username: bob.username,
    own,
    credentials: [
      ["a session", { headers: session.headers }],
      ["a token", { token: bob.token }],
      ["a token for his own collection", { token: narrow }],
      ["a token that only pulls", { token: pullOnly }],
      ["nothing", {}],
    ],
  };
}

interface Told {
  status: number;
  text: string;
}

/** What is asked: who asks, how, and what. */
interface Question {
  operation: string;
  who: string;
  bob: Bob;
  options: Ask;
  /** With her things, and with what is not there. */
  urls: [attack: string, nothing: string];
  bodies: [attack: unknown, nothing: unknown];
}

async function answerTo(url: string, options: Ask, body: unknown): Promise<Told> {
  // Each from an address of its own: some answers are rare.
  const headers = { ...options.headers, "CF-Connecting-IP": `attack-${++serial}` };
  const sent = body === undefined ? {} : { body: body as Record<string, unknown> };
  const response = await ask(url, { ...options, ...sent, headers });
  const { headers: got } = response;
  return {
    status: response.status,
    text: `${await response.text()} ${got.get("Location") ?? ""} ${got.get("ETag") ?? ""}`,
  };
}

/** An answer without what Bob said himself, and without what differs from request to request. */
function comparable({ status, text: whole }: Told, said: Identifiers, bob: Bob): Told {
  let text = whole;
  const words = [
    ...Object.values(said.ids),
    ...Object.values(said.names),
    said.entity,
    said.collection,
    said.container,
  ];
  for (const word of words.sort((a, b) => b.length - a.length)) text = text.replaceAll(word, "IT");
  text = text.replaceAll(bob.username, "BOB").replaceAll(/"requestId":"[^"]*"/g, "");
  // What was given out anew is different each time.
  text = text.replaceAll(/[\w-]{30,}|\d{4}-\d\d-\d\dT[\d:.]+Z|"hint":"[^"]*"/g, "NEW");
  return { status, text };
}

/** Answers about what is not there, by what was asked, as far as they stay the same. */
type Answered = Map<string, Told>;

async function compare({ operation, who, bob, options, urls, bodies }: Question, answered: Answered = new Map()) {
  const how = `${options.method} ${urls[0]} with ${who}, instead of ${urls[1]}`;
  const attack = await answerTo(urls[0], options, bodies[0]);
  expect(attack.status, `${how}: ${attack.text}`).toBeLessThan(500);
  const said = `${decodeURIComponent(urls[0])} ${JSON.stringify(bodies[0])}`;
  const mayKnow = (known[operation] ?? []).map((name) => alice.names[name]);
  const leaked = hers.filter((text) => attack.text.includes(text) && !said.includes(text) && !mayKnow.includes(text));
  expect(leaked, `${how} tells of hers`).toEqual([]);
  const asked = JSON.stringify([who, options.method, urls[1], bodies[1]]);
  if (asked === JSON.stringify([who, options.method, urls[0], bodies[0]])) return;
  const nothing = answered.get(asked) ?? (await answerTo(urls[1], options, bodies[1]));
  answered.set(asked, nothing);
  expect(comparable(attack, alice, bob), how).toEqual(comparable(nothing, absent, bob));
}

/** Cursors of lists that go by several values, one before her thing and one at it. */
function cursorsLike([name = "", id = ""]: string[]): string[] {
  const before = `${name.slice(0, -1)}`;
  return [
    [before, ""],
    [name, id],
    [0, id],
    [before, before, ""],
  ].map(writeCursor);
}

/** Nothing of hers is gone or different, and nothing new is bound to it. */
async function expectUntouched(after: string): Promise<void> {
  const now = await everything();
  const gone = [...untouched].filter((row) => !now.has(row));
  expect(gone, `gone or changed after ${after}`).toEqual([]);
  const ids = Object.values(alice.ids);
  const bound = [...now].filter((row) => !untouched.has(row) && ids.some((id) => row.includes(id)));
  expect(bound, `bound to hers after ${after}`).toEqual([]);
}

/** He even has the tag of what she was shown. */
async function ifMatchOf(of: Description, url: string, body: unknown): Promise<Record<string, string>> {
  if (!needsIfMatch(of)) return {};
  if (of.preview === undefined) return { "If-Match": "*" };
  const sent = body === undefined ? {} : { body: body as Record<string, unknown> };
  const asHer = { method: of.method.toUpperCase(), token: alice.secrets.token ?? "", ...sent };
  return { "If-Match": await tagOfPreview(url, asHer) };
}

describe("every operation of the JSON API answers Bob as if Alice had nothing, and changes nothing of hers", () => {
  const attacked = operations.map(({ description }) => description).filter(({ id }) => !Object.hasOwn(exempt, id));

  // First, while nothing of Bob's is called as hers is.
  it("and no list shows him anything of hers, wherever he says that it goes on", async () => {
    const [, session] = reader.credentials[0] ?? ["", {}];
    const lists = attacked.filter(({ query }) => Object.hasOwn(query?.shape ?? {}, "after"));
    const positions = [alice.entity.slice(0, -1), `${alice.entity}/`, "0", alice.ids.collection, alice.ids.image];
    const cursors = [...positions.map(String), ...cursorsLike([alice.collection, alice.ids.collection ?? ""])];
    for (const { id, path } of lists) {
      const own = urlOf(path, { ...alice.names, username: reader.own.robot, ...reader.own });
      for (const cursor of cursors) {
        const url = `${own}?after=${encodeURIComponent(cursor)}`;
        const options: Ask = { ...session, method: "GET" };
        await compare({
          operation: id,
          who: "a session",
          bob: reader,
          options,
          urls: [url, url],
          bodies: [undefined, undefined],
        });
      }
    }
  });

  it.each(attacked.map((description) => [description.id, description] as const))("%s", async (id, description) => {
    const { path, method, preview } = description;
    const bob = method === "get" ? reader : await newBob();
    const pairs = pairsFor(path, alice, absent, bob.own);
    const bodies = bodiesOf(description.body, alice, absent);
    const queries = [queryWith(description, alice), queryWith(description, absent)] as const;
    const answered: Answered = new Map();
    for (const [at, [who, credential]] of bob.credentials.entries()) {
      const options: Ask = { ...credential, method: method.toUpperCase() };
      // Ids of other kinds are tried with his session alone; and where the kind of credential decides, one body will do.
      for (const { attack, nothing, isNatural } of pairs.filter((pair) => at === 0 || pair.isNatural)) {
        for (const body of isNatural && at < 2 ? bodies : bodies.slice(0, 1)) {
          const urls: [string, string] = [urlOf(path, attack) + queries[0], urlOf(path, nothing) + queries[1]];
          const namesNothing = JSON.stringify([urls[0], body[0]]) === JSON.stringify([urls[1], body[1]]);
          if (namesNothing && pairs.length > 1) continue;
          const headers = { ...credential.headers, ...(await ifMatchOf(description, urls[0], body[0])) };
          const question = { operation: id, who, bob, options: { ...options, headers } };
          const shown = urls.map((url) => `${url}${url.includes("?") ? "&" : "?"}preview=1`) as [string, string];
          if (preview !== undefined) await compare({ ...question, urls: shown, bodies: body });
          await compare({ ...question, urls, bodies: body }, answered);
        }
      }
    }
    await expectUntouched(id);
  });

  it("is about operations that there are", () => {
    const ids = operations.map(({ description }) => description.id);
    expect(Object.keys(exempt).filter((id) => !ids.includes(id))).toEqual([]);
  });
});

describe("the other protocols answer Bob as if Alice had nothing, and change nothing of hers", () => {
  it.each(requests)("%s", async (name, asking) => {
    const isRead = asking(alice)[1].method === "GET";
    const bob = isRead ? reader : await newBob();
    for (const [who, credential] of bob.credentials) {
      const [url, { body, ...options }] = asking(alice);
      const [instead, { body: other }] = asking(absent);
      const sent = { ...options, ...credential, headers: { ...options.headers, ...credential.headers } };
      await compare({ operation: name, who, bob, options: sent, urls: [url, instead], bodies: [body, other] });
    }
    await expectUntouched(name);
  });

  it("not even to one of her images, uploaded under another's id", async () => {
    const bob = await newBob();
    const [, credential] = bob.credentials[1] ?? ["", {}];
    const mine = await push(
      credential.token ?? "",
      `${bob.username}/own/other:v1`,
      makeSif({ salt: `own ${++serial}` }),
    );
    const body = (image: string | undefined) => ({ Arch: "amd64", Tag: "stolen", ImageID: image });
    const url = `/v2/tags/${mine.containerId}`;
    const options: Ask = { ...credential, method: "POST" };
    const bodies: [unknown, unknown] = [body(alice.ids.image), body(absent.ids.image)];
    await compare({ operation: url, who: "a token", bob, options, urls: [url, url], bodies });
    await expectUntouched("tagging her image in his container");
  });
});

it("would notice: with her own token the same requests find her things", async () => {
  const { token } = alice.secrets;
  const found = await ask(`/v1/containers/${pathOf(alice)}`, { token: token ?? "" });
  expect(found.status).toBe(200);
  expect(z.object({ data: z.object({ id: z.string() }) }).parse(await found.json()).data.id).toBe(alice.ids.container);
});
