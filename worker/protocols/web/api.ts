import { Hono } from "hono";
import type { AppEnv } from "../../http/request-context.ts";
import { RegistryError } from "../../registry/errors.ts";
import { auditOperations } from "./audit.ts";
import { identityOperations } from "./identities.ts";
import { labelOperations } from "./labels.ts";
import { meOperations } from "./me.ts";
import type { Operation } from "./operation.ts";
import { onApiError } from "./problems.ts";
import { publisherOperations } from "./publishers.ts";
import { robotOperations } from "./robots.ts";
import { searchOperations } from "./search.ts";
import { sessionOperations } from "./sessions.ts";
import { settingOperations } from "./settings.ts";
import { siteOperations } from "./site.ts";
import { tokenOperations } from "./tokens.ts";
import { topicOperations } from "./topics.ts";
import { userOperations } from "./users.ts";

/** Every operation of the JSON API, in the order of its document. */
export const operations: readonly Operation[] = [
  ...siteOperations,
  ...meOperations,
  ...sessionOperations,
  ...identityOperations,
  ...tokenOperations,
  ...robotOperations,
  ...userOperations,
  ...settingOperations,
  ...auditOperations,
  ...publisherOperations,
  ...searchOperations,
  ...labelOperations,
  ...topicOperations,
];

/** The JSON API of the web pages and of scripts. Errors are RFC 9457 problem details. */
export const api = new Hono<AppEnv>();

api.onError(onApiError);

for (const { mount } of operations) mount(api);

api.all("/api/v1/*", () => {
  throw new RegistryError("no-such-route");
});
