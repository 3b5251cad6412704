import * as z from "zod";
import { limits } from "./limits.ts";

/** What a setting is: how it is read from the environment, and what the docs say of it. */
export interface Definition<T> {
  group: Group;
  /** What is allowed, for the docs. */
  type: string;
  /** The default as the docs show it. */
  defaultText: string;
  meaning: string;
  parse: z.ZodType<T, string | undefined>;
}

export type Group = "site" | "policy" | "network" | "secrets";

/** The groups that administrators may change while the registry runs. The others belong to its deployment. */
export const runTimeGroups: ReadonlySet<Group> = new Set<Group>(["site", "policy"]);

export function text(group: Group, fallback: string, meaning: string): Definition<string> {
  const defaultText = fallback === "" ? "empty" : fallback;
  return { group, type: "text", defaultText, meaning, parse: reading(fallback, (given) => given, "must be a text") };
}

/** Texts separated by commas; blanks around them do not count. */
export function list(group: Group, meaning: string): Definition<readonly string[]> {
  const read = (given: string) =>
    [...new Set(given.split(",").map((part) => part.trim()))].filter((part) => part !== "");
  const parse = reading<readonly string[]>([], read, "must be texts separated by commas");
  return { group, type: "texts separated by commas", defaultText: "empty", meaning, parse };
}

/** A text that a pattern allows; the default is empty. */
export function pattern(group: Group, allowed: RegExp, type: string, meaning: string): Definition<string> {
  const parse = reading("", (given) => (allowed.test(given) ? given : undefined), `must be ${type}`);
  return { group, type, defaultText: "empty", meaning, parse };
}

/** A name that can stand unquoted in a shell line. */
export function shortId(group: Group, fallback: string, meaning: string): Definition<string> {
  const parse = reading(
    fallback,
    (given) => (/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(given) ? given : undefined),
    "must be letters, digits, '.', '_' and '-'",
  );
  return { group, type: "letters, digits, `.`, `_`, `-`", defaultText: fallback, meaning, parse };
}

export function boolean(group: Group, fallback: boolean, meaning: string): Definition<boolean> {
  const words: Readonly<Record<string, boolean>> = { true: true, "1": true, false: false, "0": false };
  const read = (given: string) => new Map(Object.entries(words)).get(given.toLowerCase());
  const parse = reading(fallback, read, "must be true, 1, false or 0");
  return { group, type: "true or false", defaultText: String(fallback), meaning, parse };
}

export function count(group: Group, fallback: number | null, meaning: string): Definition<number | null> {
  const read = (given: string) => (given === "unlimited" ? null : wholeNumber(given));
  const parse = reading<number | null>(fallback, read, "must be a whole number or 'unlimited'");
  const defaultText = fallback === null ? "unlimited" : String(fallback);
  return { group, type: "a whole number or `unlimited`", defaultText, meaning, parse };
}

/** A size in bytes within bounds. */
export function bytes(
  group: Group,
  fallback: number,
  { min, max }: { min: number; max: number },
  meaning: string,
): Definition<number> {
  const read = (given: string) => {
    const number = wholeNumber(given);
    return number !== undefined && number >= min && number <= max ? number : undefined;
  };
  const parse = reading(fallback, read, `must be a number of bytes from ${min} to ${max}`);
  return { group, type: `bytes, ${min} to ${max}`, defaultText: String(fallback), meaning, parse };
}

/** An address that others are made from, by putting paths behind it; without its last slash. */
export function httpUrl(group: Group, meaning: string): Definition<string | null> {
  const read = (given: string) => {
    const url = parseHttp(given);
    const isBare = url !== null && url.search === "" && url.hash === "" && url.username === "";
    return isBare ? url.href.replace(/\/$/, "") : undefined;
  };
  const parse = reading<string | null>(null, read, "must be an http(s) address without query or user");
  return { group, type: "an http(s) address", defaultText: "unset", meaning, parse };
}

export function origin(group: Group, meaning: string): Definition<string | null> {
  const read = (given: string) => {
    const url = parseHttp(given);
    return url !== null && given.replace(/\/$/, "") === url.origin ? url.origin : undefined;
  };
  const message = "must be an origin such as https://registry.example.org, no path";
  const parse = reading<string | null>(null, read, message);
  return { group, type: "an http(s) origin", defaultText: "unset", meaning, parse };
}

/** Issuers of tokens, as their tokens name them; `none` for none. Loopback alone does without https. */
export function issuers(group: Group, fallback: string, meaning: string): Definition<readonly string[]> {
  const read = (given: string) => {
    const all = given === "none" ? [] : given.split(",").map((part) => part.trim());
    return all.every(isIssuer) ? [...new Set(all)] : undefined;
  };
  const parse = reading<readonly string[]>([fallback], read, "must be https addresses separated by commas, or 'none'");
  return { group, type: "https addresses separated by commas, or `none`", defaultText: fallback, meaning, parse };
}

/** Issuers are compared as texts: one that could be written otherwise would never be found. */
function isIssuer(given: string): boolean {
  const url = parseHttp(given);
  if (url === null || (given !== url.href && `${given}/` !== url.href)) return false;
  const isBare = url.search === "" && url.hash === "" && url.username === "" && url.password === "";
  return isBare && (url.protocol === "https:" || /^(?:127\.0\.0\.1|localhost|\[::1\])$/.test(url.hostname));
}

/** A secret of ours. One travels as a bearer token, where a space would end it. */
export function secret(meaning: string): Definition<string | null> {
  const { secretLength } = limits;
  const read = (given: string) => (given.length >= secretLength && /^[\x21-\x7e]+$/.test(given) ? given : undefined);
  const message = `must have at least ${secretLength} characters, letters, digits and signs without spaces`;
  const parse = reading<string | null>(null, read, message);
  return {
    group: "secrets",
    type: `a secret of at least ${secretLength} characters`,
    defaultText: "unset",
    meaning,
    parse,
  };
}

/** A credential that somebody else gave out, whatever it looks like. */
export function foreignSecret(meaning: string): Definition<string | null> {
  const parse = reading<string | null>(null, (given) => given, "must be a text");
  return { group: "secrets", type: "text", defaultText: "unset", meaning, parse };
}

/**
 * A text from the environment: the default where it is unset or blank, else what it is read as.
 * @param read undefined for what is not allowed, which `message` says
 */
function reading<T>(
  fallback: T,
  read: (given: string) => T | undefined,
  message: string,
): z.ZodType<T, string | undefined> {
  return z
    .string()
    .optional()
    .transform((value, issues) => {
      const given = value?.trim() ?? "";
      if (given === "") return fallback;
      const result = read(given);
      if (result !== undefined) return result;
      issues.addIssue({ code: "custom", message });
      return z.NEVER;
    });
}

function wholeNumber(given: string): number | undefined {
  return /^\d{1,15}$/.test(given) ? Number(given) : undefined;
}

function parseHttp(given: string): URL | null {
  const url = URL.canParse(given) ? new URL(given) : null;
  return url !== null && /^https?:$/.test(url.protocol) ? url : null;
}
