import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { parse } from "smol-toml";
import * as z from "zod";

const databaseSchema = z.looseObject({
  binding: z.string(),
  database_name: z.string(),
  migrations_dir: z.string(),
});

const configurationSchema = z.looseObject({
  name: z.string(),
  main: z.string(),
  vars: z.record(z.string(), z.unknown()).default({}),
  assets: z.looseObject({ directory: z.string() }),
  // The registry's own, and the search index.
  d1_databases: z.array(databaseSchema).length(2),
  r2_buckets: z.tuple([z.looseObject({ bucket_name: z.string() })]),
});

/** What wrangler.toml says: one Worker with its databases and one bucket. */
export type Configuration = z.output<typeof configurationSchema>;

export function readConfiguration(root: string): Configuration {
  const parsed = configurationSchema.safeParse(parse(readFileSync(join(root, "wrangler.toml"), "utf8")));
  if (!parsed.success) throw new Error(`wrangler.toml cannot be deployed:\n${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

/** What a deployment adds to wrangler.toml. */
export interface Additions {
  /** The databases' ids, by name. */
  databaseIds: ReadonlyMap<string, string>;
  /** Settings by name, none of them secret: they can be read in the file and on Cloudflare's dashboard. */
  variables: Readonly<Record<string, string>>;
}

/** Writes a copy of the configuration that can be deployed from where it lies. */
export function writeConfiguration(root: string, file: string, configuration: Configuration, additions: Additions) {
  // wrangler reads a path in its configuration from the configuration's own folder.
  const fromFile = (path: string) => relative(dirname(file), join(root, path));
  const copy: Configuration = {
    ...configuration,
    main: fromFile(configuration.main),
    vars: { ...configuration.vars, ...additions.variables },
    assets: { ...configuration.assets, directory: fromFile(configuration.assets.directory) },
    d1_databases: configuration.d1_databases.map((database) => ({
      ...database,
      database_id: additions.databaseIds.get(database.database_name),
      migrations_dir: fromFile(database.migrations_dir),
    })),
  };
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(
    file,
    `// Written by npm run deploy from wrangler.toml, each time anew.\n${JSON.stringify(copy, null, 2)}\n`,
  );
}
