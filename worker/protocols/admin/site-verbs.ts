import * as z from "zod";
import { RegistryError } from "../../registry/errors.ts";
import { listInspections, runInspection } from "../../registry/inspect/run-inspection.ts";
import { limits } from "../../registry/limits.ts";
import { rebuildSearch } from "../../registry/search/rebuild-search.ts";
import { changeSetting, listSettings, resetSetting } from "../../registry/site/manage-settings.ts";
import { checkIntegrity } from "../../registry/upkeep/check-integrity.ts";
import { listAudit } from "../../registry/upkeep/list-audit.ts";
import { checkBlob, listBlobs } from "../../registry/upkeep/verify-blobs.ts";
import { after, type Verb, verb } from "./arguments.ts";

const settingName = z.string().max(limits.nameLength);
/** A day, or a moment in UTC. */
const moment = z
  .union([z.iso.date(), z.iso.datetime({ offset: true })])
  .transform((text) => Date.parse(text))
  .optional();

/** The registry as a whole: its settings, its log, and whether what it stores is in order. */
export const siteVerbs = {
  "list-blobs": verb(z.object({ after }), (ctx, actor, args) => listBlobs(ctx, actor, args.after ?? null)),
  "verify-blob": verb(z.object({ digest: z.string() }), (ctx, actor, args) => checkBlob(ctx, actor, args.digest)),
  "list-inspections": verb(z.object({ after }), (ctx, actor, args) => listInspections(ctx, actor, args.after ?? null)),
  "inspect-image": verb(z.object({ id: z.string().max(limits.referenceLength) }), (ctx, actor, args) =>
    runInspection(ctx, actor, args.id),
  ),
  "rebuild-search": verb(z.object({ after }), (ctx, actor, args) => rebuildSearch(ctx, actor, args.after ?? null)),
  "list-audit": verb(
    z.object({
      after,
      actor: z.string().max(limits.referenceLength).optional(),
      action: z.string().max(limits.referenceLength).optional(),
      target: z.string().max(limits.referenceLength).optional(),
      since: moment,
      until: moment,
    }),
    async (ctx, actor, { after: given, ...filter }) => {
      const { items, next } = await listAudit(ctx, actor, given ?? null, filter);
      return { items: items.map((entry) => ({ ...entry, at: new Date(entry.at).toISOString() })), next };
    },
  ),
  "show-settings": verb(z.object({ name: settingName.optional() }), async (ctx, actor, args) => {
    const all = await listSettings(ctx, actor);
    const items = all.filter(({ name }) => args.name === undefined || name === args.name);
    if (items.length === 0) throw new RegistryError("not-found", "There is no such setting.");
    return { items: items.map(({ name, value, source, isSet }) => ({ name, value, source, isSet })) };
  }),
  // At the command line nobody has looked first: what is there is changed, whatever it is.
  "set-setting": verb(
    z.object({ name: settingName, value: z.string().max(limits.settingLength) }),
    async (ctx, actor, args) => {
      await changeSetting(ctx, actor, { ...args, version: null });
    },
  ),
  "reset-setting": verb(z.object({ name: settingName }), async (ctx, actor, args) => {
    await resetSetting(ctx, actor, { ...args, version: null });
  }),
  "check-integrity": verb(z.object({ after }), (ctx, actor, args) => checkIntegrity(ctx, actor, args.after ?? null)),
} as const satisfies Readonly<Record<string, Verb>>;
