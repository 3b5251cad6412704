import { Hono } from "hono";
import { type AppEnv, withActor, withContext } from "../../http/request-context.ts";
import { RegistryError } from "../../registry/errors.ts";
import { account } from "./account.ts";
import { catalog } from "./catalog.ts";
import { discovery } from "./discovery.ts";
import { onLibraryError } from "./errors.ts";
import { images } from "./images.ts";

/** The library protocol: what `apptainer push, pull, search, delete library://` and `remote` speak. */
export const library = new Hono<AppEnv>();

library.onError(onLibraryError);

// These two answer before anybody is asked who they are.
library.route("/", discovery);
library.route("/", account);

for (const path of ["/v1/*", "/v2/imagefile/*", "/v2/tags/*"]) library.use(path, withContext, withActor);
library.route("/", catalog);
library.route("/", images);

/**
 * Everything else here is not found, in the protocol's form. That includes `v1/oci-redirect`,
 * which makes the clients use the library protocol, and the key service's addresses until there is one.
 */
library.all("/pks/*", () => {
  throw new RegistryError("no-such-route", "This registry keeps no public keys yet.");
});
library.all("*", () => {
  throw new RegistryError("no-such-route");
});
