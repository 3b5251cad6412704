import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import * as z from "zod";

/** What of a deployment is kept on this machine, because Cloudflare gives no secret back. */

const keptSchema = z.looseObject({
  /** `npm run admin -- --url …` reads it. */
  ADMIN_SECRET: z.string().optional(),
  /** Becomes SIGNING_SECRET_PREVIOUS when the secret is changed. */
  SIGNING_SECRET: z.string().optional(),
  /** Becomes SEALING_SECRET_PREVIOUS when the secret is changed. */
  SEALING_SECRET: z.string().optional(),
  /** As it was last given, for the lines to paste. */
  PUBLIC_ORIGIN: z.string().optional(),
});

export type Kept = z.output<typeof keptSchema>;

export type SecretName = "SIGNING_SECRET" | "SEALING_SECRET" | "ADMIN_SECRET";

export type Secrets = Partial<Record<SecretName, string>>;

export function readKept(file: string): Kept {
  if (!existsSync(file)) return {};
  try {
    return keptSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    // The reason is not repeated: JSON.parse quotes what it could not read, and that may be a secret.
    throw new Error(
      `${file} is not what npm run deploy writes. Move it away to have new secrets made where none is set.`,
    );
  }
}

/** Adds to what is kept. The file is its owner's alone, and is never there half written. */
export function keep(file: string, additions: Kept): void {
  const folder = dirname(file);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  const next = `${file}.${process.pid}`;
  try {
    writeFileSync(next, `${JSON.stringify({ ...readKept(file), ...additions }, null, 2)}\n`, {
      mode: 0o600,
      flag: "wx",
    });
    renameSync(next, file);
  } finally {
    rmSync(next, { force: true });
  }
}

/** Lends secrets as a file that only its owner can read, and that is gone afterwards whatever happens. */
export async function withSecretsFile<Result>(
  secrets: Secrets,
  use: (file: string) => Promise<Result>,
): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), "sregistry-deploy-"));
  try {
    const file = join(folder, "secrets.json");
    writeFileSync(file, JSON.stringify(secrets), { mode: 0o600, flag: "wx" });
    return await use(file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
