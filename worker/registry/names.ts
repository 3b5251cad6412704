import { type Digest, isDigest } from "./digest.ts";
import { RegistryError } from "./errors.ts";
import { limits } from "./limits.ts";

/**
 * Names that no entity may have: the first segment of every route and UI page, and words that clients or
 * people would take for something else. A test holds the routes against this list.
 */
export const reservedNames: ReadonlySet<string> = new Set(
  `about accessibility account accounts admin api assets auth blobs cdn-cgi collections compare connect container containers default docs explore
  favicon.ico help imagefile invitations keys labels library login logout maintenance me new offline pks robots.txt root
  s search settings shares site sitemap-collections.xml sitemap-containers.xml sitemap.xml stars static statistics status system tags teams terms token tokens tools
  topics u upload uploads user users v1 v2 version`.split(/\s+/),
);

/** The short name a one-part reference (`library://alpine`) looks in. An administrator gives it out. */
export const LIBRARY_SHORT_NAME = "library";

export const DEFAULT_TAG = "latest";

/** What a reference's path names. `entity` is null when the collection is named by its short name. */
export interface ContainerPath {
  entity: string | null;
  collection: string;
  container: string;
}

export type Selector = { kind: "tag"; tag: string } | { kind: "digest"; digest: Digest };

export interface ImageReference {
  path: ContainerPath;
  selector: Selector;
}

// One component by the library client's grammar (scs-library-client v1 util.go), in any case. It is held against
// the text as it was given: the Kelvin sign, for one, lower-cases to a plain k.
const component = /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/i;
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9._-]*$/;
// Neither controls, nor what does not show (format characters, lone surrogates, private use), nor what separates topics.
const topicPattern = /^[^\p{C}\p{Zl}\p{Zp},/\\]+$/u;
// The two forms a client may put in a tag's place to name an image by content.
const contentForm = /^(?:sha256\.[0-9a-f]{64}|sif\.[0-9a-f-]{36})$/i;

/**
 * A name of an entity, collection or container, lower-cased.
 * @throws `name-invalid`
 */
export function parseName(text: string): string {
  if (text.length > limits.nameLength || !component.test(text)) {
    throw new RegistryError(
      "name-invalid",
      `${quote(text)} is not a valid name: use up to ${limits.nameLength} letters and digits, with single dots, dashes or underscores between them.`,
    );
  }
  return text.toLowerCase();
}

/**
 * A name that a new entity may take.
 * @throws `name-invalid`, `name-reserved`
 */
export function parseEntityName(text: string): string {
  const name = parseName(text);
  if (reservedNames.has(name)) throw new RegistryError("name-reserved", `The name ${quote(name)} is reserved.`);
  return name;
}

/**
 * A tag as it may be set. Tags keep their case, as in OCI.
 * @throws `tag-invalid`
 */
export function parseTag(text: string): string {
  if (text.length > limits.tagLength || !tagPattern.test(text)) {
    throw new RegistryError(
      "tag-invalid",
      `${quote(text)} is not a valid tag: use up to ${limits.tagLength} letters, digits, dots, dashes and underscores, not beginning with a dot or dash.`,
    );
  }
  if (contentForm.test(text)) {
    throw new RegistryError("tag-invalid", `${quote(text)} cannot be a tag: it names an image by its content.`);
  }
  return text;
}

/**
 * A topic: a word or a few, in any script, lower-cased, its spaces single.
 * @throws `topic-invalid`
 */
export function parseTopic(text: string): string {
  const topic = text.slice(0, limits.referenceLength).normalize("NFC").toLowerCase().replace(/\s+/gu, " ").trim();
  const isFine = topic.length >= 1 && [...topic].length <= limits.topicLength && topicPattern.test(topic);
  if (isFine && text.length <= limits.referenceLength) return topic.normalize("NFC");
  throw new RegistryError(
    "topic-invalid",
    `${quote(text)} is not a valid topic: use 1 to ${limits.topicLength} printable characters, without commas and slashes.`,
  );
}

/**
 * `[[entity/]collection/]container[:tag or sha256.digest]`, the tag being `latest` by default. Only the
 * first of several tags (`a,b`) counts, as in the clients.
 * @throws `reference-invalid`
 */
export function parseImageReference(text: string): ImageReference {
  const invalid = () => new RegistryError("reference-invalid", `${quote(text)} is not a valid reference.`);
  if (text.length > limits.referenceLength) throw invalid();
  const colon = text.indexOf(":");
  const path = parseContainerPath(colon === -1 ? text : text.slice(0, colon));
  const wanted = colon === -1 ? DEFAULT_TAG : (text.slice(colon + 1).split(",")[0] ?? "");
  if (path === null) throw invalid();
  if (isDigest(wanted)) return { path, selector: { kind: "digest", digest: wanted } };
  if (wanted.length > limits.tagLength || !tagPattern.test(wanted) || contentForm.test(wanted)) throw invalid();
  return { path, selector: { kind: "tag", tag: wanted } };
}

/** A reference as sregistry's and shub's clients write it. */
export interface TaggedReference {
  path: ContainerPath;
  tag: string;
  /** Where it names an image by content: the beginning of its digest. It goes before the tag. */
  digestPrefix: string | null;
  /** The names in the letters they came in, which is what such clients sign. */
  typed: { collection: string; container: string; tag: string };
}

/**
 * `[entity/]collection/container[:tag][@version]`. A version is a digest of ours, or the first 32 or 40 digits
 * of one: shub's clients take an MD5 sum or a git commit there, and nothing else.
 * @throws `reference-invalid`
 */
export function parseTaggedReference(text: string): TaggedReference {
  const invalid = () => new RegistryError("reference-invalid", `${quote(text)} is not a valid reference.`);
  if (text.length > limits.referenceLength) throw invalid();
  const [, where = "", container = "", given, version] =
    /^([^:@]+)\/([^:@/]+)(?::([^:@/]+))?(?:@([^:@/]+))?$/.exec(text) ?? [];
  const path = parseContainerPath(`${where}/${container}`);
  if (path === null) throw invalid();
  const tag = given ?? DEFAULT_TAG;
  const content = version ?? (isDigest(tag.toLowerCase()) ? tag : null);
  const digestPrefix = content === null ? null : parseDigestPrefix(content);
  if (content !== null && digestPrefix === null) throw invalid();
  if (tag.length > limits.tagLength || !tagPattern.test(tag)) throw invalid();
  return { path, tag, digestPrefix, typed: { collection: where, container, tag } };
}

function parseDigestPrefix(text: string): string | null {
  const hex = text.toLowerCase().replace(/^sha256\./, "");
  return /^(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64})$/.test(hex) ? `sha256.${hex}` : null;
}

/** One to three components; null where they are not names. */
export function parseContainerPath(text: string): ContainerPath | null {
  const parts = text.split("/");
  if (!parts.every((part) => part.length <= limits.nameLength && component.test(part))) return null;
  const [first, second, third] = parts.map((part) => part.toLowerCase());
  if (first === undefined) return null;
  if (parts.length === 1) return { entity: null, collection: LIBRARY_SHORT_NAME, container: first };
  if (parts.length === 2 && second !== undefined) return { entity: null, collection: first, container: second };
  if (parts.length === 3 && second !== undefined && third !== undefined) {
    return { entity: first, collection: second, container: third };
  }
  return null;
}

/** A name in a message: short, and free of control characters whatever was sent. */
function quote(text: string): string {
  const printable = text.replace(/[^\x20-\x7e]/g, "?");
  return `'${printable.length > 60 ? `${printable.slice(0, 57)}...` : printable}'`;
}
