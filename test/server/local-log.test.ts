import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { startTestServer, type TestServer } from "../support/test-server.ts";

let server: TestServer;
let printed = "";

beforeAll(async () => {
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    printed += String(text);
    return true;
  });
  server = await startTestServer({ LOG_REQUESTS: "true" });
});

afterAll(async () => {
  vi.restoreAllMocks();
  await server?.stop();
});

it("a registry that npm start runs prints its log: each request where LOG_REQUESTS asks for it", async () => {
  await fetch(`${server.url}/api/v1/terms`);
  await vi.waitFor(() => expect(printed).toMatch(/"event":"request".*"path":"\/api\/v1\/terms"/));
});

it("and why somebody was not let in", async () => {
  await fetch(`${server.url}/auth/callback/nowhere?code=x&state=y`, { redirect: "manual" });
  await vi.waitFor(() => expect(printed).toMatch(/"event":"sign-in-refused".*"provider":"nowhere"/));
});
