import type { Collection, ContainerDetails, Image, ImageState, Tag, Visibility } from "../../api/schema.d.ts";

/** What the pages of collections and containers say in words. */

export const visibilityWords: Record<Visibility, { short: string; long: string }> = {
  public: { short: "Public", long: "Public: everybody sees it and can pull" },
  internal: { short: "Internal", long: "Internal: whoever is signed in sees it and can pull" },
  private: { short: "Private", long: "Private: only its people see it" },
};

/** What somebody is in a collection, and why; null where they only see it. */
export function roleWords({ role, reason }: Pick<Collection, "role" | "reason">): string | null {
  if (role === null) return null;
  const word = `${role[0]?.toUpperCase()}${role.slice(1)}`;
  if (reason === null || reason === role) return word;
  return reason.startsWith(`${role} `) ? `${word}${reason.slice(role.length)}` : `${word}: ${reason}`;
}

/** The first line of a description that says something, without what makes it a heading. */
export function firstLine(description: string): string {
  const lines = description.split("\n").map((line) => line.replace(/^\s*#{1,6}\s+/, "").trim());
  return lines.find((line) => line !== "") ?? "";
}

/** How far an image is, for who may push. */
export function stateWords({ is, percent, reason }: ImageState): string {
  switch (is) {
    case "registered":
      return "Its bytes are still to come";
    case "verifying":
      return `Being verified${percent === null ? "" : ` (${percent} %)`}`;
    case "published":
      return "Verified and published";
    case "refused":
      return `Refused${reason === null ? "" : `: ${reason}`}`;
    case "corrupt":
      return "Damaged: the stored bytes are not those that were pushed";
    default:
      return is satisfies never;
  }
}

/** Whether it carries signatures, which is all that the registry looks at. */
export function signatureWords({ signed }: Pick<Image, "signed">): string {
  return signed === true ? "Signed; apptainer verify says by whom" : "Not signed";
}

/** The reference to pull: by the tag that was asked for, else one of the newest image, else by content; null for nothing. */
export function pullReference(container: ContainerDetails, wanted: Tag | null): string | null {
  const path = `${container.entity}/${container.collection}/${container.name}`;
  const newest = container.newestImage;
  if (wanted !== null) return `${path}:${wanted.name}`;
  if (newest === null) return null;
  const tag = newest.tags.includes("latest") ? "latest" : newest.tags.at(-1);
  return `${path}:${tag ?? newest.digest}`;
}
