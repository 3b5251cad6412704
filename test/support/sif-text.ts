import type { SifAttributes, SifScripts } from "../../worker/formats/sif/attributes.ts";
import type { SifObject } from "../../worker/formats/sif/descriptors.ts";
import type { SifHeader } from "../../worker/formats/sif/header.ts";

/*
 * What was read of an image, in the words of `apptainer sif header`, `sif list` and `inspect --json --all` (1.4.5), so
 * that it can be held against them. Only images that clients wrote are shown truly.
 */

/** As `apptainer sif header` prints it. */
export function headerText(header: SifHeader): string {
  const rows: [string, string | number | null][] = [
    ["Launch Script:", header.launchScript.trimEnd() || null],
    ["Version:", header.version],
    ["Primary Architecture:", header.arch],
    ["ID:", header.id],
    ["Created At:", timeText(header.createdAt)],
    ["Modified At:", timeText(header.modifiedAt)],
    ["Descriptors Free:", header.descriptorsFree],
    ["Descriptors Total:", header.descriptorsTotal],
    ["Descriptors Offset:", header.descriptorsOffset],
    ["Descriptors Size:", sizeText(header.descriptorsSizeBytes)],
    ["Data Offset:", header.dataOffset],
    ["Data Size:", sizeText(header.dataSizeBytes)],
  ];
  const shown = rows.filter(([, value]) => value !== null);
  const width = Math.max(...shown.map(([label]) => label.length)) + 1;
  return shown.map(([label, value]) => `${label.padEnd(width)}${value}\n`).join("");
}

/** As `apptainer sif list` prints it. */
export function listText(objects: readonly SifObject[]): string {
  const line = "-".repeat(78);
  const rows = [["ID", "|GROUP", "|LINK", "|SIF POSITION (start-end)", "|TYPE"], ...objects.map(rowOf)];
  const [head = "", ...rest] = rows.map((cells) =>
    cells.map((cell, index) => cell.padEnd([4, 8, 8, 26, 0][index] ?? 0)).join(" "),
  );
  return [line, head, line, ...rest, ""].join("\n");
}

/** As `apptainer inspect --json --all` prints it, parsed. What is empty is absent there. */
export function inspectJson({ apps, ...own }: SifAttributes): unknown {
  const shownApps = Object.entries(apps).map(([name, app]) => [name, withoutEmpty(app)]);
  const attributes = withoutEmpty({ ...own, apps: Object.fromEntries(shownApps) });
  return { data: { attributes }, type: "container" };
}

function withoutEmpty(value: SifScripts & { apps?: object }): object {
  const isEmpty = (it: unknown) => it === null || (typeof it === "object" && Object.keys(it).length === 0);
  return Object.fromEntries(Object.entries(value).filter(([, it]) => !isEmpty(it)));
}

function rowOf(object: SifObject): string[] {
  const { id, group, link, offset, sizeBytes } = object;
  return [
    String(id),
    `|${group ?? "NONE"}`,
    `|${link === null ? "NONE" : link.kind === "group" ? `${String(link.id).padEnd(3)} (G)` : link.id}`,
    `|${offset}-${offset + sizeBytes}`,
    `|${typeText(object)}`,
  ];
}

const words: Readonly<Record<string, string>> = {
  definition: "Def.FILE",
  environment: "Env.Vars",
  labels: "JSON.Labels",
  partition: "FS",
  signature: "Signature",
  "generic-json": "JSON.Generic",
  generic: "Generic/Raw",
  "cryptographic-message": "Cryptographic Message",
  sbom: "SBOM",
  "oci-root-index": "OCI.RootIndex",
  "oci-blob": "OCI.Blob",
  squashfs: "Squashfs",
  ext3: "Ext3",
  archive: "Archive",
  raw: "Raw",
  "encrypted-squashfs": "Encrypted squashfs",
  "gocryptfs-squashfs": "Gocryptfs squashfs",
  system: "System",
  "primary-system": "*System",
  data: "Data",
  overlay: "Overlay",
  sha256: "SHA-256",
  sha384: "SHA-384",
  sha512: "SHA-512",
  blake2s: "BLAKE2s-256",
  blake2b: "BLAKE2b-256",
  openpgp: "OpenPGP",
  pem: "PEM",
  "clear-signature": "Clear Signature",
  "rsa-oaep": "RSA-OAEP",
};

const wordOf = (word: string | null) => words[word ?? ""] ?? "Unknown";

function typeText(object: SifObject): string {
  const type = wordOf(object.type);
  switch (object.type) {
    case "partition":
      return `${type} (${wordOf(object.fileSystem)}/${wordOf(object.partitionType)}/${object.arch ?? "unknown"})`;
    case "signature":
      return `${type} (${wordOf(object.hash)})`;
    case "cryptographic-message":
      return `${type} (${wordOf(object.format)}/${wordOf(object.message)})`;
    case "sbom":
      return `${type} (${object.format})`;
    default:
      return type;
  }
}

function timeText(seconds: number | null): string | null {
  if (seconds === null) return null;
  return `${new Date(seconds * 1000).toISOString().replace("T", " ").replace(".000Z", "")} +0000 UTC`;
}

function sizeText(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const exponent = Math.floor(Math.log2(bytes) / 10);
  return `${Math.round(bytes / 1024 ** exponent)} ${" KMGTPE"[exponent]}iB`;
}
