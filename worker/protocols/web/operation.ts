import type { Hono, Context as HonoContext } from "hono";
import * as z from "zod";
import type { Actor } from "../../access/roles.ts";
import { anonymous } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { readJson } from "../../http/body.ts";
import { type AppEnv, isSafe, withContext } from "../../http/request-context.ts";
import { authenticateVisitor, ensureSameOrigin } from "../../http/session-cookie.ts";
import { type ErrorCode, RegistryError } from "../../registry/errors.ts";
import type { Section } from "./sections.ts";

/*
 * The JSON API's operations, each described once: the route, the checks of what comes in, and docs/openapi.json are
 * made from the same description. Written here rather than taken from a library, because bodies come with a limit
 * and whatever Content-Type, and because a refusal never repeats what was sent.
 */

type Fields = z.ZodObject;
type Nothing = z.ZodObject<Record<never, never>>;

export interface Description<
  Params extends Fields = Fields,
  Query extends Fields = Fields,
  Body extends z.ZodType = z.ZodType,
  Answer extends z.ZodType = z.ZodType,
> {
  /** Names it in the document and in the pages' client: a verb and a noun. */
  id: string;
  method: "get" | "post" | "put" | "patch" | "delete";
  /** With parameters as `{name}`. One written `{name*}` takes slashes too. */
  path: `/api/v1/${string}`;
  /** Which of the document's sections it stands in. */
  section: Section;
  summary: string;
  about?: string;
  /**
   * Whose word is taken. `none`: nobody is asked who they are; something that changes must all the same come from
   * our own pages. `anyone`: anonymous too where it only reads. `user`: signed in or with a token. `session`: signed
   * in with a browser. What they may do, the registry says.
   */
  actor: "none" | "anyone" | "user" | "session";
  /** With `none`: it brings a proof of its own in its body, and so may come from anywhere. No browser adds anything. */
  fromAnywhere?: true;
  /** Whether it is for users too who have not agreed to the terms. */
  beforeTerms?: true;
  params?: Params;
  query?: Query;
  body?: Body;
  /** Instead of a body in JSON: the media types of the file that is the body. It reads it by itself. */
  takes?: readonly string[];
  /** Instead of an answer in JSON: the media types of the file that is the answer. */
  gives?: readonly string[];
  /** 200 unless said otherwise; 204 without an answer. */
  status?: 200 | 201 | 202;
  answer?: Answer;
  /** The answer carries an ETag. */
  hasETag?: true;
  /** An edit of something with an ETag: the request must say which state it changes. */
  needsIfMatch?: true;
  /**
   * With `?preview=1` it says what it would do, and does nothing: this is the answer then. Its ETag names the state it
   * was made from, and is what the act itself needs as If-Match, so that it never does more than was shown. `*` will not do.
   */
  preview?: z.ZodType;
  /** What may go wrong beside what every operation may answer. */
  problems?: readonly ErrorCode[];
}

export interface Call<Params extends Fields, Query extends Fields, Body extends z.ZodType> {
  c: HonoContext<AppEnv>;
  ctx: Context;
  actor: Actor;
  params: z.output<Params>;
  query: z.output<Query>;
  body: z.output<Body>;
  /** The tag of the state to be changed, without quotes; `*` for whichever it is, but never where there is a preview. */
  ifMatch: string;
}

/** A description with what carries it out, whatever their types. */
export interface Operation {
  description: Description;
  mount: (app: Hono<AppEnv>) => void;
}

/** What an act would do, and which state that was seen in. */
export interface Preview {
  tag: string | number;
  shown: object;
}

const previewQuery = z.object({
  preview: z
    .literal("1")
    .optional()
    .describe("Says what it would do, and does nothing. The ETag goes into `If-Match`, which `*` does not stand for."),
});

/** The query a description has in all. */
export function queryOfOperation({ query, preview }: Pick<Description, "query" | "preview">): Fields | undefined {
  if (preview === undefined) return query;
  return query === undefined ? previewQuery : query.extend(previewQuery.shape);
}

/** Whether an operation must be told which state it changes. */
export function needsIfMatch({
  needsIfMatch: isEdit,
  preview,
}: Pick<Description, "needsIfMatch" | "preview">): boolean {
  return isEdit === true || preview !== undefined;
}

/**
 * @param carryOut its result is the answer, but for a Response, which is answered as it is
 * @param show for one with a preview: what it would do
 */
export function operation<
  Params extends Fields = Nothing,
  Query extends Fields = Nothing,
  Body extends z.ZodType = z.ZodUndefined,
  Answer extends z.ZodType = z.ZodVoid,
>(
  description: Description<Params, Query, Body, Answer>,
  carryOut: (call: Call<Params, Query, Body>) => Promise<z.input<Answer> | Response> | z.input<Answer> | Response,
  show?: (call: Call<Params, Query, Body>) => Promise<Preview>,
): Operation {
  const { method, path, params, body, status, answer } = description;
  const query = queryOfOperation(description as unknown as Description);
  // A dot would leave out line breaks.
  const route = path.replace(/\{(\w+)(\*?)\}/g, (_, name, wild) => `:${name}${wild === "*" ? "{[\\s\\S]*}" : ""}`);
  const isConditional = needsIfMatch(description as unknown as Description);
  const handler = async (c: HonoContext<AppEnv>) => {
    const actor = await findActor(c, description);
    c.set("actor", actor);
    // Whoever asks for a preview that there is none of does not want the act itself.
    if (show === undefined && !isSafe(method.toUpperCase()) && c.req.query("preview") !== undefined) {
      throw new RegistryError("query-invalid", "There is no preview of this. Nothing was done.");
    }
    const isPreview = show !== undefined && c.req.query("preview") === "1";
    const call: Call<Params, Query, Body> = {
      c,
      ctx: c.var.ctx,
      actor,
      params: parseFields(params, c.req.param(), "not-found"),
      query: parseFields(query, queryOf(c, query), "query-invalid") as z.output<Query>,
      body: (body === undefined ? undefined : await readJson(c.req.raw, body)) as z.output<Body>,
      ifMatch: isPreview || !isConditional ? "*" : readIfMatch(c, show !== undefined),
    };
    if (isPreview) {
      const { tag, shown } = await show(call);
      setETag(c, tag);
      return c.json(shown, 200);
    }
    const result = await carryOut(call);
    if (result instanceof Response) return result;
    return answer === undefined ? c.body(null, 204) : c.json(result as object, status ?? 200);
  };
  return {
    description: description as unknown as Description,
    mount: (app) => app.on(method.toUpperCase(), route, withContext, handler),
  };
}

/** A list's page: `next` goes into `?after=`, and is null at the end. */
export function pageSchema<Item extends z.ZodType>(item: Item) {
  return z.object({
    items: z.array(item),
    next: z.string().nullable().describe("Goes into `after` for the page behind this one; null at the end."),
  });
}

export const afterQuery = z.object({
  after: z.string().max(1024).optional().describe("The `next` of the page before this one."),
});

/** A version as an ETag. @param tag null for whoever is not told */
export function setETag(c: HonoContext<AppEnv>, tag: string | number | null): void {
  if (tag !== null) c.header("ETag", `"${tag}"`);
}

/**
 * The version an If-Match names; null for whichever it is.
 * @throws `precondition-failed` for what cannot be one
 */
export function versionOf(ifMatch: string): number | null {
  if (ifMatch === "*") return null;
  if (!/^\d{1,15}$/.test(ifMatch)) throw new RegistryError("precondition-failed");
  return Number(ifMatch);
}

async function findActor(
  c: HonoContext<AppEnv>,
  { actor: whose, beforeTerms, fromAnywhere }: Pick<Description, "actor" | "beforeTerms" | "fromAnywhere">,
) {
  if (whose === "none") {
    if (!isSafe(c.req.method) && fromAnywhere !== true) ensureSameOrigin(c);
    return anonymous;
  }
  const actor = await authenticateVisitor(c, { beforeTerms: beforeTerms === true });
  const isOpen = whose === "anyone" && isSafe(c.req.method);
  if (actor.kind === "anonymous" && !isOpen) throw new RegistryError("unauthenticated");
  const isSession = actor.kind === "user" && actor.credential.kind === "session";
  if (whose === "session" && !isSession) throw new RegistryError("session-required");
  return actor;
}

/** @throws `precondition-required`, also for `*` where one must have looked first: it names no state that was shown */
function readIfMatch(c: HonoContext<AppEnv>, hasPreview: boolean): string {
  const tag = (c.req.header("if-match") ?? "").trim().replace(/^(?:W\/)?"(.*)"$/, "$1");
  if (hasPreview && (tag === "" || tag === "*")) {
    throw new RegistryError(
      "precondition-required",
      "Look first what this would do: send the ETag of its preview as If-Match.",
    );
  }
  if (tag === "") throw new RegistryError("precondition-required");
  return tag;
}

/** What the query says of the fields it may have. A list may be given several times. */
function queryOf(c: HonoContext<AppEnv>, schema: Fields | undefined): Record<string, unknown> {
  const fields = Object.entries(schema?.shape ?? {});
  return Object.fromEntries(
    fields.map(([name, field]) => [name, isList(field) ? (c.req.queries(name) ?? []) : c.req.query(name)]),
  );
}

function isList(field: unknown): boolean {
  if (field instanceof z.ZodOptional || field instanceof z.ZodDefault) return isList(field.unwrap());
  return field instanceof z.ZodArray;
}

/** @throws the given error, naming the fields that are wrong and never what they were */
function parseFields<Schema extends Fields>(
  schema: Schema | undefined,
  given: unknown,
  code: ErrorCode,
): z.output<Schema> {
  const result = (schema ?? z.object({})).safeParse(given);
  if (result.success) return result.data as z.output<Schema>;
  const names = result.error.issues.map((issue) => `\`${issue.path.join(".")}\``);
  const message =
    code === "query-invalid" ? `The query is not valid: look at ${[...new Set(names)].join(", ")}.` : undefined;
  throw new RegistryError(code, message);
}
