import * as z from "zod";
import { listCandidates } from "../../registry/catalog/candidates.ts";
import { listPeople, removePerson, setPerson } from "../../registry/catalog/people.ts";
import { limits } from "../../registry/limits.ts";
import { afterQuery, operation, pageSchema } from "./operation.ts";
import { collectionRole } from "./schemas.ts";

const ofCollection = z.object({ entity: z.string(), collection: z.string() });
const ofPerson = ofCollection.extend({ kind: z.enum(["users", "teams"]), name: z.string() });
const kind = z.enum(["user", "robot", "team"]);

const personSchema = z
  .object({
    name: z.string(),
    kind,
    role: collectionRole,
    reason: z.string().describe("Such as `owner of the entity`, or `contributor through team imaging`."),
    isGranted: z.boolean().describe("Whether it was given here; what comes with the entity cannot be changed here."),
    isDisabled: z.boolean(),
  })
  .meta({ id: "PersonOfCollection" });

/** Who may do what in a collection. */
export const peopleOperations = [
  operation(
    {
      id: "listPeople",
      method: "get",
      path: "/api/v1/collections/{entity}/{collection}/people",
      section: "people",
      summary: "Everybody with a right in a collection, and why, for whoever has one",
      about:
        "The entity's owner and their team first. Who has several rights is there several times; the highest counts. A team that was given a role stands here as a team, and its people do not.",
      actor: "user",
      params: ofCollection,
      answer: z.object({ items: z.array(personSchema) }).meta({ id: "PeopleOfCollection" }),
      problems: ["not-found"],
    },
    async ({ ctx, actor, params }) => ({ items: await listPeople(ctx, actor, pathOf(params)) }),
  ),
  operation(
    {
      id: "listCandidates",
      method: "get",
      path: "/api/v1/collections/{entity}/{collection}/candidates",
      section: "people",
      summary: "Those whom you may give a role in a collection, and who have none",
      about:
        "For its owners. With `PEOPLE_FROM_TEAMS`: your teams, their people and those of the team that owns it, and robots of all of these. Without it, and for administrators: everybody, by the first two letters of their name or more. Not for a token for one collection.",
      actor: "user",
      params: ofCollection,
      query: afterQuery.extend({
        q: z.string().max(limits.nameLength).optional().describe("What their names begin with."),
      }),
      answer: pageSchema(z.object({ name: z.string(), kind })).meta({ id: "CandidatePage" }),
      problems: ["not-found"],
    },
    ({ ctx, actor, params, query: { q, after } }) =>
      listCandidates(ctx, actor, pathOf(params), { beginning: q ?? "", after: after ?? null }),
  ),
  operation(
    {
      id: "setPerson",
      method: "put",
      path: "/api/v1/collections/{entity}/{collection}/people/{kind}/{name}",
      section: "people",
      summary: "Give a user, a robot or a team a role in a collection, or another one",
      about: "For its owners, and administrators. Robots are users here.",
      actor: "user",
      params: ofPerson,
      body: z.object({ role: collectionRole }).meta({ id: "NewRole" }),
      problems: ["not-found", "people-from-teams", "already-so", "limit-reached", "conflict"],
    },
    ({ ctx, actor, params, body }) => setPerson(ctx, actor, pathOf(params), granteeOf(params), body.role),
  ),
  operation(
    {
      id: "removePerson",
      method: "delete",
      path: "/api/v1/collections/{entity}/{collection}/people/{kind}/{name}",
      section: "people",
      summary: "Take that role away",
      actor: "user",
      params: ofPerson,
      problems: ["not-found", "conflict"],
    },
    ({ ctx, actor, params }) => removePerson(ctx, actor, pathOf(params), granteeOf(params)),
  ),
];

function pathOf({ entity, collection }: { entity: string; collection: string }) {
  return { entity, name: collection };
}

function granteeOf({ kind, name }: z.output<typeof ofPerson>) {
  return { kind: kind === "teams" ? ("team" as const) : ("user" as const), name };
}
