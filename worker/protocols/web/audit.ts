import * as z from "zod";
import { type AuditEntry, listAudit } from "../../registry/upkeep/list-audit.ts";
import { afterQuery, operation, pageSchema } from "./operation.ts";
import { timeOf } from "./present.ts";
import { auditEntrySchema } from "./schemas.ts";

const moment = z.iso.datetime().optional();

/** Who did what, for administrators. */
export const auditOperations = [
  operation(
    {
      id: "listAudit",
      method: "get",
      path: "/api/v1/audit",
      section: "audit",
      summary: "Who did what, the newest first",
      actor: "user",
      query: afterQuery.extend({
        actor: z.string().max(128).optional(),
        action: z.string().max(128).optional().describe("An action, or what one begins with: `token.`"),
        target: z.string().max(512).optional(),
        since: moment,
        until: moment,
      }),
      answer: pageSchema(auditEntrySchema).meta({ id: "AuditPage" }),
    },
    async ({ ctx, actor, query: { after, since, until, ...filter } }) => {
      const span = { since: millisecondsOf(since), until: millisecondsOf(until) };
      const { items, next } = await listAudit(ctx, actor, after ?? null, { ...filter, ...span });
      return { items: items.map(present), next };
    },
  ),
];

function present({ at, ...entry }: AuditEntry) {
  return { ...entry, at: timeOf(at) };
}

function millisecondsOf(time: string | undefined): number | undefined {
  return time === undefined ? undefined : Date.parse(time);
}
