import type { Operations, Problem } from "./schema.d.ts";

/*
 * The pages' way to the JSON API. What an operation takes and answers comes from docs/openapi.json; it is named by
 * method and path: `ask("DELETE /api/v1/tokens/{id}", { path: { id } })`.
 */

type Named<Name extends string, Fields> = keyof Fields extends never ? unknown : Record<Name, Fields>;

type Query<Fields> = keyof Fields extends never ? unknown : { query?: Fields };

type Input<Operation extends Operations[keyof Operations]> = Named<"path", Operation["path"]> &
  Query<Operation["query"]> &
  (Operation["body"] extends null ? unknown : { body: Operation["body"] }) &
  (Operation["needsIfMatch"] extends true ? { ifMatch: string } : unknown);

/** Nothing to say where nothing must be said. */
type Inputs<Operation extends Operations[keyof Operations]> =
  Record<never, never> extends Input<Operation> ? [input?: Input<Operation>] : [input: Input<Operation>];

interface AnyInput {
  path?: Record<string, string>;
  query?: Record<string, string>;
  body?: unknown;
  ifMatch?: string;
}

/** Why the registry did not do it, in words for the reader of the page. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  /** The registry's code of the error; null where the registry did not say one, or did not answer. */
  readonly code: string | null;
  /** The way out; empty where there is none to tell. */
  readonly help: string;

  constructor(message: string, code: string | null = null, help = "") {
    super(message);
    this.code = code;
    this.help = help;
  }
}

// Longer than a Worker that starts cold, shorter than a reader's patience.
const TIMEOUT_MS = 15_000;

/**
 * Carries out an operation.
 * @throws ApiError
 */
export async function ask<Name extends keyof Operations>(
  name: Name,
  ...inputs: Inputs<Operations[Name]>
): Promise<Operations[Name]["answer"]> {
  return (await askWithETag(name, ...inputs)).answer;
}

/**
 * The same, with the tag of the state that is answered, as If-Match wants it.
 * @throws ApiError
 */
export async function askWithETag<Name extends keyof Operations>(
  name: Name,
  ...[input]: Inputs<Operations[Name]>
): Promise<{ answer: Operations[Name]["answer"]; etag: string }> {
  const [method = "", template = ""] = name.split(" ");
  const { path = {}, query = {}, body, ifMatch }: AnyInput = input ?? {};
  const headers = new Headers(body === undefined ? {} : { "Content-Type": "application/json" });
  if (ifMatch !== undefined) headers.set("If-Match", ifMatch);
  const response = await send(urlOf(template, path, query), {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer: unknown = response.status === 204 ? null : await response.json().catch(() => undefined);
  if (!response.ok) throw errorOf(response.status, answer);
  if (answer === undefined) throw unexpectedAnswer();
  return { answer: answer as Operations[Name]["answer"], etag: response.headers.get("ETag") ?? "" };
}

/** For an answer that is no answer: a proxy's page, or another version's. */
export function unexpectedAnswer(): ApiError {
  return new ApiError("The registry's answer is not what this page expects. Reload the page.");
}

/** What to tell the reader of whatever was thrown. */
export function toApiError(thrown: unknown): ApiError {
  return thrown instanceof ApiError ? thrown : new ApiError("Something went wrong in this page. Reload it.");
}

async function send(url: string, request: RequestInit): Promise<Response> {
  try {
    return await fetch(url, { ...request, signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch {
    throw new ApiError("The registry does not answer. Is it running, and are you online?");
  }
}

function urlOf(template: string, path: Record<string, string>, query: Record<string, string>): string {
  const filled = template.replace(/\{(\w+)\}/g, (_, field: string) => encodeURIComponent(path[field] ?? ""));
  const search = new URLSearchParams(query).toString();
  return search === "" ? filled : `${filled}?${search}`;
}

/** The error of RFC 9457 problem details. */
function errorOf(status: number, answer: unknown): ApiError {
  const { title, detail, code, help } = asPartialProblem(answer);
  return new ApiError(detail || title || `The registry answered with status ${status}.`, code || null, help);
}

function asPartialProblem(answer: unknown): Pick<Problem, "title" | "detail" | "code" | "help"> {
  const given: Record<string, unknown> = typeof answer === "object" && answer !== null ? { ...answer } : {};
  const text = (value: unknown) => (typeof value === "string" ? value : "");
  return { title: text(given.title), detail: text(given.detail), code: text(given.code), help: text(given.help) };
}
