import * as z from "zod";
import { deleteContent, previewContentDeletion } from "../../registry/catalog/delete-content.ts";
import { freezeTag } from "../../registry/catalog/frozen.ts";
import { getNamedTag, listNamedTags, tagOrders } from "../../registry/catalog/list-tags.ts";
import { listTagHistory } from "../../registry/catalog/tag-history.ts";
import { setTagByDigest } from "../../registry/catalog/tags.ts";
import { parseDigest } from "../../registry/digest.ts";
import {
  containerPathOf,
  contentDeletionSchema,
  digest,
  namedTagSchema,
  ofContainer,
  presentNamedTag,
} from "./content.ts";
import { afterQuery, operation, pageSchema, setETag, versionOf } from "./operation.ts";
import { presentPage, timeOf } from "./present.ts";
import { time } from "./schemas.ts";

const ofTag = ofContainer.extend({ tag: z.string() });
const arch = z.string().min(1).max(40);
const archQuery = z.object({
  arch: arch.optional().describe("For one architecture alone, such as `amd64`; all of the tag's unless said."),
});

/** Tags of a container: one for each name, whatever the number of architectures. */
export const tagOperations = [
  operation(
    {
      id: "listTags",
      method: "get",
      path: "/api/v1/containers/{entity}/{collection}/{container}/tags",
      section: "tags",
      summary: "The tags of a container",
      actor: "anyone",
      params: ofContainer,
      query: afterQuery.extend({
        sort: z
          .enum(tagOrders)
          .default("natural")
          .describe("`natural` has v1.10 behind v1.9, in any case of the letters; `name` goes by code points."),
        order: z.enum(["asc", "desc"]).optional().describe("Names go forwards, and times backwards, unless said."),
      }),
      answer: pageSchema(namedTagSchema).meta({ id: "TagPage" }),
      problems: ["not-found", "query-invalid"],
    },
    async ({ ctx, actor, params, query: { sort, order, after } }) => {
      const input = { sort, direction: order ?? null, after: after ?? null };
      return presentPage(await listNamedTags(ctx, actor, containerPathOf(params), input), presentNamedTag);
    },
  ),
  operation(
    {
      id: "getTag",
      method: "get",
      path: "/api/v1/containers/{entity}/{collection}/{container}/tags/{tag}",
      section: "tags",
      summary: "A tag, with the image it is on for each architecture",
      about: "The ETag is its container's.",
      actor: "anyone",
      params: ofTag,
      answer: namedTagSchema,
      hasETag: true,
      problems: ["not-found"],
    },
    async ({ c, ctx, actor, params }) => {
      const { version, tag } = await getNamedTag(ctx, actor, containerPathOf(params), params.tag);
      setETag(c, version);
      return presentNamedTag(tag);
    },
  ),
  operation(
    {
      id: "setTag",
      method: "put",
      path: "/api/v1/containers/{entity}/{collection}/{container}/tags/{tag}",
      section: "tags",
      summary: "Set a tag on an image of the container",
      about: "It counts for the image's architecture. On an image whose bytes are still to come it waits for them.",
      actor: "user",
      params: ofTag,
      body: z
        .object({ digest, arch: arch.optional().describe("What the image is thought to be built for; it is checked.") })
        .meta({ id: "TagTarget" }),
      answer: z
        .object({ isWaiting: z.boolean().describe("Whether it waits for the image's bytes.") })
        .meta({ id: "SetTag" }),
      problems: [
        "conflict",
        "not-found",
        "tag-invalid",
        "digest-invalid",
        "architecture-mismatch",
        "tag-frozen",
        "read-only",
        "pushing-disabled",
      ],
    },
    async ({ ctx, actor, params, body }) => {
      const input = { digest: parseDigest(body.digest), tag: params.tag, arch: body.arch ?? null };
      return { isWaiting: await setTagByDigest(ctx, actor, containerPathOf(params), input) };
    },
  ),
  operation(
    {
      id: "editTag",
      method: "patch",
      path: "/api/v1/containers/{entity}/{collection}/{container}/tags/{tag}",
      section: "tags",
      summary: "Freeze a tag, or thaw it",
      about: "For owners of the collection. A frozen tag is neither moved nor deleted.",
      actor: "user",
      params: ofTag,
      query: archQuery,
      body: z.object({ frozen: z.boolean() }).meta({ id: "TagEdit" }),
      needsIfMatch: true,
      problems: ["not-found", "conflict"],
    },
    ({ ctx, actor, params, query, body, ifMatch }) => {
      const of = { path: containerPathOf(params), tag: params.tag, arch: query.arch ?? null };
      return freezeTag(ctx, actor, { ...of, frozen: body.frozen, seen: versionOf(ifMatch) });
    },
  ),
  operation(
    {
      id: "deleteTag",
      method: "delete",
      path: "/api/v1/containers/{entity}/{collection}/{container}/tags/{tag}",
      section: "tags",
      summary: "Delete a tag, and the images of which it is the last one",
      about: "For owners of the collection.",
      actor: "user",
      params: ofTag,
      query: archQuery,
      preview: contentDeletionSchema,
      problems: ["not-found", "read-only", "frozen", "conflict"],
    },
    async ({ ctx, actor, params, query, ifMatch }) => {
      await deleteContent(ctx, actor, tagOf(params, query), ifMatch);
    },
    ({ ctx, actor, params, query }) => previewContentDeletion(ctx, actor, tagOf(params, query)),
  ),
  operation(
    {
      id: "listTagHistory",
      method: "get",
      path: "/api/v1/containers/{entity}/{collection}/{container}/tags/{tag}/history",
      section: "tags",
      summary: "What a tag was on, the newest first",
      about: "A deleted tag has its history as long as its container is there.",
      actor: "anyone",
      params: ofTag,
      query: afterQuery,
      answer: pageSchema(
        z.object({
          arch: z.string(),
          digest: digest.nullable().describe("Null where the tag was deleted."),
          at: time,
          by: z.string().nullable().describe("Who set it, for people of the collection."),
        }),
      ).meta({ id: "TagHistoryPage" }),
      problems: ["not-found", "query-invalid"],
    },
    async ({ ctx, actor, params, query }) => {
      const input = { tag: params.tag, after: query.after ?? null };
      const page = await listTagHistory(ctx, actor, containerPathOf(params), input);
      return presentPage(page, (change) => ({ ...change, at: timeOf(change.at) }));
    },
  ),
];

function tagOf(params: z.output<typeof ofTag>, query: z.output<typeof archQuery>) {
  return { path: containerPathOf(params), tag: params.tag, arch: query.arch ?? null };
}
