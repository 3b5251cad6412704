import type * as z from "zod";
import { limits } from "./limits.ts";
import { type DescribedVariable, describeProviderVariables, type Provider, readProviders } from "./providers.ts";
import {
  boolean,
  bytes,
  count,
  type Definition,
  foreignSecret,
  httpUrl,
  issuers,
  list,
  origin,
  pattern,
  runTimeGroups,
  secret,
  shortId,
  text,
} from "./setting-kinds.ts";

/**
 * Every setting, described once: `docs/configuration.md` is generated from this
 * table, and the environment is parsed with it. A variable that is empty or
 * unset takes the default.
 */
export const settingDefinitions = {
  REGISTRY_NAME: text("site", "Singularity Registry", "The registry's name, as the web pages show it."),
  REGISTRY_URI: shortId("site", "registry", "A short id of the registry, and the remote's name in the lines to paste."),
  HELP_CONTACT_EMAIL: text("site", "", "Whom users write to. Shown on the home page when set."),
  HELP_INSTITUTION_SITE: httpUrl(
    "site",
    "The site of the institution that runs the registry. Shown on the pages when set.",
  ),
  ADMINS: list(
    "site",
    "Who runs the registry, as names or e-mail addresses. `npm run admin -- register` names the first one as author.",
  ),
  TERMS: text(
    "site",
    "",
    "The terms of use, as plain text. Users agree to them before anything else where TERMS_VERSION is set.",
  ),
  TERMS_VERSION: pattern(
    "site",
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
    "letters, digits, `.`, `_`, `-`",
    "Which version of the terms users must have agreed to. Set another one when the terms change: everybody is asked again, and until then neither their sessions nor their tokens do anything else.",
  ),
  GOOGLE_ANALYTICS: pattern(
    "site",
    /^[A-Z]{1,4}-[A-Z0-9-]{4,20}$/,
    "an id such as `G-ABC123`",
    "A Google Analytics id. When set, the pages load Google's script, and the clients' discovery document names it. Pages where secrets are shown or taken never do, and those of collections and containers only where these are public. Nothing is sent anywhere while it is unset.",
  ),

  USER_COLLECTIONS: boolean(
    "policy",
    true,
    "Whether users create collections. When false only administrators do; pushing to existing collections still works.",
  ),
  USER_COLLECTION_LIMIT: count(
    "policy",
    null,
    "How many collections one user may own. Administrators are not limited. Enforced on every way to create one.",
  ),
  PEOPLE_FROM_TEAMS: boolean(
    "policy",
    true,
    "Whether the people of a collection are chosen from teams: an owner gives rights to those teams that they are in, and to the people in those. When false, to everybody who has an account. Administrators are not bound by it.",
  ),
  USER_QUOTA_BYTES: count(
    "policy",
    null,
    "How many bytes the collections of one user may hold, where no administrator gave that user another number. An image counts once in each collection that has it. A push that would go beyond is refused before its first byte is sent. A team has its own room, and whoever may make collections may make teams: set TEAM_QUOTA_BYTES too.",
  ),
  TEAM_QUOTA_BYTES: count(
    "policy",
    null,
    "The same for the collections of one team. While it is unset, USER_QUOTA_BYTES limits nobody who makes a team.",
  ),
  DEFAULT_PRIVATE: boolean("policy", false, "Whether a new collection is private when its creator does not say."),
  PRIVATE_ONLY: boolean(
    "policy",
    false,
    "Whether every collection is private. New ones are, none can be made public, and existing public ones are treated as private while this is set.",
  ),
  DISABLE_BUILDING: boolean(
    "policy",
    false,
    "Whether pushing is switched off, for everyone and by every protocol. Pulling goes on.",
  ),
  DISABLE_REGISTRATION: boolean(
    "policy",
    false,
    "Whether nobody new comes in by signing in, whatever the providers' settings say. Users who are there still sign in, and administrators still add users.",
  ),
  DISABLE_CLEANUP: boolean(
    "policy",
    false,
    "Whether the bytes of images that nobody refers to any more are kept, instead of being deleted when their last download has ended.",
  ),
  API_REQUIRE_AUTH: boolean(
    "policy",
    false,
    "Whether every request needs a token, also for public images. Service discovery, `/version` and the home page stay open: clients ask for them without a token. So do share links, until they end or are revoked.",
  ),
  SHORT_NAMES_ADMIN_ONLY: boolean(
    "policy",
    false,
    "Whether only administrators give out short names. When false, the first collection to use a name also holds it as its short name.",
  ),

  MAX_IMAGE_BYTES: bytes(
    "policy",
    50 * 1024 ** 3,
    { min: 1, max: 5_000_000_000_000 },
    "The largest image taken, in bytes. A larger one is refused before its first byte is sent. One that came in parts is read back within 15 minutes, or refused: [benchmarks.md](benchmarks.md) has the speed.",
  ),

  PUBLIC_ORIGIN: origin(
    "network",
    "The one address users reach the registry by; every absolute URL is made from it. Unset, the address of the request is used, on loopback only.",
  ),
  TRUST_PROXY: boolean(
    "network",
    false,
    "Whether `X-Forwarded-Proto` and `X-Forwarded-Host` count where PUBLIC_ORIGIN is unset. Set it only behind a proxy that overwrites them.",
  ),
  CLIENT_ADDRESS_HEADER: pattern(
    "network",
    /^(?:none|[A-Za-z0-9-]{1,64})$/,
    "a header's name, or `none`",
    "Which request header says where a request comes from. Whatever is in front of the registry must overwrite it. Cloudflare sets `CF-Connecting-IP`, which counts when this is unset; `npm start` sets `none`. The audit log keeps a keyed hash of it, and rate limits go by it.",
  ),
  LOG_REQUESTS: boolean(
    "network",
    false,
    "Whether each request is a line of the log, but for pages, `/version` and addresses where nothing is: method, path without its query, status, milliseconds, who, and a keyed hash of the network address.",
  ),
  CI_GITHUB_ISSUERS: issuers(
    "network",
    "https://token.actions.githubusercontent.com",
    "Whose tokens of GitHub Actions may be exchanged for one to push with, where a collection's owner set up such a publisher. A GitHub Enterprise Server of your own is `https://HOST/_services/token`.",
  ),
  CI_GITLAB_ISSUERS: issuers(
    "network",
    "https://gitlab.com",
    "The same for GitLab CI: the addresses of GitLab servers.",
  ),
  MAX_REQUEST_BYTES: count(
    "network",
    95_000_000,
    "The largest request body taken in one piece, in bytes. Cloudflare's smaller plans cut bodies at 100 MB. `npm start` sets `unlimited`.",
  ),

  PART_BYTES: bytes(
    "network",
    64 * 1024 ** 2,
    { min: limits.partMinBytes, max: limits.partMaxBytes },
    "How large the parts of a multipart upload are. Make them smaller where something in front of the registry cuts request bodies. They become larger by themselves for an image of more than 10,000 parts.",
  ),
  BLOB_CACHE: boolean(
    "network",
    true,
    "Whether slices of public images are kept in Cloudflare's cache near their readers. That cache works on a domain of your own only: on `workers.dev` set `false`. `npm start` sets `false`: its bucket is on the same disk.",
  ),
  S3_ENDPOINT: httpUrl(
    "network",
    "R2's S3 endpoint, such as `https://ACCOUNT_ID.r2.cloudflarestorage.com`. With it and both keys, clients send parts of large images straight to R2.",
  ),
  S3_BUCKET: shortId("network", "sregistry-edge", "The bucket's name at `S3_ENDPOINT`."),
  DIRECT_DOWNLOADS: boolean(
    "network",
    false,
    "Whether pulls are redirected to R2 itself, so that no byte of an image passes the Worker. Needs `S3_ENDPOINT` and its keys.",
  ),

  S3_ACCESS_KEY_ID: foreignSecret("The id of an R2 API token that may read and write the bucket's objects."),
  S3_SECRET_ACCESS_KEY: foreignSecret("The secret of that token."),
  SIGNING_SECRET: secret("Signs upload and download URLs. Required. `npm start` and `npm run deploy` create one."),
  SIGNING_SECRET_PREVIOUS: secret(
    "The signing secret before the last change: what it signed stays valid until it expires. Remove it a day later.",
  ),
  SEALING_SECRET: secret(
    "Seals the keys that sregistry-cli signs with, which must be read back. Without it nobody can have one. `npm start` and `npm run deploy` create one.",
  ),
  SEALING_SECRET_PREVIOUS: secret(
    "The sealing secret before the last change. Remove it when `npm run admin -- reseal-keys` has sealed every key anew.",
  ),
  ADMIN_SECRET: secret(
    "Opens `/admin/rpc` for `npm run admin`. Without it that address does not exist. `npm start` and `npm run deploy` create one.",
  ),
} as const satisfies Record<string, Definition<unknown>>;

export type SettingName = keyof typeof settingDefinitions;

type Parsed = { [Name in SettingName]: z.output<(typeof settingDefinitions)[Name]["parse"]> };

/** The settings a registry runs with. The signing secret is always there. */
export type Settings = Omit<Parsed, "SIGNING_SECRET"> & {
  SIGNING_SECRET: string;
  /** Where people may sign in from. */
  providers: readonly Provider[];
  /** What the environment says of those, without secrets. */
  providerVariables: readonly DescribedVariable[];
};

export type ParsedSettings = { ok: true; settings: Settings } | { ok: false; problems: string[] };

/**
 * The same with what administrators set, where the environment says nothing. A stored value that is not allowed
 * any more is left out: it must not stop the registry.
 */
export function parseWithStored(
  environment: Readonly<Record<string, unknown>>,
  stored: ReadonlyMap<string, string>,
): ParsedSettings {
  const usable = [...stored].filter(([name, value]) => {
    const definition = runTimeDefinition(name);
    return definition !== null && !isGiven(environment[name]) && definition.parse.safeParse(value).success;
  });
  return parseSettings({ ...environment, ...Object.fromEntries(usable) });
}

/** The definition of a setting that can be changed at run time; null for any other name. */
export function runTimeDefinition(name: string): Definition<unknown> | null {
  const definition: Definition<unknown> | undefined = Object.hasOwn(settingDefinitions, name)
    ? settingDefinitions[name as SettingName]
    : undefined;
  return definition !== undefined && runTimeGroups.has(definition.group) ? definition : null;
}

/** Whether the environment says something of a setting: a variable that is empty says nothing. */
export function isGiven(value: unknown): boolean {
  return value !== undefined && String(value).trim() !== "";
}

/** Parses an environment; names every problem at once. Other variables are ignored. */
export function parseSettings(environment: Readonly<Record<string, unknown>>): ParsedSettings {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, definition] of Object.entries(settingDefinitions)) {
    const given = environment[name];
    const raw = typeof given === "string" || given === undefined ? given : String(given);
    const result = definition.parse.safeParse(raw);
    if (result.success) values[name] = result.data;
    else problems.push(`${name} ${result.error.issues.map((issue) => issue.message).join(", ")}`);
  }
  const settings = values as Parsed;
  const signingSecret = settings.SIGNING_SECRET;
  if (!signingSecret && !problems.some((problem) => problem.startsWith("SIGNING_SECRET "))) {
    problems.push("SIGNING_SECRET must be set");
  }
  if (problems.length === 0) problems.push(...s3Problems(settings));
  const { providers, problems: providerProblems } = readProviders(environment);
  problems.push(...providerProblems);
  if (problems.length > 0 || !signingSecret) return { ok: false, problems };
  const providerVariables = describeProviderVariables(environment);
  return { ok: true, settings: { ...settings, SIGNING_SECRET: signingSecret, providers, providerVariables } };
}

/** The endpoint is the switch: keys alone do nothing yet, so that they can be set first. */
function s3Problems(settings: Parsed): string[] {
  if (settings.S3_ENDPOINT === null) {
    return settings.DIRECT_DOWNLOADS ? ["DIRECT_DOWNLOADS must come with S3_ENDPOINT and its keys"] : [];
  }
  const keys = ["S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY"] as const;
  const missing = keys.filter((name) => settings[name] === null);
  return missing.length === 0 ? [] : [`S3_ENDPOINT must come with ${missing.join(" and ")}`];
}
