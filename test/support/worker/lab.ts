import { env } from "cloudflare:workers";
import { operator } from "../../../worker/access/roles.ts";
import { setMember } from "../../../worker/registry/catalog/manage.ts";
import { makeSif } from "../make-sif.ts";
import {
  type Ask,
  ask,
  askJson,
  newPerson,
  type Person,
  type Pushed,
  push,
  testContext,
  uniqueName,
} from "./registry.ts";
import { askPreview } from "./shown.ts";

/** A collection with an owner, a contributor, a reader, and a stranger to it. */
export interface Lab {
  owner: Person;
  contributor: Person;
  reader: Person;
  stranger: Person;
  entity: string;
  collection: string;
  /** The address of a container of it in the JSON API, or of something in one. */
  at: (container: string, ...more: string[]) => string;
  push: (
    container: string,
    tags: string,
    salt?: string,
    options?: { archCode?: string; arch?: string },
  ) => Promise<Pushed>;
}

export async function newLab(options: { private?: boolean } = {}): Promise<Lab> {
  const [owner, contributor, reader, stranger] = await Promise.all(
    ["owner", "contributor", "reader", "stranger"].map((stem) => newPerson(stem)),
  );
  if (!owner || !contributor || !reader || !stranger) throw new Error("nobody came");
  const entity = owner.username;
  const collection = uniqueName("lab");
  const lab: Lab = {
    ...{ owner, contributor, reader, stranger, entity, collection },
    at: (container, ...more) => ["/api/v1/containers", entity, collection, container, ...more].join("/"),
    push: async (container, tags, salt = tags, { archCode = "02", arch = "amd64" } = {}) =>
      await push(
        owner.token,
        `${entity}/${collection}/${container}:${tags}`,
        makeSif({ archCode, salt: `${collection} ${salt}` }),
        {
          ...options,
          arch,
        },
      ),
  };
  await lab.push("app", "v1");
  for (const [person, role] of [
    [contributor, "contributor"],
    [reader, "reader"],
  ] as const) {
    await setMember(testContext(), operator, { entity, name: collection }, person.username, role);
  }
  return lab;
}

/** What a deletion would do, and the tag that it needs then. */
export async function preview(url: string, options: Ask): Promise<{ shown: Record<string, unknown>; etag: string }> {
  const { answer, etag } = await askPreview(url, { ...options, method: "DELETE" });
  if (answer.status !== 200) throw new Error(`${answer.status} ${await answer.text()}`);
  return { shown: (await answer.json()) as Record<string, unknown>, etag };
}

/** A status with the code of its problem, such as `404 not-found`. */
export async function outcome(url: string, options: Ask = {}): Promise<string> {
  return await outcomeOf(await ask(url, options));
}

export async function outcomeOf(response: Response): Promise<string> {
  const text = await response.text();
  return response.ok ? String(response.status) : `${response.status} ${(JSON.parse(text) as { code: string }).code}`;
}

/** All items of a list, page by page. */
export async function allItems<Item>(url: string, options: Ask = {}): Promise<Item[]> {
  const items: Item[] = [];
  let after = "";
  for (let page = 0; page < 50; page++) {
    const address = `${url}${url.includes("?") ? "&" : "?"}${after}`;
    const answer = await askJson<{ items: Item[]; next: string | null }>(address, options);
    items.push(...answer.items);
    if (answer.next === null) return items;
    after = `after=${encodeURIComponent(answer.next)}`;
  }
  throw new Error(`${url} has no end`);
}

/** How many rows D1 says that a list read. It is asked in batches. */
export async function rowsRead(url: string, options: Ask = {}): Promise<number> {
  let rows = 0;
  const counting = new Proxy(env.DB, {
    get(database, key) {
      const value: unknown = Reflect.get(database, key);
      if (key !== "batch") return typeof value === "function" ? value.bind(database) : value;
      return async (statements: D1PreparedStatement[]) => {
        const results = await database.batch(statements);
        for (const { meta } of results) rows += meta.rows_read;
        return results;
      };
    },
  });
  const response = await ask(url, { ...options, env: { ...env, DB: counting } });
  if (response.status !== 200 || rows === 0) throw new Error(`${url}: ${response.status}, ${rows} rows`);
  return rows;
}

/** The path of the container that a lab comes with. */
export function appOf({ entity, collection }: Lab): string {
  return `${entity}/${collection}/app`;
}

/** Takes the contributor out. */
export async function dismiss({ owner, contributor, entity, collection }: Lab): Promise<void> {
  const url = `/api/v1/collections/${entity}/${collection}/people/users/${contributor.username}`;
  const answer = await ask(url, { method: "DELETE", token: owner.token });
  if (answer.status !== 204) throw new Error(`${answer.status} ${await answer.text()}`);
}
