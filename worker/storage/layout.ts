/**
 * Every key in R2 and in the cache, in one place.
 *
 *     objects/<upload id>                         R2: the bytes of one upload; if it is published, of its blob for ever
 *     pictures/<id>                               R2: a team's picture
 *     https://slices.invalid/objects/<id>/<n>     cache `blob-slices`: the n-th slice of a public object
 *
 * A key in R2 is opaque and written once. Nothing is copied or renamed: D1 maps a digest to the key its
 * bytes happened to arrive under. A key in the cache is no address that a request could have: `.invalid`
 * is nobody's (RFC 2606).
 */
export const OBJECT_PREFIX = "objects/";

export const SLICE_CACHE = "blob-slices";

export function uploadObjectKey(uploadId: string): string {
  return `${OBJECT_PREFIX}${uploadId}`;
}

export function pictureKey(id: string): string {
  return `pictures/${id}`;
}

export function blobSliceUrl(objectKey: string, index: number): string {
  return `https://slices.invalid/${objectKey}/${index}`;
}
