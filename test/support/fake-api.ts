import type { Page } from "playwright-core";
import type { Me, Operations, Problem, Session, Site, Token } from "../../ui/api/schema.d.ts";

/*
 * A JSON API as the pages see it, made of the generated types: for states that a real registry is brought into with
 * effort, and for answers that it gives only when something is broken.
 */

type Name = keyof Operations;

/** What an operation answers: its answer, a problem, or what the request makes of it. */
export type Answers = { [N in Name]?: Answer<N> | ((request: FakeRequest) => Answer<N>) };
type Answer<N extends Name> = Operations[N]["answer"] | Refusal;

export interface FakeRequest {
  body: unknown;
  ifMatch: string | undefined;
  /** What stood in the path's place for a field. */
  path: Record<string, string>;
  query: Record<string, string>;
}

export class Refusal {
  readonly problem: Problem;
  constructor(status: number, code: string, detail: string, help = "This is the way out.") {
    const type = `/api/v1/errors/${code}`;
    this.problem = { type, title: detail, status, detail, code, help, requestId: "0123456789abcdef" };
  }
}

/** What was asked, in order: the operation, and what came with it. */
export type Asked = [Name, FakeRequest][];

export const aTime = "2026-11-20T09:30:00.000Z";

/** @param fields what is different from a registry on https with one provider */
export function siteOf(fields: Partial<Site> = {}): Site {
  return {
    name: "Test Registry",
    uri: "testing",
    contactEmail: "help@example.org",
    institutionUrl: null,
    analyticsId: null,
    origin: "https://registry.example.org",
    version: "0.1.0",
    signIn: { obstacle: null, providers: [{ id: "lab", name: "Lab Login" }] },
    termsVersion: null,
    policies: {
      usersCreateCollections: true,
      collectionsPerUser: null,
      isPrivateOnly: false,
      isPrivateByDefault: false,
      isPushingDisabled: false,
      isAuthRequired: false,
    },
    limits: { imageBytes: 2 ** 40, requestBytes: null, tokenDays: 3650 },
    ...fields,
  };
}

export function meOf(fields: Partial<Me> = {}): Me {
  return {
    username: "alice",
    role: "user",
    isRobot: false,
    entity: "alice",
    createdAt: aTime,
    quota: { usedBytes: 0, reservedBytes: 0, quotaBytes: null },
    terms: { required: null, agreed: null, agreedAt: null },
    credential: { kind: "session", id: idOf(1), scopes: ["pull", "push", "manage"], isNarrowed: false },
    ...fields,
  };
}

export function tokenOf(fields: Partial<Token> = {}): Token {
  return {
    id: idOf(10),
    name: "laptop",
    hint: "x9Zk",
    scopes: ["pull", "push"],
    collection: null,
    createdAt: aTime,
    expiresAt: "2027-02-18T09:30:00.000Z",
    lastUsedAt: null,
    state: "active",
    publisher: null,
    ...fields,
  };
}

export function sessionOf(fields: Partial<Session> = {}): Session {
  return {
    id: idOf(1),
    isCurrent: true,
    signedInWith: "lab",
    userAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
    createdAt: aTime,
    lastUsedAt: aTime,
    expiresAt: "2027-02-18T09:30:00.000Z",
    ...fields,
  };
}

export function idOf(number: number): string {
  return `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
}

/**
 * Puts the answers between a page and its registry. An operation without one is a fault of the test.
 * @param me who is signed in; null for nobody
 */
export async function fakeApi(page: Page, url: string, me: Me | null, answers: Answers): Promise<Asked> {
  const asked: Asked = [];
  if (me !== null) await setHint(page, url);
  const all: Answers = { "GET /api/v1/site": siteOf(), ...(me === null ? {} : { "GET /api/v1/me": me }), ...answers };
  await page.route("**/api/v1/**", async (route) => {
    const request = route.request();
    const { pathname, searchParams } = new URL(request.url());
    const found = findOperation(Object.keys(all) as Name[], request.method(), pathname);
    if (found === null) throw new Error(`No answer to ${request.method()} ${pathname}`);
    const { name, path } = found;
    const asking: FakeRequest = {
      body: request.postDataJSON(),
      ifMatch: request.headers()["if-match"],
      path,
      query: Object.fromEntries(searchParams),
    };
    asked.push([name, asking]);
    const given = all[name];
    const answer = typeof given === "function" ? given(asking) : given;
    if (answer instanceof Refusal) return await route.fulfill({ status: answer.problem.status, json: answer.problem });
    if (answer === null) return await route.fulfill({ status: 204 });
    await route.fulfill({ json: answer, headers: { ETag: '"seen"' } });
  });
  return asked;
}

/** The cookie that tells pages to ask who is signed in. Chromium takes it from this command only as if from https. */
async function setHint(page: Page, url: string): Promise<void> {
  const { hostname } = new URL(url);
  await page
    .context()
    .addCookies([{ name: "__Host-signed-in", value: "1", url: `https://${hostname}/`, secure: true }]);
}

/** What was asked of one operation. */
export function askedOf(asked: Asked, name: Name): FakeRequest[] {
  return asked.filter(([one]) => one === name).map(([, request]) => request);
}

function findOperation(names: readonly Name[], method: string, pathname: string) {
  for (const name of names) {
    const [wanted, template = ""] = name.split(" ");
    const pattern = new RegExp(`^${template.replace(/\{(\w+)\}/g, "(?<$1>[^/]+)")}$`);
    const match = wanted === method ? pattern.exec(pathname) : null;
    if (match !== null) return { name, path: { ...match.groups } };
  }
  return null;
}
