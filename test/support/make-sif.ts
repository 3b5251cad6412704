/** Builds small SIF files for tests, laid out as apptainer 1.4.5 lays them out. Nothing in them can be run. */
export interface SifOptions {
  /** The header's architecture code: 02 is amd64, 04 arm64, 00 none. */
  archCode?: string;
  /** Makes files of the same shape differ. */
  salt?: string;
  /** Size of the whole file. */
  sizeBytes?: number;
  /** PGP fingerprints of signatures, as 40 hexadecimal digits. */
  signedBy?: string[];
  encrypted?: boolean;
  isOciSif?: boolean;
  hasPrimaryPartition?: boolean;
  /** Where the descriptor table lies. */
  tableOffset?: number;
  /** The definition file's text; it makes the file longer. */
  definition?: string;
  /** What `inspect-metadata.json` holds at `data.attributes`; it makes the file longer. A text is written as it is. */
  attributes?: Record<string, unknown> | string;
}

const DESCRIPTOR_BYTES = 585;
const DESCRIPTORS = 48;
const DATA_OFFSET = 36_864;

export function makeSif(options: SifOptions = {}): Uint8Array<ArrayBuffer> {
  const { archCode = "02", salt = "", sizeBytes = DATA_OFFSET + 4096, tableOffset = 4096 } = options;
  const texts = describeTexts(options, sizeBytes);
  const file = new Uint8Array(sizeBytes + texts.reduce((sum, { bytes }) => sum + bytes.length, 0));
  const view = new DataView(file.buffer);
  const write = (offset: number, text: string) => file.set(new TextEncoder().encode(text), offset);
  write(0, "#!/usr/bin/env run-singularity\n");
  write(32, "SIF_MAGIC\0");
  write(42, "01\0");
  write(45, `${archCode}\0`);
  const partition = { offset: DATA_OFFSET, size: Math.min(1024, sizeBytes - DATA_OFFSET), name: "" };
  const objects = [...describeObjects(options).map((object) => ({ ...partition, ...object })), ...texts];
  for (const { offset, bytes } of texts) file.set(bytes, offset);
  view.setBigInt64(80, BigInt(DESCRIPTORS - objects.length), true);
  view.setBigInt64(88, BigInt(DESCRIPTORS), true);
  view.setBigInt64(96, BigInt(tableOffset), true);
  view.setBigInt64(104, BigInt(DESCRIPTORS * DESCRIPTOR_BYTES), true);
  view.setBigInt64(112, BigInt(DATA_OFFSET), true);
  objects.forEach((object, index) => {
    const start = tableOffset + index * DESCRIPTOR_BYTES;
    view.setInt32(start, object.type, true);
    view.setUint8(start + 4, 1);
    view.setUint32(start + 5, index + 1, true);
    view.setUint32(start + 9, 0xf0000001, true);
    view.setBigInt64(start + 17, BigInt(object.offset), true);
    view.setBigInt64(start + 25, BigInt(object.size), true);
    write(start + 73, object.name);
    object.extra(view, start + 201);
  });
  if (sizeBytes > DATA_OFFSET) write(DATA_OFFSET, salt.slice(0, sizeBytes - DATA_OFFSET));
  return file;
}

/** Text objects, one behind the other at the end of the file. */
function describeTexts({ definition, attributes }: SifOptions, end: number) {
  const texts: { type: number; name: string; text: string }[] = [];
  if (definition !== undefined) texts.push({ type: 0x4001, name: "", text: definition });
  if (attributes !== undefined) {
    const text =
      typeof attributes === "string" ? attributes : JSON.stringify({ data: { attributes }, type: "container" });
    texts.push({ type: 0x4006, name: "inspect-metadata.json", text });
  }
  let offset = end;
  return texts.map(({ type, name, text }) => {
    const bytes = new TextEncoder().encode(text);
    offset += bytes.length;
    return { type, name, bytes, offset: offset - bytes.length, size: bytes.length, extra: () => undefined };
  });
}

interface SifObject {
  type: number;
  extra: (view: DataView, offset: number) => void;
}

function describeObjects(options: SifOptions): SifObject[] {
  const objects: SifObject[] = [];
  if (options.hasPrimaryPartition !== false) {
    objects.push({
      type: 0x4004,
      extra: (view, offset) => {
        view.setInt32(offset, options.encrypted ? 5 : 1, true);
        view.setInt32(offset + 4, 2, true);
      },
    });
  }
  if (options.isOciSif) objects.push({ type: 0x400a, extra: () => undefined });
  for (const fingerprint of options.signedBy ?? []) {
    objects.push({
      type: 0x4005,
      extra: (view, offset) => {
        view.setInt32(offset, 1, true);
        const bytes = fingerprint.match(/../g) ?? [];
        for (const [index, byte] of bytes.entries()) view.setUint8(offset + 4 + index, Number.parseInt(byte, 16));
      },
    });
  }
  return objects;
}
