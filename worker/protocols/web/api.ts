import { Hono } from "hono";
import type { AppEnv } from "../../http/request-context.ts";
import { RegistryError } from "../../registry/errors.ts";
import { auditOperations } from "./audit.ts";
import { collectionOperations } from "./collections.ts";
import { containerOperations } from "./containers.ts";
import { entityOperations } from "./entities.ts";
import { handOverOperations } from "./hand-overs.ts";
import { identityOperations } from "./identities.ts";
import { imageOperations } from "./images.ts";
import { invitationOperations } from "./invitations.ts";
import { labelOperations } from "./labels.ts";
import { meOperations } from "./me.ts";
import type { Operation } from "./operation.ts";
import { peopleOperations } from "./people.ts";
import { onApiError } from "./problems.ts";
import { publisherOperations } from "./publishers.ts";
import { quotaOperations } from "./quotas.ts";
import { robotOperations } from "./robots.ts";
import { searchOperations } from "./search.ts";
import { sessionOperations } from "./sessions.ts";
import { settingOperations } from "./settings.ts";
import { shareOperations } from "./shares.ts";
import { siteOperations } from "./site.ts";
import { starOperations } from "./stars.ts";
import { statisticsOperations } from "./statistics.ts";
import { tagOperations } from "./tags.ts";
import { teamMemberOperations } from "./team-members.ts";
import { teamOperations } from "./teams.ts";
import { tokenOperations } from "./tokens.ts";
import { topicOperations } from "./topics.ts";
import { uploadOperations } from "./uploads.ts";
import { uploadIntoOperations } from "./uploads-into.ts";
import { userOperations } from "./users.ts";

/** Every operation of the JSON API, in the order of its document. */
export const operations: readonly Operation[] = [
  ...siteOperations,
  ...meOperations,
  ...sessionOperations,
  ...identityOperations,
  ...tokenOperations,
  ...robotOperations,
  ...teamOperations,
  ...teamMemberOperations,
  ...invitationOperations,
  ...userOperations,
  ...quotaOperations,
  ...uploadOperations,
  ...uploadIntoOperations,
  ...settingOperations,
  ...auditOperations,
  ...publisherOperations,
  ...entityOperations,
  ...collectionOperations,
  ...handOverOperations,
  ...peopleOperations,
  ...starOperations,
  ...containerOperations,
  ...imageOperations,
  ...tagOperations,
  ...searchOperations,
  ...labelOperations,
  ...topicOperations,
  ...shareOperations,
  ...statisticsOperations,
];

/** The JSON API of the web pages and of scripts. Errors are RFC 9457 problem details. */
export const api = new Hono<AppEnv>();

api.onError(onApiError);

for (const { mount } of operations) mount(api);

api.all("/api/v1/*", () => {
  throw new RegistryError("no-such-route");
});
