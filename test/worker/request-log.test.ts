import { afterEach, describe, expect, it, vi } from "vitest";
import { ask, environment, newPerson } from "../support/worker/registry.ts";

/** The lines of the log that speak of requests. */
async function linesOf(work: () => Promise<unknown>): Promise<Record<string, unknown>[]> {
  const written = vi.spyOn(console, "info").mockImplementation(() => {});
  await work();
  const lines = written.mock.calls.map(([line]) => JSON.parse(String(line)) as Record<string, unknown>);
  return lines.filter(({ event }) => event === "request");
}

afterEach(() => void vi.restoreAllMocks());

describe("with LOG_REQUESTS an administrator reads in the log", () => {
  const logging = environment({ LOG_REQUESTS: "true" });

  it("who asked for what, with what result, and from which address without seeing it", async () => {
    const alice = await newPerson("logged");
    const from = { "CF-Connecting-IP": "192.0.2.77" };
    const [line, ...others] = await linesOf(async () => {
      await ask("/v1/entities/logged-nobody?secret=abc", { token: alice.token, headers: from, env: logging });
    });
    expect(others).toEqual([]);
    expect(line).toEqual({
      event: "request",
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      method: "GET",
      path: "/v1/entities/logged-nobody",
      status: 404,
      milliseconds: expect.any(Number),
      actor: alice.username,
      address: expect.stringMatching(/^[0-9a-f]{16}$/),
    });
    expect(JSON.stringify(line)).not.toMatch(/192\.0\.2|abc|sreg_/);
  });

  it("no capability of a download or an upload, and nothing of what was sent", async () => {
    const lines = await linesOf(async () => {
      await ask("/blobs/image.sif?t=a-capability", { env: logging });
      await ask("/v1/entities", { method: "POST", token: "not-one", body: { name: "a-name" }, env: logging });
    });
    expect(lines.map(({ status, actor }) => ({ status, actor }))).toEqual([
      { status: 403, actor: null },
      { status: 401, actor: null },
    ]);
    expect(JSON.stringify(lines)).not.toMatch(/a-capability|a-name|not-one/);
  });

  it("nothing while it is unset", async () => {
    expect(await linesOf(() => ask("/v1/token-status"))).toEqual([]);
  });
});
