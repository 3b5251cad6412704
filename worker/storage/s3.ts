import { AwsV4Signer } from "aws4fetch";
import type { Settings } from "../registry/settings.ts";

type S3Settings = Pick<Settings, "S3_ENDPOINT" | "S3_BUCKET" | "S3_ACCESS_KEY_ID" | "S3_SECRET_ACCESS_KEY">;

/** The bucket by R2's S3 interface, where clients may write and read without the Worker in between. */
export interface S3 {
  /** Such as `https://ACCOUNT_ID.r2.cloudflarestorage.com/BUCKET`. */
  bucketUrl: string;
  accessKeyId: string;
  secretAccessKey: string;
}

/** Null where it is not configured. */
export function s3Of(settings: S3Settings): S3 | null {
  const { S3_ENDPOINT, S3_BUCKET, S3_ACCESS_KEY_ID: accessKeyId, S3_SECRET_ACCESS_KEY: secretAccessKey } = settings;
  if (S3_ENDPOINT === null || accessKeyId === null || secretAccessKey === null) return null;
  return { bucketUrl: `${S3_ENDPOINT}/${S3_BUCKET}`, accessKeyId, secretAccessKey };
}

/** A URL for one PUT of exactly so many bytes: Content-Length is part of what is signed. */
export async function presignPart(
  s3: S3,
  part: { objectKey: string; multipartId: string; partNumber: number; sizeBytes: number },
  expiresInSeconds: number,
): Promise<string> {
  const query = { partNumber: String(part.partNumber), uploadId: part.multipartId };
  const headers = { "content-length": String(part.sizeBytes) };
  return await presign(s3, "PUT", part.objectKey, query, headers, expiresInSeconds);
}

/** A URL that reads an object, in ranges or whole, and names the file. */
export async function presignDownload(
  s3: S3,
  download: { objectKey: string; fileName: string },
  expiresInSeconds: number,
): Promise<string> {
  const query = { "response-content-disposition": `attachment; filename="${download.fileName}"` };
  return await presign(s3, "GET", download.objectKey, query, {}, expiresInSeconds);
}

// Deriving the day's key costs most of signing (aws4fetch keeps it here).
const derivedKeys = new Map<string, ArrayBuffer>();

async function presign(
  s3: S3,
  method: "GET" | "PUT",
  objectKey: string,
  query: Record<string, string>,
  headers: Record<string, string>,
  expiresInSeconds: number,
): Promise<string> {
  const url = new URL(`${s3.bucketUrl}/${objectKey}`);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  // aws4fetch signs for a day where this is left out.
  url.searchParams.set("X-Amz-Expires", String(expiresInSeconds));
  const signer = new AwsV4Signer({
    method,
    url: url.href,
    headers,
    accessKeyId: s3.accessKeyId,
    secretAccessKey: s3.secretAccessKey,
    service: "s3",
    region: "auto",
    signQuery: true,
    // Without it Content-Length is left unsigned.
    allHeaders: true,
    cache: derivedKeys,
  });
  const signed = await signer.sign();
  // A space is signed as %20, and not everybody reads + as one. A plus itself is %2B here.
  signed.url.search = signed.url.search.replaceAll("+", "%20");
  return signed.url.href;
}
