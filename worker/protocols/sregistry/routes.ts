import { Hono } from "hono";
import type { AppEnv } from "../../http/request-context.ts";
import { RegistryError } from "../../registry/errors.ts";
import { catalog } from "./catalog.ts";
import { containers } from "./containers.ts";
import { onSregistryError } from "./errors.ts";
import { labels } from "./labels.ts";
import { pushes } from "./push.ts";

/**
 * sregistry's own REST API: what `sregistry push, pull, search, delete` speak, and `pull shub://`, which the
 * original answers at the same address.
 */
export const sregistry = new Hono<AppEnv>();

sregistry.onError(onSregistryError);

// The searches stand below `/api/container/`: they come before whatever takes the rest of it.
sregistry.route("/", catalog);
sregistry.route("/", labels);
sregistry.route("/", containers);
sregistry.route("/", pushes);

sregistry.all("*", () => {
  throw new RegistryError("no-such-route");
});
