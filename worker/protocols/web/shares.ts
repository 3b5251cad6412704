import * as z from "zod";
import { parseDigest } from "../../registry/digest.ts";
import { limits } from "../../registry/limits.ts";
import { downloadShare, lookAtShare } from "../../registry/pull/open-share.ts";
import { listOwnShares, listShares, makeShare, revokeShare, type Share } from "../../registry/pull/shares.ts";
import { afterQuery, operation, pageSchema } from "./operation.ts";
import { timeOf } from "./present.ts";
import { time } from "./schemas.ts";

const shareDays = { longest: limits.shareMaxSeconds / 86_400, usual: 7 };

const ofImage = z.object({ entity: z.string(), collection: z.string(), container: z.string(), digest: z.string() });
const ofSecret = z.object({ secret: z.string().describe("What stands behind `/s/` in the link.") });

const shareFields = {
  id: z.uuid(),
  note: z.string(),
  createdAt: time,
  expiresAt: time,
  downloads: z.int().describe("Download URLs that it gave out."),
  maxDownloads: z.int().nullable().describe("Null for any number."),
};

const shareSchema = z
  .object({ ...shareFields, createdBy: z.string() })
  .meta({ id: "Share", description: "A link by which anybody pulls one image, without what could be used as one." });

const ownShareSchema = z
  .object({ ...shareFields, entity: z.string(), collection: z.string(), container: z.string(), digest: z.string() })
  .meta({ id: "OwnShare" });

const newShareBody = z
  .object({
    days: z.int().min(1).max(shareDays.longest).default(shareDays.usual),
    maxDownloads: z.int().min(1).max(limits.shareDownloads).nullable().default(null),
    note: z.string().trim().max(limits.noteLength).default("").describe("Whom it is for, to tell it from others."),
  })
  .meta({ id: "NewShare" });

const sharedImageSchema = z
  .object({
    url: z.url().describe("The link itself, ending in a file's name."),
    container: z.string(),
    tag: z.string().nullable(),
    digest: z.string(),
    arch: z.string(),
    sizeBytes: z.int(),
    signed: z.boolean(),
    encrypted: z.boolean(),
    expiresAt: time,
    downloadsLeft: z.int().nullable().describe("Null for any number."),
  })
  .meta({ id: "SharedImage", description: "The image of a share link, and nothing of where it stands." });

const IMAGE = "/api/v1/containers/{entity}/{collection}/{container}/images/{digest}";

/** Share links: making and ending them, and what whoever has one learns. The links themselves are in shared.ts. */
export const shareOperations = [
  operation(
    {
      id: "makeShare",
      method: "post",
      path: `${IMAGE}/shares`,
      section: "shares",
      summary: "Make a link by which anybody pulls this image",
      about:
        "For owners of its collection. The link is shown this once. It opens nothing but this image, and no longer than you may share it yourself.",
      actor: "user",
      params: ofImage,
      body: newShareBody,
      status: 201,
      answer: z.object({ share: shareSchema, url: z.url().describe("The link.") }).meta({ id: "MadeShare" }),
      problems: ["not-found", "digest-invalid", "limit-reached", "image-corrupt", "verifying", "conflict"],
    },
    async ({ ctx, actor, params, body }) => {
      const { share, url } = await makeShare(ctx, actor, imageOf(params), body);
      return { share: present(share), url };
    },
  ),
  operation(
    {
      id: "listShares",
      method: "get",
      path: `${IMAGE}/shares`,
      section: "shares",
      summary: "The share links of an image",
      actor: "user",
      params: ofImage,
      query: afterQuery,
      answer: pageSchema(shareSchema).meta({ id: "SharePage" }),
      problems: ["not-found", "digest-invalid", "image-corrupt", "verifying"],
    },
    async ({ ctx, actor, params, query }) => {
      const { items, next } = await listShares(ctx, actor, imageOf(params), query.after ?? null);
      return { items: items.map(present), next };
    },
  ),
  operation(
    {
      id: "revokeShare",
      method: "delete",
      path: `${IMAGE}/shares/{id}`,
      section: "shares",
      summary: "End a share link at once",
      about: "Download URLs that it gave out before go on to work until `urlsEndBy`, so that no download breaks off.",
      actor: "user",
      params: ofImage.extend({ id: z.string() }),
      answer: z.object({ urlsEndBy: time }).meta({ id: "RevokedShare" }),
      problems: ["not-found", "digest-invalid", "image-corrupt", "verifying"],
    },
    async ({ ctx, actor, params: { id, ...image } }) => {
      const { urlsEndBy } = await revokeShare(ctx, actor, imageOf(image), id);
      return { urlsEndBy: timeOf(urlsEndBy) };
    },
  ),
  operation(
    {
      id: "listMyShares",
      method: "get",
      path: "/api/v1/me/shares",
      section: "shares",
      summary: "The share links you made",
      actor: "user",
      query: afterQuery,
      answer: pageSchema(ownShareSchema).meta({ id: "OwnSharePage" }),
    },
    async ({ ctx, actor, query }) => {
      const { items, next } = await listOwnShares(ctx, actor, query.after ?? null);
      return { items: items.map(present), next };
    },
  ),
  operation(
    {
      id: "lookAtShare",
      method: "get",
      path: "/api/v1/shared/{secret}",
      section: "shares",
      summary: "What a share link is of",
      about: "Uses no download up.",
      actor: "none",
      params: ofSecret,
      answer: sharedImageSchema,
      problems: ["share-ended", "image-corrupt", "rate-limited"],
    },
    async ({ ctx, params }) => present(await lookAtShare(ctx, params.secret)),
  ),
  operation(
    {
      id: "downloadShare",
      method: "post",
      path: "/api/v1/shared/{secret}/downloads",
      section: "shares",
      summary: "Use one download of a share link",
      about: "For the link's page. Clients GET the link itself, and are sent on to the same URL.",
      actor: "none",
      params: ofSecret,
      status: 201,
      answer: z
        .object({ url: z.url().describe("Where the bytes are, in however many ranges.") })
        .meta({ id: "ShareDownload" }),
      problems: ["share-ended", "image-corrupt", "rate-limited", "cross-site"],
    },
    async ({ ctx, params }) => await downloadShare(ctx, params.secret),
  ),
];

function imageOf({ digest, ...path }: z.output<typeof ofImage>) {
  return { path, digest: parseDigest(digest) };
}

type Timed = Pick<Share, "expiresAt"> & Partial<Pick<Share, "createdAt">>;
type Presented<T extends Timed> = Omit<T, keyof Timed> & { [Key in keyof T & keyof Timed]: string };

function present<T extends Timed>({ expiresAt, createdAt, ...rest }: T): Presented<T> {
  const times = { expiresAt: timeOf(expiresAt) };
  const all = createdAt === undefined ? times : { ...times, createdAt: timeOf(createdAt) };
  return { ...rest, ...all } as Presented<T>;
}
