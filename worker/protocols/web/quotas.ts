import * as z from "zod";
import { getQuota, setQuota } from "../../registry/people/account-quotas.ts";
import { operation } from "./operation.ts";
import { accountQuotaSchema, quotaBytes, username } from "./schemas.ts";

const named = z.object({ account: username });

/** How many bytes people and teams may hold. */
export const quotaOperations = [
  operation(
    {
      id: "getQuota",
      method: "get",
      path: "/api/v1/quotas/{account}",
      section: "quotas",
      summary: "How much a user or a team holds, and may hold",
      about: "One's own, that of a team one is in, and for administrators everybody's.",
      actor: "user",
      params: named,
      answer: accountQuotaSchema,
      problems: ["not-found"],
    },
    ({ ctx, actor, params }) => getQuota(ctx, actor, params.account),
  ),
  operation(
    {
      id: "setQuota",
      method: "put",
      path: "/api/v1/quotas/{account}",
      section: "quotas",
      summary: "Say how much a user or a team may hold (administrators)",
      about: "Less than they hold deletes nothing: they add nothing until there is room again.",
      actor: "user",
      params: named,
      body: z.object({ quotaBytes }).meta({ id: "NewQuota" }),
      answer: accountQuotaSchema,
      problems: ["not-found", "conflict"],
    },
    ({ ctx, actor, params, body }) => setQuota(ctx, actor, params.account, body.quotaBytes),
  ),
];
