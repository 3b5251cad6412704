import * as z from "zod";
import { limits } from "./limits.ts";

/**
 * Every setting, described once: `docs/configuration.md` is generated from this
 * table, and the environment is parsed with it. A variable that is empty or
 * unset takes the default.
 */
interface Definition<T> {
  group: "site" | "policy" | "network" | "secrets";
  /** What is allowed, for the docs. */
  type: string;
  /** The default as the docs show it. */
  defaultText: string;
  meaning: string;
  parse: z.ZodType<T, string | undefined>;
}

const optional = (text: string | undefined) => (text === undefined || text.trim() === "" ? undefined : text.trim());

function text(group: Definition<string>["group"], fallback: string, meaning: string): Definition<string> {
  const parse = z
    .string()
    .optional()
    .transform((value) => optional(value) ?? fallback);
  return { group, type: "text", defaultText: fallback === "" ? "empty" : fallback, meaning, parse };
}

/** A name that can stand unquoted in a shell line. */
function shortId(group: Definition<string>["group"], fallback: string, meaning: string): Definition<string> {
  const definition = text(group, fallback, meaning);
  const parse = definition.parse.refine((value) => /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(value), {
    message: "must be letters, digits, '.', '_' and '-'",
  });
  return { ...definition, type: "letters, digits, `.`, `_`, `-`", parse };
}

function boolean(group: Definition<boolean>["group"], fallback: boolean, meaning: string): Definition<boolean> {
  const parse = z
    .string()
    .optional()
    .transform((value, issues) => {
      const given = optional(value)?.toLowerCase();
      if (given === undefined) return fallback;
      if (given === "true" || given === "1") return true;
      if (given === "false" || given === "0") return false;
      issues.addIssue({ code: "custom", message: "must be true, 1, false or 0" });
      return z.NEVER;
    });
  return { group, type: "true or false", defaultText: String(fallback), meaning, parse };
}

function count(
  group: Definition<number | null>["group"],
  fallback: number | null,
  meaning: string,
): Definition<number | null> {
  const parse = z
    .string()
    .optional()
    .transform((value, issues) => {
      const given = optional(value);
      if (given === undefined) return fallback;
      if (given === "unlimited") return null;
      if (/^\d{1,15}$/.test(given)) return Number(given);
      issues.addIssue({ code: "custom", message: "must be a whole number or 'unlimited'" });
      return z.NEVER;
    });
  return {
    group,
    type: "a whole number or `unlimited`",
    defaultText: fallback === null ? "unlimited" : String(fallback),
    meaning,
    parse,
  };
}

function origin(meaning: string): Definition<string | null> {
  const parse = z
    .string()
    .optional()
    .transform((value, issues) => {
      const given = optional(value);
      if (given === undefined) return null;
      const url = URL.canParse(given) ? new URL(given) : null;
      if (url !== null && /^https?:$/.test(url.protocol) && given.replace(/\/$/, "") === url.origin) return url.origin;
      issues.addIssue({ code: "custom", message: "must be an origin such as https://registry.example.org, no path" });
      return z.NEVER;
    });
  return { group: "network", type: "an http(s) origin", defaultText: "unset", meaning, parse };
}

function secret(meaning: string): Definition<string | null> {
  const parse = z
    .string()
    .optional()
    .transform((value, issues) => {
      const given = optional(value);
      if (given === undefined) return null;
      // One travels as a bearer token, where a space would end it.
      if (given.length >= limits.secretLength && /^[\x21-\x7e]+$/.test(given)) return given;
      const message = `must have at least ${limits.secretLength} characters, letters, digits and signs without spaces`;
      issues.addIssue({ code: "custom", message });
      return z.NEVER;
    });
  return {
    group: "secrets",
    type: `a secret of at least ${limits.secretLength} characters`,
    defaultText: "unset",
    meaning,
    parse,
  };
}

export const settingDefinitions = {
  REGISTRY_NAME: text("site", "Singularity Registry", "The registry's name, as the web pages show it."),
  REGISTRY_URI: shortId("site", "registry", "A short id of the registry, and the remote's name in the lines to paste."),
  HELP_CONTACT_EMAIL: text("site", "", "Whom users write to. Shown on the home page when set."),

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
  API_REQUIRE_AUTH: boolean(
    "policy",
    false,
    "Whether every request needs a token, also for public images. Service discovery, `/version` and the home page stay open: clients ask for them without a token.",
  ),
  SHORT_NAMES_ADMIN_ONLY: boolean(
    "policy",
    false,
    "Whether only administrators give out short names. When false, the first collection to use a name also holds it as its short name.",
  ),

  PUBLIC_ORIGIN: origin(
    "The one address users reach the registry by; every absolute URL is made from it. Unset, the address of the request is used, on loopback only.",
  ),
  TRUST_PROXY: boolean(
    "network",
    false,
    "Whether `X-Forwarded-Proto` and `X-Forwarded-Host` count where PUBLIC_ORIGIN is unset. Set it only behind a proxy that overwrites them.",
  ),
  MAX_REQUEST_BYTES: count(
    "network",
    95_000_000,
    "The largest request body taken in one piece, in bytes. Cloudflare's smaller plans cut bodies at 100 MB. `npm start` sets `unlimited`.",
  ),

  SIGNING_SECRET: secret("Signs upload and download URLs. Required. `npm start` and `npm run deploy` create one."),
  SIGNING_SECRET_PREVIOUS: secret(
    "The signing secret before the last change: what it signed stays valid until it expires. Remove it a day later.",
  ),
  ADMIN_SECRET: secret(
    "Opens `/admin/rpc` for `npm run admin`. Without it that address does not exist. `npm start` and `npm run deploy` create one.",
  ),
} as const satisfies Record<string, Definition<unknown>>;

export type SettingName = keyof typeof settingDefinitions;

type Parsed = { [Name in SettingName]: z.output<(typeof settingDefinitions)[Name]["parse"]> };

/** The settings a registry runs with. The signing secret is always there. */
export type Settings = Omit<Parsed, "SIGNING_SECRET"> & { SIGNING_SECRET: string };

export type ParsedSettings = { ok: true; settings: Settings } | { ok: false; problems: string[] };

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
  if (problems.length > 0 || !signingSecret) return { ok: false, problems };
  return { ok: true, settings: { ...settings, SIGNING_SECRET: signingSecret } };
}
