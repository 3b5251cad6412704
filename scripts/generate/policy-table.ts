import { type Action, actions, type PolicySettings } from "../../worker/access/policy.ts";
import { type Actor, type Scope, scopes } from "../../worker/access/roles.ts";
import {
  lonelyActors,
  type Person,
  type Question,
  questions,
  type Reach,
  reaches,
  restrictionNames,
  restrictions,
  scopeSets,
  settingsWith,
  stranger,
  subsetsOf,
  userActor,
} from "./policy-cases.ts";

const tokenReaches = reaches.filter((reach) => reach !== "session");

/** One by one; that several of these never take anything away from one another is tested apart. */
const people: readonly (readonly [string, Person])[] = [
  ["stranger", stranger],
  ["reader", { ...stranger, memberRole: "reader" }],
  ["contributor", { ...stranger, memberRole: "contributor" }],
  ["owner", { ...stranger, memberRole: "owner" }],
  ["member of its team", { ...stranger, teamRole: "member" }],
  ["owner of its team", { ...stranger, teamRole: "owner" }],
  ["owner of the entity", { ...stranger, isEntityOwner: true }],
  ["administrator", { ...stranger, isAdmin: true }],
  ["superuser", { ...stranger, isSuperuser: true }],
  ["robot", { ...stranger, isRobot: true }],
];

const head = `# Made by \`npm run generate\` from worker/access/policy.ts: who may do what. A test fails while it is not up to date.
#
# One section for each action. It begins with the settings as they are by default; below it stands, for every combination of the
# settings that matter to it, whoever is then answered differently. Who is not listed there is answered as by default.
#
#   who        what a user is to the collection: reader, contributor or owner, by themselves or through a team; what they are in the
#              team that owns its entity; owner of the entity; or what they are on the whole site. In this order, those from one to another are written together where all of them are answered alike
#   with       a session, which is a browser where they signed in; or a token, and which collections that is good for
#   scopes     what the answer takes of the token's scopes: any; or one that it must have, or lack. A session has them all
#
# An answer is "yes" or the code of the refusal (worker/registry/errors.ts). What is absent is answered as what is hidden: not-found.`;

/** `test/unit/policy-table.txt`: the whole policy as text, so that a change to it can be read as a change of lines. */
export function renderPolicyTable(): string {
  return `${[head, ...actions.map(renderAction)].join("\n\n\n")}\n`;
}

/** The answers to somebody, by the state of the thing in question. `scopes` says for which of their tokens. */
interface Row {
  who: string;
  credential: string;
  scopes: string;
  answers: readonly string[];
}

function renderAction(action: Action): string {
  const asked = questions.filter((question) => question.action === action);
  const byDefault = groupsOf(asked, settingsWith([]));
  const combinations = subsetsOf(relevantSettings(asked)).filter((names) => names.length > 0);
  const differing = combinations.map((names) => {
    const title = `with ${names.map((name) => `${name}=${restrictions[name]}`).join(" and ")}`;
    const changed = groupsOf(asked, settingsWith(names)).filter((rows, index) => !isSame(rows, byDefault[index]));
    return `${title}:\n${changed.length === 0 ? "  nothing differs" : renderRows(asked, changed.flat())}`;
  });
  const title = `## ${action}\n\nby default:\n${renderRows(asked, byDefault.flat())}`;
  return [title, ...differing].join("\n\n");
}

/** Rows by actor, always in the same order. */
function groupsOf(asked: readonly Question[], settings: PolicySettings): Row[][] {
  const answersTo = (actor: Actor, person: Person) => {
    return asked.map(({ ask }) => {
      const decision = ask(actor, person, settings);
      return decision.allowed ? "yes" : decision.code;
    });
  };
  const lonely = lonelyActors.map(([who, actor]) => {
    return [{ who, credential: "-", scopes: "-", answers: answersTo(actor, stranger) }];
  });
  const users = people.flatMap(([who, person]) => {
    const answersFor = (reach: Reach) => (given: readonly Scope[]) =>
      answersTo(userActor(person, reach, given), person);
    const groups = tokenReaches.map((reach) => {
      return byNeededScope(answersFor(reach)).map((row): Row => ({ who, credential: `token, ${reach}`, ...row }));
    });
    const [first = [], ...rest] = groups;
    return person.isRobot ? groups : [withSession(first, who, answersFor("session")([])), ...rest];
  });
  return [...lonely, ...users];
}

/** A session has a row of its own only where it is answered otherwise than a token that lacks nothing. */
function withSession(rows: Row[], who: string, answers: string[]): Row[] {
  const index = rows.findIndex(({ scopes: needed }) => !needed.startsWith("no"));
  const isAlike = rows[index]?.answers.join() === answers.join();
  if (!isAlike) return [{ who, credential: "session", scopes: "-", answers }, ...rows];
  return rows.map((row, n) => (n === index ? { ...row, credential: `session; ${row.credential}` } : row));
}

/** All sets of scopes are asked; those that differ in nothing the answer takes into account share a row. */
function byNeededScope(answersFor: (given: readonly Scope[]) => string[]): Pick<Row, "scopes" | "answers">[] {
  const all = scopeSets.map((given) => ({ given, answers: answersFor(given) }));
  const agree = (some: typeof all) => new Set(some.map(({ answers }) => answers.join())).size === 1;
  const rowOf = (text: string, some: typeof all) => ({ scopes: text, answers: some[0]?.answers ?? [] });
  if (agree(all)) return [rowOf("any", all)];
  for (const scope of scopes) {
    const having = all.filter(({ given }) => given.includes(scope));
    const lacking = all.filter(({ given }) => !given.includes(scope));
    if (agree(having) && agree(lacking)) return [rowOf(scope, having), rowOf(`no ${scope}`, lacking)];
  }
  return all.map(({ given, answers }) => ({ scopes: given.join(" ") || "none", answers }));
}

/** The settings that change an answer, whatever the others are. */
function relevantSettings(asked: readonly Question[]): (keyof PolicySettings)[] {
  return restrictionNames.filter((name) =>
    subsetsOf(restrictionNames.filter((other) => other !== name)).some((others) => {
      const [without, having] = [
        groupsOf(asked, settingsWith(others)),
        groupsOf(asked, settingsWith([...others, name])),
      ];
      return having.some((rows, index) => !isSame(rows, without[index]));
    }),
  );
}

function isSame(rows: readonly Row[], others: readonly Row[] | undefined): boolean {
  return JSON.stringify(rows) === JSON.stringify(others);
}

/** Neighbours who are answered alike in everything share their rows. */
function mergeAlike(rows: readonly Row[]): Row[] {
  const all = [...new Set(rows.map(({ who }) => who))].map((who) => {
    const own = rows.filter((row) => row.who === who);
    return { whos: [who], own, key: JSON.stringify(own.map((row) => ({ ...row, who: "" }))) };
  });
  const merged: typeof all = [];
  for (const one of all) {
    const last = merged.at(-1);
    if (last?.key === one.key) last.whos.push(...one.whos);
    else merged.push(one);
  }
  return merged.flatMap(({ whos, own }) => {
    const who = whos.length > 2 ? `${whos[0]} to ${whos.at(-1)}` : whos.join(" and ");
    return own.map((row) => ({ ...row, who }));
  });
}

function renderRows(asked: readonly Question[], rows: readonly Row[]): string {
  const lines = [
    ["who", "with", "scopes", ...asked.map(({ about }) => about)],
    ...mergeAlike(rows).map(({ who, credential, scopes, answers }) => [who, credential, scopes, ...answers]),
  ];
  const widths = lines.reduce<number[]>(
    (widest, line) => line.map((text, i) => Math.max(text.length, widest[i] ?? 0)),
    [],
  );
  return lines.map((line) => `  ${line.map((text, i) => text.padEnd(widths[i] ?? 0)).join("  ")}`.trimEnd()).join("\n");
}
