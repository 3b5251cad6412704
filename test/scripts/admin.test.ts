import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { loadSecrets } from "../../scripts/server/local-data.ts";
import { type RegistryServer, startServer } from "../../scripts/server/registry-server.ts";
import { OBJECT_PREFIX } from "../../worker/storage/layout.ts";
import { pushOverHttp } from "../support/http-client.ts";
import { makeSif } from "../support/make-sif.ts";
import { type Clone, makeClone, type Result, runCommand } from "../support/run-command.ts";

const NOBODY_LISTENS = "http://127.0.0.1:1";

describe("npm run admin", () => {
  let clone: Clone;
  let data: string;
  let server: RegistryServer;

  beforeAll(async () => {
    clone = makeClone();
    data = mkdtempSync(join(tmpdir(), "registry-admin-"));
    const root = resolve(import.meta.dirname, "../..");
    server = await startServer({ root, data, host: "127.0.0.1", port: 0, secrets: loadSecrets(data) });
  });

  afterEach(() => {
    for (const folder of [".data", ".secrets"]) rmSync(join(clone.root, folder), { recursive: true, force: true });
  });

  afterAll(async () => {
    await server?.stop();
    clone?.remove();
    rmSync(data, { recursive: true, force: true });
  });

  /** On the registry that runs here. */
  const admin = (...args: string[]) => runCommand(clone, "admin", [...args, "--data", data]);

  async function roleOf(username: string): Promise<string | undefined> {
    const { stdout } = await admin("list-users");
    const users = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { username: string; role: string });
    return users.find((user) => user.username === username)?.role;
  }

  it.each([
    ["start", []],
    ["deploy", []],
    ["admin", ["list-users"]],
    ["admin", []],
  ])("npm run %s %j explains itself with --help", async (command, args) => {
    const { status, stdout } = await runCommand(clone, command, [...args, "--help"]);
    expect([status, stdout]).toEqual([0, expect.stringMatching(new RegExp(`^npm (?:run )?${command} -- `))]);
  });

  it("makes and unmakes superusers and administrators, creating who is not there", async () => {
    expect(await admin("add-superuser", "--username", "alice")).toEqual(
      done("add-superuser alice (created user alice)"),
    );
    expect(await roleOf("alice")).toBe("superuser");
    const already = failedWith(/^Nothing to change: it is so already\.\n$/);
    expect(await admin("add-superuser", "--username", "alice")).toEqual(already);
    expect(await admin("remove-superuser", "--username", "alice")).toEqual(done("remove-superuser alice"));
    expect(await roleOf("alice")).toBe("user");
    expect(await admin("add-admin", "--username", "alice")).toEqual(done("add-admin alice"));
    expect(await roleOf("alice")).toBe("admin");
    expect(await admin("remove-admin", "--username", "alice")).toEqual(done("remove-admin alice"));
    expect(await roleOf("alice")).toBe("user");
  });

  it("adds a user once, and says so when the name is taken", async () => {
    expect(await admin("add-user", "--username", "bob")).toEqual(done("add-user bob"));
    expect(await admin("add-user", "--username", "bob")).toEqual(failedWith(/^[A-Z].*\.\n$/));
    expect(await roleOf("bob")).toBe("user");
  });

  it("prints a new token once, alone on its line, so that it can go into a file for the client", async () => {
    await admin("add-user", "--username", "carol");
    const { status, stdout, stderr } = await admin("add-token", "--username", "carol", "--name", "laptop");
    const token = stdout.trim();
    expect([status, stdout]).toEqual([0, `${token}\n`]);
    // The shortest that `apptainer remote login --tokenfile` takes.
    expect(token).toMatch(/^\S{200,}$/);
    expect(stderr).toMatch(/^Token \w{8} for carol\. It is shown this once:\n$/);
    const headers = { Authorization: `Bearer ${token}` };
    expect((await fetch(`${server.url}/v1/token-status`, { headers })).status).toBe(200);
    const listed = await admin("list-tokens", "--username", "carol");
    expect(listed).toMatchObject({ status: 0, stdout: expect.stringContaining("laptop") });
    expect(listed.stdout).not.toContain(token);
    expect((await admin("add-token", "--username", "carol")).stdout).not.toBe(stdout);
  });

  it("prints a link, alone on its line, that signs a user in once, however often it was opened before", async () => {
    await admin("add-user", "--username", "linda");
    const { status, stdout, stderr } = await admin("login-link", "--username", "linda");
    const link = new URL(stdout.trim());
    expect([status, stdout, `${link.origin}${link.pathname}`]).toEqual([0, `${link}\n`, `${server.url}/auth/link`]);
    expect(stderr).toMatch(/^Signs linda in, once, until \S+Z\. Open it in the browser:\n$/);
    expect(stderr).not.toContain(link.hash.slice(1));
    const page = await fetch(link, { headers: { Accept: "text/html" } });
    const files = [...(await page.text()).matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path]) => path);
    expect(files).not.toEqual([]);
    for (const file of files) expect((await fetch(`${server.url}${file}`)).status).toBe(200);
    const use = () =>
      fetch(`${server.url}/api/v1/sessions`, {
        method: "POST",
        headers: { Origin: server.url },
        body: JSON.stringify({ link: link.hash.slice(1) }),
      });
    const used = await use();
    expect([used.status, await used.json()]).toEqual([201, expect.objectContaining({ username: "linda" })]);
    expect((await use()).status).toBe(410);
    expect(await admin("login-link", "--username", "nobody-here")).toEqual(failedWith(/^There is no such user\.\n$/));
  });

  it("makes robots, lists them apart from users, and deletes them", async () => {
    const description = ["--description", "builds images"];
    expect((await admin("add-robot", "--username", "robby", ...description)).status).toBe(0);
    const { stdout } = await admin("list-robots");
    expect(JSON.parse(stdout)).toMatchObject({ username: "robby", owner: null, description: "builds images" });
    expect((await admin("list-users")).stdout).not.toContain("robby");
    expect((await admin("delete-robot", "--username", "robby")).status).toBe(0);
    expect((await admin("list-robots")).stdout).toBe("");
  });

  it("checks that database and bucket agree, and ends with status 1 when they do not", async () => {
    expect(await admin("check-integrity")).toEqual({ status: 0, stdout: "0 objects, no problem found.\n", stderr: "" });
    const bucket = await server.miniflare.getR2Bucket("BLOBS");
    const name = `${OBJECT_PREFIX}stray`;
    await bucket.put(name, "bytes");
    const { status, stdout } = await admin("check-integrity");
    await bucket.delete(name);
    expect([status, stdout]).toEqual([1, `object-without-row ${name}\n1 object, 1 problem.\n`]);
  });

  it("makes a key for sregistry-cli, alone on stdout, and shows where it goes without repeating it", async () => {
    await admin("add-user", "--username", "signer");
    const { status, stdout, stderr } = await admin("add-key", "--username", "signer");
    expect([status, stdout]).toEqual([0, expect.stringMatching(/^sregkey_[\w-]{43}\n$/)]);
    expect(stderr).toContain('"SREGISTRY_REGISTRY_USERNAME": "signer"');
    expect(stderr).not.toContain(stdout.trim());
    expect((await admin("list-keys")).stdout).toContain('"username":"signer"');
    expect((await admin("reseal-keys")).stdout).toBe("0 keys sealed anew.\n");
    expect((await admin("revoke-key", "--username", "signer")).status).toBe(0);
    expect((await admin("list-keys")).stdout).not.toContain("signer");
  });

  it("reads what is stored, names what is damaged, and says by its status whether all is well", async () => {
    await admin("add-user", "--username", "keeper");
    const { stdout: token } = await admin("add-token", "--username", "keeper");
    const image = makeSif({ salt: "kept" });
    await pushOverHttp(server.url, token.trim(), "keeper/tools/image:v1", image);
    const well = { status: 0, stdout: expect.stringContaining("no damage found") };
    expect(await admin("verify", "--all")).toMatchObject(well);
    expect(await admin("verify", "--image", "library://keeper/tools/image:v1")).toMatchObject(well);
    const database = await server.miniflare.getD1Database("DB");
    const key = await database
      .prepare("SELECT object_key FROM blobs ORDER BY rowid DESC LIMIT 1")
      .first<string>("object_key");
    const bucket = await server.miniflare.getR2Bucket("BLOBS");
    await bucket.put(key ?? "", image.slice().fill(1, 40_000));
    const damaged = expect.stringMatching(/^corrupt sha256\.[0-9a-f]{64} keeper\/tools\/image:v1\n/);
    expect(await admin("verify", "--all")).toMatchObject({ status: 1, stdout: damaged });
    await bucket.put(key ?? "", image);
    expect(await admin("verify", "--all")).toMatchObject(well);
    expect(await admin("verify")).toEqual(failedWith(/^Say either --all or --image REFERENCE\.\n$/));
  });

  it("reads the metadata of images that nobody has read, where it was interrupted, and names what cannot be read", async () => {
    const { stdout: token } = await runCommand(clone, "admin", [
      ...["add-token", "--username", "keeper", "--data", data],
    ]);
    const labels = { Maintainer: "tests" };
    const names = ["one", "two", "three"].map((name) => `keeper/inspected/${name}`);
    for (const path of names) {
      await pushOverHttp(server.url, token.trim(), `${path}:v1`, makeSif({ salt: path, attributes: { labels } }));
    }
    expect(await admin("inspect", "--again")).toMatchObject({ status: 0 });
    const database = await server.miniflare.getD1Database("DB");
    const labelled = async () =>
      await database.prepare("SELECT count(*) AS n FROM labels WHERE key = 'Maintainer'").first<number>("n");
    expect(await labelled()).toBe(3);
    // As images of an older version are: nobody has looked. One was done before the command was interrupted.
    await database.batch([database.prepare("DELETE FROM labels"), database.prepare("DELETE FROM inspections")]);
    expect(await admin("inspect", "--image", `library://${names[0]}:v1`)).toMatchObject({ status: 0 });
    const { stdout } = await admin("inspect", "--all");
    expect(stdout).toMatch(/^[23] images read\.\n$/m);
    expect(await labelled()).toBe(3);
    expect((await admin("inspect", "--all")).stdout).toBe("0 images read.\n");
    const key = await database
      .prepare("SELECT object_key FROM blobs ORDER BY rowid DESC LIMIT 1")
      .first<string>("object_key");
    const bucket = await server.miniflare.getR2Bucket("BLOBS");
    await bucket.put(key ?? "", "no longer an image, but long enough to be read as one: ".repeat(10));
    const failed = expect.stringMatching(
      /^failed keeper\/inspected\/three:sha256\.[0-9a-f]{64} The image cannot be read: .+\n/,
    );
    expect(await admin("inspect", "--again")).toMatchObject({ status: 1, stdout: failed });
    expect(await admin("inspect")).toEqual(failedWith(/^Say --all, --again or --image REFERENCE\.\n$/));
  });

  it("makes the search index anew, and says how much is in it", async () => {
    const { stdout: token } = await admin("add-token", "--username", "keeper");
    await pushOverHttp(server.url, token.trim(), "keeper/lost/treasure:v1", makeSif({ salt: "treasure" }));
    const search = await server.miniflare.getD1Database("SEARCH_DB");
    await admin("rebuild-search");
    await search.batch([
      search.prepare("INSERT INTO document_text (document_text) VALUES ('delete-all')"),
      search.prepare("DELETE FROM documents"),
    ]);
    const found = async () =>
      ((await (await fetch(`${server.url}/v1/search?value=treasure`)).json()) as { data: { image: unknown[] } }).data
        .image;
    expect(await found()).toHaveLength(0);
    const { status, stdout } = await admin("rebuild-search");
    expect([status, stdout]).toEqual([0, expect.stringMatching(/^The search index is made anew: \d+ documents\.$/m)]);
    expect(await found()).toHaveLength(1);
  });

  it("shows settings and where they come from, changes them, and shows no secret", async () => {
    const shown = async (name: string) => {
      const { stdout } = await admin("show-settings", "--name", name);
      return JSON.parse(stdout) as { value: string | null; source: string; isSet: boolean };
    };
    expect(await shown("REGISTRY_NAME")).toMatchObject({ value: "Singularity Registry", source: "default" });
    expect(await admin("set-setting", "--name", "REGISTRY_NAME", "--value", "Lab images")).toMatchObject({ status: 0 });
    expect(await shown("REGISTRY_NAME")).toMatchObject({ value: "Lab images", source: "database" });
    const site = (await (await fetch(`${server.url}/api/v1/site`)).json()) as { name: string };
    expect(site.name).toBe("Lab images");
    expect(await admin("reset-setting", "--name", "REGISTRY_NAME")).toMatchObject({ status: 0 });
    expect(await shown("REGISTRY_NAME")).toMatchObject({ source: "default" });
    expect(await shown("ADMIN_SECRET")).toMatchObject({ value: null, isSet: true, source: "environment" });
    const { stdout } = await admin("show-settings");
    const { ADMIN_SECRET, SIGNING_SECRET } = loadSecrets(data);
    expect(stdout.includes(ADMIN_SECRET) || stdout.includes(SIGNING_SECRET)).toBe(false);
    // Nothing in front of a local registry overwrites a header that says where somebody is.
    expect(await shown("CLIENT_ADDRESS_HEADER")).toMatchObject({ value: "none" });
    expect(await admin("show-settings", "--name", "NOTHING")).toEqual(failedWith(/^There is no such setting\.\n$/));
    const wrong = admin("set-setting", "--name", "PRIVATE_ONLY", "--value", "maybe");
    expect(await wrong).toEqual(failedWith(/^PRIVATE_ONLY must be true, 1, false or 0\.\n$/));
    const locked = admin("set-setting", "--name", "CLIENT_ADDRESS_HEADER", "--value", "X-Real-IP");
    expect(await locked).toEqual(failedWith(/belongs to the registry's deployment/));
  });

  it("shows the part of the audit log that is asked for, with times to read", async () => {
    await admin("add-user", "--username", "watched");
    await admin("disable-user", "--username", "watched");
    const listed = async (...options: string[]) =>
      (await admin("list-audit", ...options)).stdout
        .trim()
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line));
    expect(await listed("--target", "watched")).toMatchObject([{ action: "user.disable" }, { action: "user.add" }]);
    const [entry] = await listed("--target", "watched", "--action", "user.add", "--actor", "operator");
    expect(new Date(entry.at).toISOString()).toBe(entry.at);
    expect(await listed("--target", "watched", "--until", entry.at)).toEqual([]);
    expect(await listed("--target", "watched", "--since", "2026-01-01", "--action", "user.")).toHaveLength(2);
    expect(await admin("list-audit", "--since", "yesterday")).toEqual(failedWith(/^--since/));
  });

  it("writes the registry's page for the list of registries, and replaces none that is there", async () => {
    const folder = mkdtempSync(join(tmpdir(), "registry-page-"));
    await admin("set-setting", "--name", "ADMINS", "--value", "alice, bob@example.org");
    await admin("set-setting", "--name", "HELP_INSTITUTION_SITE", "--value", "https://lab.example.org");
    await admin("set-setting", "--name", "REGISTRY_NAME", "--value", 'The "best": lab\'s');
    const { status, stdout, stderr } = await admin("register", "--folder", folder);
    const file = join(folder, "registry-registry.md");
    expect([status, stdout]).toEqual([0, `${file}\n`]);
    expect(stderr).toContain("_registries");
    const page = readFileSync(file, "utf8");
    const fields = Object.fromEntries(
      (page.split("---\n")[1] ?? "")
        .trim()
        .split("\n")
        .map((line) => line.split(/: (.*)/))
        .filter(([, value]) => value !== undefined),
    );
    expect(fields).toEqual({
      layout: "registry",
      title: JSON.stringify('The "best": lab\'s'),
      base: JSON.stringify(server.url),
      date: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/),
      author: '"alice"',
      img: expect.stringMatching(/^robots\/robot\d{1,5}\.png$/),
      thumb: expect.stringMatching(/^robots\/robot\d{1,5}\.png$/),
      tagged: '"registry"',
      institution: '"https://lab.example.org"',
    });
    expect(page).toContain("categories:\n- registry\n");
    writeFileSync(file, "edited");
    expect(await admin("register", "--folder", folder)).toEqual(failedWith(/is there already\. With --force/));
    expect(readFileSync(file, "utf8")).toBe("edited");
    expect(await admin("register", "--folder", folder, "--force")).toMatchObject({ status: 0 });
    expect(readFileSync(file, "utf8")).toContain("layout: registry");
    rmSync(folder, { recursive: true });
    for (const name of ["ADMINS", "HELP_INSTITUTION_SITE", "REGISTRY_NAME"])
      await admin("reset-setting", "--name", name);
  });

  it("takes the address and the secret of another registry from --url and ADMIN_SECRET", async () => {
    const environment = { ADMIN_SECRET: loadSecrets(data).ADMIN_SECRET };
    const { status } = await runCommand(clone, "admin", ["list-users", "--url", `${server.url}/`], environment);
    expect(status).toBe(0);
    expect(existsSync(join(clone.root, ".data"))).toBe(false);
  });

  it("finds the secret that npm run deploy has kept", async () => {
    mkdirSync(join(clone.root, ".secrets"));
    const kept = JSON.stringify({ ADMIN_SECRET: loadSecrets(data).ADMIN_SECRET });
    writeFileSync(join(clone.root, ".secrets", "deployment.json"), kept);
    expect(await runCommand(clone, "admin", ["list-users", "--url", server.url])).toMatchObject({ status: 0 });
  });

  it("says that the secret is wrong, and shows neither", async () => {
    const environment = { ADMIN_SECRET: "not-the-secret-of-this-registry-at-all" };
    const result = await runCommand(clone, "admin", ["list-users", "--url", server.url], environment);
    expect(result).toEqual(failedWith(/^Wrong admin secret\.\n$/));
  });

  it("sends its secret over http to this machine only", async () => {
    const environment = { ADMIN_SECRET: loadSecrets(data).ADMIN_SECRET };
    for (const url of ["http://registry.example.org", "http://127.0.0.1.example.org", "ftp://127.0.0.2.example.org"]) {
      const result = await runCommand(clone, "admin", ["list-users", "--url", url], environment);
      expect(result).toEqual(failedWith(/^The admin secret travels over https only\.\n$/));
    }
  });

  it("does not send the secret of the local registry to another host, nor make one up", async () => {
    const list = () => runCommand(clone, "admin", ["list-users", "--url", "https://registry.invalid"]);
    expect(await list()).toEqual(failedWith(/^No admin secret is known for that address\. .*ADMIN_SECRET\.\n$/));
    expect(existsSync(join(clone.root, ".data"))).toBe(false);
    loadSecrets(join(clone.root, ".data"));
    expect(await list()).toEqual(failedWith(/^No admin secret is known for that address\./));
  });

  it("says what to do when no registry runs here", async () => {
    const empty = join(clone.root, ".data");
    const missing = failedWith(/^No registry runs on .*\. Start it with: npm start\n$/);
    expect(await runCommand(clone, "admin", ["list-users"])).toEqual(missing);
    loadSecrets(empty);
    expect(await runCommand(clone, "admin", ["list-users"])).toEqual(missing);
    // As it is left behind by a registry that was killed.
    writeFileSync(join(empty, "server.json"), JSON.stringify({ url: NOBODY_LISTENS, pid: process.pid }));
    expect(await runCommand(clone, "admin", ["list-users"])).toEqual(failedWith(/^No registry answers at http:.*\n$/));
  });

  it("gives a container topics, lists them, and takes them away", async () => {
    await admin("add-user", "--username", "curator");
    const { stdout: token } = await admin("add-token", "--username", "curator");
    await pushOverHttp(server.url, token.trim(), "curator/tools/image:v1", makeSif({ salt: "curated" }));
    const which = ["--container", "curator/tools/image", "--topic", "Deep Learning"];
    expect(await admin("add-topic", ...which)).toEqual(done("add-topic curator/tools/image Deep Learning"));
    const { stdout } = await admin("list-topics");
    expect(stdout).toContain('{"topic":"deep learning","containers":1}\n');
    expect(await admin("remove-topic", ...which)).toMatchObject({ status: 0 });
    expect(await admin("remove-topic", ...which)).toEqual(failedWith(/^Not found\.\n$/));
    expect((await admin("list-topics")).stdout).not.toContain("deep learning");
    expect(await admin("add-topic", "--container", "curator/tools/image", "--topic", "a,b")).toEqual(
      failedWith(/is not a valid topic/),
    );
  });

  it("lists its commands when it is given none, or one that there is not", async () => {
    expect(await runCommand(clone, "admin")).toEqual(
      failedWith(/^npm run admin -- COMMAND .*add-superuser --username/s),
    );
    for (const name of ["frobnicate", "toString"]) {
      const result = await runCommand(clone, "admin", [name]);
      expect(result).toEqual(failedWith(new RegExp(`^There is no command '${name}'\\..*add-superuser`, "s")));
    }
  });

  it("says which option is wrong, and which there are", async () => {
    const usage = /npm run admin -- add-user --username NAME/;
    expect(await admin("add-user", "--user", "dave")).toEqual(failedWith(usage));
    expect(await admin("add-user", "dave")).toEqual(failedWith(usage));
    expect(await admin("add-user", "--username")).toEqual(failedWith(usage));
    expect(await admin("add-user")).toEqual(failedWith(/--username/));
    expect(await admin("add-token", "--username", "alice", "--days", "soon")).toEqual(failedWith(/--days/));
    expect(await admin("list-users", "--url", "not an address")).toEqual(failedWith(/--url must be an address/));
    expect(await roleOf("dave")).toBeUndefined();
  });
});

function done(what: string): Result {
  return { status: 0, stdout: `Done: ${what}\n`, stderr: "" };
}

/** Ended with status 1 and said why, on stderr and without a stack. */
function failedWith(reason: RegExp): unknown {
  const stderr = expect.not.stringMatching(/^ {4}at /m);
  return expect.toSatisfy((result: Result) => {
    expect(result).toEqual({ status: 1, stdout: "", stderr });
    expect(result.stderr).toMatch(reason);
    return true;
  });
}
