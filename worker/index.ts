import { app } from "./app.ts";
import { createContext } from "./create-context.ts";
import { type Env, settingsOf } from "./env.ts";
import { runUpkeep } from "./registry/upkeep/run-upkeep.ts";

export { RateLimiter } from "./durable/rate-limiter.ts";

export default {
  fetch: app.fetch,
  async scheduled(_event, env, execution) {
    const parsed = settingsOf(env);
    if (parsed.ok) await runUpkeep(createContext(env, parsed.settings, null, execution));
  },
} satisfies ExportedHandler<Env>;
