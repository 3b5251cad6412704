/**
 * Every key in R2, in one place.
 *
 *     objects/<upload id>      the bytes of one upload; if it is published, of its blob for ever
 *
 * A key is opaque and written once. Nothing is copied or renamed: D1 maps a
 * digest to the key its bytes happened to arrive under.
 */
export const OBJECT_PREFIX = "objects/";

export function uploadObjectKey(uploadId: string): string {
  return `${OBJECT_PREFIX}${uploadId}`;
}
