import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commands } from "../../scripts/admin/commands.ts";
import { loadSecrets } from "../../scripts/server/local-data.ts";
import { type RegistryServer, startServer } from "../../scripts/server/registry-server.ts";
import { type Clone, makeClone, runCommand } from "../support/run-command.ts";

const document = readFileSync(join(import.meta.dirname, "../../docs/administering.md"), "utf8");

/** The lines in the document's boxes, in their order. */
const lines = [...document.matchAll(/^```sh\n(?<lines>[\s\S]*?)^```$/gm)].flatMap(({ groups }) =>
  (groups?.lines ?? "").trimEnd().split("\n"),
);

/** A line's command and its options: words, and texts in double quotes. Where it writes to is the shell's. */
function argumentsOf(line: string): string[] {
  const [, rest = ""] = /^npm run (?:--silent )?admin -- (.*?)(?: > \S+)?$/.exec(line) ?? [];
  return [...rest.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, word]) => quoted ?? word ?? "");
}

describe("docs/administering.md", () => {
  let clone: Clone;
  let data: string;
  let server: RegistryServer;

  beforeAll(async () => {
    clone = makeClone();
    data = mkdtempSync(join(tmpdir(), "registry-administering-"));
    const root = resolve(import.meta.dirname, "../..");
    server = await startServer({ root, data, host: "127.0.0.1", port: 0, secrets: loadSecrets(data) });
  });

  afterAll(async () => {
    await server?.stop();
    clone?.remove();
    rmSync(data, { recursive: true, force: true });
  });

  it.each(lines)("has a line that works as it stands: %s", async (line) => {
    const args = argumentsOf(line);
    expect(Object.keys(commands)).toContain(args[0]);
    const { status, stdout, stderr } = await runCommand(clone, "admin", [...args, "--data", data]);
    expect([status, stdout], stderr).toEqual([0, expect.any(String)]);
    if (line.includes(" > ")) expect(stdout).toMatch(/^sreg(?:key)?_\S+\n$/);
    if (args[0] === "register") expect(existsSync(stdout.trim())).toBe(true);
  });

  it("speaks of no command that there is not", () => {
    const named = [...document.matchAll(/npm run (?:--silent )?admin -- ([a-z-]+)/g)].map((match) => match[1]);
    for (const name of named) expect(Object.keys(commands)).toContain(name);
  });
});
