import { describe } from "../registry/errors.ts";

/** A part as R2 knows it: its number, from 1 on, and the ETag it answered, without quotes. */
export type Part = R2UploadedPart;

/** How R2's error codes stand in its messages. */
const failures = {
  /** 10024: the upload does not exist. */
  "no-such-upload": /\b10024\b|NoSuchUpload|multipart upload does not exist/i,
  /** 10025: a part is not there, or has another ETag. */
  "no-such-part": /\b10025\b|InvalidPart\b|parts could not be found/i,
  /** 10011, 10048: parts too small or of unequal size. URLs are signed for one size, so only parts left out lead here. */
  "wrong-parts": /\b10011\b|\b10048\b|EntityTooSmall/i,
} as const;

type Failure = keyof typeof failures;

/** @returns R2's id of the upload */
export async function beginMultipart(bucket: R2Bucket, key: string): Promise<string> {
  const { uploadId } = await bucket.createMultipartUpload(key, {
    httpMetadata: { contentType: "application/octet-stream" },
  });
  return uploadId;
}

/**
 * Writes one part. Written again it is replaced: nothing of it is published yet.
 * @param body a stream whose length is known (a request body with Content-Length)
 * @returns its ETag without quotes, or that the upload has ended
 */
export async function storePart(
  bucket: R2Bucket,
  upload: { objectKey: string; multipartId: string },
  partNumber: number,
  body: ReadableStream,
): Promise<{ etag: string } | "no-such-upload"> {
  try {
    const { etag } = await bucket
      .resumeMultipartUpload(upload.objectKey, upload.multipartId)
      .uploadPart(partNumber, body);
    return { etag };
  } catch (thrown) {
    if (failureOf(thrown) === "no-such-upload") return "no-such-upload";
    throw thrown;
  }
}

/** Makes the parts one object. */
export async function completeMultipart(
  bucket: R2Bucket,
  upload: { objectKey: string; multipartId: string },
  parts: Part[],
): Promise<"completed" | Failure> {
  try {
    await bucket.resumeMultipartUpload(upload.objectKey, upload.multipartId).complete(parts);
    return "completed";
  } catch (thrown) {
    const failure = failureOf(thrown);
    if (failure === null) throw thrown;
    return failure;
  }
}

/** Frees the parts of an upload that was not completed. */
export async function abortMultipart(bucket: R2Bucket, key: string, multipartId: string): Promise<void> {
  try {
    await bucket.resumeMultipartUpload(key, multipartId).abort();
  } catch (thrown) {
    if (failureOf(thrown) !== "no-such-upload") throw thrown;
  }
}

function failureOf(thrown: unknown): Failure | null {
  const text = describe(thrown);
  const names = Object.keys(failures) as Failure[];
  return names.find((name) => failures[name].test(text)) ?? null;
}
