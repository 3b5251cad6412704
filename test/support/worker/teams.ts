import { env } from "cloudflare:workers";
import { ask, askJson, type Person, uniqueName } from "./registry.ts";
import { newSession } from "./session.ts";

export interface Team {
  name: string;
  description: string;
  joining: "open" | "invitation";
  picture: string | null;
  role: "owner" | "member" | null;
  createdAt: string;
}

/** A team whose owner this person is. */
export async function newTeam(
  owner: Person,
  fields: { name?: string; description?: string; joining?: Team["joining"] } = {},
): Promise<Team> {
  const body = { name: uniqueName("team"), ...fields };
  return await askJson<Team>("/api/v1/teams", { method: "POST", token: owner.token, body });
}

/** A link into a team, made by one of its owners. */
export async function invite(
  owner: Person,
  team: string,
  fields: { role?: "owner" | "member"; note?: string; days?: number } = {},
): Promise<{ id: string; secret: string }> {
  const { headers } = await newSession(owner.username);
  const made = await askJson<{ id: string; link: string }>(`/api/v1/teams/${team}/invitations`, {
    method: "POST",
    headers,
    body: fields,
  });
  return { id: made.id, secret: new URL(made.link).hash.slice(1) };
}

/** What a browser in which somebody is signed in is answered when it uses an invitation. */
export async function accept(by: Person, secret: string): Promise<Response> {
  const { headers } = await newSession(by.username);
  return await ask("/api/v1/invitations/acceptance", { method: "POST", headers, body: { secret } });
}

/** Brings people into a team, as whatever they are to be. */
export async function bring(
  owner: Person,
  team: string,
  people: readonly Person[],
  role: "owner" | "member" = "member",
) {
  for (const person of people) {
    const { secret } = await invite(owner, team, { role });
    const answer = await accept(person, secret);
    if (answer.status !== 200) throw new Error(`${answer.status} ${await answer.text()}`);
  }
}

/** A refusal's status and code; of the library protocol's, which has none, only the status. */
export async function codeOf(answer: Response): Promise<[number, string | undefined]> {
  const { code } = (await answer.json()) as { code?: string };
  return [answer.status, code];
}

/** A team with an entity of its name, whose people are given by their usernames. Made in the database, past the API. */
export async function teamOf(
  stem: string,
  people: { owners?: string[]; members?: string[]; joining?: "open" | "invitation" } = {},
): Promise<string> {
  const name = uniqueName(stem);
  const id = crypto.randomUUID();
  const join = (username: string, role: string) =>
    env.DB.prepare("INSERT INTO team_members SELECT ?, id, ?, 1 FROM users WHERE username = ?").bind(
      id,
      role,
      username,
    );
  await env.DB.batch([
    env.DB.prepare("INSERT INTO users (id, username, is_team, created_at) VALUES (?, ?, 1, 1)").bind(id, name),
    env.DB.prepare("INSERT INTO teams (id, joining) VALUES (?, ?)").bind(id, people.joining ?? "invitation"),
    env.DB.prepare("INSERT INTO entities (id, name, owner_user_id, created_at) VALUES (?, ?, ?, 1)").bind(
      crypto.randomUUID(),
      name,
      id,
    ),
    ...(people.owners ?? []).map((username) => join(username, "owner")),
    ...(people.members ?? []).map((username) => join(username, "member")),
  ]);
  return name;
}

/** Takes somebody out of a team. */
export async function leaveTeam(team: string, username: string): Promise<void> {
  await env.DB.prepare(
    `DELETE FROM team_members WHERE team_id = (SELECT id FROM users WHERE username = ?)
     AND user_id = (SELECT id FROM users WHERE username = ?)`,
  )
    .bind(team, username)
    .run();
}

/** A robot of a person, who need be no administrator, or of a team. */
export async function newRobotOf(owner: string): Promise<string> {
  const name = uniqueName("robot");
  await env.DB.prepare(
    `INSERT INTO users (id, username, is_robot, owner_user_id, created_at)
     SELECT ?, ?, 1, id, 1 FROM users WHERE username = ?`,
  )
    .bind(crypto.randomUUID(), name, owner)
    .run();
  return name;
}
