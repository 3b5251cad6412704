import type { NewToken, Scope } from "../../api/schema.d.ts";

/** What each scope is good for, in a sentence. */
export const scopeChoices: readonly { scope: Scope; label: string; about: string }[] = [
  { scope: "pull", label: "Pull", about: "Read images that you may read." },
  { scope: "push", label: "Push", about: "Add images and tags where you may." },
  { scope: "manage", label: "Manage", about: "Change and delete collections, containers and tags that are yours." },
];

export type Expiry = "30" | "90" | "365" | "never" | "other";

export const expiryChoices: readonly { value: Expiry; label: string }[] = [
  { value: "30", label: "in 30 days" },
  { value: "90", label: "in 90 days" },
  { value: "365", label: "in a year" },
  { value: "never", label: "never" },
  { value: "other", label: "in … days" },
];

/** What stands in the form, as it was typed. */
export interface TokenDraft {
  name: string;
  scopes: readonly Scope[];
  collection: string;
  expiry: Expiry;
  days: string;
}

/** What most people want: a client that pulls and pushes, and is asked again in a season. */
export const emptyDraft: TokenDraft = { name: "", scopes: ["pull", "push"], collection: "", expiry: "90", days: "" };

/** What is wrong with a draft, by field. */
export interface DraftFaults {
  name?: string;
  scopes?: string;
  collection?: string;
  days?: string;
}

/** @param maxDays the longest life of a token */
export function faultsOf(draft: TokenDraft, maxDays: number): DraftFaults {
  const faults: DraftFaults = {};
  if (draft.name.trim() === "") faults.name = "Give it a name, such as the machine it is for.";
  if (draft.scopes.length === 0) faults.scopes = "Choose at least one.";
  const collection = draft.collection.trim();
  if (collection !== "" && !/^[^/\s]+\/[^/\s]+$/.test(collection)) {
    faults.collection = "Two names with a slash between them, such as alice/tools.";
  }
  const days = Number(draft.days);
  if (draft.expiry === "other" && !(Number.isInteger(days) && days >= 1 && days <= maxDays)) {
    faults.days = `A number from 1 to ${maxDays}.`;
  }
  return faults;
}

export function requestOf({ name, scopes, collection, expiry, days }: TokenDraft): NewToken {
  return {
    name: name.trim(),
    scopes: [...scopes],
    collection: collection.trim() === "" ? null : collection.trim(),
    expiresInDays: expiry === "never" ? null : Number(expiry === "other" ? days : expiry),
  };
}
