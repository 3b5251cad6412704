export type PictureType = "image/png" | "image/jpeg" | "image/webp";

const isAt = (bytes: Uint8Array, at: number, text: string) =>
  [...text].every((character, index) => bytes[at + index] === character.charCodeAt(0));

/** What kind of picture these bytes begin as, whatever they are called; null for none that browsers are shown. */
export function pictureTypeOf(bytes: Uint8Array): PictureType | null {
  if (isAt(bytes, 0, "\x89PNG\r\n\x1a\n")) return "image/png";
  if (isAt(bytes, 0, "\xff\xd8\xff")) return "image/jpeg";
  return isAt(bytes, 0, "RIFF") && isAt(bytes, 8, "WEBP") ? "image/webp" : null;
}
