import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { labelsOf, parseDefinition } from "../../worker/formats/definition-file.ts";
import { operatingSystemOf } from "../../worker/formats/operating-system.ts";

const system = (...lines: string[]) => operatingSystemOf(parseDefinition(lines.join("\n")));
const systemFrom = (from: string, bootstrap = "docker") => system(`Bootstrap: ${bootstrap}`, `From: ${from}`);

describe("a definition file", () => {
  it("has a header, whose keys may be cased as one likes, and sections", () => {
    const text =
      "\n# by hand\nBootStrap : docker # from the hub\nFROM: ubuntu:22.04\n\n%post -c /bin/bash\n  a\n\n  b\n\n\n%test\n";
    expect(parseDefinition(text)).toEqual({
      stages: [
        {
          header: { bootstrap: "docker", from: "ubuntu:22.04" },
          sections: [
            { name: "post", argument: "-c /bin/bash", text: "  a\n\n  b" },
            { name: "test", argument: "", text: "" },
          ],
        },
      ],
    });
  });

  it("has a stage for each header that begins with Bootstrap", () => {
    const stages = [
      ["Bootstrap: docker", "From: golang:1.22", "Stage: build", "%post", "  go build"],
      ["bootstrap: library", "from: alpine", "stage: final", "%files from build", "  /app /app"],
    ];
    expect(parseDefinition(stages.flat().join("\n")).stages).toEqual([
      {
        header: { bootstrap: "docker", from: "golang:1.22", stage: "build" },
        sections: [{ name: "post", argument: "", text: "  go build" }],
      },
      {
        header: { bootstrap: "library", from: "alpine", stage: "final" },
        sections: [{ name: "files", argument: "from build", text: "  /app /app" }],
      },
    ]);
  });

  it("keeps the sections of its apps by their names, in its order", () => {
    const { stages } = parseDefinition("%appinstall foo\n a\n%AppRun  bar \n b\n%applabels foo\n c d\n");
    expect(stages).toEqual([
      {
        header: {},
        sections: [
          { name: "appinstall", argument: "foo", text: " a" },
          { name: "apprun", argument: "bar", text: " b" },
          { name: "applabels", argument: "foo", text: " c d" },
        ],
      },
    ]);
  });

  it("keeps build arguments as they stand", () => {
    const { stages } = parseDefinition("Bootstrap: docker\nFrom: ubuntu:{{ VERSION }}\n%arguments\n  VERSION=22.04\n");
    expect(stages[0]?.header.from).toBe("ubuntu:{{ VERSION }}");
    expect(stages[0]?.sections).toEqual([{ name: "arguments", argument: "", text: "  VERSION=22.04" }]);
  });

  it("may go on with a value in the next line", () => {
    const text =
      "Bootstrap: yum\nInclude: yum \\\n  wget\nMirrorURL: http://mirror.example.org/centos-%{OSVERSION}/\nfree text\n";
    expect(parseDefinition(text).stages[0]?.header).toEqual({
      bootstrap: "yum",
      include: "yum wget",
      mirrorurl: "http://mirror.example.org/centos-%{OSVERSION}/",
    });
  });

  it("that ends its lines as Windows does reads the same", () => {
    const text = "Bootstrap: docker\nFrom: debian\n\n%post\n a\n b\n";
    expect(parseDefinition(text.replaceAll("\n", "\r\n"))).toEqual(parseDefinition(text));
  });

  it("sets the labels of its last stage", () => {
    const text = [
      "Bootstrap: scratch\n%labels\n  Lost yes",
      "Bootstrap: scratch\n%labels\n  # why\n  Version  1.2  3 \n  Empty\n\n\tTabbed\tvalue\n%help\n x\n%labels\n  Version 2",
    ];
    expect(labelsOf(parseDefinition(text.join("\n")))).toEqual({ Version: "2", Empty: "", Tabbed: "value" });
  });

  it("of the fixtures is read as their builders wrote it", () => {
    const inspect = readFileSync(resolve(import.meta.dirname, "../fixtures/labelled.inspect.json"), "utf8");
    const { data } = JSON.parse(inspect) as { data: { attributes: { deffile: string; labels: object } } };
    const definition = parseDefinition(data.attributes.deffile);
    expect(definition.stages.map(({ header }) => header)).toEqual([{ bootstrap: "scratch" }]);
    expect(definition.stages[0]?.sections.map(({ name }) => name)).toEqual(
      "files labels environment runscript help test startscript".split(" "),
    );
    expect(data.attributes.labels).toMatchObject(labelsOf(definition));
  });

  it("that is empty, or has comments only, has no stage", () => {
    expect(parseDefinition("")).toEqual({ stages: [] });
    expect(parseDefinition("# nothing\n\n  \n")).toEqual({ stages: [] });
  });

  it("may have keys that mean something to JavaScript", () => {
    const { stages } = parseDefinition("Bootstrap: docker\n__proto__: a\nconstructor: b\n");
    expect(Object.entries(stages[0]?.header ?? {})).toEqual([
      ["bootstrap", "docker"],
      ["__proto__", "a"],
      ["constructor", "b"],
    ]);
    expect({}).not.toHaveProperty("bootstrap");
  });
});

describe("the operating system of an image", () => {
  it.each([
    ["ubuntu", "ubuntu"],
    ["ubuntu:22.04", "ubuntu"],
    ["library/centos:7", "centos"],
    ["docker.io/library/ubuntu:22.04@sha256:aaaa", "ubuntu"],
    ["registry.example.org:5000/library/debian", "debian"],
    ["Rockylinux:9", "rockylinux"],
    ["rockylinux/rockylinux:9-minimal", "rockylinux"],
    ["almalinux/9-minimal", "almalinux"],
    ["almalinux:8", "almalinux"],
    ["fedora:40", "fedora"],
    ["arm64v8/alpine:3.20", "alpine"],
    ["opensuse/leap:15.5", "opensuse"],
    ["opensuse/tumbleweed", "opensuse"],
    ["archlinux/archlinux:base-devel", "archlinux"],
    ["busybox", "busybox"],
    ["oraclelinux:9", "oraclelinux"],
    ["public.ecr.aws/amazonlinux/amazonlinux:2023", "amazonlinux"],
    ["registry.access.redhat.com/ubi9/ubi-minimal:9.4", "redhat"],
    ["redhat/ubi8", "redhat"],
    ["quay.io/centos/centos:stream9", "centos"],
    ["kalilinux/kali-rolling", "kalilinux"],
    ["rhel7", "redhat"],
    ["cgr.dev/chainguard/wolfi-base", "wolfi"],
    ["ubuntu:{{ VERSION }}", "ubuntu"],
  ])("from %s is %s", (from, expected) => {
    expect(systemFrom(from)).toBe(expected);
  });

  it.each([
    ["python:3.12"],
    ["nvidia/cuda:12.4.1-devel-ubuntu22.04"],
    ["ubuntu/nginx"],
    ["someone/myubuntu"],
    ["{{ BASE }}"],
    ["constructor"],
    ["__proto__"],
    [""],
    ["//:@"],
  ])("from %s is not known", (from) => {
    expect(systemFrom(from)).toBeNull();
  });

  it.each([
    ["library://ubuntu:20.04", "library", "ubuntu"],
    ["library://registry.example.org/alice/tools/ubuntu:v1", "library", "ubuntu"],
    ["alice/tools/samtools:v1", "library", null],
    ["docker://debian", "docker", "debian"],
    ["alpine", "docker-daemon", "alpine"],
    ["registry.example.org/tools/fedora:40", "oras", "fedora"],
    ["/images/ubuntu_22.04.sif", "localimage", "ubuntu"],
    ["debian.simg", "localimage", "debian"],
    ["./rootfs/", "localimage", null],
    ["plain", "localimage", null],
    ["alpine.tar", "docker-archive", "alpine"],
    ["ubuntu", "scratch", null],
  ])("from %s by %s is %s", (from, bootstrap, expected) => {
    expect(systemFrom(from, bootstrap)).toBe(expected);
  });

  it.each([
    ["debootstrap", "MirrorURL: http://archive.ubuntu.com/ubuntu/", "ubuntu"],
    ["debootstrap", "MirrorURL: http://ftp.us.debian.org/debian/", "debian"],
    ["debootstrap", "OSVersion: jammy", "ubuntu"],
    ["debootstrap", "OSVersion: bookworm", "debian"],
    ["debootstrap", "OSVersion: other", null],
    ["yum", "MirrorURL: http://mirror.centos.org/centos-%{OSVERSION}/%{OSVERSION}/os/", "centos"],
    ["dnf", "MirrorURL: https://download.rockylinux.org/pub/rocky/9/", "rockylinux"],
    ["yum", "MirrorURL: https://repo.almalinux.org/almalinux/9/", "almalinux"],
    ["yum", "MirrorURL: https://example.org/", null],
    ["arch", "", "archlinux"],
    ["busybox", "MirrorURL: https://example.org/busybox", "busybox"],
    ["zypper", "MirrorURL: http://download.opensuse.org/distribution/leap/15.5/", "opensuse"],
    ["zypper", "Product: SLES", "sles"],
  ])("that %s installs with %s is %s", (bootstrap, line, expected) => {
    expect(system(`Bootstrap: ${bootstrap}`, line)).toBe(expected);
  });

  it("is that of the last stage", () => {
    expect(system("Bootstrap: docker", "From: ubuntu", "%post", "a", "Bootstrap: docker", "From: alpine")).toBe(
      "alpine",
    );
  });
});

describe("whatever a definition file holds", () => {
  const words = [
    "Bootstrap:",
    "From:",
    "%post",
    "%",
    "\\",
    "#",
    ":",
    "/",
    "@",
    "\n",
    "\r\n",
    " ",
    "ubuntu",
    "{{",
    "\u0000",
  ];

  it("it is read, and the names of its sections are words", () => {
    const text = fc.array(fc.oneof(fc.constantFrom(...words), fc.string({ unit: "binary" })), { maxLength: 60 });
    fc.assert(
      fc.property(text, (parts) => {
        const definition = parseDefinition(parts.join(""));
        operatingSystemOf(definition);
        labelsOf(definition);
        for (const { sections } of definition.stages) for (const { name } of sections) expect(name).not.toMatch(/\s/);
      }),
    );
  });

  const SIZE = 256 * 1024;
  const filled = (unit: string, before = "", after = "") => before + unit.repeat(SIZE / unit.length) + after;

  it.each([
    ["sections", filled("%\n")],
    ["stages", filled("bootstrap:\n")],
    ["header lines that go on", filled("a:\\\n")],
    ["one value that goes on", filled("\\\n", "a:\\\n")],
    ["empty lines", filled("\n", "%post\n", "x")],
    ["spaces", filled(" ", "Bootstrap: docker\nFrom:", "x")],
    ["spaces before a section", filled(" ", "", "%post")],
    ["percent signs", filled("%", "", " x")],
    ["slashes", filled("/", "Bootstrap: docker\nFrom: ")],
    ["colons", filled(":", "Bootstrap: localimage\nFrom: ")],
    ["points", filled(".tar", "Bootstrap: localimage\nFrom: ", "x")],
    ["digits", filled("1", "Bootstrap: docker\nFrom: centos", "x")],
    ["dashes of a scheme", filled("a-", "Bootstrap: docker\nFrom: ")],
    ["labels", filled("a b\n", "%labels\n")],
    ["carriage returns", filled("\r", "%post")],
  ])("256 KiB of %s take no longer than other texts", (_, text) => {
    const startedAt = performance.now();
    const definition = parseDefinition(text);
    operatingSystemOf(definition);
    labelsOf(definition);
    // A few milliseconds; what is quadratic takes minutes.
    expect(performance.now() - startedAt).toBeLessThan(2000);
  });
});
