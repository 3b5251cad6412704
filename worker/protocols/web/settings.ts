import type { Context } from "hono";
import * as z from "zod";
import type { AppEnv } from "../../http/request-context.ts";
import { limits } from "../../registry/limits.ts";
import {
  changeSetting,
  getSetting,
  listSettings,
  resetSetting,
  type SettingState,
} from "../../registry/site/manage-settings.ts";
import { operation, setETag, versionOf } from "./operation.ts";
import { timeOrNull } from "./present.ts";
import { settingSchema } from "./schemas.ts";

const named = z.object({ name: z.string() });

/** The registry's settings, for administrators. */
export const settingOperations = [
  operation(
    {
      id: "listSettings",
      method: "get",
      path: "/api/v1/settings",
      section: "settings",
      summary: "Every setting: what it means, what it is, and where that comes from",
      actor: "user",
      answer: z.object({ items: z.array(settingSchema) }).meta({ id: "Settings" }),
    },
    async ({ ctx, actor }) => ({ items: (await listSettings(ctx, actor)).map(present) }),
  ),
  operation(
    {
      id: "getSetting",
      method: "get",
      path: "/api/v1/settings/{name}",
      section: "settings",
      summary: "A setting",
      actor: "user",
      params: named,
      answer: settingSchema,
      hasETag: true,
      problems: ["not-found"],
    },
    async ({ c, ctx, actor, params }) => presentOne(c, await getSetting(ctx, actor, params.name)),
  ),
  operation(
    {
      id: "changeSetting",
      method: "put",
      path: "/api/v1/settings/{name}",
      section: "settings",
      summary: "Change a setting",
      about: "It counts everywhere within ten seconds.",
      actor: "user",
      params: named,
      body: z.object({ value: z.string().max(limits.settingLength) }).meta({ id: "SettingChange" }),
      answer: settingSchema,
      hasETag: true,
      needsIfMatch: true,
      problems: ["not-found", "setting-locked", "setting-invalid", "precondition-failed"],
    },
    async ({ c, ctx, actor, params, body, ifMatch }) =>
      presentOne(c, await changeSetting(ctx, actor, { ...params, ...body, version: versionOf(ifMatch) })),
  ),
  operation(
    {
      id: "resetSetting",
      method: "delete",
      path: "/api/v1/settings/{name}",
      section: "settings",
      summary: "Go back to a setting's default",
      actor: "user",
      params: named,
      answer: settingSchema,
      hasETag: true,
      needsIfMatch: true,
      problems: ["not-found", "setting-locked", "precondition-failed"],
    },
    async ({ c, ctx, actor, params, ifMatch }) =>
      presentOne(c, await resetSetting(ctx, actor, { ...params, version: versionOf(ifMatch) })),
  ),
];

function presentOne(c: Context<AppEnv>, setting: SettingState) {
  setETag(c, setting.version);
  return present(setting);
}

function present({ version: _, updatedAt, ...setting }: SettingState) {
  return { ...setting, updatedAt: timeOrNull(updatedAt) };
}
