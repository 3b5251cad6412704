/*
 * The identity providers that there are: the fixed ones of the original, and any that speaks OpenID Connect. What
 * administrators read of their variables is made from here.
 */

/** What may be asked of an account: an e-mail address of a domain, an organization, a group. */
export type RuleKind = "domain" | "organization" | "group";

/** What a provider's variables end with. */
export const suffixes = [
  "ISSUER",
  "URL",
  "API_URL",
  "CLIENT_ID",
  "CLIENT_SECRET",
  "NAME",
  "SCOPES",
  "GROUPS_CLAIM",
  "ADMIT",
  "ADMINS",
] as const;

export type Suffix = (typeof suffixes)[number];

export interface Family {
  id: string;
  name: string;
  /** What its variables begin with. */
  prefix: string;
  kind: "oidc" | "github" | "bitbucket" | "x";
  /** Whether it is one of those that OIDC_PROVIDERS names. */
  isNamed: boolean;
  siteSuffix: "ISSUER" | "URL";
  /** Its address; empty where it must be given. */
  site: string;
  /** Where its API is; null for OpenID Connect. */
  api: ((site: string) => string) | null;
  scopes: string;
  /** What is asked for as well when organizations count. */
  organizationScope: string;
  organizationsClaim: string | null;
  /** What it can prove of an account. */
  rules: readonly RuleKind[];
}

const openId = {
  kind: "oidc",
  isNamed: false,
  api: null,
  scopes: "openid profile email",
  organizationScope: "",
} as const;
const github = {
  kind: "github",
  isNamed: false,
  siteSuffix: "URL",
  scopes: "read:user user:email",
  organizationScope: " read:org",
  organizationsClaim: null,
  rules: ["domain", "organization"],
} as const;

export const fixedFamilies: readonly Family[] = [
  {
    ...github,
    id: "github",
    name: "GitHub",
    prefix: "GITHUB",
    site: "https://github.com",
    api: () => "https://api.github.com",
  },
  {
    ...github,
    id: "github-enterprise",
    name: "GitHub Enterprise",
    prefix: "GITHUB_ENTERPRISE",
    site: "",
    api: (site) => `${site.replace(/\/+$/, "")}/api/v3`,
  },
  {
    ...openId,
    id: "gitlab",
    name: "GitLab",
    prefix: "GITLAB",
    siteSuffix: "URL",
    site: "https://gitlab.com",
    organizationsClaim: "groups",
    rules: ["domain", "organization"],
  },
  {
    ...openId,
    id: "google",
    name: "Google",
    prefix: "GOOGLE",
    siteSuffix: "ISSUER",
    site: "https://accounts.google.com",
    organizationsClaim: "hd",
    rules: ["domain", "organization"],
  },
  {
    id: "bitbucket",
    name: "Bitbucket",
    prefix: "BITBUCKET",
    kind: "bitbucket",
    isNamed: false,
    siteSuffix: "URL",
    site: "https://bitbucket.org",
    api: () => "https://api.bitbucket.org/2.0",
    scopes: "account email",
    organizationScope: "",
    organizationsClaim: null,
    rules: ["domain", "organization"],
  },
  {
    id: "x",
    name: "X",
    prefix: "X",
    kind: "x",
    isNamed: false,
    siteSuffix: "URL",
    site: "https://x.com",
    api: () => "https://api.x.com/2",
    scopes: "users.read tweet.read",
    organizationScope: "",
    organizationsClaim: null,
    rules: [],
  },
];

/** One that OIDC_PROVIDERS names. */
export function openFamily(id: string): Family {
  return {
    ...openId,
    id,
    name: id,
    prefix: `OIDC_${id.toUpperCase().replaceAll("-", "_")}`,
    isNamed: true,
    siteSuffix: "ISSUER",
    site: "",
    organizationsClaim: null,
    rules: ["domain", "group"],
  };
}

export interface ProviderVariable {
  name: string;
  /** What may stand there, for people. */
  allowed: string;
  default: string;
  meaning: string;
  isSecret: boolean;
}

/** The variables of a provider, in the order of the documentation. */
export function variablesOf(family: Family): ProviderVariable[] {
  const { prefix, siteSuffix, isNamed, rules } = family;
  const variable = (suffix: Suffix, allowed: string, fallback: string, meaning: string): ProviderVariable => {
    return { name: `${prefix}_${suffix}`, allowed, default: fallback, meaning, isSecret: suffix === "CLIENT_SECRET" };
  };
  const forms = rules.map((kind) => `\`${kind}:${kind === "domain" ? "example.org" : "NAME"}\``);
  const adminForms = forms.filter((form) => !form.startsWith("`domain"));
  const site = family.site === "" ? "required" : family.site;
  const address = "an https address";
  const all = [
    variable(
      siteSuffix,
      address,
      site,
      siteSuffix === "ISSUER" ? "Its issuer, as its tokens name it." : "Its address.",
    ),
    family.api === null ? null : variable("API_URL", address, apiDefault(family), "Where its API is."),
    variable("CLIENT_ID", "text", isNamed ? "required" : "unset", "The id it gave this registry. Switches it on."),
    variable(
      "CLIENT_SECRET",
      "text",
      isNamed ? "unset: a public client" : "required",
      "The secret that belongs to the id.",
    ),
    variable("NAME", "text", family.name, "What the sign-in page calls it."),
    isNamed ? variable("SCOPES", "words, `openid` among them", family.scopes, "What is asked for.") : null,
    isNamed ? variable("GROUPS_CLAIM", "text", "groups", "The claim that names an account's groups.") : null,
    variable(
      "ADMIT",
      ["`everyone`", "`nobody`", ...(forms.length === 0 ? [] : [`or a list of ${forms.join(", ")}`])].join(", "),
      "required",
      "Who may become a user by signing in there. `nobody`: only who is a user already.",
    ),
    adminForms.length === 0
      ? null
      : variable(
          "ADMINS",
          `a list of ${adminForms.join(", ")}`,
          "empty",
          "Whom signing in there makes an administrator.",
        ),
  ];
  return all.filter((entry) => entry !== null);
}

function apiDefault({ api, site, prefix }: Family): string {
  return api?.(site === "" ? `${prefix}_URL` : site) ?? "";
}
