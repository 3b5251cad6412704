import * as z from "zod";
import { usualStatus } from "../../worker/http/respond.ts";
import { operations } from "../../worker/protocols/web/api.ts";
import { type Description, needsIfMatch, queryOfOperation } from "../../worker/protocols/web/operation.ts";
import { problemSchema } from "../../worker/protocols/web/schemas.ts";
import { sections } from "../../worker/protocols/web/sections.ts";
import { type ErrorCode, errorMessages } from "../../worker/registry/errors.ts";
import { version } from "../../worker/version.ts";
import type { ApiDocument, DocumentedOperation, Parameter, Schema } from "./api-document.ts";

/*
 * The JSON API as an OpenAPI 3.1 document, made from the same descriptions as its routes.
 */

/** What may go wrong with every operation, and with those that ask who one is. */
const always: readonly ErrorCode[] = ["misdirected", "misconfigured", "unavailable", "internal"];
const withCredential: readonly ErrorCode[] = [
  "unauthenticated",
  "invalid-credential",
  "insufficient-scope",
  "forbidden",
];

const about = `The registry's own API: its pages use it, and scripts may.

**Who is asking.** A request carries an access token as \`Authorization: Bearer TOKEN\`, or the cookie of a browser that is signed in, or
nothing. With the cookie, whatever changes something must come from the registry's own pages. Each operation says whose word it takes;
what is absent and what is hidden is 404 alike.

**Lists** come in pages, \`{items, next}\`: \`next\` goes into \`?after=\`, and is null at the end.

**Edits** of what has an ETag need it as \`If-Match\`: 428 without, 412 when somebody else was first. Collections and what is in them have one for those alone who have a right there.

**What destroys** says first what it would do, with \`?preview=1\`; the act itself needs the preview's ETag as \`If-Match\`, and no \`*\`.

**Errors** are RFC 9457 problem details with a \`code\`, the way out as \`help\`, and the \`requestId\` that the registry's log knows. Which codes an
operation answers stands with each status, in \`x-codes\` too.

Paths, parameters and fields stay as they are within /api/v1; new ones may come, so ignore what you do not know.`;

/** `docs/openapi.json`. */
export function renderOpenApi(): string {
  return `${JSON.stringify(openApiDocument(), null, 2)}\n`;
}

export function openApiDocument(): ApiDocument {
  const schemas: Record<string, Schema> = {};
  const paths: ApiDocument["paths"] = {};
  schemaOf(problemSchema, "output", schemas);
  for (const { description } of operations) {
    const path = description.path.replaceAll("*}", "}");
    paths[path] = { ...paths[path], [description.method]: documented(description, schemas) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "sregistry-edge",
      version,
      description: about,
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/", description: "This registry." }],
    tags: Object.entries(sections).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas: Object.fromEntries(Object.entries(schemas).sort(([a], [b]) => (a < b ? -1 : 1))),
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: "An access token. The page /auth/tokens makes them." },
        session: {
          type: "apiKey",
          in: "cookie",
          name: "__Host-session",
          description: "A browser that is signed in sends it by itself.",
        },
      },
    },
  };
}

function documented(of: Description, schemas: Record<string, Schema>): DocumentedOperation {
  const json =
    of.body === undefined ? undefined : { "application/json": { schema: schemaOf(of.body, "input", schemas) } };
  const body = of.takes === undefined ? json : filesOf(of.takes);
  return {
    operationId: of.id,
    tags: [of.section],
    // Shown as plain text.
    summary: of.summary.replaceAll("`", ""),
    ...(of.about === undefined ? {} : { description: of.about }),
    security: securityOf(of),
    parameters: [
      ...parametersOf(of.params, "path", schemas),
      ...parametersOf(queryOfOperation(of), "query", schemas),
      ...(needsIfMatch(of) ? [of.preview === undefined ? ifMatch : ifShown] : []),
    ],
    ...(body === undefined ? {} : { requestBody: { required: true, content: body } }),
    responses: responsesOf(of, schemas),
  };
}

function filesOf(types: readonly string[]): Record<string, { schema: Schema }> {
  return Object.fromEntries(types.map((type) => [type, { schema: { type: "string", format: "binary" } }]));
}

const ifMatch: Parameter = {
  name: "If-Match",
  in: "header",
  required: true,
  description: "The ETag of the state that is to be changed, or `*` for whichever it is.",
  schema: { type: "string", minLength: 1 },
};

/** Not needed for the preview itself. */
const ifShown: Parameter = {
  ...ifMatch,
  required: false,
  description: "The ETag of the preview (`preview=1`), for the act itself. `*` is refused as nothing is.",
};

function securityOf({ actor }: Description): Record<string, never[]>[] {
  const session = { session: [] };
  const token = { token: [] };
  return { none: [], anyone: [{}, token, session], user: [token, session], session: [session] }[actor] as Record<
    string,
    never[]
  >[];
}

function parametersOf(
  fields: z.ZodObject | undefined,
  where: "path" | "query",
  schemas: Record<string, Schema>,
): Parameter[] {
  return Object.entries(fields?.shape ?? {}).map(([name, field]) => {
    const { description, ...schema } = schemaOf(field as z.ZodType, "input", schemas);
    const isRequired = where === "path" || !(field as z.ZodType).safeParse(undefined).success;
    return {
      name,
      in: where,
      required: isRequired,
      ...(typeof description === "string" ? { description } : {}),
      schema,
    };
  });
}

function responsesOf(of: Description, schemas: Record<string, Schema>): Record<string, Schema> {
  // Strangers are not told of what changes where they do not see it.
  const tag = { ...etag, required: of.actor !== "anyone" };
  const headers = of.hasETag === true ? { headers: { ETag: tag } } : {};
  const success =
    of.answer === undefined && of.gives !== undefined
      ? { 200: { description: "The file.", ...headers, content: filesOf(of.gives) } }
      : of.answer === undefined
        ? { 204: { description: "Done." } }
        : {
            [of.status ?? 200]: {
              description: of.status === 201 ? "Made." : "The answer.",
              ...headers,
              content: { "application/json": { schema: schemaOf(of.answer, "output", schemas) } },
            },
          };
  return { ...previewOf(of, schemas), ...success, ...problemsOf(of) };
}

function previewOf({ preview }: Description, schemas: Record<string, Schema>): Record<string, Schema> {
  if (preview === undefined) return {};
  const content = { "application/json": { schema: schemaOf(preview, "output", schemas) } };
  return { 200: { description: "With `preview=1`: what it would do.", headers: { ETag: etag }, content } };
}

const etag = { description: "Which state this is.", required: true, schema: { type: "string" } };

/** What a problem's status always comes with. */
const problemHeaders: Readonly<Record<number, Schema>> = {
  401: { "WWW-Authenticate": { description: "`Bearer`", required: true, schema: { type: "string" } } },
  429: { "Retry-After": { description: "Seconds to wait.", required: true, schema: { type: "integer" } } },
  503: { "Retry-After": { description: "Seconds to wait.", required: true, schema: { type: "integer" } } },
};

function problemsOf(of: Description): Record<string, Schema> {
  const codes = [...new Set(codesOf(of))];
  const statuses = [...new Set(codes.map((code) => usualStatus[code]))].sort((a, b) => a - b);
  return Object.fromEntries(
    statuses.map((status) => {
      const those = codes.filter((code) => usualStatus[code] === status);
      const description = those.map((code) => `\`${code}\`: ${errorMessages[code]}`).join("\n\n");
      const headers = problemHeaders[status];
      const content = { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } };
      return [String(status), { description, ...(headers ? { headers } : {}), "x-codes": those, content }];
    }),
  );
}

/** What may go wrong: what the description says, and what follows from the rest of it. */
function codesOf(of: Description): ErrorCode[] {
  const asks = of.actor !== "none";
  const changes = of.method !== "get";
  const applying: readonly [boolean, readonly ErrorCode[]][] = [
    [asks, withCredential],
    [asks && of.beforeTerms !== true, ["terms-required"]],
    [of.actor === "session", ["session-required"]],
    [changes, ["conflict"]],
    [changes && of.fromAnywhere !== true, ["cross-site"]],
    [of.params !== undefined, ["not-found"]],
    // A preview of what has none is refused.
    [queryOfOperation(of) !== undefined || of.method !== "get", ["query-invalid"]],
    [of.body !== undefined, ["body-invalid"]],
    [of.body !== undefined || of.takes !== undefined, ["body-too-large"]],
    [needsIfMatch(of), ["precondition-required", "precondition-failed"]],
    [true, always],
  ];
  return [...(of.problems ?? []), ...applying.flatMap(([applies, codes]) => (applies ? codes : []))];
}

/** A schema as the document has it: what bears a name stands once, among the components. */
function schemaOf(schema: z.ZodType, io: "input" | "output", schemas: Record<string, Schema>): Schema {
  const {
    $schema: _,
    $defs = {},
    ...rest
  } = z.toJSONSchema(schema, { io }) as Schema & { $defs?: Record<string, Schema> };
  for (const [name, definition] of Object.entries($defs)) schemas[name] = rewritten(definition);
  const name = z.globalRegistry.get(schema)?.id;
  if (name === undefined) return rewritten(rest);
  if (rest.$ref === undefined) schemas[name] = rewritten(rest);
  return { $ref: `#/components/schemas/${name}` };
}

function rewritten(schema: Schema): Schema {
  const text = JSON.stringify(schema).replaceAll('"#/$defs/', '"#/components/schemas/');
  const { id: _, ...rest } = JSON.parse(text, withoutUsualBounds) as Schema;
  return rest;
}

/** The bounds of every whole number that JSON can carry say nothing, and become examples. */
function withoutUsualBounds(key: string, value: unknown): unknown {
  const isUsual = (key === "minimum" || key === "maximum") && Math.abs(Number(value)) === Number.MAX_SAFE_INTEGER;
  return isUsual ? undefined : value;
}
