import type { Description } from "../../../worker/protocols/web/operation.ts";
import { cut, type Identifiers } from "./victim.ts";

/** Where things of somebody's are. */
export type Place = Pick<Identifiers, "entity" | "collection" | "container">;

/** What the attacker has, in which things of others can be asked for. */
export interface Own extends Place {
  team: string;
  robot: string;
  digest: string;
}

/** What a path's words become. */
export type Filled = Record<string, string>;

/** Two ways to fill a path: with things of somebody's, and with what is not there instead. */
export interface Pair {
  attack: Filled;
  nothing: Filled;
  /** What it names is of the kind that belongs there. */
  isNatural: boolean;
}

const places: readonly string[] = ["entity", "collection", "container"];

/** Accounts that a path can name by one word. */
const accounts: readonly string[] = ["username", "robot", "team"];

/** Ways to fill a path: everything theirs; their things in what is the attacker's; and every id of theirs in an id's place. */
export function pairsFor(path: string, theirs: Identifiers, absent: Identifiers, own: Own): Pair[] {
  const words = [...path.matchAll(/(?:([\w-]+)\/)?\{(\w+)\*?\}/g)].map(([, before = "", name = ""]) => ({
    before,
    name,
  }));
  const hasId = words.some(({ name }) => name === "id");
  const fillWith = (of: Identifiers, choice: string, place: Place | Own): Filled =>
    Object.fromEntries(
      words.map(({ before, name }) => [name, placed(place, before, name, hasId) ?? named(of, before, name, choice)]),
    );
  const pairs = choicesFor(words, theirs).flatMap(({ choice, isNatural }): Pair[] => {
    const attack = fillWith(theirs, choice, theirs);
    const nothing = fillWith(absent, choice, absent);
    const entity = Object.hasOwn(nothing, "entity") ? { entity: theirs.entity } : {};
    const inOwn = { attack: fillWith(theirs, choice, own), nothing: fillWith(absent, choice, own), isNatural };
    return [{ attack, nothing, isNatural }, { attack, nothing: { ...nothing, ...entity }, isNatural }, inOwn];
  });
  const different = new Map(pairs.map((pair) => [JSON.stringify([pair.attack, pair.nothing]), pair]));
  return [...different.values()];
}

interface Word {
  before: string;
  name: string;
}

/** What a path's open word may be: whose id, or which account. Those of its kind come first. */
function choicesFor(words: Word[], theirs: Identifiers): { choice: string; isNatural: boolean }[] {
  if (words.some(({ name }) => name === "kind" || name === "account")) {
    return accounts.map((choice) => ({ choice, isNatural: true }));
  }
  if (!words.some(({ name }) => name === "id")) return [{ choice: "", isNatural: true }];
  const isOfKind = (idName: string) => words.some(({ before }) => before.startsWith(idName.slice(0, 5)));
  return Object.keys(theirs.ids)
    .map((choice) => ({ choice, isNatural: isOfKind(choice) }))
    .sort((one, other) => Number(other.isNatural) - Number(one.isNatural));
}

/** What says where something is; with an id, the image too only says where that is. */
function placed(place: Place | Own, before: string, name: string, hasId: boolean): string | undefined {
  if (places.includes(name)) return place[name as keyof Place];
  if (!("team" in place)) return undefined;
  if (name === "team") return place.team;
  if (name === "digest" && hasId) return place.digest;
  return before === "robots" ? place.robot : undefined;
}

function named({ names, ids, secrets }: Identifiers, before: string, name: string, choice: string): string {
  if (name === "id") return ids[choice] ?? "";
  if (name === "kind") return choice === "team" ? "teams" : "users";
  if (name === "account" || before === "") return names[choice] ?? "";
  if (before === "robots") return names.robot ?? "";
  if (before === "members") return names.member ?? "";
  if (name === "secret" || name === "token") return cut(secrets[before === "shared" ? "share" : "invitation"] ?? "");
  if (name === "number" || name === "part") return "1";
  const word = names[name];
  if (word === undefined) throw new Error(`Say here how to fill "${before}/${name}", with something of Alice's.`);
  return word;
}

export function urlOf(path: string, filled: Filled): string {
  return path.replace(/\{(\w+)\*?\}/g, (_, name: string) => encodeURIComponent(filled[name] ?? ""));
}

/** The query that an operation may take, with things of somebody's. */
export function queryWith({ query }: Description, of: Identifiers): string {
  const path = `${of.entity}/${of.collection}`;
  const known: Record<string, string> = { ...of.names, q: of.names.topic ?? "", collection: path, entity: of.entity };
  const terms = Object.keys(query?.shape ?? {}).flatMap((name) =>
    known[name] === undefined ? [] : `${name}=${encodeURIComponent(known[name])}`,
  );
  return terms.length === 0 ? "" : `?${terms.join("&")}`;
}
