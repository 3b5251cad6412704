import * as z from "zod";
import { RegistryError } from "../registry/errors.ts";

/*
 * What the tokens of CI services say of the job they were given to. Only code that stands on a branch or tag of the
 * repository itself counts: a pull request is what somebody else wants to be there.
 */

export type CiService = "GitHub" | "GitLab";

/** A job of a CI service, as its token names it. */
export interface CiJob {
  /** `owner/name`; on GitLab groups may nest. In the service's own spelling. */
  repository: string;
  /** The service's id of the repository, which no other one ever gets. */
  repositoryId: string;
  refKind: "branch" | "tag";
  /** The branch's or tag's name. */
  ref: string;
}

const id = z.union([z.string().regex(/^\d{1,20}$/), z.int().nonnegative().transform(String)]);
const text = z.string().min(1).max(1024);
const refType = z.enum(["branch", "tag"]);

/** Source: GitHub's "OpenID Connect reference", 2026. */
const githubClaims = z.object({
  repository: text,
  repository_id: id,
  ref: text,
  ref_type: refType,
  event_name: text,
});

/** Source: GitLab's "OpenID Connect (OIDC) authentication using ID tokens", 18. `ref_path` came with 16.0. */
const gitlabClaims = z.object({
  project_path: text,
  project_id: id,
  ref: text,
  ref_type: refType,
  ref_path: text.optional(),
  pipeline_source: text,
});

/** @throws `publisher-refused`, saying which claim will not do */
export function readJob(service: CiService, claims: unknown): CiJob {
  return service === "GitHub" ? readGithub(claims) : readGitlab(claims);
}

function readGithub(claims: unknown): CiJob {
  const said = parse(githubClaims, claims);
  if (said.event_name.startsWith("pull_request")) {
    throw refused(`The job runs for a pull request (event_name is ${said.event_name}): those get no token.`);
  }
  const refKind = said.ref_type;
  const ref = nameIn(said.ref, refKind, "ref");
  return { repository: said.repository, repositoryId: said.repository_id, refKind, ref };
}

function readGitlab(claims: unknown): CiJob {
  const said = parse(gitlabClaims, claims);
  const source = said.pipeline_source;
  // A child pipeline does not say what its parent was made for; only the path of its ref does.
  const isUntold = source === "parent_pipeline" && said.ref_path === undefined;
  if (/merge_request|external_pull_request/.test(source) || isUntold) {
    throw refused(`The job runs for a merge request (pipeline_source is ${source}): those get no token.`);
  }
  if (said.ref_path !== undefined && nameIn(said.ref_path, said.ref_type, "ref_path") !== said.ref) {
    throw refused("The token's ref_path is not that of its ref.");
  }
  return { repository: said.project_path, repositoryId: said.project_id, refKind: said.ref_type, ref: said.ref };
}

/** `refs/heads/main` is the branch main. */
function nameIn(ref: string, kind: CiJob["refKind"], claim: string): string {
  const prefix = { branch: "refs/heads/", tag: "refs/tags/" }[kind];
  if (ref.startsWith(prefix) && ref.length > prefix.length) return ref.slice(prefix.length);
  throw refused(`The token's ${claim} is not a ${kind}, as its ref_type says.`);
}

function parse<Output>(schema: z.ZodType<Output>, claims: unknown): Output {
  const result = schema.safeParse(claims);
  if (result.success) return result.data;
  const names = new Set(result.error.issues.map(({ path }) => path.join(".")));
  throw refused(
    `The token lacks claims that the service's tokens have, or they are not valid: ${[...names].join(", ")}.`,
  );
}

function refused(why: string): RegistryError {
  return new RegistryError("publisher-refused", why);
}
