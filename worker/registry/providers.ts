import {
  type Family,
  fixedFamilies,
  openFamily,
  type RuleKind,
  type Suffix,
  suffixes,
  variablesOf,
} from "./provider-families.ts";

/** Somewhere people sign in from, as the environment describes it. */
export interface Provider {
  /** In addresses and in the database. */
  id: string;
  /** As the pages show it. */
  name: string;
  /** How it is talked to. */
  kind: Family["kind"];
  /** Its address; of an OpenID Connect provider its issuer, as it was written. */
  site: string;
  /** Where its own API is; null for OpenID Connect, which has the same everywhere. */
  api: string | null;
  clientId: string;
  /** Null for a public client. */
  clientSecret: string | null;
  scopes: string;
  /** Which claims name groups and organizations. */
  groupsClaim: string | null;
  organizationsClaim: string | null;
  admit: Admission;
  admins: readonly Rule[];
}

/** Who may come in for the first time, and with rules, who may go on coming. */
export type Admission = "everyone" | "nobody" | readonly Rule[];

export interface Rule {
  kind: RuleKind;
  value: string;
}

const oidcProvidersName = "OIDC_PROVIDERS";

type Environment = Readonly<Record<string, unknown>>;

/** The providers of an environment, in the order of the documentation, and everything that is wrong with them. */
export function readProviders(environment: Environment): { providers: Provider[]; problems: string[] } {
  const { families, problems } = familiesIn(environment);
  const providers: Provider[] = [];
  for (const family of families) {
    const provider = readProvider(family, environment, problems);
    if (provider !== null) providers.push(provider);
  }
  return { providers, problems };
}

/** A variable with what the environment says of it. */
export interface DescribedVariable {
  name: string;
  allowed: string;
  meaning: string;
  default: string;
  /** As it is written; null where it is unset, or a secret. */
  value: string | null;
  isSecret: boolean;
  isSet: boolean;
}

/** The variables of the providers that are configured, and the one that names the others. */
export function describeProviderVariables(environment: Environment): DescribedVariable[] {
  const { families } = familiesIn(environment);
  const configured = families.filter((family) => given(environment, `${family.prefix}_CLIENT_ID`) !== null);
  return [oidcProviders, ...configured.flatMap(variablesOf)].map(({ isSecret, ...variable }) => {
    const value = given(environment, variable.name);
    return { ...variable, value: isSecret ? null : value, isSecret, isSet: value !== null };
  });
}

/** The names of all variables about signing in that count in this environment. */
export function providerVariableNames(environment: Environment): string[] {
  const { families } = familiesIn(environment);
  return [oidcProviders, ...families.flatMap(variablesOf)].map(({ name }) => name);
}

/** A name that a variable about signing in may have, whichever providers there are. */
export const providerVariablePattern = new RegExp(
  `^(?:${oidcProvidersName}|(?:${[...fixedFamilies.map(({ prefix }) => prefix), "OIDC_[A-Z][A-Z0-9_]*"].join("|")})_(?:${suffixes.join("|")}))$`,
);

export function isProviderSecret(name: string): boolean {
  return name.endsWith("_CLIENT_SECRET") && providerVariablePattern.test(name);
}

/** Which others there are beside the fixed ones. */
export const oidcProviders = {
  name: oidcProvidersName,
  allowed: "short names separated by commas, such as `keycloak,orcid`",
  default: "empty",
  meaning: "Further OpenID Connect providers. Each has variables that begin with `OIDC_` and its name.",
  isSecret: false,
};

const PROVIDER_ID = /^[a-z][a-z0-9-]{0,31}$/;

/** Ids that stand for something else where a provider's may stand. */
const takenIds: ReadonlySet<string> = new Set([...fixedFamilies.map(({ id }) => id), "login-link"]);

function familiesIn(environment: Environment): { families: Family[]; problems: string[] } {
  const ids = (given(environment, oidcProviders.name) ?? "")
    .split(",")
    .map((id) => id.trim())
    .filter((id) => id !== "");
  const isFine = (id: string) => PROVIDER_ID.test(id) && !takenIds.has(id);
  const problems = ids.every(isFine)
    ? []
    : [
        `${oidcProviders.name} must be names of lower-case letters, digits and '-', none of them ${[...takenIds].join(", ")}`,
      ];
  return { families: [...fixedFamilies, ...[...new Set(ids)].filter(isFine).map(openFamily)], problems };
}

function readProvider(family: Family, environment: Environment, problems: string[]): Provider | null {
  const { prefix } = family;
  const read = (suffix: Suffix) => given(environment, `${prefix}_${suffix}`);
  const [clientId, clientSecret] = [read("CLIENT_ID"), read("CLIENT_SECRET")];
  if (clientId === null) {
    // One named in OIDC_PROVIDERS is meant to be there.
    if (clientSecret !== null || family.isNamed) problems.push(`${prefix}_CLIENT_ID must be set`);
    return null;
  }
  const before = problems.length;
  if (clientSecret === null && !family.isNamed) problems.push(`${prefix}_CLIENT_SECRET must be set`);
  const site = readAddress(family, family.siteSuffix, read(family.siteSuffix) ?? family.site, problems);
  const api =
    family.api === null ? null : readAddress(family, "API_URL", read("API_URL") ?? family.api(site), problems);
  const admit = readAdmission(family, read("ADMIT"), problems);
  const admins = readAdmins(family, read("ADMINS"), problems);
  const scopes = (family.isNamed ? read("SCOPES") : null) ?? family.scopes;
  if (family.isNamed && !scopes.split(/\s+/).includes("openid")) problems.push(`${prefix}_SCOPES must have openid`);
  if (problems.length > before) return null;
  const rules = [...(typeof admit === "string" ? [] : admit), ...admins];
  const needsOrganizations = rules.some(({ kind }) => kind === "organization");
  return {
    id: family.id,
    name: (read("NAME") ?? family.name).slice(0, 100),
    kind: family.kind,
    site,
    api,
    clientId,
    clientSecret,
    scopes: needsOrganizations ? `${scopes}${family.organizationScope}` : scopes,
    groupsClaim: family.isNamed ? (read("GROUPS_CLAIM") ?? "groups") : null,
    organizationsClaim: family.organizationsClaim,
    admit,
    admins,
  };
}

/** Without its last slash, but for an issuer: that is compared as a text. */
function readAddress(family: Family, suffix: Suffix, text: string, problems: string[]): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isBare = url !== null && url.search === "" && url.hash === "" && url.username === "" && url.password === "";
  const isSafe = url?.protocol === "https:" || (url?.protocol === "http:" && isLoopback(url.hostname));
  if (!isBare || !isSafe || text.length > 255) {
    const name = `${family.prefix}_${suffix}`;
    problems.push(text === "" ? `${name} must be set` : `${name} must be an https address (http on loopback only)`);
  }
  return suffix === "ISSUER" ? text : text.replace(/\/+$/, "");
}

function isLoopback(hostname: string): boolean {
  return /^(?:localhost|127\.0\.0\.1|\[::1\])$/.test(hostname);
}

function readAdmission(family: Family, text: string | null, problems: string[]): Admission {
  if (text === "everyone" || text === "nobody") return text;
  const rules = readRules(text ?? "", family.rules);
  if (rules !== null && rules.length > 0) return rules;
  const forms = ["everyone", "nobody", ...family.rules.map((kind) => `${kind}:${example[kind]}`)].join(", ");
  problems.push(
    text === null
      ? `${family.prefix}_ADMIT must be set: it says who may come in from there (${forms})`
      : `${family.prefix}_ADMIT must be everyone, nobody, or a list of what may stand there (${forms})`,
  );
  return "nobody";
}

function readAdmins(family: Family, text: string | null, problems: string[]): readonly Rule[] {
  if (text === null) return [];
  const kinds = family.rules.filter((kind) => kind !== "domain");
  const rules = readRules(text, kinds);
  if (rules !== null) return rules;
  const forms = kinds.map((kind) => `${kind}:${example[kind]}`).join(", ") || "nothing: it tells no groups";
  problems.push(`${family.prefix}_ADMINS must be a list of ${forms}`);
  return [];
}

const example: Record<RuleKind, string> = { domain: "example.org", organization: "NAME", group: "NAME" };

/** A domain alone: neither an address nor a pattern. */
const DOMAIN = /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]{2,}$/i;

/** Null where something stands there that may not. */
function readRules(text: string, kinds: readonly RuleKind[]): Rule[] | null {
  const rules: Rule[] = [];
  for (const part of text.split(",").map((entry) => entry.trim())) {
    if (part === "") continue;
    const kind = kinds.find((candidate) => part.startsWith(`${candidate}:`));
    const value = kind === undefined ? "" : part.slice(kind.length + 1).trim();
    if (kind === undefined || value === "" || (kind === "domain" && !DOMAIN.test(value))) return null;
    rules.push({ kind, value });
  }
  return rules;
}

/** A variable that is empty says nothing. */
function given(environment: Environment, name: string): string | null {
  const value = environment[name];
  const text = value === undefined || value === null ? "" : String(value).trim();
  return text === "" ? null : text;
}
