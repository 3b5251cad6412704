import { DrizzleQueryError } from "drizzle-orm";
import { type ErrorHandler, Hono } from "hono";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { AppEnv } from "../../worker/http/request-context.ts";
import { usualStatus } from "../../worker/http/respond.ts";
import { libraryStatus, onLibraryError } from "../../worker/protocols/library/errors.ts";
import { sregistryStatus } from "../../worker/protocols/sregistry/errors.ts";
import { onApiError } from "../../worker/protocols/web/problems.ts";
import { problemSchema } from "../../worker/protocols/web/schemas.ts";
import { errorHelp } from "../../worker/registry/error-help.ts";
import {
  describe as describeError,
  errorCodes,
  errorMessages,
  RegistryError,
  toRegistryError,
} from "../../worker/registry/errors.ts";

/** A status map for each protocol; web and admin say everything as most do. */
const protocols = [
  ["library", libraryStatus],
  ["sregistry", sregistryStatus],
  ["web and admin", usualStatus],
] as const;

let logged: string[];
beforeEach(() => {
  logged = [];
  vi.spyOn(console, "error").mockImplementation((line) => logged.push(String(line)));
});
afterEach(() => vi.restoreAllMocks());

/** What a library client is answered when something is thrown. */
async function libraryAnswerTo(thrown: Error): Promise<Response> {
  return await answerTo(thrown, onLibraryError);
}

async function answerTo(thrown: Error, handler: ErrorHandler<AppEnv>): Promise<Response> {
  const probe = new Hono<AppEnv>();
  probe.onError(handler);
  probe.get("/v1/probe", (c) => {
    c.header("Set-Cookie", "given=1; Path=/", { append: true });
    c.header("Set-Cookie", "taken=; Max-Age=0; Path=/", { append: true });
    c.header("Set-Cookie", "taken-too=; Path=/; Max-Age=0", { append: true });
    throw thrown;
  });
  return await probe.request("/v1/probe?t=a-capability");
}

describe.each(protocols)("in the protocol %s", (_, status) => {
  it.each(errorCodes)("%s has a status that says it failed", (code) => {
    expect(status[code]).toBeGreaterThanOrEqual(400);
    expect(status[code]).toBeLessThan(600);
  });

  it("only what is our fault or our provider's, takes its time here, or finds no room, is a 5xx", () => {
    const ours = ["quota-exceeded", "verifying", "provider-unavailable", "misconfigured", "unavailable", "internal"];
    expect(errorCodes.filter((code) => status[code] >= 500)).toEqual(ours);
  });

  it("what is absent and what is hidden is 404", () => {
    expect(status["not-found"]).toBe(404);
  });
});

describe("a message", () => {
  it.each(errorCodes)("of %s is one sentence or two, for people", (code) => {
    expect(errorMessages[code]).toMatch(/^[A-Z][^<>{}]+\.(?: [A-Z].+\.)?$|^The digest is not valid: .+\.$/);
  });
});

describe("a library client", () => {
  it.each(errorCodes)("told of %s gets JSON with the status as a number, and the sentence", async (code) => {
    const answer = await libraryAnswerTo(new RegistryError(code));
    expect(answer.status).toBe(libraryStatus[code]);
    expect(answer.headers.get("Content-Type")).toBe("application/json");
    expect(answer.headers.get("Cache-Control")).toBe("no-store");
    expect(await answer.json()).toEqual({ error: { code: libraryStatus[code], message: errorMessages[code] } });
  });

  it("is told of a frozen tag with sregistry's words, and 400", async () => {
    const answer = await libraryAnswerTo(new RegistryError("tag-frozen"));
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain("This tag exists, and is frozen.");
  });

  it("is told that a reference cannot be one as it is told that nothing is there", () => {
    expect(libraryStatus["reference-invalid"]).toBe(404);
  });

  it("is asked for a token, and for nothing else, by a 401 alone", async () => {
    for (const code of errorCodes) {
      const answer = await libraryAnswerTo(new RegistryError(code));
      expect(answer.headers.get("WWW-Authenticate"), code).toBe(answer.status === 401 ? "Bearer" : null);
    }
  });

  it("is told when to come back where waiting helps, and only then", async () => {
    for (const code of errorCodes) {
      const answer = await libraryAnswerTo(new RegistryError(code));
      expect(answer.headers.get("Retry-After"), code).toBe([429, 503].includes(answer.status) ? "5" : null);
    }
  });

  it("never reads an exception's text; the log has it, without the query string", async () => {
    const answer = await libraryAnswerTo(new Error("SQLITE_ERROR: near token secret-detail"));
    expect(answer.status).toBe(500);
    expect(await answer.text()).not.toMatch(/SQLITE|secret-detail/);
    expect(logged.join("\n")).toContain("secret-detail");
    expect(logged.join("\n")).not.toContain("a-capability");
  });

  it("never reads the detail of an error of ours", async () => {
    const answer = await libraryAnswerTo(
      new RegistryError("misconfigured", undefined, { detail: "SIGNING_SECRET must be set" }),
    );
    expect(await answer.text()).not.toContain("SIGNING_SECRET");
    expect(logged.join("\n")).toContain("SIGNING_SECRET must be set");
  });

  it("that is wrong itself leaves no line in the error log", async () => {
    for (const code of errorCodes.filter((code) => libraryStatus[code] < 500))
      await libraryAnswerTo(new RegistryError(code));
    expect(logged).toEqual([]);
  });
});

describe("a client of the JSON API", () => {
  it.each(errorCodes)("told of %s gets problem details with the way out", async (code) => {
    const answer = await answerTo(new RegistryError(code, "What is wrong here."), onApiError);
    expect(answer.status).toBe(usualStatus[code]);
    expect(answer.headers.get("Content-Type")).toBe("application/problem+json");
    expect(answer.headers.get("Cache-Control")).toBe("no-store");
    expect(answer.headers.get("WWW-Authenticate")).toBe(answer.status === 401 ? "Bearer" : null);
    expect(answer.headers.get("Retry-After")).toBe([429, 503].includes(answer.status) ? "5" : null);
    expect(problemSchema.strict().parse(await answer.json())).toMatchObject({
      type: `/api/v1/errors/${code}`,
      title: errorMessages[code],
      status: usualStatus[code],
      detail: "What is wrong here.",
      code,
      help: errorHelp[code],
    });
  });

  it.each(errorCodes)("finds in the way out of %s what to do next, and not what went wrong again", (code) => {
    expect(errorHelp[code]).toMatch(/^[A-Z][^<>{}]+\.$/);
    expect(errorHelp[code]).not.toBe(errorMessages[code]);
  });

  it("loses the cookies that were taken from it before something failed, and is given none", async () => {
    const answer = await answerTo(new RegistryError("sign-in-expired"), onApiError);
    expect(answer.headers.getSetCookie()).toEqual(["taken=; Max-Age=0; Path=/", "taken-too=; Path=/; Max-Age=0"]);
  });

  it("never reads an exception's text", async () => {
    const answer = await answerTo(new Error("SQLITE_ERROR: near token secret-detail"), onApiError);
    expect(await answer.text()).not.toMatch(/SQLITE|secret-detail/);
  });
});

describe("whatever is thrown", () => {
  it.each([
    "D1_ERROR: D1 DB is overloaded. Requests queued for too long.",
    "D1_ERROR: D1 DB reset because its code was updated.",
    "D1_ERROR: D1 DB storage operation exceeded timeout which caused object to be reset.",
    "Network connection lost.",
  ])("is a registry to try again later, where the platform says so: %s", (message) => {
    expect(toRegistryError(new Error("Failed query", { cause: new Error(message) })).code).toBe("unavailable");
  });

  it.each([new Error("x"), new TypeError("y is not a function"), "a text", null, undefined, 42, { code: "not-found" }])(
    "is a fault of ours otherwise: %j",
    (thrown) => {
      expect(toRegistryError(thrown).code).toBe("internal");
    },
  );

  it("is left as it is when it has a code already", () => {
    const error = new RegistryError("frozen");
    expect(toRegistryError(error)).toBe(error);
  });

  it("is logged without the values of a statement that failed", () => {
    const failed = new DrizzleQueryError(
      "select ? from topics",
      ["a-secret\nof two lines"],
      new Error("no such table"),
    );
    expect(describeError(failed)).toBe("Error: Failed query: select ? from topics <- Error: no such table");
  });

  it("is logged with its causes, but not for ever when they go round", () => {
    const [inner, outer] = [new Error("inner"), new Error("outer")];
    outer.cause = inner;
    inner.cause = outer;
    expect(describeError(outer)).toBe("Error: outer <- Error: inner <- Error: outer <- Error: inner <- Error: outer");
  });
});
