import * as z from "zod";
import { type Digest, isDigest } from "../../registry/digest.ts";
import { limits } from "../../registry/limits.ts";

/*
 * Clients send every field of their model, most of them zero (an empty id, a year-1 date, `private: false`),
 * so only the fields named here are read, and a zero value says nothing.
 */

const NO_DESCRIPTION = "no description";

const description = z
  .string()
  .max(limits.descriptionLength)
  .nullish()
  .transform((text) => (text == null || text.toLowerCase() === NO_DESCRIPTION ? "" : text));

const id = z.string().min(1).max(limits.referenceLength);
const name = z.string().max(limits.referenceLength);

export const newEntityBody = z.object({ name });

export const newCollectionBody = z.object({ name, description, entity: id, private: z.boolean().nullish() });

export const newContainerBody = z.object({ name, description, collection: id });

export const newImageBody = z.object({ hash: z.string().max(limits.referenceLength), description, container: id });

const sha256sum = z
  .string()
  .regex(/^(?:[0-9a-f]{64})?$/i)
  .nullish()
  .transform((hex): Digest | null => {
    const digest = `sha256.${(hex ?? "").toLowerCase()}`;
    return isDigest(digest) ? digest : null;
  });

export const startUploadBody = z.object({ filesize: z.int().positive(), sha256sum });

export const startMultipartBody = z.object({ filesize: z.int().positive() });

// A capability, which `limits` bounds no further: the body as a whole is bounded.
const uploadID = z.string().min(1);
const partNumber = z.int().positive().max(limits.parts);

/** `partSize` and `sha256sum` come along; the upload knows the one, and the other is empty. */
export const signPartBody = z.object({ uploadID, partNumber });

export const completeMultipartBody = z.object({
  uploadID,
  completedParts: z.array(z.object({ partNumber, token: z.string().max(200) })).max(limits.parts),
});

export const abortMultipartBody = z.object({ uploadID });

const anyObject = z.record(z.string(), z.unknown());

/** `{"Arch","Tag","ImageID"}`: Go structs without JSON names, read without regard to case as Go does. */
export const setTagBody = anyObject
  .transform((body) => Object.fromEntries(Object.entries(body).map(([key, value]) => [key.toLowerCase(), value])))
  .pipe(z.object({ arch: z.string().min(1).max(40).optional(), tag: z.string(), imageid: id }));

/** `_complete` sends `{}`; nothing in it is read. */
export const completeBody = anyObject;
