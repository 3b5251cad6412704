import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { newToken } from "../../worker/access/credentials.ts";
import { invitationOperations } from "../../worker/protocols/web/invitations.ts";
import { teamMemberOperations } from "../../worker/protocols/web/team-members.ts";
import { teamOperations } from "../../worker/protocols/web/teams.ts";
import { limits } from "../../worker/registry/limits.ts";
import { makeSif } from "../support/make-sif.ts";
import { type Ask, ask, newPerson, newTokenFor, type Person, push, uniqueName } from "../support/worker/registry.ts";
import { newSession } from "../support/worker/session.ts";
import { bring, codeOf, invite, newTeam } from "../support/worker/teams.ts";

/*
 * What every operation on teams must withstand, whatever it does.
 */

const operations = [...teamOperations, ...teamMemberOperations, ...invitationOperations].map((one) => one.description);

let alice: Person;
let bob: Person;
let team: string;
let invitation: { id: string; secret: string };
let narrow: string;
let ended: string;

beforeAll(async () => {
  [alice, bob] = [await newPerson("alice"), await newPerson("bob")];
  team = (await newTeam(alice)).name;
  await bring(alice, team, [bob]);
  invitation = await invite(alice, team);
  const path = { entity: alice.username, name: uniqueName("narrow") };
  await push(alice.token, `${path.entity}/${path.name}/app:v1`, makeSif({ salt: path.name }));
  narrow = await newTokenFor(alice.username, { collection: path });
  ended = await newTokenFor(alice.username);
  await env.DB.prepare("UPDATE tokens SET revoked_at = 1 WHERE hint = ?").bind(ended.slice(-6)).run();
});

type Described = (typeof operations)[number];

function urlOf({ path }: Described, of = team): string {
  return path.replace("{team}", of).replace("{username}", bob.username).replace("{id}", invitation.id);
}

/** What each operation takes, for the team's owner. */
const bodies: Record<string, Ask["body"]> = {
  addTeam: { name: "not-made" },
  editTeam: { description: "not changed" },
  setTeamMember: { role: "owner" },
  makeInvitation: {},
  showInvitation: { secret: "not one" },
  acceptInvitation: { secret: "not one" },
};

const asked = ({ id, method }: Described, options: Ask): Ask => ({
  method: method.toUpperCase(),
  body: bodies[id] ?? null,
  ...options,
  // Of a deletion nobody has seen the preview: it comes after the question whose team it is.
  headers: { "If-Match": id === "deleteTeam" ? '"0"' : "*", ...options.headers },
});

async function state(): Promise<unknown> {
  const tables = ["users", "teams", "team_members", "invitations", "entities"];
  const found = await env.DB.batch(tables.map((table) => env.DB.prepare(`SELECT * FROM ${table} ORDER BY 1, 2`)));
  return found.map(({ results }) => results);
}

/** A test where it applies; what does not is none that was skipped. */
function itWhere(applies: boolean): (name: string, test: () => Promise<void>) => void {
  return (name, test) => {
    if (applies) it(name, test);
  };
}

describe.each(operations.map((one) => [one.id, one] as const))("%s", (_, operation) => {
  const isWrite = operation.method !== "get";
  const isOfTeam = operation.path.includes("{team}");
  const carriesOut = async (options: Ask, of = team) =>
    codeOf(await ask(urlOf(operation, of), asked(operation, options)));

  it("is for nobody without a credential, nor with one that is none, or none any more", async () => {
    const before = await state();
    expect(await carriesOut({})).toEqual([401, "unauthenticated"]);
    for (const token of [newToken(), "nonsense", ended]) {
      expect(await carriesOut({ token })).toEqual([401, "invalid-credential"]);
    }
    expect(await state()).toEqual(before);
  });

  itWhere(isWrite)("is not carried out for another site, with the cookie of whoever visits it", async () => {
    const { headers } = await newSession(alice.username);
    const before = await state();
    const foreign = { headers: { ...headers, "Sec-Fetch-Site": "cross-site" } };
    expect(await carriesOut(foreign)).toEqual([403, "cross-site"]);
    expect(await state()).toEqual(before);
  });

  it("is not done with a token that is good for one collection alone", async () => {
    const before = await state();
    const [status] = await carriesOut({ token: narrow });
    expect([403, 404]).toContain(status);
    expect(await state()).toEqual(before);
  });

  itWhere(isWrite)("is not done with a token that may not manage", async () => {
    const weak = await newTokenFor(alice.username, { scopes: ["pull", "push"] });
    const before = await state();
    const [status, code] = await carriesOut({ token: weak });
    expect([status, code === "insufficient-scope" || code === "session-required"]).toEqual([403, true]);
    expect(await state()).toEqual(before);
  });

  itWhere(isOfTeam)(
    "finds no user, robot or entity under a team's name, and no team under a name of none",
    async () => {
      const { headers } = await newSession(alice.username);
      for (const name of [alice.username, uniqueName("nobody"), "..%2f..", "%00", "x".repeat(80)]) {
        expect(await carriesOut({ headers }, name), name).toEqual([404, "not-found"]);
      }
    },
  );

  itWhere(bodies[operation.id] !== undefined)("takes no body that is none, or too large", async () => {
    const { headers } = await newSession(alice.username);
    const before = await state();
    for (const body of ["", "{", "[]", '"text"', "5"]) {
      expect(await carriesOut({ headers, body }), body).toEqual([400, "body-invalid"]);
    }
    const body = `{"x":"${"x".repeat(limits.jsonBodyBytes)}"}`;
    expect(await carriesOut({ headers, body })).toEqual([413, "body-too-large"]);
    expect(await state()).toEqual(before);
  });
});

describe("what only a team's owners may do", () => {
  const forOwners = operations.filter(({ id }) =>
    ["editTeam", "deleteTeam", "setTeamMember", "listInvitations", "makeInvitation", "endInvitation"]
      .concat("setTeamPicture", "removeTeamPicture")
      .includes(id),
  );

  it.each(forOwners.map((one) => [one.id, one] as const))(
    "is refused to members and strangers alike: %s",
    async (_, one) => {
      const stranger = await newPerson("stranger");
      const before = await state();
      for (const { username } of [bob, stranger]) {
        const { headers } = await newSession(username);
        expect(await codeOf(await ask(urlOf(one), asked(one, { headers }))), username).toEqual([403, "forbidden"]);
      }
      expect(await state()).toEqual(before);
    },
  );
});
