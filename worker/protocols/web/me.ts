import * as z from "zod";
import { clearSessionCookie } from "../../http/session-cookie.ts";
import { deleteAccount, previewDeletion } from "../../registry/people/delete-account.ts";
import { exportAccount } from "../../registry/people/export-account.ts";
import { agreeToTerms, getMe } from "../../registry/people/me.ts";
import { asUser } from "../../registry/people/user-actor.ts";
import { operation, setETag } from "./operation.ts";
import { presentMe } from "./present-me.ts";
import { deletionSchema, meSchema } from "./schemas.ts";

/** Who is asking, and their account as a whole. */
export const meOperations = [
  operation(
    {
      id: "getMe",
      method: "get",
      path: "/api/v1/me",
      section: "me",
      summary: "Who you are, and what your credential may do",
      actor: "user",
      beforeTerms: true,
      answer: meSchema,
    },
    async ({ ctx, actor }) => presentMe(await getMe(ctx, actor)),
  ),
  operation(
    {
      id: "agreeToTerms",
      method: "put",
      path: "/api/v1/me/terms",
      section: "me",
      summary: "Agree to the terms of use",
      actor: "session",
      beforeTerms: true,
      body: z.object({ version: z.string().max(64).describe("The version that was read.") }).meta({ id: "Agreement" }),
      answer: meSchema,
      problems: ["conflict"],
    },
    async ({ ctx, actor, body }) => presentMe(await agreeToTerms(ctx, actor, body.version)),
  ),
  operation(
    {
      id: "getDeletion",
      method: "get",
      path: "/api/v1/me/deletion",
      section: "me",
      summary: "What deleting your account would delete, hand over and keep",
      actor: "session",
      beforeTerms: true,
      about: "The same as the preview of `DELETE /api/v1/me`.",
      answer: deletionSchema,
      hasETag: true,
    },
    async ({ c, ctx, actor }) => {
      const { deletion, tag } = await previewDeletion(ctx, actor);
      setETag(c, tag);
      return deletion;
    },
  ),
  operation(
    {
      id: "deleteMe",
      method: "delete",
      path: "/api/v1/me",
      section: "me",
      summary: "Delete your account",
      about: "Collections that nobody else owns go with it; entities with others go to one of their owners.",
      actor: "session",
      beforeTerms: true,
      preview: deletionSchema,
      problems: ["conflict", "frozen", "precondition-failed"],
    },
    async ({ c, ctx, actor, ifMatch }) => {
      await deleteAccount(ctx, actor, ifMatch);
      clearSessionCookie(c);
    },
    async ({ ctx, actor }) => {
      const { deletion, tag } = await previewDeletion(ctx, actor);
      return { shown: deletion, tag };
    },
  ),
  operation(
    {
      id: "exportMe",
      method: "get",
      path: "/api/v1/me/export",
      section: "me",
      summary: "Everything the registry knows of you, as one JSON file",
      actor: "session",
      beforeTerms: true,
      answer: z.record(z.string(), z.unknown()).meta({ id: "Export" }),
    },
    async ({ ctx, actor }) => {
      const pieces = await exportAccount(ctx, actor);
      const headers = {
        "Content-Type": "application/json",
        "Content-Disposition": `attachment; filename="${asUser(actor).username}.json"`,
        "Cache-Control": "no-store",
      };
      return new Response(streamOf(pieces), { headers });
    },
  ),
];

/** A text that is made as fast as it is taken. */
function streamOf(pieces: AsyncGenerator<string, void>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    pull: async (controller) => {
      const { value, done } = await pieces.next();
      if (done === true) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
    cancel: async () => {
      await pieces.return();
    },
  });
}
