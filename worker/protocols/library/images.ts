import { Hono } from "hono";
import { contentLength, readJson } from "../../http/body.ts";
import type { AppEnv } from "../../http/request-context.ts";
import { deleteImage } from "../../registry/catalog/delete-image.ts";
import { listTags, setTag } from "../../registry/catalog/tags.ts";
import { parseDigest } from "../../registry/digest.ts";
import { limits } from "../../registry/limits.ts";
import { parseImageReference } from "../../registry/names.ts";
import { beginPull } from "../../registry/pull/begin-pull.ts";
import { resolveImageForPush } from "../../registry/pull/resolve.ts";
import { completeMultipart } from "../../registry/push/complete-multipart.ts";
import { completeUpload } from "../../registry/push/complete-upload.ts";
import { abortUpload, signPart, startMultipart } from "../../registry/push/multipart.ts";
import { pushWhole } from "../../registry/push/push-whole.ts";
import { registerImage } from "../../registry/push/register-image.ts";
import { startUpload } from "../../registry/push/start-upload.ts";
import { presentFoundImage, presentPush, presentTags, presentTagsByArch } from "./presenters.ts";
import {
  abortMultipartBody,
  completeBody,
  completeMultipartBody,
  newImageBody,
  setTagBody,
  signPartBody,
  startMultipartBody,
  startUploadBody,
} from "./schemas.ts";

/** Images, their bytes and their tags. */
export const images = new Hono<AppEnv>();

/** What a pull asks first, and a push to see whether it must upload. */
images.get("/v1/images/:reference{.+}", async (c) => {
  const reference = parseImageReference(c.req.param("reference"));
  return c.json({
    data: presentFoundImage(await resolveImageForPush(c.var.ctx, c.var.actor, reference, archOf(c.req.query("arch")))),
  });
});

images.post("/v1/images", async (c) => {
  const { hash, container, description } = await readJson(c.req.raw, newImageBody);
  const digest = parseDigest(hash);
  const image = await registerImage(c.var.ctx, c.var.actor, { containerId: container, digest, description });
  return c.json({ data: presentFoundImage(image) }, 201);
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
  const isLook = c.req.method === "HEAD";
  const { url } = await beginPull(c.var.ctx, c.var.actor, reference, archOf(c.req.query("arch")), isLook);
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

images.put("/v2/imagefile/:image/_complete", async (c) => {
  await readJson(c.req.raw, completeBody);
  return c.json({ data: presentPush(await completeUpload(c.var.ctx, c.var.actor, c.req.param("image"))) });
});

/**
 * Above 64 MiB. `s3compliant` keeps the clients from reading each part twice to send its SHA-256, which
 * nobody would check: the whole file is read back and checked anyway.
 */
images.post("/v2/imagefile/:image/_multipart", async (c) => {
  const { filesize } = await readJson(c.req.raw, startMultipartBody);
  const input = { imageId: c.req.param("image"), sizeBytes: filesize };
  const { uploadToken, parts, partBytes } = await startMultipart(c.var.ctx, c.var.actor, input);
  return c.json({
    data: { uploadID: uploadToken, totalParts: parts, partSize: partBytes, options: { s3compliant: "false" } },
  });
});

images.put("/v2/imagefile/:image/_multipart", async (c) => {
  const { uploadID, partNumber } = await readJson(c.req.raw, signPartBody);
  const input = { imageId: c.req.param("image"), uploadToken: uploadID, partNumber };
  const { url } = await signPart(c.var.ctx, c.var.actor, input);
  return c.json({ data: { presignedURL: url } });
});

/** Clients want JSON here. */
images.put("/v2/imagefile/:image/_multipart_complete", async (c) => {
  const { uploadID, completedParts } = await readJson(c.req.raw, completeMultipartBody, limits.completeBodyBytes);
  const input = { imageId: c.req.param("image"), uploadToken: uploadID, parts: completedParts };
  return c.json({ data: presentPush(await completeMultipart(c.var.ctx, c.var.actor, input)) });
});

images.put("/v2/imagefile/:image/_multipart_abort", async (c) => {
  const { uploadID } = await readJson(c.req.raw, abortMultipartBody);
  await abortUpload(c.var.ctx, c.var.actor, { imageId: c.req.param("image"), uploadToken: uploadID });
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
