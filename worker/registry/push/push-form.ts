import { and, between, eq } from "drizzle-orm";
import { actorUserId } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import { containers, images } from "../../storage/db/schema/catalog.ts";
import { RegistryError } from "../errors.ts";
import { limits } from "../limits.ts";
import { findSender, type Sender, verifySender } from "../people/authenticate-signature.ts";
import { leftOf, withNumbers } from "../quota.ts";
import { findPushTarget, type PushTarget, readCollection } from "./prepare-push.ts";
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
 * @throws `invalid-credential`, `capability-invalid`, `quota-exceeded`, and what `findPushTarget` and `pushStream` refuse
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
  await ensureRoom(ctx, target, contentLength);
  await pushStream(ctx, actor, target, file, contentLength);
}

/**
 * Refuses a form whose file surely has no room, before it is read. What the collection holds already takes none, and
 * what the file is will be known by its end: one of about that size may be it.
 */
async function ensureRoom(ctx: Context, { collection, entity, quota }: PushTarget, contentLength: number) {
  const atLeastBytes = Math.max(contentLength - limits.formOverheadBytes, 0);
  const left = leftOf(quota);
  if (left === null || atLeastBytes <= left) return;
  const mayBeHeld = await ctx.db
    .select({ id: images.id })
    .from(images)
    .innerJoin(containers, eq(containers.id, images.containerId))
    .where(and(eq(containers.collectionId, collection.id), between(images.sizeBytes, atLeastBytes, contentLength)))
    .limit(1)
    .get();
  if (mayBeHeld === undefined) throw await withNumbers(ctx, entity.ownerUserId, atLeastBytes);
}
