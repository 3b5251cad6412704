import { describe, expect, it, vi } from "vitest";
import {
  type AccountName,
  accountFacts,
  accountNames,
  collectionFacts,
  credentialsOf,
  defaultSettings,
  type Person,
  type Question,
  questions,
  type Reach,
  restrictionNames,
  settingsWith,
  stranger,
  subsetsOf,
  userActor,
  visibilities,
} from "../../scripts/generate/policy-cases.ts";
import { type Action, actions, decide, type PolicySettings } from "../../worker/access/policy.ts";
import { type AccountFacts, type Actor, anonymous, operator, type Scope, scopes } from "../../worker/access/roles.ts";
import type { Context } from "../../worker/context.ts";
import { authorize, authorizeOnAccount, authorizeOnEntity } from "../../worker/registry/authorize.ts";

/*
 * What holds for the whole policy. There are finitely many questions, so all of them are asked: every combination of
 * roles, every token, action, visibility, and pair of settings. policy-table.txt has the answers one by one.
 */
const booleans = [false, true];
const memberRoles = [null, "reader", "contributor", "owner"] as const;
const everybody: readonly Person[] = [
  ...booleans.flatMap((isEntityOwner) =>
    booleans.flatMap((isAdmin) =>
      booleans.flatMap((isSuperuser) =>
        memberRoles.map((memberRole) => ({ ...stranger, isEntityOwner, memberRole, isAdmin, isSuperuser })),
      ),
    ),
  ),
  ...(["member", "owner"] as const).flatMap((teamRole) =>
    ([null, "reader"] as const).map((memberRole) => ({ ...stranger, teamRole, memberRole })),
  ),
  ...(["reader", "contributor", "owner"] as const).map((memberRole) => ({
    ...stranger,
    memberRole,
    isThroughTeam: true,
  })),
  // Robots own no entity and have no role on the site.
  ...memberRoles.map((memberRole) => ({ ...stranger, memberRole, isRobot: true })),
];
vi.setConfig({ testTimeout: 30_000 });

/** Two at once show what three or four would: each setting is asked about in one place. The table has them all. */
const restrictedSets = subsetsOf(restrictionNames).filter((set) => set.length <= 2);
const collectionActions = actions.filter(isOnCollection);

interface Asked {
  person: Person;
  reach: Reach;
  given: readonly Scope[];
  question: Question;
  restricted: readonly (keyof PolicySettings)[];
}

const everything: readonly Asked[] = restrictedSets.flatMap((restricted) =>
  everybody.flatMap((person) =>
    credentialsOf(person).flatMap((credential) =>
      questions.map((question) => ({ person, ...credential, question, restricted })),
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

/** With which code something is refused. */
function refusal(act: () => unknown): string {
  try {
    act();
    return "allowed";
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

function isNarrowed({ reach }: Asked): boolean {
  return reach === "this collection" || reach === "another collection";
}

function isOnAccount(action: Action): action is Extract<Action, `account.${string}`> {
  return action.startsWith("account.");
}

function isOwnAccount({ action, about }: Question): boolean {
  return isOnAccount(action) && ["their own", "their robot", "their team's robot"].includes(about);
}

function isOnCollection(action: Action): action is Extract<Action, `collection.${string}`> {
  return action.startsWith("collection.");
}

function isRead(action: Action): boolean {
  return ["collection.see", "collection.pull", "collection.see-people", "entity.see", "team.see"].includes(action);
}

/** What any person may do, wherever they see it. */
function isForAll({ action }: Question): boolean {
  return ["collection.star", "team.join", "site.create-team"].includes(action);
}

function ofTheirTeam({ teamRole }: Person): AccountName[] {
  return teamRole === "owner" ? ["their team's robot"] : [];
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

  it("never allows more than a session, which allows all that its user may do", () => {
    expectNone((asked) => isAllowed(asked) && !asked.person.isRobot && !isAllowed({ ...asked, reach: "session" }));
  });

  it("for one collection, or with fewer scopes, never allows more than one for all with all of them", () => {
    expectNone((asked) => asked.reach !== "session" && isAllowed(asked) && !isAllowed({ ...asked, ...whole }));
    expectNone((asked) => isNarrowed(asked) && isAllowed(asked) && !isAllowed({ ...asked, reach: "any collection" }));
  });

  it("makes no other credential, and does not delete the account of its user", () => {
    expectNone(({ question, ...rest }) => {
      const isForSessions =
        question.action === "account.grant" || (question.action === "account.delete" && question.about === "their own");
      return isForSessions && rest.reach !== "session" && isAllowed({ question, ...rest });
    });
  });

  it("is answered as a signature with a key of the same scopes", () => {
    expectNone(({ person, reach, given, question, restricted }) => {
      const actor = userActor(person, reach, given);
      if (reach !== "any collection") return false;
      const signed: Actor = { ...actor, credential: { ...actor.credential, kind: "key" } };
      const [one, other] = [actor, signed].map((who) => question.ask(who, person, settingsWith(restricted)));
      return JSON.stringify(one) !== JSON.stringify(other);
    });
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
    ["owner of the team that owns the entity", (person) => ({ ...person, teamRole: "owner" })],
    ["member of that team", (person) => ({ ...person, teamRole: person.teamRole ?? "member" })],
    ["reader", (person) => ({ ...person, memberRole: person.memberRole ?? "reader" })],
    ["contributor", (person) => ({ ...person, memberRole: person.memberRole === "owner" ? "owner" : "contributor" })],
    ["owner", (person) => ({ ...person, memberRole: "owner" })],
  ];

  it.each(promotions)("of %s, added to any others, takes no right away", (_, promote) => {
    expectNone((asked) => isAllowed(asked) && !isAllowed({ ...asked, person: promote(asked.person) }));
  });

  it("is needed to change anything but what is one's own: account, robots, stars, teams to make and join", () => {
    const hasNone = ({ isEntityOwner, memberRole, teamRole, isAdmin, isSuperuser }: Person) =>
      !isEntityOwner && memberRole === null && teamRole === null && !isAdmin && !isSuperuser;
    expectNone(({ question, ...rest }) => {
      const isChange = !isRead(question.action) && !isOwnAccount(question) && !isForAll(question);
      return hasNone(rest.person) && isChange && isAllowed({ question, ...rest });
    });
  });

  it("through a team is worth what one's own is", () => {
    expectNone(
      (asked) =>
        asked.person.isThroughTeam &&
        isAllowed(asked) !== isAllowed({ ...asked, person: { ...asked.person, isThroughTeam: false } }),
    );
  });

  it("of operator allows everything a user may do, but for what only a person does", () => {
    expectNone((asked) => {
      const { question, restricted } = asked;
      return (
        isAllowed(asked) && !isForAll(question) && !question.ask(operator, stranger, settingsWith(restricted)).allowed
      );
    });
  });
});

describe("an account", () => {
  const people: readonly string[] = ["a user's", "an administrator's", "a superuser's"] satisfies AccountName[];

  it("of another person is acted as by nobody but the operator", () => {
    expectNone((asked) => {
      const { action, about } = asked.question;
      return action === "account.grant" && people.includes(about) && isAllowed(asked);
    });
    for (const { ask } of questionsAbout("account.grant")) {
      expect(ask(operator, stranger, defaultSettings).allowed).toBe(true);
    }
  });

  it("is decided upon by those above its role alone, and by its own user or robot's owner", () => {
    const needed: Partial<Record<AccountName, (person: Person) => boolean>> = {
      "a user's": ({ isAdmin, isSuperuser }) => isAdmin || isSuperuser,
      "another's robot": ({ isAdmin, isSuperuser }) => isAdmin || isSuperuser,
      "their team's robot": ({ isAdmin, isSuperuser, teamRole }) => isAdmin || isSuperuser || teamRole === "owner",
      "an administrator's": ({ isSuperuser }) => isSuperuser,
      "a superuser's": ({ isSuperuser }) => isSuperuser,
    };
    expectNone((asked) => {
      const isAbove = needed[asked.question.about as AccountName];
      return isOnAccount(asked.question.action) && isAbove !== undefined && !isAbove(asked.person) && isAllowed(asked);
    });
  });

  it("is disabled by nobody themselves", () => {
    expectNone((asked) => {
      const { action, about } = asked.question;
      return action === "account.disable" && about === "their own" && isAllowed(asked);
    });
  });

  it("gets its role from superusers and the operator, so that nobody promotes themselves", () => {
    expectNone((asked) => {
      const isGoverning = asked.question.action === "site.govern";
      return isGoverning && !asked.person.isSuperuser && isAllowed(asked);
    });
  });

  it("of a robot's is no business of its own, nor are others' or the registry", () => {
    expectNone((asked) => {
      const { action, about } = asked.question;
      const isTheirs = isOnAccount(action) && about === "their robot";
      const isAsked = (isOnAccount(action) && !isTheirs) || action.startsWith("site.");
      return asked.person.isRobot && isAsked && isAllowed(asked);
    });
  });

  it("that somebody may not know of is answered as one that is not there, whatever is asked of it", () => {
    for (const person of everybody) {
      if (person.isAdmin || person.isSuperuser) continue;
      for (const { reach, given } of credentialsOf(person)) {
        const actor = userActor(person, reach, given);
        for (const action of actions.filter(isOnAccount)) {
          const refused = (facts: AccountFacts | null) =>
            refusal(() => authorizeOnAccount(defaultSettings, actor, action, facts));
          const own: AccountName[] = ["their own", "their robot", ...ofTheirTeam(person)];
          for (const name of accountNames.filter((name) => !own.includes(name))) {
            expect([refused(accountFacts(name, actor)), refused(null)]).toEqual(["not-found", "not-found"]);
          }
        }
      }
    }
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

  it("is answered as what is not there, whatever is asked of it", () => {
    for (const restricted of restrictedSets) {
      const settings = settingsWith(restricted);
      for (const [actor, person] of [[anonymous, stranger] as const, ...usersOf(everybody)]) {
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
      credentialsOf(person).map(({ reach, given }) => [userActor(person, reach, given), person] as const),
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
