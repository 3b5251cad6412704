import { actorUserId } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { RegistryError } from "../errors.ts";
import { limits } from "../limits.ts";
import { findSender, type Sender, verifySender } from "../people/authenticate-signature.ts";
import { findPushTarget, readCollection } from "./prepare-push.ts";
import { pushStream } from "./push-stream.ts";
import { ensureSizeAllowed } from "./start-upload.ts";

/** A form that may be read on: its sender is known, and it is not too large. */
export interface AdmittedForm {
  sender: Sender;
  contentLength: number;
}

/**
 * All that can be checked of a form with an image before its first byte.
 * @param contentLength of the whole form
 * @throws `length-required`, `image-too-large`, `pushing-disabled`, `unauthenticated`, `invalid-credential`
 */
export async function admitForm(
  ctx: Context,
  authorization: string | null,
  contentLength: number | null,
): Promise<AdmittedForm> {
  if (contentLength === null) throw new RegistryError("length-required");
  const atMost = Math.min(
    ctx.settings.MAX_REQUEST_BYTES ?? Number.POSITIVE_INFINITY,
    limits.formPartBytes * limits.parts,
  );
  if (contentLength > atMost) {
    const message = `The request has ${contentLength} bytes; one may bring at most ${atMost}. A larger image is pushed in parts: apptainer push library://.`;
    throw new RegistryError("image-too-large", message);
  }
  ensureSizeAllowed(ctx, contentLength - limits.formOverheadBytes);
  const sender = await findSender(ctx, authorization, "upload");
  if (sender.kind === "known" && sender.actor.kind !== "user") throw new RegistryError("unauthenticated");
  return { sender, contentLength };
}

/**
 * Takes the image of a form, and publishes it. The signature names what the texts before it do, so that it is
 * checked, and every right with it, before a byte of the file goes anywhere.
 * @param names.collection what `preparePush` answered; an id or a name, from other clients
 * @throws `invalid-credential`, `capability-invalid`, and what `findPushTarget` and `pushStream` refuse
 */
export async function pushForm(
  ctx: Context,
  { sender, contentLength }: AdmittedForm,
  names: { collection: string; container: string; tag: string },
  file: AsyncIterable<Uint8Array>,
): Promise<void> {
  const { container, tag } = names;
  const userId = sender.kind === "signed" ? (sender.signer?.user.id ?? null) : actorUserId(sender.actor);
  const { by, typed } = await readCollection(ctx, userId, names.collection);
  const actor = await verifySender(
    ctx,
    sender,
    typed.map((collection) => ({ collection, container, tag })),
  );
  const target = await findPushTarget(ctx, actor, by, { container, tag });
  await pushStream(ctx, actor, target, file, contentLength);
}
