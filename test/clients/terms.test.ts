import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Client, fixture, hasApptainer, newClientOf, removeClients } from "../support/apptainer.ts";
import { startTestServer, type TestServer } from "../support/test-server.ts";

const image = "library://alice/tools/image:v1";

describe.skipIf(!hasApptainer)("apptainer, at a registry with terms of use", () => {
  let server: TestServer;
  let alice: Client;
  let session: Record<string, string>;

  beforeAll(async () => {
    server = await startTestServer({ TERMS_VERSION: "2026-01", TERMS: "Be kind." });
    alice = await newClientOf(server, (await server.addUser("alice")).token);
    alice.write("plain.sif", fixture("plain.sif"));
    session = await signIn("alice");
  });

  afterAll(async () => {
    await server?.stop();
    removeClients();
  });

  /** By a login link, as the page that it opens does. */
  async function signIn(username: string): Promise<Record<string, string>> {
    const { url } = (await server.admin("login-link", { username })) as { url: string };
    expect(url).toMatch(new RegExp(`^${server.url}/auth/link#`));
    const answer = await fetch(`${server.url}/api/v1/sessions`, {
      method: "POST",
      headers: { Origin: server.url },
      body: JSON.stringify({ link: new URL(url).hash.slice(1) }),
    });
    expect(answer.status).toBe(201);
    const cookies = answer.headers.getSetCookie().map((cookie) => cookie.split(";")[0]);
    return { Cookie: cookies.join("; "), Origin: server.url };
  }

  it("logs in with a token before its user agreed: the token is good", async () => {
    const { stdout } = await alice.run("remote", "status");
    expect(stdout).toContain("Valid authentication token set (logged in).");
  });

  it("is told to agree to the terms, and where, by a push, a pull and a search", async () => {
    expect(await alice.refusal("push", "-U", "plain.sif", image)).toContain("/terms");
    expect(await alice.refusal("pull", "--force", "pulled.sif", image)).toContain("/terms");
    expect(await alice.refusal("search", "image")).toContain("/terms");
  });

  it("pushes and pulls once its user agreed", async () => {
    const agreed = await fetch(`${server.url}/api/v1/me/terms`, {
      method: "PUT",
      headers: session,
      body: JSON.stringify({ version: "2026-01" }),
    });
    expect(agreed.status).toBe(200);
    await alice.run("push", "-U", "plain.sif", image);
    await alice.run("pull", "--force", "pulled.sif", image);
    expect(alice.read("pulled.sif")).toEqual(fixture("plain.sif"));
  });

  it("pulls public images without a token, as ever", async () => {
    const nobody = await newClientOf(server);
    await nobody.run("pull", "--force", "pulled.sif", image);
    expect(nobody.read("pulled.sif")).toEqual(fixture("plain.sif"));
  });
});
