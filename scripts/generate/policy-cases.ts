import type { Decision } from "../../worker/access/decision.ts";
import { type Action, actions, decide, type PolicySettings } from "../../worker/access/policy.ts";
import {
  type AccountFacts,
  type Actor,
  anonymous,
  type CollectionFacts,
  type CollectionRole,
  type EntityFacts,
  operator,
  ownAccount,
  type Scope,
  scopes,
  type TeamPlace,
  type TeamRole,
  type UserActor,
  type Visibility,
} from "../../worker/access/roles.ts";

/** Every question the policy can be asked, for its table and for the tests that hold for all of it. */

/** What somebody is to the collection or entity in question, and on the site. */
export interface Person {
  isEntityOwner: boolean;
  memberRole: CollectionRole | null;
  /** Whether that role was given to a team they are in, and not to themselves. */
  isThroughTeam: boolean;
  /** What they are in the team that owns the entity. */
  teamRole: TeamRole | null;
  isAdmin: boolean;
  isSuperuser: boolean;
  isRobot: boolean;
}

export const stranger: Person = {
  isEntityOwner: false,
  memberRole: null,
  isThroughTeam: false,
  teamRole: null,
  isAdmin: false,
  isSuperuser: false,
  isRobot: false,
};

/** What somebody is here with: a session, or a token for everything, the collection in question, or another one. */
export const reaches = ["session", "any collection", "this collection", "another collection"] as const;
export type Reach = (typeof reaches)[number];

export const visibilities = ["public", "internal", "private"] as const satisfies readonly Visibility[];

const userId = "the user";
const grantedTeamId = "a team of theirs";
const owningTeamId = "the owning team";
const collectionId = "the collection";

/** A session has all scopes, whatever is given. */
export function userActor(person: Person, reach: Reach, given: Iterable<Scope>): UserActor {
  const narrowedTo = { "any collection": null, "this collection": collectionId, "another collection": "another" };
  const credential: UserActor["credential"] =
    reach === "session"
      ? { kind: "session", id: "session", scopes: new Set(scopes), collectionId: null }
      : { kind: "token", id: "token", scopes: new Set(given), collectionId: narrowedTo[reach] };
  const { isAdmin, isSuperuser, isRobot } = person;
  const teams = teamsOf(person);
  return { kind: "user", userId, username: "user", isAdmin, isSuperuser, isRobot, teams, credential };
}

/** Everybody but robots is a member of some team, which says nothing of any other. */
function teamsOf({ isRobot, isThroughTeam, teamRole }: Person): TeamPlace[] {
  if (isRobot) return [];
  return [
    { id: "some team", name: "some", role: "member" },
    ...(isThroughTeam ? [{ id: grantedTeamId, name: "granted", role: "member" as const }] : []),
    ...(teamRole === null ? [] : [{ id: owningTeamId, name: "owning", role: teamRole }]),
  ];
}

/** What somebody may be here with: robots never sign in. */
export function credentialsOf({ isRobot }: Person): { reach: Reach; given: readonly Scope[] }[] {
  const tokens = reaches
    .filter((reach) => reach !== "session")
    .flatMap((reach) => scopeSets.map((given) => ({ reach, given })));
  return isRobot ? tokens : [{ reach: "session", given: scopes }, ...tokens];
}

/** What accounts there are beside one's own, to the one who asks. */
const otherAccounts = {
  "their robot": { userId: "robot", role: "user", isRobot: true, ownerUserId: userId },
  "a user's": { userId: "another", role: "user", isRobot: false, ownerUserId: null },
  "their team's robot": { userId: "robot", role: "user", isRobot: true, ownerUserId: owningTeamId },
  "another's robot": { userId: "robot", role: "user", isRobot: true, ownerUserId: "another" },
  "an administrator's": { userId: "another", role: "admin", isRobot: false, ownerUserId: null },
  "a superuser's": { userId: "another", role: "superuser", isRobot: false, ownerUserId: null },
} as const satisfies Record<string, AccountFacts>;

export type AccountName = "their own" | keyof typeof otherAccounts;
export const accountNames = ["their own", ...Object.keys(otherAccounts)] as readonly AccountName[];

/** Those who are no user have no account of their own, and are asked about a user's in its place. */
export function accountFacts(name: AccountName, actor: Actor): AccountFacts {
  if (name !== "their own") return otherAccounts[name];
  return actor.kind === "user" ? ownAccount(actor) : otherAccounts["a user's"];
}

/** A question without the one who asks. `ask` is given the actor, and what they are to the thing in question. */
export interface Question {
  action: Action;
  /** The state of the thing in question, in words. */
  about: string;
  ask: (actor: Actor, person: Person, settings: PolicySettings) => Decision;
}

/** The questions of each action. Total, so that a new action does not compile until it is here. */
const questionsOf: { [A in Action]: () => Question[] } = {
  "collection.see": () => onCollection("collection.see"),
  "collection.pull": () => onCollection("collection.pull"),
  "collection.push": () => onCollection("collection.push"),
  "collection.delete-image": () => onCollection("collection.delete-image"),
  "collection.manage": () => onCollection("collection.manage"),
  "collection.see-people": () => onCollection("collection.see-people"),
  "collection.star": () => onCollection("collection.star"),
  "collection.hand-over": () => onCollection("collection.hand-over"),
  "entity.see": () => onEntity("entity.see"),
  "entity.create-collection": () => onEntity("entity.create-collection"),
  "entity.edit": () => onEntity("entity.edit"),
  "team.see": () => onTeam("team.see"),
  "team.join": () => onTeam("team.join"),
  "team.manage": () => onTeam("team.manage"),
  "site.create-team": () => onSite("site.create-team"),
  "site.create-entity": () => onSite("site.create-entity"),
  "site.administer": () => onSite("site.administer"),
  "site.govern": () => onSite("site.govern"),
  "account.manage": () => onAccount("account.manage"),
  "account.grant": () => onAccount("account.grant"),
  "account.disable": () => onAccount("account.disable"),
  "account.delete": () => onAccount("account.delete"),
};

export const questions: readonly Question[] = actions.flatMap((action) => questionsOf[action]());

function onCollection(action: Extract<Action, `collection.${string}`>): Question[] {
  return visibilities.map((visibility) => ({
    action,
    about: visibility,
    ask: (actor, person, settings) => decide(actor, action, collectionFacts(person, visibility), settings),
  }));
}

function onEntity(action: Extract<Action, `entity.${string}`>): Question[] {
  return [true, false].map((hasVisibleCollection) => ({
    action,
    about: hasVisibleCollection ? "holds something they see" : "holds nothing they see",
    ask: (actor, person, settings) => {
      const facts: EntityFacts = { entityOwnerId: ownerOf(person), hasVisibleCollection };
      return decide(actor, action, facts, settings);
    },
  }));
}

/** The team in question is the one that owns the entity, where there is one. */
function onTeam(action: Extract<Action, `team.${string}`>): Question[] {
  return (["open", "invitation"] as const).map((joining) => ({
    action,
    about: joining === "open" ? "an open team" : "a team by invitation",
    ask: (actor, _person, settings) => decide(actor, action, { teamId: owningTeamId, joining }, settings),
  }));
}

function onSite(action: Extract<Action, `site.${string}`>): Question[] {
  return [{ action, about: "the registry", ask: (actor, _person, settings) => decide(actor, action, null, settings) }];
}

function onAccount(action: Extract<Action, `account.${string}`>): Question[] {
  return accountNames.map((about) => ({
    action,
    about,
    ask: (actor, _person, settings) => decide(actor, action, accountFacts(about, actor), settings),
  }));
}

export function collectionFacts(person: Person, visibility: Visibility): CollectionFacts {
  const { memberRole, isThroughTeam } = person;
  const grant = memberRole === null ? null : { role: memberRole, to: isThroughTeam ? grantedTeamId : userId };
  return { collectionId, visibility, entityOwnerId: ownerOf(person), grant };
}

function ownerOf(person: Person): string {
  if (person.isEntityOwner) return userId;
  return person.teamRole === null ? "somebody else" : owningTeamId;
}

export const defaultSettings: PolicySettings = {
  API_REQUIRE_AUTH: false,
  PRIVATE_ONLY: false,
  DISABLE_BUILDING: false,
  USER_COLLECTIONS: true,
};

/** The settings the policy looks at, each with the value that restricts. */
export const restrictions = {
  API_REQUIRE_AUTH: true,
  PRIVATE_ONLY: true,
  DISABLE_BUILDING: true,
  USER_COLLECTIONS: false,
} as const satisfies PolicySettings;

export const restrictionNames = Object.keys(restrictions) as (keyof PolicySettings)[];

export function settingsWith(restricted: readonly (keyof PolicySettings)[]): PolicySettings {
  const changes = restricted.map((name) => [name, restrictions[name]] as const);
  return { ...defaultSettings, ...Object.fromEntries(changes) };
}

export const scopeSets: readonly (readonly Scope[])[] = subsetsOf(scopes);

/** Actors that are no user, and so nothing to any collection. */
export const lonelyActors: readonly (readonly [string, Actor])[] = [
  ["anonymous", anonymous],
  ["operator", operator],
];

/** All subsets, the empty one first, the smaller before those they are part of. */
export function subsetsOf<T>(items: readonly T[]): T[][] {
  const subsets: T[][] = [[]];
  for (const item of items) subsets.push(...subsets.map((subset) => [...subset, item]));
  return subsets.sort((a, b) => a.length - b.length);
}
