import * as z from "zod";
import { listCollections } from "../../registry/catalog/collections.ts";
import { deleteImage } from "../../registry/catalog/delete-image.ts";
import {
  deleteCollection,
  freeName,
  giveShortName,
  setFrozen,
  setMember,
  setReadOnly,
  setVisibility,
} from "../../registry/catalog/manage.ts";
import { addTopic, listTopics, removeTopic } from "../../registry/catalog/topics.ts";
import { limits } from "../../registry/limits.ts";
import { parseName } from "../../registry/names.ts";
import { resolveImage } from "../../registry/pull/resolve.ts";
import { after, arch, collection, container, reference, username, type Verb, verb } from "./arguments.ts";

const topic = z.string().max(limits.referenceLength);

/** Collections, and what is in them. */
export const catalogVerbs = {
  "list-collections": verb(z.object({ after }), async (ctx, actor, args) => {
    const { items, next } = await listCollections(ctx, actor, args.after ?? null);
    return {
      items: items.map(({ collection: { name, shortName, visibility }, entity }) => ({
        path: `${entity.name}/${name}`,
        shortName,
        visibility,
      })),
      next,
    };
  }),
  "set-visibility": verb(
    z.object({ collection, visibility: z.enum(["public", "internal", "private"]) }),
    (ctx, actor, args) => setVisibility(ctx, actor, args.collection, args.visibility),
  ),
  "set-member": verb(
    z.object({
      collection,
      username,
      role: z.enum(["owner", "contributor", "reader", "none"]),
      team: z.literal("true").nullish(),
    }),
    (ctx, actor, { collection, username, role, team }) =>
      setMember(ctx, actor, collection, username, role === "none" ? null : role, team === "true" ? "team" : "user"),
  ),
  "delete-collection": verb(z.object({ collection }), (ctx, actor, args) =>
    deleteCollection(ctx, actor, args.collection),
  ),
  "give-short-name": verb(z.object({ collection, name: z.string() }), (ctx, actor, args) =>
    giveShortName(ctx, actor, args.collection, args.name === "" ? null : parseName(args.name)),
  ),
  "free-name": verb(
    z.object({ kind: z.enum(["entity", "collection", "short-name"]), name: z.string().max(limits.referenceLength) }),
    (ctx, actor, args) => freeName(ctx, actor, args.kind, args.name),
  ),
  freeze: verb(z.object({ image: reference, arch }), (ctx, actor, args) =>
    setFrozen(ctx, actor, args.image, args.arch ?? null, true),
  ),
  thaw: verb(z.object({ image: reference, arch }), (ctx, actor, args) =>
    setFrozen(ctx, actor, args.image, args.arch ?? null, false),
  ),
  "set-read-only": verb(z.object({ container, value: z.enum(["true", "false"]) }), (ctx, actor, args) =>
    setReadOnly(ctx, actor, args.container, args.value === "true"),
  ),
  "add-topic": verb(z.object({ container, topic }), (ctx, actor, args) =>
    addTopic(ctx, actor, args.container, args.topic),
  ),
  "remove-topic": verb(z.object({ container, topic }), (ctx, actor, args) =>
    removeTopic(ctx, actor, args.container, args.topic),
  ),
  "list-topics": verb(z.object({ after }), (ctx, actor, args) => listTopics(ctx, actor, args.after ?? null)),
  "delete-image": verb(z.object({ image: reference, arch }), (ctx, actor, args) =>
    deleteImage(ctx, actor, args.image, args.arch ?? null),
  ),
  "find-image": verb(z.object({ image: reference, arch }), async (ctx, actor, args) => {
    const { image } = await resolveImage(ctx, actor, "collection.see", args.image, args.arch ?? null);
    return { id: image.id, image: image.digest };
  }),
  "find-digest": verb(z.object({ image: reference, arch }), async (ctx, actor, args) => {
    const { image } = await resolveImage(ctx, actor, "collection.see", args.image, args.arch ?? null);
    return { digest: image.digest };
  }),
} as const satisfies Readonly<Record<string, Verb>>;
