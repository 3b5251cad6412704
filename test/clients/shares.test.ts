import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { downloadShared, pullShared } from "../../ui/client-lines.ts";
import { type Client, fixture, hasApptainer, newClient, newClientOf, removeClients } from "../support/apptainer.ts";
import { startTestServer, type TestServer } from "../support/test-server.ts";

const plain = fixture("plain.sif");
const hex = Buffer.from(fixture("plain.sha256")).toString().trim();

describe.skipIf(!hasApptainer)("whoever has a share link of a private image", () => {
  let server: TestServer;
  let token: string;
  let alice: Client;

  beforeAll(async () => {
    server = await startTestServer({ DEFAULT_PRIVATE: "true" });
    ({ token } = await server.addUser("alice"));
    alice = await newClientOf(server, token);
    alice.write("plain.sif", plain);
    await alice.run("push", "-U", "plain.sif", "library://alice/tools/image:v1");
  });

  afterAll(async () => {
    await server?.stop();
    removeClients();
  });

  async function share(body: Record<string, unknown> = {}): Promise<string> {
    const response = await fetch(`${server.url}/api/v1/containers/alice/tools/image/images/sha256.${hex}/shares`, {
      method: "POST",
      headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    expect(response.status).toBe(201);
    return ((await response.json()) as { url: string }).url;
  }

  it("pulls it with apptainer by the line of the page, without a remote or an account, into a file of its name", async () => {
    const carol = newClient();
    await carol.paste(pullShared(await share()));
    expect(carol.read("image_v1.sif").equals(plain)).toBe(true);
  });

  it("pulls it by one download each time, and is told when there is none left", async () => {
    const url = await share({ maxDownloads: 2 });
    for (const file of ["first.sif", "second.sif"]) {
      const carol = newClient();
      await carol.run("pull", file, url);
      expect(carol.read(file).equals(plain), file).toBe(true);
    }
    const carol = newClient();
    expect(await carol.refusal("pull", "third.sif", url)).toMatch(/410|Gone/);
    expect(() => carol.read("third.sif")).toThrow(/ENOENT/);
  });

  it("downloads it with curl by the lines of the page, which check it, also in two halves", async () => {
    const carol = newClient();
    const url = await share();
    const { stdout } = await carol.paste(downloadShared(url, hex));
    expect(stdout).toContain("image_v1.sif: OK");
    expect(carol.read("image_v1.sif").equals(plain)).toBe(true);
    carol.write("half.sif", plain.slice(0, 1000));
    await carol.paste([`curl -fLsS -C - -o half.sif '${url}'`]);
    expect(carol.read("half.sif").equals(plain)).toBe(true);
  });

  it("is served by the lines of docs/sharing.md, which make a link, use it and look at the figures", async () => {
    const text = readFileSync(join(import.meta.dirname, "../../docs/sharing.md"), "utf8");
    const boxes = [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, lines = ""]) =>
      lines.replaceAll("https://registry.example.org", server.url).replaceAll("sha256.DIGEST", `sha256.${hex}`),
    );
    expect(boxes).toHaveLength(4);
    alice.write("token.txt", token);
    const made = JSON.parse((await alice.paste([boxes[0] ?? ""])).stdout) as { url: string };
    const secret = new URL(made.url).pathname.split("/")[2] ?? "";
    const carol = newClient();
    const [pull = "", curl = ""] = (boxes[1] ?? "").trim().replaceAll("SECRET", secret).split("\n");
    await carol.paste([pull, "rm image_v1.sif", curl]);
    expect(carol.read("image_v1.sif").equals(plain)).toBe(true);
    await server.admin("set-visibility", { collection: "alice/tools", visibility: "public" });
    const { stdout } = await carol.paste([boxes[2] ?? ""]);
    expect(stdout).toContain('"allTimePulls":');
    await carol.paste([boxes[3] ?? ""]);
    expect(carol.read("sizes.svg").toString()).toMatch(/^<svg .*<title>alice\/tools: /);
  });

  it("asks with curl what it is, which uses nothing up, and gets no file of a link that is over", async () => {
    const url = await share({ maxDownloads: 1 });
    const head = execFileSync("curl", ["-fsSI", url], { encoding: "utf8" });
    expect(head).toMatch(new RegExp(`content-length: ${plain.length}\\b`, "i"));
    expect(head).toContain(`sha256:${hex}`);
    const carol = newClient();
    await carol.paste([`curl -fLsS -o image.sif '${url}'`]);
    await expect(carol.paste([`curl -fLsS -o again.sif '${url}'`])).rejects.toThrow(/410/);
    expect(() => carol.read("again.sif")).toThrow(/ENOENT/);
  });
});
