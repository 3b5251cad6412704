import { type Action, actions, type PolicySettings } from "../../worker/access/policy.ts";
import { type Actor, type Scope, scopes } from "../../worker/access/roles.ts";
import {
  lonelyActors,
  type Person,
  type Question,
  questions,
  reaches,
  restrictionNames,
  restrictions,
  scopeSets,
  settingsWith,
  stranger,
  subsetsOf,
  userActor,
} from "./policy-cases.ts";

/** One by one; that several of these never take anything away from one another is tested apart. */
const people: readonly (readonly [string, Person])[] = [
  ["stranger", stranger],
  ["reader", { ...stranger, memberRole: "reader" }],
  ["contributor", { ...stranger, memberRole: "contributor" }],
  ["owner", { ...stranger, memberRole: "owner" }],
  ["owner of the entity", { ...stranger, isEntityOwner: true }],
  ["administrator", { ...stranger, isAdmin: true }],
  ["superuser", { ...stranger, isSuperuser: true }],
];

const head = `# Made by \`npm run generate\` from worker/access/policy.ts: who may do what. A test fails while it is not up to date.
#
# One section for each action. It begins with the settings as they are by default; below it stands, for every combination of the
# settings that matter to it, whoever is then answered differently. Who is not listed there is answered as by default.
#
#   who        what a user is to the collection: a member (reader, contributor, owner), or owner of its entity, or of the whole site
#   token      what the user's token is good for
#   scopes     what the answer takes of the token's scopes: any; or one that it must have, or lack
#
# An answer is "yes" or the code of the refusal (worker/registry/errors.ts). What is absent is answered as what is hidden: not-found.`;

/** `test/unit/policy-table.txt`: the whole policy as text, so that a change to it can be read as a change of lines. */
export function renderPolicyTable(): string {
  return `${[head, ...actions.map(renderAction)].join("\n\n\n")}\n`;
}

/** The answers to somebody, by the state of the thing in question. `scopes` says for which of their tokens. */
interface Row {
  who: string;
  token: string;
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
    return [{ who, token: "-", scopes: "-", answers: answersTo(actor, stranger) }];
  });
  const users = people.flatMap(([who, person]) =>
    reaches.map((token) => {
      const byScopes = byNeededScope((given) => answersTo(userActor(person, token, given), person));
      return byScopes.map((row) => ({ who, token, ...row }));
    }),
  );
  return [...lonely, ...users];
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

function renderRows(asked: readonly Question[], rows: readonly Row[]): string {
  const lines = [
    ["who", "token", "scopes", ...asked.map(({ about }) => about)],
    ...rows.map(({ who, token, scopes, answers }) => [who, token, scopes, ...answers]),
  ];
  const widths = lines.reduce<number[]>(
    (widest, line) => line.map((text, i) => Math.max(text.length, widest[i] ?? 0)),
    [],
  );
  return lines.map((line) => `  ${line.map((text, i) => text.padEnd(widths[i] ?? 0)).join("  ")}`.trimEnd()).join("\n");
}
