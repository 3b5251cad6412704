import { Hono } from "hono";
import { contentLength, readJson } from "../../http/body.ts";
import type { AppEnv } from "../../http/request-context.ts";
import { deleteImage } from "../../registry/catalog/delete-image.ts";
import { listTags, setTag } from "../../registry/catalog/tags.ts";
import { parseDigest } from "../../registry/digest.ts";
import { parseImageReference } from "../../registry/names.ts";
import { beginPull } from "../../registry/pull/begin-pull.ts";
import { resolveImageForPush } from "../../registry/pull/resolve.ts";
import { completeUpload } from "../../registry/push/complete-upload.ts";
import { pushWhole } from "../../registry/push/push-whole.ts";
import { registerImage } from "../../registry/push/register-image.ts";
import { startUpload } from "../../registry/push/start-upload.ts";
import { presentImage, presentTags, presentTagsByArch } from "./presenters.ts";
import { completeBody, newImageBody, setTagBody, startUploadBody } from "./schemas.ts";

/** Images, their bytes and their tags. */
export const images = new Hono<AppEnv>();

/** What a pull asks first, and a push to see whether it must upload. */
images.get("/v1/images/:reference{.+}", async (c) => {
  const reference = parseImageReference(c.req.param("reference"));
  return c.json({
    data: presentImage(await resolveImageForPush(c.var.ctx, c.var.actor, reference, archOf(c.req.query("arch")))),
  });
});

images.post("/v1/images", async (c) => {
  const { hash, container, description } = await readJson(c.req.raw, newImageBody);
  const digest = parseDigest(hash);
  const image = await registerImage(c.var.ctx, c.var.actor, { containerId: container, digest, description });
  return c.json({ data: presentImage(image) }, 201);
});

/** 200, not 204: clients take nothing else. */
images.delete("/v1/images/:reference{.+}", async (c) => {
  const reference = parseImageReference(c.req.param("reference"));
  const { digest, tags, imageDeleted } = await deleteImage(
    c.var.ctx,
    c.var.actor,
    reference,
    archOf(c.req.query("arch")),
  );
  return c.json({ data: { hash: digest, tags, imageDeleted } });
});

/** 303 and never 302: old clients follow nothing else, newer ones then read ranges from where it points. */
images.get("/v1/imagefile/:reference{.+}", async (c) => {
  const reference = parseImageReference(c.req.param("reference"));
  const { url } = await beginPull(c.var.ctx, c.var.actor, reference, archOf(c.req.query("arch")));
  return c.redirect(url, 303);
});

/** The upload of clients that know no v2 (library client below 1.0): the raw file as the body. */
images.post("/v1/imagefile/:image", async (c) => {
  await pushWhole(c.var.ctx, c.var.actor, c.req.param("image"), c.req.raw.body, contentLength(c.req.raw));
  return c.body(null, 200);
});

images.post("/v2/imagefile/:image", async (c) => {
  const { filesize, sha256sum } = await readJson(c.req.raw, startUploadBody);
  const { uploadUrl } = await startUpload(c.var.ctx, c.var.actor, {
    imageId: c.req.param("image"),
    sizeBytes: filesize,
    claimedDigest: sha256sum,
  });
  return c.json({ data: { uploadURL: uploadUrl } });
});

/** An empty answer makes the client print nothing. */
images.put("/v2/imagefile/:image/_complete", async (c) => {
  await readJson(c.req.raw, completeBody);
  await completeUpload(c.var.ctx, c.var.actor, c.req.param("image"));
  return c.body(null, 200);
});

images.get("/v2/tags/:container", async (c) => {
  return c.json({ data: presentTagsByArch(await listTags(c.var.ctx, c.var.actor, c.req.param("container"))) });
});

images.get("/v1/tags/:container", async (c) => {
  return c.json({ data: presentTags(await listTags(c.var.ctx, c.var.actor, c.req.param("container"))) });
});

/** 200, not 201: clients take nothing else. The v1 body has no architecture. */
for (const path of ["/v1/tags/:container", "/v2/tags/:container"] as const) {
  images.post(path, async (c) => {
    const { arch, tag, imageid } = await readJson(c.req.raw, setTagBody);
    const containerId = c.req.param("container");
    await setTag(c.var.ctx, c.var.actor, { containerId, imageId: imageid, tag, arch: arch ?? null });
    return c.body(null, 200);
  });
}

/** Clients below 3.4 ask for no architecture. */
function archOf(text: string | undefined): string | null {
  return text === undefined || text === "" ? null : text;
}
