import * as z from "zod";
import {
  clearSealedCookie,
  clearSessionCookie,
  getSealedCookie,
  getSessionCookie,
  setSealedCookie,
  setSessionCookie,
} from "../../http/session-cookie.ts";
import { limits } from "../../registry/limits.ts";
import { useLoginLink } from "../../registry/people/login-links.ts";
import { endSession, endSessions, type ListedSession, listSessions } from "../../registry/people/own-sessions.ts";
import { getRegistration, register } from "../../registry/people/registration.ts";
import { beginSignIn } from "../../registry/people/sign-in.ts";
import { afterQuery, operation, pageSchema } from "./operation.ts";
import { timeOf } from "./present.ts";
import { presentMe } from "./present-me.ts";
import { meSchema, next, redirectSchema, registrationSchema, sessionSchema, username } from "./schemas.ts";

/** Signing in and out. */
export const sessionOperations = [
  operation(
    {
      id: "beginSignIn",
      method: "post",
      path: "/api/v1/sign-ins",
      section: "sessions",
      summary: "Begin to sign in with an identity provider",
      about: "The browser goes to the address in the answer, and comes back signed in, or with a name to choose.",
      actor: "none",
      body: z.object({ provider: z.string().max(64), next: next.default("/") }).meta({ id: "NewSignIn" }),
      status: 201,
      answer: redirectSchema,
      problems: ["cross-site", "https-required", "not-found", "provider-unavailable", "rate-limited"],
    },
    async ({ c, ctx, body }) => {
      const { url, sealed } = await beginSignIn(ctx, body);
      setSealedCookie(c, "sign-in", sealed, limits.signInSeconds);
      return { url };
    },
  ),
  operation(
    {
      id: "getRegistration",
      method: "get",
      path: "/api/v1/registration",
      section: "sessions",
      summary: "Who signed in for the first time in this browser, before they chose a name",
      actor: "none",
      answer: registrationSchema,
      problems: ["not-found"],
    },
    async ({ c, ctx }) => await getRegistration(ctx, getSealedCookie(c, "registration")),
  ),
  operation(
    {
      id: "register",
      method: "post",
      path: "/api/v1/registration",
      section: "sessions",
      summary: "Choose a name, and be signed in",
      actor: "none",
      body: z
        .object({ username, terms: z.string().max(64).nullable().default(null).describe("The version agreed to.") })
        .meta({ id: "NewRegistration" }),
      status: 201,
      answer: meSchema,
      problems: [
        "cross-site",
        "name-invalid",
        "name-reserved",
        "name-taken",
        "identity-taken",
        "sign-in-expired",
        "terms-required",
        "not-admitted",
        "rate-limited",
      ],
    },
    async ({ c, ctx, body }) => {
      const sealed = getSealedCookie(c, "registration");
      const { secret, me } = await register(ctx, { ...body, sealed, cookie: getSessionCookie(c) });
      clearSealedCookie(c, "registration");
      setSessionCookie(c, secret);
      return presentMe(me);
    },
  ),
  operation(
    {
      id: "useLoginLink",
      method: "post",
      path: "/api/v1/sessions",
      section: "sessions",
      summary: "Sign in with a login link",
      about:
        "`npm run admin -- login-link` makes one. Opening it changes nothing: its page sends what stands behind the `#`.",
      actor: "none",
      body: z.object({ link: z.string().max(limits.referenceLength) }).meta({ id: "LoginLink" }),
      status: 201,
      answer: meSchema,
      problems: ["cross-site", "https-required", "link-ended", "not-admitted", "rate-limited"],
    },
    async ({ c, ctx, body }) => {
      const { secret, me } = await useLoginLink(ctx, { link: body.link, previous: getSessionCookie(c) });
      setSessionCookie(c, secret);
      return presentMe(me);
    },
  ),
  operation(
    {
      id: "listSessions",
      method: "get",
      path: "/api/v1/sessions",
      section: "sessions",
      summary: "Where you are signed in, the latest first",
      actor: "user",
      beforeTerms: true,
      query: afterQuery,
      answer: pageSchema(sessionSchema).meta({ id: "SessionPage" }),
    },
    async ({ ctx, actor, query }) => {
      const { items, next } = await listSessions(ctx, actor, query.after ?? null);
      return { items: items.map(presentSession), next };
    },
  ),
  operation(
    {
      id: "endSession",
      method: "delete",
      path: "/api/v1/sessions/{id}",
      section: "sessions",
      summary: "Sign out, here (`current`) or elsewhere",
      actor: "user",
      beforeTerms: true,
      params: z.object({ id: z.string() }),
      problems: ["not-found"],
    },
    async ({ c, ctx, actor, params }) => {
      if (await endSession(ctx, actor, params.id)) clearSessionCookie(c);
    },
  ),
  operation(
    {
      id: "endSessions",
      method: "delete",
      path: "/api/v1/sessions",
      section: "sessions",
      summary: "Sign out everywhere",
      actor: "user",
      beforeTerms: true,
    },
    async ({ c, ctx, actor }) => {
      if (await endSessions(ctx, actor)) clearSessionCookie(c);
    },
  ),
];

function presentSession(session: ListedSession): z.input<typeof sessionSchema> {
  const { id, isCurrent, signedInWith, userAgent } = session;
  return {
    id,
    isCurrent,
    signedInWith,
    userAgent,
    createdAt: timeOf(session.createdAt),
    lastUsedAt: timeOf(session.lastUsedAt),
    expiresAt: timeOf(session.expiresAt),
  };
}
