import { compile, type JSONSchema } from "json-schema-to-typescript";
import type { DocumentedOperation, Parameter, Schema } from "./api-document.ts";
import { openApiDocument } from "./openapi.ts";

/*
 * The pages' types of the JSON API, from its document: an interface for each named schema, and one that tells for
 * each operation what goes in and what comes out.
 */

/** `ui/api/schema.d.ts`. */
export async function renderApiTypes(): Promise<string> {
  const { paths, components } = openApiDocument();
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(
      ([method, operation]) => [`${method.toUpperCase()} ${path}`, typeOf(operation)] as const,
    ),
  );
  const root = {
    title: "Operations",
    description: "Every operation by method and path: what it takes, and what it answers when it succeeds.",
    ...objectOf(Object.fromEntries(operations)),
    definitions: components.schemas,
  };
  const schema = JSON.parse(JSON.stringify(root).replaceAll("#/components/schemas/", "#/definitions/")) as JSONSchema;
  return await compile(schema, "Operations", {
    bannerComment: "/* Made by `npm run generate` from docs/openapi.json. */",
    additionalProperties: false,
    // Bounds that the server checks say nothing to a type.
    ignoreMinAndMaxItems: true,
    unreachableDefinitions: true,
    style: { printWidth: 120 },
  });
}

function typeOf({ parameters, requestBody, responses }: DocumentedOperation): Schema {
  // A preview's answer is 200 and the act's another one. Statuses come in their order.
  const [, success] = Object.entries(responses).findLast(([status]) => status.startsWith("2")) ?? [];
  const content = success?.content as { "application/json"?: { schema: Schema } } | undefined;
  return objectOf({
    path: fieldsOf(parameters.filter((parameter) => parameter.in === "path")),
    query: fieldsOf(parameters.filter((parameter) => parameter.in === "query")),
    body: requestBody?.content["application/json"]?.schema ?? { type: "null" },
    answer: content?.["application/json"]?.schema ?? { type: "null" },
    needsIfMatch: { const: parameters.some(({ name }) => name === "If-Match") },
  });
}

function fieldsOf(parameters: readonly Parameter[]): Schema {
  const properties = Object.fromEntries(parameters.map(({ name, schema }) => [name, schema]));
  return {
    type: "object",
    properties,
    required: parameters.filter(({ required }) => required).map(({ name }) => name),
  };
}

function objectOf(properties: Record<string, Schema>): Schema {
  return { type: "object", properties, required: Object.keys(properties) };
}
