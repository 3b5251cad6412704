import { type Progress, percent } from "../jobs.ts";

/** How far an image is, for who may push it. */
export type ImageState =
  | { is: "registered" | "published" | "corrupt" }
  | { is: "verifying"; percent: number }
  | { is: "refused"; reason: string };

/** @param of.progress how far verifying its bytes is, as the JSON of a `Progress`; null while nobody does */
export function imageState(of: {
  state: "registered" | "published";
  /** Where its bytes are; null while there are none, and where they were found damaged. */
  objectKey: string | null;
  refusedReason: string | null;
  progress: string | null;
}): ImageState {
  if (of.state === "published") return { is: of.objectKey === null ? "corrupt" : "published" };
  if (of.progress !== null) return { is: "verifying", percent: percent(JSON.parse(of.progress) as Progress) };
  return of.refusedReason === null ? { is: "registered" } : { is: "refused", reason: of.refusedReason };
}
