import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { validate } from "@apidevtools/swagger-parser";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { openApiDocument } from "../../scripts/generate/openapi.ts";
import { usualStatus } from "../../worker/http/respond.ts";
import { operations } from "../../worker/protocols/web/api.ts";
import { sections } from "../../worker/protocols/web/sections.ts";
import { limits } from "../../worker/registry/limits.ts";

const document = openApiDocument();
const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, path, operation })),
);

describe("the JSON API's document", () => {
  it("is OpenAPI 3.1, and every reference in it leads somewhere", async () => {
    await expect(validate(structuredClone(document) as never)).resolves.toBeDefined();
  });

  it("has schemas that are JSON Schema 2020-12, each of which is used", () => {
    const ajv = new Ajv2020({
      strict: true,
      allowUnionTypes: true,
      formats: { uri: true, uuid: true, "date-time": true },
    });
    const text = JSON.stringify(document);
    for (const [name, schema] of Object.entries(document.components.schemas)) {
      expect(ajv.validateSchema(schema), name).toBe(true);
      expect(text, name).toContain(`"#/components/schemas/${name}"`);
    }
  });

  it("has every operation once, under a name and an address of its own", () => {
    expect(documented).toHaveLength(operations.length);
    expect(new Set(documented.map(({ operation }) => operation.operationId)).size).toBe(operations.length);
  });

  it("says of every section what it is about, and has no empty one", () => {
    const used = new Set(documented.flatMap(({ operation }) => operation.tags));
    expect([...used].sort()).toEqual(Object.keys(sections).sort());
  });

  it("allows as many days of statistics as the registry answers, and says what a search must have", () => {
    const parameters = documented.flatMap(({ operation }) => operation.parameters);
    const days = parameters.filter(({ name, in: where }) => name === "days" && where === "query");
    expect(days).toHaveLength(2);
    for (const { schema } of days) {
      const allowed = Array.from({ length: 1000 }, (_, number) => number).filter((number) =>
        new RegExp(String(schema.pattern)).test(String(number)),
      );
      expect(allowed).toEqual(Array.from({ length: limits.statisticsDays }, (_, index) => index + 1));
    }
    const search = documented.find(({ name }) => name === "GET /api/v1/search")?.operation;
    expect(search?.parameters.find(({ name }) => name === "q")).toMatchObject({ required: true });
  });

  it.each(documented)(
    "$name: names each of its path's parameters, what it may answer, and how that fails",
    ({ path, operation }) => {
      const inPath = operation.parameters.filter((parameter) => parameter.in === "path").map(({ name }) => name);
      expect([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)).toEqual(inPath);
      const statuses = Object.keys(operation.responses).map(Number);
      expect(statuses.filter((status) => status < 300)).toHaveLength(hasPreview(operation.parameters) ? 2 : 1);
      for (const [status, response] of Object.entries(operation.responses)) {
        if (Number(status) < 400) continue;
        const codes = response["x-codes"] as (keyof typeof usualStatus)[];
        expect(codes.map((code) => usualStatus[code])).toEqual(codes.map(() => Number(status)));
        expect(Object.keys(response.content as object)).toEqual(["application/problem+json"]);
      }
      expect(statuses.includes(401)).toBe(operation.security.length > 0);
    },
  );

  it("asks for the state that an edit changes, wherever one can be lost, and says which state that is", () => {
    for (const { description } of operations) {
      if (description.method === "patch") expect(description.needsIfMatch, description.id).toBe(true);
      if (description.needsIfMatch !== true) continue;
      const reads = operations.some(({ description: other }) => {
        return other.method === "get" && other.hasETag === true && isOf(other.path, description.path);
      });
      expect(reads, description.id).toBe(true);
    }
  });

  it("shows first what every operation would take along that destroys more than what it names", () => {
    const named = ({ preview, id }: { preview?: unknown; id: string }) => (preview === undefined ? [] : [id]);
    const shown = operations.flatMap(({ description }) => named(description));
    // Neither deletes anything by its method, and both end what others rely on. Taking what is offered moves what its
    // giver was shown, and tells its receiver nothing of what is in it.
    expect(shown).toEqual(expect.arrayContaining(["handOverCollection", "giveEntity"]));
    const deletions = operations.filter(({ description: { method } }) => method === "delete");
    const unseen = deletions.map(({ description }) => description.id).filter((id) => !shown.includes(id));
    expect(unseen.sort()).toEqual(Object.keys(endsOnlyItself).sort());
  });

  it("lets no `*` stand for what a preview shows", () => {
    for (const { operation } of documented.filter(({ operation: { parameters } }) => hasPreview(parameters))) {
      const [ifMatch] = operation.parameters.filter(({ name }) => name === "If-Match");
      expect(ifMatch, operation.operationId).toMatchObject({
        required: false,
        description: expect.stringContaining("preview"),
      });
      expect(Object.keys(operation.responses), operation.operationId).toEqual(expect.arrayContaining(["412", "428"]));
    }
  });

  it("is small enough to be read at once", () => {
    expect(readFileSync(resolve(import.meta.dirname, "../../docs/openapi.json")).length).toBeLessThan(1024 ** 2);
  });
});

/** Deletions without a preview, and why they need none: each ends what it names, and nothing that is told of elsewhere. */
const endsOnlyItself: Readonly<Record<string, string>> = {
  endSession: "signs one browser out",
  endSessions: "signs browsers out",
  unlinkIdentity: "one way to sign in; the last one stays",
  revokeToken: "one credential",
  revokeRobotToken: "one credential",
  revokeSregistryKey: "one credential",
  endCredentials: "for an account in wrong hands: it must wait for nothing, and its name says all that it ends",
  removePublisher: "one rule; its tokens live for an hour and push what can be pushed again",
  revokeShare: "one link",
  endInvitation: "one link that nobody has used",
  cancelUploadInto: "one upload that is not published, which can be begun again",
  removeTeamPicture: "one picture, which everybody sees",
  removeTeamMember: "one place, which can be given back: what they made counts again then, but for unused invitations",
  removePerson: "one role, which can be given back: what they made counts again then",
  cancelUpload: "one's own bytes, which were no image yet",
  resetSetting: "one value, which its ETag names",
  withdrawHandOver: "one offer, which can be made again",
  declineHandOver: "one offer, which can be made again",
  unstarCollection: "one's own star",
  removeTopic: "one word",
};

function hasPreview(parameters: readonly { name: string }[]): boolean {
  return parameters.some(({ name }) => name === "preview");
}

/** Whether reading an address shows the state that an edit there changes. */
function isOf(read: string, edited: string): boolean {
  return read === edited || read.startsWith(`${edited}/`);
}
