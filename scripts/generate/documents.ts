import { renderWebProtocol } from "./api-table.ts";
import { renderApiTypes } from "./api-types.ts";
import { renderConfiguration } from "./configuration.ts";
import { renderOpenApi } from "./openapi.ts";
import { renderPolicyTable } from "./policy-table.ts";

/** A text that is made from code, and stands in the repository for people to read and to compare. */
export interface GeneratedDocument {
  /** From the project's folder. */
  path: string;
  render: () => string | Promise<string>;
}

export const documents: readonly GeneratedDocument[] = [
  { path: "docs/configuration.md", render: renderConfiguration },
  { path: "docs/openapi.json", render: renderOpenApi },
  { path: "docs/protocols/web.md", render: renderWebProtocol },
  { path: "ui/api/schema.d.ts", render: renderApiTypes },
  { path: "test/unit/policy-table.txt", render: renderPolicyTable },
];
