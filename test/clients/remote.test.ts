import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { addRemote } from "../../ui/client-lines.ts";
import { version } from "../../worker/version.ts";
import {
  type Client,
  fixture,
  hasApptainer,
  logIn,
  newClient,
  newClientOf,
  removeClients,
} from "../support/apptainer.ts";
import { startTestServer, type TestServer, type Token } from "../support/test-server.ts";

describe.skipIf(!hasApptainer)("apptainer remote", () => {
  let server: TestServer;

  beforeAll(async () => {
    server = await startTestServer();
  });

  afterAll(async () => {
    await server?.stop();
    removeClients();
  });

  describe("adding the registry", () => {
    it("works by the lines of the home page, and every service answers", async () => {
      const client = await newClientOf(server);
      const { stdout } = await client.run("remote", "status");
      for (const service of ["Keyserver", "Library", "Token"]) {
        expect(stdout).toMatch(new RegExp(`^${service} +OK +${version.replaceAll(".", "\\.")} +${server.url}$`, "m"));
      }
      expect(stdout).toContain("No authentication token set (logged out).");
    });

    it("works also where the discovery document names an analytics id", async () => {
      await server.admin("set-setting", { name: "GOOGLE_ANALYTICS", value: "G-ABC123" });
      const discovery = await fetch(`${server.url}/assets/config/config.prod.json`);
      expect(await discovery.json()).toHaveProperty("googleAnalytics.googleAnalyticsId", "G-ABC123");
      const client = await newClientOf(server);
      expect((await client.run("remote", "status")).stdout).toMatch(/^Library +OK/m);
      await server.admin("reset-setting", { name: "GOOGLE_ANALYTICS" });
    });

    it("keeps the remotes that are there, whatever the address looks like", async () => {
      const client = newClient();
      const addresses = {
        plain: "https://registry.example.org",
        port: "https://registry.example.org:8443",
        insecure: "http://registry.example.org",
        local: "http://127.0.0.1:8787",
        six: "http://[::1]:8787",
      };
      for (const [uri, origin] of Object.entries(addresses)) await client.paste(addRemote({ origin, uri }));
      const { stdout } = await client.run("remote", "list");
      const listed = stdout
        .trim()
        .split("\n")
        .slice(1)
        .map((line) => line.split(/ +/).slice(0, 2));
      expect(Object.fromEntries(listed)).toEqual({
        plain: "registry.example.org",
        port: "https://registry.example.org:8443",
        insecure: "registry.example.org",
        local: "http://127.0.0.1:8787",
        six: "http://[::1]:8787",
      });
    });

    it("lets a client with two registries speak to the one in use, each with its own token", async () => {
      const other = await startTestServer({ REGISTRY_URI: "other" });
      try {
        const alice = await newClientOf(server, (await server.addUser("alice-here")).token);
        const token = await other.addUser("alice-there");
        await alice.paste(addRemote(other.site));
        await logIn(alice, other, token.token);
        expect((await alice.run("remote", "status")).stdout).toContain("Logged in as: alice-there");
        await alice.run("remote", "use", server.site.uri);
        expect((await alice.run("remote", "status")).stdout).toContain("Logged in as: alice-here");
        expect((await alice.run("remote", "get-login-password")).stdout).not.toContain(token.token);
      } finally {
        await other.stop();
      }
    });
  });

  describe("logging in", () => {
    it("works with the token in a file, and says who one is", async () => {
      const { token } = await server.addUser("from-file");
      const client = await newClientOf(server);
      client.write("token.txt", `${token}\n`);
      const { stderr } = await client.run("remote", "login", "--tokenfile", "token.txt", server.site.uri);
      expect(stderr).toContain("Access Token Verified!");
      const { stdout } = await client.run("remote", "status");
      expect(stdout).toContain("Logged in as: from-file");
      expect(stdout).toContain("Valid authentication token set (logged in).");
    });

    it("works with the token typed in, at the address of a page that says how to get one", async () => {
      const { token } = await server.addUser("typed-in");
      const client = await newClientOf(server);
      const { stdout, stderr } = await client.paste([`apptainer remote login ${server.site.uri}`], `${token}\n`);
      expect(stderr).toContain("Access Token Verified!");
      const address = /Generate an access token at (\S+), and paste it here/.exec(`${stdout}${stderr}`)?.[1];
      expect(address).toBe(`${server.url}/auth/tokens`);
      const page = await fetch(address ?? "", { headers: { Accept: "text/html" } });
      expect([page.status, page.headers.get("content-type")]).toEqual([200, expect.stringContaining("text/html")]);
    });

    it("gives the token back as the login password", async () => {
      const { token } = await server.addUser("password");
      const client = await newClientOf(server, token);
      expect((await client.run("remote", "get-login-password")).stdout.trim()).toBe(token);
    });

    it("is refused with a token that nobody was given", async () => {
      const { token } = await server.addUser("guessed");
      const client = await newClientOf(server);
      client.write("token.txt", `${token.slice(0, 30)}${token[30] === "x" ? "y" : "x"}${token.slice(31)}\n`);
      expect(await client.refusal("remote", "login", "--tokenfile", "token.txt", server.site.uri)).toContain(
        "Invalid Credentials",
      );
      expect((await client.run("remote", "status")).stdout).toContain("(logged out)");
    });

    it("is refused by the client itself with a token that was copied in part", async () => {
      const { token } = await server.addUser("in-part");
      const client = await newClientOf(server);
      client.write("token.txt", `${token.slice(0, 190)}\n`);
      expect(await client.refusal("remote", "login", "--tokenfile", "token.txt", server.site.uri)).toContain(
        "token is too short to be valid",
      );
    });
  });

  const endings: Record<string, (username: string, token: Token) => Promise<unknown>> = {
    "was revoked": (username, { id }) => server.admin("revoke-token", { username, id }),
    "has expired": (_, token) => server.expireToken(token),
    "belongs to a disabled user": (username) => server.admin("disable-user", { username }),
    "belongs to a deleted user": async (username) => {
      await server.admin("delete-user", { username });
    },
  };
  for (const [index, [ending, end]] of Object.entries(endings).entries()) {
    describe(`with a token that ${ending}`, () => {
      const username = `ended-${index}`;
      let token: Token;
      let client: Client;

      beforeAll(async () => {
        token = await server.addUser(username);
        client = await newClientOf(server, token.token);
        client.write("image.sif", fixture("plain.sif"));
        await end(username, token);
      });

      it("the login is refused", async () => {
        const fresh = await newClientOf(server);
        fresh.write("token.txt", `${token.token}\n`);
        expect(await fresh.refusal("remote", "login", "--tokenfile", "token.txt", server.site.uri)).toContain(
          "Invalid Credentials",
        );
      });

      it("a client that is logged in already learns it from the status", async () => {
        const printed = await client.refusal("remote", "status");
        expect(printed).toContain("Authentication token is invalid (please login again).");
        expect(printed).not.toContain("Logged in as");
      });

      it("nothing is given out or taken, and the client says why", async () => {
        const why = "The access token is not valid: it is unknown, expired, revoked, or its user is disabled. (401";
        const image = `library://${username}/tools/image:v1`;
        expect(await client.refusal("push", "-U", "image.sif", image)).toContain(why);
        expect(await client.refusal("pull", "other.sif", image)).toContain(why);
        expect(await client.refusal("search", "image")).toContain(why);
        expect(await client.refusal("delete", "--force", image)).toContain(why);
        // The client ends with status 0 all the same (1.4.5).
        const password = await client.run("remote", "get-login-password");
        expect(password).toMatchObject({ stdout: "", stderr: expect.stringContaining("must be logged in") });
      });
    });
  }

  it("a token works again once its user is enabled again", async () => {
    const { token } = await server.addUser("enabled");
    const client = await newClientOf(server, token);
    await server.admin("disable-user", { username: "enabled" });
    await client.refusal("remote", "status");
    await server.admin("enable-user", { username: "enabled" });
    expect((await client.run("remote", "status")).stdout).toContain("Logged in as: enabled");
  });

  it("another token of the same user goes on working when one is revoked", async () => {
    const { id, token } = await server.addUser("two-tokens");
    const laptop = await newClientOf(server, token);
    const cluster = await newClientOf(server, (await server.addToken("two-tokens")).token);
    await server.admin("revoke-token", { username: "two-tokens", id });
    await laptop.refusal("remote", "status");
    expect((await cluster.run("remote", "status")).stdout).toContain("Logged in as: two-tokens");
  });

  it("logging out makes the client forget the token", async () => {
    const client = await newClientOf(server, (await server.addUser("leaving")).token);
    await client.run("remote", "logout", server.site.uri);
    expect((await client.run("remote", "status")).stdout).toContain("No authentication token set (logged out).");
    client.write("image.sif", fixture("plain.sif"));
    expect(await client.refusal("push", "-U", "image.sif", "library://leaving/tools/image:v1")).toContain(
      "no authentication token, log in with `apptainer remote login`",
    );
  });
});
