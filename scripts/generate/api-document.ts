/* What docs/openapi.json holds, as far as it is read again: for the types of the pages, and for tests. */

export type Schema = Record<string, unknown>;

export interface Parameter {
  name: string;
  in: "path" | "query" | "header";
  required: boolean;
  description?: string;
  schema: Schema;
}

export interface DocumentedOperation {
  operationId: string;
  tags: string[];
  summary: string;
  description?: string;
  security: Record<string, never[]>[];
  parameters: Parameter[];
  /** A file has its own media types instead. */
  requestBody?: { required: true; content: { "application/json"?: { schema: Schema } } };
  responses: Record<string, Schema>;
}

export interface ApiDocument {
  openapi: "3.1.0";
  info: Schema;
  servers: Schema[];
  tags: Schema[];
  paths: Record<string, Record<string, DocumentedOperation>>;
  components: { schemas: Record<string, Schema>; securitySchemes: Record<string, Schema> };
}
