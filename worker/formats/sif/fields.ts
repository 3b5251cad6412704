/** Fields of a SIF file's header and descriptors. Nothing here throws, whatever the bytes are. */

// What Go writes for a time that was never set: the first second of year 1.
const ZERO_TIME = -62_135_596_800n;
const LAST_TIME = 253_402_300_799n;

/** An int64. What a number cannot hold exactly becomes the largest or smallest one that it can. */
export function readInt64(view: DataView, offset: number): number {
  const value = view.getBigInt64(offset, true);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) return Number.MAX_SAFE_INTEGER;
  if (value < BigInt(Number.MIN_SAFE_INTEGER)) return Number.MIN_SAFE_INTEGER;
  return Number(value);
}

/** Unix seconds; null for Go's "zero time" and for times outside the years 1 to 9999. */
export function readTime(view: DataView, offset: number): number | null {
  const value = view.getBigInt64(offset, true);
  return value > ZERO_TIME && value <= LAST_TIME ? Number(value) : null;
}

/** A NUL-padded text. Invalid UTF-8 and control characters but line ends become U+FFFD. */
export function readText(bytes: Uint8Array, offset: number, length: number): string {
  const field = bytes.subarray(offset, offset + length);
  const end = field.indexOf(0);
  return replaceControls(decode(end === -1 ? field : field.subarray(0, end)));
}

/** UTF-8 as a text that every database can hold: invalid bytes become U+FFFD, NUL characters go. */
export function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes).replaceAll("\0", "");
}

/** For texts that are shown in one line, and so that JSON, which escapes them, makes none of them longer. */
export function replaceControls(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is replaced
  return text.toWellFormed().replaceAll(/[\u0000-\u0009\u000b-\u001f\u007f]/g, "\ufffd");
}

export function ascii(bytes: Uint8Array, offset: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(offset, offset + length));
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
