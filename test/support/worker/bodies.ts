import fc from "fast-check";
import * as z from "zod";
import { type Schema, valuesOf } from "../schema-values.ts";
import type { Identifiers } from "./victim.ts";
import { cut } from "./victim.ts";

/**
 * Bodies that an operation may be sent, each twice: with things of somebody's, and with what is not there instead.
 * Without a body it is none. The rest of them is the same, and the same at each run.
 */
export function bodiesOf(body: z.ZodType | undefined, theirs: Identifiers, absent: Identifiers): [unknown, unknown][] {
  if (body === undefined) return [[undefined, undefined]];
  const document = z.toJSONSchema(body, { io: "input", unrepresentable: "any" }) as Schema;
  const schema = resolved(document, (document.$defs ?? {}) as Record<string, Schema>) as Schema;
  const samples = fc.sample(valuesOf(schema), { seed: 1, numRuns: 2 });
  return samples.map((sample) => [filled(sample, schema, theirs), filled(sample, schema, absent)]);
}

/** A schema with what its references mean in their places. */
function resolved(value: unknown, definitions: Readonly<Record<string, Schema>>): unknown {
  if (Array.isArray(value)) return value.map((item) => resolved(item, definitions));
  if (typeof value !== "object" || value === null) return value;
  const { $ref } = value as { $ref?: string };
  if (typeof $ref === "string") return resolved(definitions[$ref.split("/").at(-1) ?? ""], definitions);
  const entries = Object.entries(value).filter(([name]) => name !== "$defs");
  return Object.fromEntries(entries.map(([name, item]) => [name, resolved(item, definitions)]));
}

function filled(value: unknown, schema: Schema, of: Identifiers): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const properties = (schema.properties ?? {}) as Record<string, Schema>;
  const known = wordsFor(of);
  return Object.fromEntries(
    Object.entries({ ...value, ...namesIn(properties) }).map(([name, field]) => {
      const isPath = JSON.stringify(properties[name] ?? {}).includes("ENTITY/COLLECTION");
      if (isPath) return [name, `${of.entity}/${of.collection}`];
      const word = known[name];
      return [name, word !== undefined && isText(properties[name]) ? word : filled(field, properties[name] ?? {}, of)];
    }),
  );
}

/** Fields that may be left out, and name something: they are not. */
function namesIn(properties: Record<string, Schema>): Record<string, unknown> {
  const names = Object.keys(properties).filter((name) => Object.hasOwn(wordsFor(), name) && isText(properties[name]));
  return Object.fromEntries(names.map((name) => [name, ""]));
}

function isText(schema: Schema | undefined): boolean {
  const choices = (schema?.anyOf ?? [schema]) as (Schema | undefined)[];
  return choices.some((choice) => choice?.type === "string" && choice.enum === undefined);
}

/** What fields of bodies call things. */
function wordsFor(of?: Identifiers): Record<string, string | undefined> {
  const { names, secrets } = of ?? { names: {} as Record<string, string>, secrets: {} as Record<string, string> };
  return {
    collection: of?.collection,
    container: of?.container,
    digest: names.digest,
    entity: of?.entity,
    from: names.tag,
    invitation: cut(secrets.invitation ?? ""),
    link: cut(secrets.link ?? ""),
    owner: names.username,
    secret: cut(secrets.invitation ?? ""),
    share: cut(secrets.share ?? ""),
    team: names.team,
    to: names.team,
    user: names.username,
    username: names.username,
  };
}
