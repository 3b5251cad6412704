import type { Context } from "../../context.ts";
import { DIGEST_LABEL_LENGTH, fileNameOf } from "./begin-pull.ts";
import type { PublishedImage } from "./resolve.ts";

/** A share's link. It ends in a file's name, which clients give to what they download; only the secret counts. */
export function shareUrl(ctx: Context, found: PublishedImage, secret: string): string {
  return `${ctx.origin()}/s/${secret}/${fileNameOf(found, shareLabel(found))}`;
}

/** What an image goes by where it is shared: one of its tags, one that says more than `latest` before that; or its digest. */
export function shareLabel(found: PublishedImage): string {
  return sharedTag(found) ?? found.image.digest.slice(0, DIGEST_LABEL_LENGTH);
}

export function sharedTag({ tags }: PublishedImage): string | null {
  return tags.filter((tag) => tag !== "latest").sort()[0] ?? tags[0] ?? null;
}
