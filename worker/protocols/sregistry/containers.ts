import { Hono, type Context as HonoContext } from "hono";
import { type AppEnv, withContext } from "../../http/request-context.ts";
import { deleteContainerImage } from "../../registry/catalog/delete-container-image.ts";
import { RegistryError } from "../../registry/errors.ts";
import { parseTaggedReference, type TaggedReference } from "../../registry/names.ts";
import { authenticateSigned } from "../../registry/people/authenticate-signature.ts";
import { signDownload } from "../../registry/pull/begin-pull.ts";
import { findContainerImage } from "../../registry/pull/container-image.ts";
import { countPull } from "../../registry/pull/pull-counts.ts";
import { presentManifest } from "./presenters.ts";

/** One container: its manifest, which `pull shub://` asks for too, and its deletion. */
export const containers = new Hono<AppEnv>();

/**
 * Where a client asks for `collection/container:tag`. shub puts the first of three parts in front of the path;
 * sregistry-cli leaves `/api` away where a URI names its registry (0.2.39, registry/delete.py).
 */
const paths = ["/api/container/:reference{.+}", "/container/:reference{.+}"] as const;
const entityPath = "/:entity/api/container/:reference{.+}";

for (const path of [...paths, entityPath]) {
  containers.get(path, withContext, async (c, next) => {
    const reference = referenceOf(c);
    if (reference === null) return await next();
    const { ctx } = c.var;
    const { actor } = await authenticateSigned(ctx, c.req.header("authorization"), "pull", reference.typed);
    const image = await findContainerImage(ctx, actor, "collection.pull", reference, c.req.query("arch") || null);
    const url = await signDownload(ctx, image.found, image.tag);
    if (c.req.method !== "HEAD") countPull(ctx, image.found, image.tag);
    return c.json(presentManifest(image, url));
  });

  /** 204 is the only answer that sregistry-cli takes for success. */
  containers.delete(path, withContext, async (c, next) => {
    const reference = referenceOf(c);
    if (reference === null) return await next();
    const { ctx } = c.var;
    const sender = await authenticateSigned(ctx, c.req.header("authorization"), "delete", reference.typed);
    if (sender.actor.kind === "anonymous") throw new RegistryError("unauthenticated");
    await deleteContainerImage(ctx, sender, reference, c.req.query("arch") || null);
    return c.body(null, 204);
  });
}

/** Null for what is another route of `/api/container`: a search. */
function referenceOf(c: HonoContext<AppEnv>): TaggedReference | null {
  const text = (c.req.param("reference") ?? "").replace(/\/$/, "");
  const entity = c.req.param("entity");
  if (entity === undefined && /^search\/.+\/./.test(text)) return null;
  const reference = parseTaggedReference(text);
  if (entity === undefined) return reference;
  if (reference.path.entity !== null) throw new RegistryError("reference-invalid");
  // The entity is signed too: else what was signed for a short name would do for any entity's collection of that name.
  return parseTaggedReference(`${entity}/${text}`);
}
