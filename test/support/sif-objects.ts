/** Lays out SIF files of any objects for tests, right ones and wrong ones. */
export interface ObjectOptions {
  /** The data type's code: 0x4001 a definition file, 0x4006 generic JSON … */
  type: number;
  content?: string | Uint8Array;
  name?: string | Uint8Array;
  group?: number;
  /** As it stands in the file: 0xf0000001 is group 1. */
  link?: number;
  /** What its type has besides: int32 values, and texts. */
  extra?: (number | string | Uint8Array)[];
  /** Said of it instead of where it is. */
  offset?: bigint;
  sizeBytes?: bigint;
}

export interface LayoutOptions {
  /** How many descriptors there are. */
  descriptors?: number;
  /** How many the header says there are. */
  descriptorsSaid?: bigint;
  tableOffset?: number;
  /** Zeros before the first object. */
  gapBytes?: number;
}

export const DESCRIPTOR_BYTES = 585;
const TABLE_OFFSET = 4096;

export function sifOf(objects: readonly ObjectOptions[], options: LayoutOptions = {}): Uint8Array<ArrayBuffer> {
  const { descriptors = Math.max(48, objects.length), tableOffset = TABLE_OFFSET, gapBytes = 0 } = options;
  const dataOffset = TABLE_OFFSET + descriptors * DESCRIPTOR_BYTES + gapBytes;
  const contents = objects.map(({ content = "" }) => bytesOf(content));
  const tableBytes = tableOffset === TABLE_OFFSET ? 0 : tableOffset + descriptors * DESCRIPTOR_BYTES;
  const dataBytes = contents.reduce((sum, { length }) => sum + length, 0);
  const file = new Uint8Array(Math.max(dataOffset + dataBytes, tableBytes));
  const view = new DataView(file.buffer);
  file.set(bytesOf("#!/usr/bin/env run-singularity\n"));
  file.set(bytesOf("SIF_MAGIC\u000001\u000002\0"), 32);
  const numbers = [1n, 1n, BigInt(descriptors - objects.length), options.descriptorsSaid ?? BigInt(descriptors)];
  const places = [tableOffset, descriptors * DESCRIPTOR_BYTES, dataOffset, dataBytes].map(BigInt);
  for (const [index, value] of [...numbers, ...places].entries()) view.setBigInt64(64 + 8 * index, value, true);
  let offset = dataOffset;
  for (const [index, object] of objects.entries()) {
    const content = contents[index] ?? new Uint8Array();
    file.set(content, offset);
    writeDescriptor(file.subarray(tableOffset + index * DESCRIPTOR_BYTES), index + 1, object, offset, content.length);
    offset += content.length;
  }
  return file;
}

function writeDescriptor(
  entry: Uint8Array,
  id: number,
  object: ObjectOptions,
  offset: number,
  sizeBytes: number,
): void {
  const view = new DataView(entry.buffer, entry.byteOffset, entry.byteLength);
  view.setInt32(0, object.type, true);
  view.setUint8(4, 1);
  view.setUint32(5, id, true);
  view.setUint32(9, (0xf000_0000 | (object.group ?? 1)) >>> 0, true);
  view.setUint32(13, object.link ?? 0, true);
  view.setBigInt64(17, object.offset ?? BigInt(offset), true);
  view.setBigInt64(25, object.sizeBytes ?? BigInt(sizeBytes), true);
  view.setBigInt64(41, 2n, true);
  view.setBigInt64(49, 2n, true);
  entry.set(bytesOf(object.name ?? "").subarray(0, 128), 73);
  let at = 201;
  for (const value of object.extra ?? []) {
    if (typeof value === "number") view.setInt32(at, value, true);
    else entry.set(bytesOf(value), at);
    at += typeof value === "number" ? 4 : bytesOf(value).length;
  }
}

/** Objects as clients write them. */
export const metadataObject = (attributes: unknown): ObjectOptions =>
  jsonObject(JSON.stringify({ data: { attributes }, type: "container" }));
export const jsonObject = (content: string | Uint8Array): ObjectOptions => ({
  type: 0x4006,
  name: "inspect-metadata.json",
  content,
});
export const definitionObject = (content: string | Uint8Array): ObjectOptions => ({ type: 0x4001, content });
export const labelsObject = (content: string): ObjectOptions => ({ type: 0x4003, content });
export const systemObject = (fileSystem = 1): ObjectOptions => ({
  type: 0x4004,
  content: "squashed",
  extra: [fileSystem, 2, "02\0"],
});

function bytesOf(value: string | Uint8Array): Uint8Array {
  return typeof value === "string" ? new TextEncoder().encode(value) : value;
}
