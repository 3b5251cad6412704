import { type DefinitionFile, labelsOf, parseDefinition } from "../definition-file.ts";
import {
  type AttributeLimits,
  type AttributeText,
  describeText,
  readLabels,
  readMetadata,
  type SifAttributes,
  toAttributes,
  toLabels,
} from "./attributes.ts";
import { isEncryptedSystem, isInside, readDescriptors, type SifLink, type SifObject } from "./descriptors.ts";
import { decode } from "./fields.ts";
import { DESCRIPTOR_BYTES, readHeader, type SifHeader, type SifProblem } from "./header.ts";
import { type ByteRange, mergeRanges, totalLength } from "./ranges.ts";

/** A file that is read in ranges. */
export interface SifFile {
  sizeBytes: number;
  /** Null when the file is gone; fewer bytes where it ends. */
  read: (range: ByteRange) => Promise<Uint8Array | null>;
}

export interface SifLimits extends AttributeLimits {
  /** The first read: header and descriptor table of what clients write. */
  readonly sifFirstReadBytes: number;
  /** All reads of one file together. */
  readonly sifReadBytes: number;
  /** Objects no further apart than this come in one read. */
  readonly sifReadGapBytes: number;
  readonly sifDescriptors: number;
  /** Signatures kept. */
  readonly sifFingerprints: number;
  /** The inspection as JSON in UTF-8. */
  readonly sifInspectionBytes: number;
  /** What is named of what was left out. */
  readonly sifLeftOut: number;
}

/** A signature as its descriptor describes it; nothing here was verified. */
export interface SifSignature {
  objectId: number;
  /** The group or object it signs. */
  link: SifLink | null;
  /** Upper-case hexadecimal PGP fingerprint; null for signatures that name no key (DSSE). */
  fingerprint: string | null;
  hash: string | null;
}

/** All that can be said of an image without unpacking it. */
export interface SifInspection {
  header: SifHeader;
  /** In the order of the descriptor table, as `apptainer sif list` shows them. */
  objects: SifObject[];
  signatures: SifSignature[];
  isEncrypted: boolean;
  arch: string | null;
  attributes: SifAttributes;
  /** The definition file's text as the file carries it, or as its metadata repeats it. */
  definition: string | null;
  definitionFile: DefinitionFile;
  /** What is in the file and not in here, and why, in words for people. */
  leftOut: string[];
}

/**
 * Reads what an image says of itself: header, descriptor table, metadata. Two reads for images as clients write them,
 * five at most, and never more bytes than `sifReadBytes`, whatever its size.
 * @returns what is wrong with its header or table; "gone" where the file ended to be there meanwhile
 */
export async function inspectSif(file: SifFile, limits: SifLimits): Promise<SifInspection | SifProblem | "gone"> {
  const start = await readStart(file, limits);
  if (start === "gone" || "problem" in start) return start;
  const { header, table } = start;
  const objects = readDescriptors(table);
  const contents = await readContents(file, objects, limits.sifReadBytes - start.requestedBytes, limits);
  if (contents === "gone") return "gone";
  const signatures = signaturesOf(objects);
  const texts = collectTexts(contents, limits);
  const leftOut = [...contents.leftOut, ...texts.leftOut];
  if (signatures.length > limits.sifFingerprints) leftOut.push("signatures: too many");
  const facts = {
    header,
    objects,
    signatures: signatures.slice(0, limits.sifFingerprints),
    isEncrypted: objects.some(isEncryptedSystem),
    arch: header.arch,
  };
  return fitTexts(facts, { ...texts, leftOut }, limits);
}

interface Start {
  header: SifHeader;
  table: Uint8Array;
  requestedBytes: number;
}

async function readStart(file: SifFile, limits: SifLimits): Promise<Start | SifProblem | "gone"> {
  const firstBytes = Math.min(limits.sifFirstReadBytes, file.sizeBytes);
  const first = await readRange(file, { offset: 0, length: firstBytes });
  if (first === null) return "gone";
  const header = readHeader(first);
  if ("problem" in header) return header;
  const { descriptorsTotal, descriptorsOffset: offset } = header;
  if (descriptorsTotal > limits.sifDescriptors) return { problem: "it has too many objects" };
  const length = descriptorsTotal * DESCRIPTOR_BYTES;
  if (offset + length > file.sizeBytes) return { problem: "its descriptor table lies outside the file" };
  if (offset + length <= first.length) {
    return { header, table: first.subarray(offset, offset + length), requestedBytes: firstBytes };
  }
  const table = await readRange(file, { offset, length });
  if (table === null) return "gone";
  if (table.length < length) return { problem: "its descriptor table lies outside the file" };
  return { header, table, requestedBytes: firstBytes + length };
}

/** A file of no bytes is not asked for them. */
async function readRange(file: SifFile, range: ByteRange): Promise<Uint8Array | null> {
  if (range.length <= 0) return new Uint8Array();
  const bytes = await file.read(range);
  return bytes === null ? null : bytes.subarray(0, range.length);
}

const contentNames = { metadata: "inspect-metadata.json", definition: "definition file", labels: "labels" } as const;
type ContentName = keyof typeof contentNames;

/** Objects that were read whole. */
interface Contents extends Partial<Record<ContentName, Uint8Array>> {
  leftOut: string[];
}

/** Reads the objects that hold texts, as far as the bytes suffice, in the order of what is wanted most. */
async function readContents(
  file: SifFile,
  objects: readonly SifObject[],
  budgetBytes: number,
  limits: SifLimits,
): Promise<Contents | "gone"> {
  const contents: Contents = { leftOut: [] };
  const wanted: { name: ContentName; range: ByteRange }[] = [];
  for (const [name, object] of findContents(objects)) {
    const range = { offset: object.offset, length: object.sizeBytes };
    const reads = mergeRanges([...wanted.map((it) => it.range), range], limits.sifReadGapBytes);
    if (!isInside(object, file.sizeBytes)) contents.leftOut.push(`${contentNames[name]}: it lies outside the file`);
    else if (totalLength(reads) > budgetBytes) contents.leftOut.push(`${contentNames[name]}: too large`);
    else wanted.push({ name, range });
  }
  const ranges = wanted.map((it) => it.range);
  for (const read of mergeRanges(ranges, limits.sifReadGapBytes)) {
    const bytes = await readRange(file, read);
    if (bytes === null) return "gone";
    for (const { name, range } of wanted) {
      const from = range.offset - read.offset;
      if (from < 0 || from + range.length > read.length) continue;
      const content = bytes.subarray(from, from + range.length);
      if (content.length === range.length) contents[name] = content;
      else contents.leftOut.push(`${contentNames[name]}: it lies outside the file`);
    }
  }
  return contents;
}

/** The first of each: clients write one, and look for the first. */
function findContents(objects: readonly SifObject[]): [ContentName, SifObject][] {
  const metadata = objects.find(({ type, name }) => type === "generic-json" && name === contentNames.metadata);
  const definition = objects.find(({ type }) => type === "definition");
  const labels = objects.find(({ type }) => type === "labels");
  const found: [ContentName, SifObject | undefined][] = [
    ["metadata", metadata],
    ["definition", definition],
    ["labels", labels],
  ];
  return found.flatMap(([name, object]) => (object === undefined ? [] : [[name, object]]));
}

interface Texts {
  texts: AttributeText[];
  definition: string | null;
  definitionFile: DefinitionFile;
  leftOut: string[];
}

/** What the metadata does not say, older places may: labels of their own, and those of the definition file. */
function collectTexts(contents: Contents, limits: SifLimits): Texts {
  const metadata = contents.metadata === undefined ? undefined : readMetadata(contents.metadata, limits);
  const leftOut = [...(metadata?.leftOut ?? [])];
  if (metadata === null) leftOut.push(`${contentNames.metadata}: it is not JSON`);
  const texts = [...(metadata?.texts ?? [])];
  const deffile = texts.find(({ part }) => part === "deffile")?.text ?? null;
  const written = contents.definition === undefined ? null : decode(contents.definition);
  const isTooLong = written !== null && written.length > limits.sifTextLength;
  if (isTooLong) leftOut.push(`${contentNames.definition}: too long`);
  const definition = written === null || written === "" || isTooLong ? deffile : written;
  const definitionFile = parseDefinition(definition ?? "");
  if (!texts.some(({ app, part }) => app === null && part === "labels")) {
    const labels = contents.labels === undefined ? undefined : readLabels(contents.labels, limits);
    if (labels === null) leftOut.push(`${contentNames.labels}: they are not JSON`);
    const found = labels ?? toLabels(labelsOf(definitionFile), limits);
    texts.push(...found.texts);
    leftOut.push(...found.leftOut);
  }
  return { texts, definition, definitionFile, leftOut };
}

function signaturesOf(objects: readonly SifObject[]): SifSignature[] {
  return objects.flatMap((object) => {
    if (object.type !== "signature") return [];
    const { id: objectId, link, fingerprint, hash } = object;
    return [{ objectId, link, fingerprint, hash }];
  });
}

type Facts = Pick<SifInspection, "header" | "objects" | "signatures" | "isEncrypted" | "arch">;

/** Leaves out the largest texts until what stays is no longer than it may be as JSON, which may be 6 times a text. */
function fitTexts(facts: Facts, given: Texts, limits: SifLimits): SifInspection {
  const { definition, definitionFile } = given;
  const definitionBytes = jsonBytes(definition) + jsonBytes(definitionFile);
  const parts = [
    ...given.texts.map((text) => ({ text, what: describeText(text), bytes: textBytes(text) })),
    { text: null, what: contentNames.definition, bytes: definitionBytes },
  ].sort((one, other) => one.bytes - other.bytes);
  let spareBytes = limits.sifInspectionBytes - jsonBytes(facts) - frameBytes(limits);
  const kept = new Set<AttributeText | null>();
  const leftOut = [...given.leftOut];
  for (const { text, what, bytes } of parts) {
    spareBytes -= bytes;
    if (spareBytes >= 0) kept.add(text);
    else leftOut.push(`${what}: too large`);
  }
  const isDefinitionKept = kept.has(null);
  return {
    ...facts,
    attributes: toAttributes(given.texts.filter((text) => kept.has(text))),
    definition: isDefinitionKept ? definition : null,
    definitionFile: isDefinitionKept ? definitionFile : { stages: [] },
    leftOut: shortenList(leftOut, limits.sifLeftOut),
  };
}

const EMPTY_SCRIPTS = toAttributes([]);
/** The longest that is said of one thing left out: two names of 61 characters of 3 bytes each, and words. */
const LEFT_OUT_BYTES = 600;

/** What the inspection has beside the facts and the texts, at most. */
function frameBytes(limits: SifLimits): number {
  const empty = { attributes: EMPTY_SCRIPTS, definition: null, definitionFile: { stages: [] }, leftOut: [] };
  return jsonBytes(empty) + (limits.sifLeftOut + 1) * LEFT_OUT_BYTES;
}

/** A text with its key, and what its app takes if it is the only text of it. */
function textBytes({ app, key, text }: AttributeText): number {
  const own = jsonBytes(text) + (key === null ? 0 : jsonBytes(key) + 2);
  return app === null ? own : own + jsonBytes(app) + jsonBytes(EMPTY_SCRIPTS);
}

function jsonBytes(value: unknown): number {
  return new TextEncoder().encode(JSON.stringify(value)).length;
}

function shortenList(list: readonly string[], max: number): string[] {
  return list.length <= max ? [...list] : [...list.slice(0, max), `and ${list.length - max} more`];
}
