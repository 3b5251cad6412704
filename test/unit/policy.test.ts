import { describe, expect, it } from "vitest";
import {
  collectionFacts,
  defaultSettings,
  type Person,
  type Question,
  questions,
  type Reach,
  reaches,
  restrictionNames,
  scopeSets,
  settingsWith,
  stranger,
  subsetsOf,
  userActor,
  visibilities,
} from "../../scripts/generate/policy-cases.ts";
import { type Action, actions, decide, type PolicySettings } from "../../worker/access/policy.ts";
import { type Actor, anonymous, operator, type Scope, scopes } from "../../worker/access/roles.ts";
import type { Context } from "../../worker/context.ts";
import { authorize, authorizeOnEntity } from "../../worker/registry/authorize.ts";

/*
 * What holds for the whole policy. There are finitely many questions, so all of them are asked: every combination of
 * roles, every token, action, visibility and setting. policy-table.txt has the answers one by one.
 */
const booleans = [false, true];
const memberRoles = [null, "reader", "contributor", "owner"] as const;
const people: readonly Person[] = booleans.flatMap((isEntityOwner) =>
  booleans.flatMap((isAdmin) =>
    booleans.flatMap((isSuperuser) =>
      memberRoles.map((memberRole) => ({ isEntityOwner, memberRole, isAdmin, isSuperuser })),
    ),
  ),
);
const restrictedSets = subsetsOf(restrictionNames);
const collectionActions = actions.filter(isOnCollection);

interface Asked {
  person: Person;
  reach: Reach;
  given: readonly Scope[];
  question: Question;
  restricted: readonly (keyof PolicySettings)[];
}

const everything: readonly Asked[] = restrictedSets.flatMap((restricted) =>
  people.flatMap((person) =>
    reaches.flatMap((reach) =>
      scopeSets.flatMap((given) => questions.map((question) => ({ person, reach, given, question, restricted }))),
    ),
  ),
);

/** No question of a user's may be answered so. The first few that are stand in the failure. */
function expectNone(isWrong: (asked: Asked) => boolean): void {
  const wrong = everything.filter(isWrong).slice(0, 5);
  expect(
    wrong.map(({ question, ...rest }) => `${question.action}, ${question.about}: ${JSON.stringify(rest)}`),
  ).toEqual([]);
}

function isAllowed({ person, reach, given, question, restricted }: Asked): boolean {
  return question.ask(userActor(person, reach, given), person, settingsWith(restricted)).allowed;
}

function isOnCollection(action: Action): action is Extract<Action, `collection.${string}`> {
  return action.startsWith("collection.");
}

function isRead(action: Action): boolean {
  return action === "collection.see" || action === "collection.pull" || action === "entity.see";
}

function questionsAbout(action: Action): readonly Question[] {
  return questions.filter((question) => question.action === action);
}

describe("the questions", () => {
  it("cover every action, and every visibility of those on a collection", () => {
    expect(new Set(questions.map(({ action }) => action))).toEqual(new Set(actions));
    for (const action of collectionActions) {
      expect(questionsAbout(action).map(({ about }) => about)).toEqual(visibilities);
    }
  });
});

describe("a token", () => {
  const whole = { reach: "any collection", given: scopes } as const;

  it("never allows more than its user may do", () => {
    expectNone((asked) => isAllowed(asked) && !isAllowed({ ...asked, ...whole }));
  });

  it("never allows more for lacking a scope", () => {
    expectNone(
      (asked) => isAllowed(asked) && scopes.some((scope) => !isAllowed({ ...asked, given: [...asked.given, scope] })),
    );
  });

  it("that can only pull changes nothing", () => {
    expectNone(
      (asked) => !asked.given.some((scope) => scope !== "pull") && !isRead(asked.question.action) && isAllowed(asked),
    );
  });

  it("for another collection brings no role along", () => {
    const none = { person: stranger, reach: "another collection" } as const;
    expectNone(
      (asked) => asked.reach === "another collection" && isAllowed(asked) && !isAllowed({ ...asked, ...none }),
    );
  });

  it("for one collection changes nothing outside it", () => {
    const isOutside = ({ reach, question }: Asked) =>
      reach === "another collection" || (reach === "this collection" && !question.action.startsWith("collection."));
    expectNone((asked) => isOutside(asked) && !isRead(asked.question.action) && isAllowed(asked));
  });
});

describe("a role", () => {
  const promotions: readonly [string, (person: Person) => Person][] = [
    ["administrator", (person) => ({ ...person, isAdmin: true })],
    ["superuser", (person) => ({ ...person, isSuperuser: true })],
    ["owner of the entity", (person) => ({ ...person, isEntityOwner: true })],
    ["reader", (person) => ({ ...person, memberRole: person.memberRole ?? "reader" })],
    ["contributor", (person) => ({ ...person, memberRole: person.memberRole === "owner" ? "owner" : "contributor" })],
    ["owner", (person) => ({ ...person, memberRole: "owner" })],
  ];

  it.each(promotions)("of %s, added to any others, takes no right away", (_, promote) => {
    expectNone((asked) => isAllowed(asked) && !isAllowed({ ...asked, person: promote(asked.person) }));
  });

  it("is needed to change anything", () => {
    const hasNone = ({ isEntityOwner, memberRole, isAdmin, isSuperuser }: Person) =>
      !isEntityOwner && memberRole === null && !isAdmin && !isSuperuser;
    expectNone((asked) => hasNone(asked.person) && !isRead(asked.question.action) && isAllowed(asked));
  });

  it("of operator allows everything a user may do", () => {
    expectNone((asked) => {
      const { question, restricted } = asked;
      return isAllowed(asked) && !question.ask(operator, stranger, settingsWith(restricted)).allowed;
    });
  });
});

describe("an anonymous request", () => {
  it("never changes anything", () => {
    for (const { action, ask } of questions.filter((question) => !isRead(question.action))) {
      for (const restricted of restrictedSets) {
        const decision = ask(anonymous, stranger, settingsWith(restricted));
        expect(decision, `${action} ${restricted}`).toEqual({ allowed: false, code: "unauthenticated" });
      }
    }
  });

  it("may do nothing that a user with whatever token may not", () => {
    expectNone((asked) => {
      const { question, restricted } = asked;
      return question.ask(anonymous, stranger, settingsWith(restricted)).allowed && !isAllowed(asked);
    });
  });

  it("reads nothing where API_REQUIRE_AUTH is set, and is asked to sign in", () => {
    for (const { ask } of questions) {
      expect(ask(anonymous, stranger, settingsWith(["API_REQUIRE_AUTH"]))).toEqual({
        allowed: false,
        code: "unauthenticated",
      });
    }
  });
});

describe("a setting that restricts", () => {
  it.each(restrictionNames)("allows nobody more: %s", (name) => {
    expectNone((asked) => !isAllowed(asked) && isAllowed({ ...asked, restricted: [...asked.restricted, name] }));
  });

  it("PRIVATE_ONLY: leaves public and internal collections to those who see private ones", () => {
    const privateOf = (action: Action) => questionsAbout(action).find(({ about }) => about === "private");
    expectNone((asked) => {
      const question = privateOf(asked.question.action);
      return (
        asked.restricted.includes("PRIVATE_ONLY") &&
        question !== undefined &&
        isAllowed(asked) !== isAllowed({ ...asked, question })
      );
    });
  });

  it("DISABLE_BUILDING: nobody pushes, operators neither", () => {
    for (const { ask } of questionsAbout("collection.push")) {
      expect(ask(operator, stranger, settingsWith(["DISABLE_BUILDING"]))).toEqual({
        allowed: false,
        code: "pushing-disabled",
      });
    }
  });
});

describe("what somebody may not see", () => {
  const context = (settings: PolicySettings) => ({ settings }) as Context;
  const refusal = (act: () => unknown): string => {
    try {
      act();
      return "allowed";
    } catch (error) {
      return (error as { code?: string }).code ?? String(error);
    }
  };

  it("is answered as what is not there, whatever is asked of it", () => {
    for (const restricted of restrictedSets) {
      const settings = settingsWith(restricted);
      for (const [actor, person] of [[anonymous, stranger] as const, ...usersOf(people)]) {
        for (const visibility of visibilities) {
          const facts = collectionFacts(person, visibility);
          if (decide(actor, "collection.see", facts, settings).allowed) continue;
          for (const action of collectionActions) {
            const absent = refusal(() => authorize(context(settings), actor, action, null));
            expect(refusal(() => authorize(context(settings), actor, action, { facts }))).toBe(absent);
          }
        }
      }
    }
  });

  it("is not found, whatever else is wrong with the request", () => {
    const seeing = questionsAbout("collection.see");
    expectNone((asked) => {
      const { person, reach, given, question, restricted } = asked;
      const see = isOnCollection(question.action) ? seeing.find(({ about }) => about === question.about) : undefined;
      if (see === undefined || isAllowed({ ...asked, question: see })) return false;
      const decision = question.ask(userActor(person, reach, given), person, settingsWith(restricted));
      return decision.allowed || decision.code !== "not-found";
    });
  });

  it("is answered so for a whole entity too", () => {
    const facts = { entityOwnerId: "somebody else", hasVisibleCollection: false };
    for (const [actor] of [[anonymous, stranger] as const, ...usersOf([stranger])]) {
      for (const action of ["entity.see", "entity.create-collection"] as const) {
        const hidden = refusal(() => authorizeOnEntity(context(defaultSettings), actor, action, { facts }));
        expect(hidden).toBe(refusal(() => authorizeOnEntity(context(defaultSettings), actor, action, null)));
        expect(hidden).not.toBe("allowed");
      }
    }
  });

  it("cannot be used either: who may pull, push, delete or manage may also see", () => {
    const seeing = questionsAbout("collection.see");
    expectNone((asked) => {
      const question = seeing.find(({ about }) => about === asked.question.about);
      return question !== undefined && isAllowed(asked) && !isAllowed({ ...asked, question });
    });
  });

  it("grows with no step from private over internal to public", () => {
    const next = (question: Question) => questions[questions.indexOf(question) - 1];
    expectNone((asked) => {
      const moreOpen = ["internal", "private"].includes(asked.question.about) ? next(asked.question) : undefined;
      return moreOpen !== undefined && isAllowed(asked) && !isAllowed({ ...asked, question: moreOpen });
    });
  });

  function usersOf(some: readonly Person[]): (readonly [Actor, Person])[] {
    return some.flatMap((person) =>
      reaches.flatMap((reach) => scopeSets.map((given) => [userActor(person, reach, given), person] as const)),
    );
  }
});

describe("an answer", () => {
  it("that allows says why", () => {
    expectNone(({ person, reach, given, question, restricted }) => {
      const decision = question.ask(userActor(person, reach, given), person, settingsWith(restricted));
      return decision.allowed && decision.reason === "";
    });
  });
});
