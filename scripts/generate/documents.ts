import { renderConfiguration } from "./configuration.ts";
import { renderPolicyTable } from "./policy-table.ts";

/** A text that is made from code, and stands in the repository for people to read and to compare. */
export interface GeneratedDocument {
  /** From the project's folder. */
  path: string;
  render: () => string;
}

export const documents: readonly GeneratedDocument[] = [
  { path: "docs/configuration.md", render: renderConfiguration },
  { path: "test/unit/policy-table.txt", render: renderPolicyTable },
];
