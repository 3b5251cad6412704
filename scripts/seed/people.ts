import type { Random } from "./random.ts";
import type { Rows, SeedSize } from "./rows.ts";

/** An account that owns the entity of its name. */
export interface Owner {
  id: string;
  name: string;
  entityId: string;
}

export interface People {
  persons: Owner[];
  teams: Owner[];
}

const DAY = 86_400_000;
/** Members of the first team, where there are so many people: more than a page shows. */
const LARGE_TEAM = 300;

/** Who there is: a person for ten collections, a team for a hundred, a robot for fifty. */
export function makePeople(random: Random, { collections }: Pick<SeedSize, "collections">): People {
  const named = (kind: string, count: number) =>
    Array.from({ length: count }, (_, at) => ({
      id: random.uuid(),
      name: `${kind}-${at + 1}`,
      entityId: random.uuid(),
    }));
  return {
    persons: named("user", Math.max(10, Math.ceil(collections / 10))),
    teams: named("team", Math.max(3, Math.ceil(collections / 100))),
  };
}

export function* peopleRows(random: Random, people: People, size: SeedSize): Generator<Rows> {
  const { persons, teams } = people;
  const since = size.now - 1000 * DAY;
  const columns = ["id", "username", "created_at", "is_team", "is_robot", "owner_user_id", "description"] as const;
  yield {
    table: "users",
    columns,
    rows: [
      ...persons.map(({ id, name }, at) => [id, name, since + at * 1000, 0, 0, null, ""]),
      ...teams.map(({ id, name }, at) => [id, name, since + at * 1000, 1, 0, null, `The people of ${name}`]),
      ...Array.from({ length: Math.max(3, Math.ceil(size.collections / 50)) }, (_, at) => {
        const owner = persons[at % 5 === 0 ? 0 : at % persons.length];
        return [random.uuid(), `robot-${at + 1}`, since + at * 1000, 0, 1, owner?.id ?? null, "Pushes every night"];
      }),
    ],
  };
  yield {
    table: "teams",
    columns: ["id", "joining"],
    rows: teams.map(({ id }, at) => [id, at % 3 === 2 ? "open" : "invitation"]),
  };
  yield {
    table: "team_members",
    columns: ["team_id", "user_id", "role", "created_at"],
    rows: teams.flatMap((team, at) => membersOf(random, persons, at).map(([id, role]) => [team.id, id, role, since])),
  };
  yield {
    table: "entities",
    columns: ["id", "name", "owner_user_id", "description", "created_at"],
    rows: [...persons, ...teams].map(({ id, name, entityId }) => [entityId, name, id, `Images of ${name}`, since]),
  };
}

/** Persons one after another from somewhere, so that nobody is there twice; the first is an owner. */
function membersOf(random: Random, persons: readonly Owner[], team: number): [string, "owner" | "member"][] {
  const count = Math.min(persons.length, team === 0 ? LARGE_TEAM : 3 + random.below(15));
  const first = team === 0 ? 0 : random.below(persons.length);
  return Array.from({ length: count }, (_, at) => {
    const person = persons[(first + at) % persons.length];
    return [person?.id ?? "", at === 0 ? "owner" : "member"];
  });
}
