/** What the registry says of itself to anybody. */
export interface Site {
  name: string;
  /** The name that the lines to paste give the remote. */
  uri: string;
  contactEmail: string | null;
  /** Such as `https://registry.example.org`. */
  origin: string;
  version: string;
}

/** Why there is no answer to show, in words for the reader of the page. */
export class SiteError extends Error {}

// Longer than a Worker that starts cold, shorter than a reader's patience.
const TIMEOUT_MS = 15_000;

/**
 * Asks the registry about itself.
 * @throws SiteError
 */
export async function fetchSite(): Promise<Site> {
  const response = await fetch("/api/v1/site", { signal: AbortSignal.timeout(TIMEOUT_MS) }).catch(() => {
    throw new SiteError("The registry does not answer. Is it running, and are you online?");
  });
  const answer: unknown = await response.json().catch(() => null);
  if (!response.ok) throw new SiteError(reasonOf(answer) ?? `The registry answered with status ${response.status}.`);
  if (!isSite(answer)) throw new SiteError("The registry's answer is not what this page expects. Reload the page.");
  return answer;
}

/** The title of RFC 9457 problem details. */
function reasonOf(answer: unknown): string | null {
  return isRecord(answer) && typeof answer.title === "string" ? answer.title : null;
}

function isSite(answer: unknown): answer is Site {
  return (
    isRecord(answer) &&
    [answer.name, answer.uri, answer.origin, answer.version].every((field) => typeof field === "string") &&
    (answer.contactEmail === null || typeof answer.contactEmail === "string") &&
    URL.canParse(String(answer.origin))
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
