import { generateKeyPairSync } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { labelsOf, parseDefinition } from "../../worker/formats/definition-file.ts";
import { inspectSif, type SifInspection } from "../../worker/formats/sif/inspect.ts";
import { limits } from "../../worker/registry/limits.ts";
import { type Client, hasApptainer, newClient, removeClients } from "../support/apptainer.ts";
import { watchedFile } from "../support/sif-file.ts";
import { headerText, inspectJson, listText } from "../support/sif-text.ts";

/** A shell and what it needs of this machine, so that scripts can run while an image is built from nothing. */
const SHELL = ["for file in /bin/sh $(ldd /bin/sh | grep -o '/[^ ]*'); do echo \"    $file $file\"; done"];

const definition = (files: string) => `# An image with all that a definition file can have
BootStrap: scratch
Stage: build

%files
${files}

%post
    echo built > /result

Bootstrap: scratch
Stage: final

%files from build
    /result /data/result

%files
${files}

%arguments
    WHO=world

%post
    echo installed

%labels
    Odd.Key   "quoted" and 'quoted'
    unicode grüße → ✓ 𝕏
    __proto__ polluted
    constructor 1
    backslash C:\\\\path\\n
    markup <b>&amp;</b>
    empty

%environment
    export GREETING="hello {{ WHO }}"

%runscript
    exec cat /data/result "$@"

%startscript
    sleep 1

%test
    test -f /data/result

%help
    Helps.	With a tab,

    and an empty line, and \\u0041.

%apphelp foo
    Helps with foo.

%applabels foo
    Version 1

%appenv foo
    export FOO=1

%appinstall foo
    echo installing

%apprun foo
    echo foo

%apptest foo
    true

%appstart foo
    sleep 1

%apprun bar
    echo bar
`;

describe.skipIf(!hasApptainer)("an image that the real client made", { timeout: 120_000 }, () => {
  let client: Client;

  async function inspected(file: string): Promise<SifInspection> {
    const inspection = await inspectSif(watchedFile(client.read(file)), limits);
    if (inspection === "gone" || "problem" in inspection) throw new Error(JSON.stringify(inspection));
    return inspection;
  }

  /** Holds what is read against what the client prints. */
  async function expectSameAsClient(file: string): Promise<SifInspection> {
    const inspection = await inspected(file);
    const { stdout: header } = await client.run("sif", "header", file);
    const { stdout: list } = await client.run("sif", "list", file);
    expect(headerText(inspection.header)).toBe(header);
    expect(listText(inspection.objects)).toBe(list);
    expect(inspection.leftOut).toEqual([]);
    return inspection;
  }

  async function expectSameInspect(file: string): Promise<SifInspection> {
    const inspection = await expectSameAsClient(file);
    const { stdout } = await client.run("inspect", "--json", "--all", file);
    expect(inspectJson(inspection.attributes)).toEqual(JSON.parse(stdout));
    const { stdout: deffile } = await client.run("inspect", "--deffile", file);
    expect(inspection.definition?.trim()).toBe(deffile.trim());
    return inspection;
  }

  beforeAll(async () => {
    client = newClient();
    const { stdout: files } = await client.paste(SHELL);
    client.write("image.def", definition(files.trimEnd()));
    await client.run("build", "image.sif", "image.def");
  });

  afterAll(removeClients);

  it("in stages, with apps and odd labels, says what `inspect` says", async () => {
    const { attributes, definitionFile } = await expectSameInspect("image.sif");
    expect(Object.keys(attributes.apps).sort()).toEqual(["bar", "foo"]);
    const labels = Object.entries(attributes.labels);
    expect(labels).toContainEqual(["__proto__", "polluted"]);
    expect(labels).toEqual(expect.arrayContaining(Object.entries(labelsOf(definitionFile))));
    expect(definitionFile.stages.map(({ header }) => header.stage)).toEqual(["build", "final"]);
    const sections = definitionFile.stages[1]?.sections.map(({ name, argument }) => `${name} ${argument}`.trim());
    expect(sections?.slice(0, 2)).toEqual(["files from build", "files"]);
    expect(sections).toContain("apprun bar");
  });

  it("from another image has its labels and its own", async () => {
    client.write("next.def", "Bootstrap: localimage\nFrom: image.sif\n\n%labels\n    Added later\n");
    await client.run("build", "next.sif", "next.def");
    const { attributes, definitionFile } = await expectSameInspect("next.sif");
    expect(attributes.labels).toMatchObject({ Added: "later", constructor: "1" });
    expect(definitionFile).toEqual(parseDefinition(client.read("next.def").toString()));
  });

  it("from a folder says what `inspect` says", async () => {
    client.write("folder/data/hello.txt", "hello\n");
    await client.run("build", "folder.sif", "folder");
    await expectSameInspect("folder.sif");
  });

  it("and signed names the key that signed, for each signature", async () => {
    const who = ["--name", "alice", "--email", "alice@example.org", "--comment", ""];
    await client.run("key", "newpair", ...who, "--password", "", "--bit-length", "2048", "--push=false");
    await client.paste(["cp image.sif signed.sif"]);
    await client.run("sign", "signed.sif");
    await client.run("sign", "--sif-id", "1", "signed.sif");
    const { signatures } = await expectSameInspect("signed.sif");
    const { stdout: info } = await client.run("sif", "info", "4", "signed.sif");
    const [, fingerprint] = /Entity: +([0-9A-F]{40})/.exec(info) ?? [];
    const link = { kind: "group", id: 1 };
    expect(signatures).toEqual([
      { objectId: 4, link, fingerprint, hash: "sha256" },
      { objectId: 5, link, fingerprint, hash: "sha256" },
    ]);
  });

  it("and signed with a key that is not OpenPGP's names none", async () => {
    const { privateKey } = generateKeyPairSync("ed25519");
    client.write("key.pem", privateKey.export({ type: "pkcs8", format: "pem" }));
    await client.paste(["cp image.sif sealed.sif"]);
    await client.run("sign", "--key", "key.pem", "sealed.sif");
    const { signatures } = await expectSameAsClient("sealed.sif");
    expect(signatures).toEqual([{ objectId: 4, link: { kind: "group", id: 1 }, fingerprint: null, hash: "sha256" }]);
  });

  it("of every kind of object shows as `sif list` shows it", async () => {
    client.write("x", "x");
    await client.run("sif", "new", "kinds.sif");
    const add = async (datatype: number, ...options: string[]) =>
      await client.run("sif", "add", "kinds.sif", "x", "--datatype", String(datatype), ...options);
    const partition = (type: number, fileSystem: number, arch: number) => [
      ...["--parttype", String(type), "--partfs", String(fileSystem), "--partarch", String(arch)],
    ];
    for (const [index, datatype] of [1, 2, 3, 6, 7, 8, 10, 11].entries()) {
      await add(datatype, "--groupid", String(1 + (index % 3)), ...(index > 0 ? ["--link", String(index)] : []));
    }
    for (const [index, type] of [1, 2, 3, 4, 1, 3].entries())
      await add(4, ...partition(type, index + 1, 2 * index + 1));
    for (const hash of ["1", "2", "3", "4", "5"]) {
      await add(5, "--signhash", hash, "--signentity", "433FE984155206BD962725E20E8713472A879943", "--link", hash);
    }
    const boms = "cyclonedx-json cyclonedx-xml github-json spdx-json spdx-rdf spdx-tag-value spdx-yaml syft-json";
    for (const format of boms.split(" ")) await add(9, "--sbomformat", format);
    const inspection = await inspected("kinds.sif");
    const { stdout: list } = await client.run("sif", "list", "kinds.sif");
    expect(listText(inspection.objects)).toBe(list);
    const { stdout: header } = await client.run("sif", "header", "kinds.sif");
    expect(headerText(inspection.header)).toBe(header);
  });

  it.each([5, 6])("with a system encrypted as %i is encrypted", async (fileSystem) => {
    client.write("x", "x");
    const file = `encrypted-${fileSystem}.sif`;
    await client.run("sif", "new", file);
    const system = ["--parttype", "2", "--partfs", String(fileSystem), "--partarch", "4"];
    await client.run("sif", "add", file, "x", "--datatype", "4", ...system);
    expect(await expectSameAsClient(file)).toMatchObject({ isEncrypted: true, arch: "arm64" });
  });

  it("with metadata that a person wrote says what `inspect` says", async () => {
    const attributes = {
      labels: { "a\u0001b": "\u007f\u2028", "": "nameless", "<&>": "é" },
      environment: { empty: "" },
      runscript: "\t\r\n",
      apps: { "": { runscript: "x" }, b: { labels: { c: "" } } },
    };
    client.write("metadata", JSON.stringify({ type: "container", data: { attributes } }));
    await client.run("sif", "new", "written.sif");
    const metadata = ["--datatype", "6", "--filename", "inspect-metadata.json"];
    await client.run("sif", "add", "written.sif", "metadata", ...metadata, "--groupid", "1");
    await client.paste(["apptainer sif dump 3 image.sif > system"]);
    const system = ["--datatype", "4", "--parttype", "2", "--partfs", "1", "--partarch", "2"];
    await client.run("sif", "add", "written.sif", "system", ...system, "--groupid", "1");
    const inspection = await expectSameAsClient("written.sif");
    const { stdout } = await client.run("inspect", "--json", "--all", "written.sif");
    expect(inspectJson(inspection.attributes)).toEqual(JSON.parse(stdout));
  });
});
