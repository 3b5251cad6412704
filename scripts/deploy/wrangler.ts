import { spawn } from "node:child_process";
import { constants } from "node:os";
import { stripVTControlCharacters } from "node:util";

export interface WranglerResult {
  status: number;
  stdout: string;
  stderr: string;
}

export interface WranglerOptions {
  /** Texts that must not come out, should wrangler repeat them. */
  secrets?: readonly string[];
}

/** Runs one wrangler command to its end. It has no terminal, so it never asks back: it takes its defaults or fails. */
export type Wrangler = (args: readonly string[], options?: WranglerOptions) => Promise<WranglerResult>;

/** The wrangler found on PATH, run in a folder. The signal stops the command under way. */
export function wranglerIn(folder: string, signal: AbortSignal): Wrangler {
  return (args, { secrets = [] } = {}) =>
    new Promise((resolve, reject) => {
      const child = spawn("wrangler", args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"], signal });
      const texts = { stdout: "", stderr: "" };
      for (const stream of ["stdout", "stderr"] as const) {
        child[stream].setEncoding("utf8").on("data", (text: string) => {
          texts[stream] += text;
        });
      }
      child.on("error", (error) => reject(signal.aborted ? new Error("It was interrupted.") : error));
      child.on("close", (code, killedBy) => {
        const status = code ?? 128 + (killedBy === null ? 0 : constants.signals[killedBy]);
        const { stdout, stderr } = texts;
        resolve({ status, stdout: readable(stdout, secrets), stderr: readable(stderr, secrets) });
      });
    });
}

/** A command that ended with another status than 0, with its own words. */
export class WranglerFailure extends Error {
  constructor(args: readonly string[], result: WranglerResult) {
    const words = [result.stdout, result.stderr].map((text) => text.trim()).filter((text) => text !== "");
    super(`\`${commandLine(args)}\` ended with status ${result.status} and said:\n\n${words.join("\n\n")}`);
  }
}

/** A command as one could paste it into a shell. */
export function commandLine(args: readonly string[]): string {
  const quoted = args.map((arg) => (/^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", `'\\''`)}'`));
  return ["wrangler", ...quoted].join(" ");
}

/** wrangler colours what it says even where nobody sees colours. */
function readable(text: string, secrets: readonly string[]): string {
  return secrets.reduce((shown, secret) => shown.replaceAll(secret, "(hidden)"), stripVTControlCharacters(text));
}
