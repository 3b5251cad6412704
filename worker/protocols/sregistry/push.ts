import { Hono } from "hono";
import * as z from "zod";
import { contentLength, readJson } from "../../http/body.ts";
import { openBody, readForm } from "../../http/form.ts";
import { type AppEnv, withContext } from "../../http/request-context.ts";
import { RegistryError } from "../../registry/errors.ts";
import { DEFAULT_TAG } from "../../registry/names.ts";
import { authenticateSigned } from "../../registry/people/authenticate-signature.ts";
import { preparePush } from "../../registry/push/prepare-push.ts";
import { admitForm, pushForm } from "../../registry/push/push-form.ts";

/** `sregistry push`: a question, and one form with the image. */
export const pushes = new Hono<AppEnv>();

const question = z.object({ collection: z.string(), name: z.string(), tag: z.string().nullish() });

/** Despite its name nothing is sent in chunks. Where a URI names the registry the client leaves `/api` away. */
for (const path of ["/api/upload/chunked_upload", "/upload/chunked_upload"] as const) {
  for (const slash of ["", "/"]) {
    pushes.post(`${path}${slash}`, withContext, async (c) => {
      const { ctx } = c.var;
      const { collection, name: container, tag } = await readJson(c.req.raw, question);
      const names = { collection, container, tag: tag || DEFAULT_TAG };
      const { actor } = await authenticateSigned(ctx, c.req.header("authorization"), "push", names);
      const { cid } = await preparePush(ctx, actor, names);
      return c.json({ cid });
    });
  }
}

/** The client prints `message`. */
pushes.post("/upload", withContext, async (c) => {
  const work = takeForm(c.var.ctx, c.req.raw);
  // A client that goes away ends the request; what it left is freed all the same.
  c.var.ctx.later(work.catch(() => undefined));
  await work;
  return c.json({ message: "Upload Complete" });
});

/** The texts of the form. What is signed stands in the header too, and that is what counts. */
const texts = ["SREGISTRY_EVENT", "collection", "name", "tag"];

async function takeForm(ctx: AppEnv["Variables"]["ctx"], request: Request): Promise<void> {
  const body = openBody(request);
  try {
    const admitted = await admitForm(ctx, request.headers.get("authorization"), contentLength(request));
    const { fields, file } = await readForm(request.headers.get("content-type") ?? "", body, "file1", texts);
    const field = (name: string) => fields.get(name) ?? "";
    if (field("collection") === "" || field("name") === "") {
      throw new RegistryError("body-invalid", "The form must hold collection, name and tag before file1.");
    }
    const names = { collection: field("collection"), container: field("name"), tag: field("tag") || DEFAULT_TAG };
    await pushForm(ctx, admitted, names, file);
  } catch (thrown) {
    await body.leave();
    throw thrown;
  }
}
