import type * as z from "zod";
import type { Me } from "../../registry/people/me.ts";
import { timeOf, timeOrNull } from "./present.ts";
import type { meSchema } from "./schemas.ts";

/** Who somebody is, to themselves. */
export function presentMe(me: Me): z.input<typeof meSchema> {
  const { kind, id, scopes, collectionId } = me.credential;
  return {
    username: me.username,
    role: me.role,
    isRobot: me.isRobot,
    entity: me.entity,
    createdAt: timeOf(me.createdAt),
    quota: me.quota,
    terms: {
      required: me.requiredTerms,
      agreed: me.agreedTerms,
      agreedAt: timeOrNull(me.agreedTermsAt),
    },
    credential: {
      // A signature is none that the JSON API takes.
      kind: kind === "session" ? "session" : "token",
      id,
      scopes: [...scopes],
      isNarrowed: collectionId !== null,
    },
  };
}
