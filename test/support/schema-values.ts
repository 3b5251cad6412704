import fc from "fast-check";

/** A JSON Schema as it stands in the JSON API's document, with every reference replaced by what it means. */
export type Schema = Readonly<Record<string, unknown>>;

/** Values that mean something to the registry under test, by the name of the field that they fit. */
export type Known = Readonly<Record<string, readonly unknown[]>>;

/** No text is longer, whatever a schema allows: it is answers that are tested, not bandwidth. */
const LENGTH = 60;

/** Values that a schema allows. @throws for what no description of ours has said yet */
export function valuesOf(schema: Schema, known: Known = {}, name = ""): fc.Arbitrary<unknown> {
  const own = ownValuesOf(schema, known, name);
  const likely = known[name] ?? [];
  return likely.length === 0 ? own : fc.oneof(own, fc.constantFrom(...likely));
}

function ownValuesOf(schema: Schema, known: Known, name: string): fc.Arbitrary<unknown> {
  if (Object.hasOwn(schema, "const")) return fc.constant(schema.const);
  if (Array.isArray(schema.enum)) return fc.constantFrom(...(schema.enum as unknown[]));
  const choices = (schema.anyOf ?? schema.oneOf) as Schema[] | undefined;
  if (choices !== undefined) return fc.oneof(...choices.map((choice) => valuesOf(choice, known, name)));
  switch (schema.type) {
    case "string":
      return textsOf(schema);
    case "integer":
      return fc.integer({ min: Number(schema.minimum ?? -1000), max: Number(schema.maximum ?? 1_000_000) });
    case "boolean":
      return fc.boolean();
    case "null":
      return fc.constant(null);
    case "array":
      return fc.array(valuesOf(schema.items as Schema, known, name), {
        minLength: Number(schema.minItems ?? 0),
        maxLength: Math.max(3, Number(schema.minItems ?? 0)),
      });
    case "object":
      return objectsOf(schema, known);
    default:
      throw new Error(`no values are known for ${JSON.stringify(schema)}`);
  }
}

function textsOf(schema: Schema): fc.Arbitrary<string> {
  switch (schema.format) {
    case "uuid":
      return fc.uuid();
    case "uri":
      return fc.webUrl({ validSchemes: ["https"] });
    case "date-time":
      return fc
        .date({ noInvalidDate: true, min: new Date(0), max: new Date("2100-01-01") })
        .map((at) => at.toISOString());
  }
  if (typeof schema.pattern === "string") return textsLike(schema.pattern, Number(schema.maxLength ?? LENGTH));
  const lengths = {
    minLength: Number(schema.minLength ?? 0),
    maxLength: Math.min(LENGTH, Number(schema.maxLength ?? LENGTH)),
  };
  const units = ["grapheme", fc.constantFrom(..."aZ0.-_/:,%@?#&=+ \\\u0000\n*'\"<>é")] as const;
  const isAllowed = (text: string) => text.length <= lengths.maxLength && [...text].length >= lengths.minLength;
  return fc.oneof(
    fc.stringMatching(/^[a-z][a-z0-9]{0,11}$/),
    ...units.map((unit) => fc.string({ unit, ...lengths }).filter(isAllowed)),
  );
}

/** fast-check makes no texts for what a pattern looks ahead to, so that is only held against them. */
function textsLike(pattern: string, maxLength: number): fc.Arbitrary<string> {
  const whole = new RegExp(pattern);
  const plain = new RegExp(pattern.replaceAll(/\(\?[=!](?:[^()[]|\[[^\]]*\])*\)/g, ""));
  return fc.stringMatching(plain).filter((text) => whole.test(text) && text.length <= maxLength);
}

function objectsOf(schema: Schema, known: Known): fc.Arbitrary<unknown> {
  const properties = Object.entries((schema.properties ?? {}) as Record<string, Schema>);
  const fields = Object.fromEntries(properties.map(([name, property]) => [name, valuesOf(property, known, name)]));
  return fc.record(fields, { requiredKeys: (schema.required ?? []) as string[] });
}

/** What no field expects, and what breaks those who do not look. */
export const nastyValues: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(null, true, -1, 1e308, 1.5, "", " ", "\u0000", "\ud800", "x".repeat(5000), "../..", "%00"),
  fc.constantFrom<unknown>([], {}, [[]], { toString: null }, JSON.parse('{"__proto__":{"admin":true}}')),
  fc.constantFrom<unknown>("'; DROP TABLE users; --", "__proto__", "constructor", "\u202e", "2026-02-30T00:00:00Z"),
);

/** The same value with one of its fields taken away, changed for anything, or added; or anything in its place. */
export function mutationsOf(values: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.tuple(values, fc.nat(), fc.constantFrom("drop", "change", "add", "replace"), nastyValues).map(mutated);
}

function mutated([value, at, how, nasty]: [unknown, number, string, unknown]): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value) || how === "replace") return nasty;
  const names = Object.keys(value);
  const name = names[at % Math.max(names.length, 1)];
  if (how === "add" || name === undefined) return { ...value, unexpected: nasty };
  const { [name]: _, ...rest } = value as Record<string, unknown>;
  return how === "drop" ? rest : { ...rest, [name]: nasty };
}
