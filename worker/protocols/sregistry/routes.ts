import { Hono } from "hono";
import type { AppEnv } from "../../http/request-context.ts";
import { RegistryError } from "../../registry/errors.ts";
import { onSregistryError } from "./errors.ts";

/**
 * sregistry's own REST API: what `sregistry push, pull, search, delete` speak, and `pull shub://`, which the
 * original answers at the same address.
 */
export const sregistry = new Hono<AppEnv>();

sregistry.onError(onSregistryError);

sregistry.all("*", () => {
  throw new RegistryError("no-such-route");
});
