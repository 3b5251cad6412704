import * as z from "zod";
import type { Actor } from "../../access/roles.ts";
import type { Context } from "../../context.ts";
import type { CollectionPath } from "../../registry/catalog/collections.ts";
import { RegistryError } from "../../registry/errors.ts";
import { limits } from "../../registry/limits.ts";
import { parseContainerPath, parseImageReference } from "../../registry/names.ts";

/*
 * What commands take, as the registry checks it: every value arrives as text or true. What the command line's help says
 * of it stands in `scripts/admin/commands.ts`.
 */

export type Verb = (ctx: Context, actor: Actor, args: unknown) => Promise<unknown>;

/** Parses a command's arguments before it runs. @throws `body-invalid`, saying which argument is wrong and why */
export function verb<Schema extends z.ZodType>(
  schema: Schema,
  run: (ctx: Context, actor: Actor, args: z.output<Schema>) => Promise<unknown>,
): Verb {
  return async (ctx, actor, args) => {
    const result = schema.safeParse(args);
    if (result.success) return await run(ctx, actor, result.data);
    const problems = result.error.issues.map(({ path, message }) => {
      const name = `--${path.join(".")}`;
      return /received undefined$/.test(message) ? `${name} is missing` : `${name}: ${message}`;
    });
    throw new RegistryError("body-invalid", problems.join("; "));
  };
}

export const username = z.string().max(limits.nameLength);
/** As it stands in a URI of the clients, or without its scheme. */
export const reference = z
  .string()
  .max(limits.referenceLength)
  .transform((text) => parseImageReference(text.replace(/^library:\/\//, "")));
export const arch = z.string().max(40).nullish();
export const after = z.string().max(limits.referenceLength).nullish();
export const collection = z
  .string()
  .max(limits.referenceLength)
  .transform((text, issues): CollectionPath => {
    const [entity, name, ...rest] = text.split("/");
    if (entity && name && rest.length === 0) return { entity, name };
    issues.addIssue({ code: "custom", message: "must be ENTITY/COLLECTION" });
    return z.NEVER;
  });
export const container = z
  .string()
  .max(limits.referenceLength)
  .transform((text, issues) => {
    const path = parseContainerPath(text);
    if (path !== null) return path;
    issues.addIssue({ code: "custom", message: "must be ENTITY/COLLECTION/CONTAINER" });
    return z.NEVER;
  });
