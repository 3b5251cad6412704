import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

/** What a local registry keeps beside its data: its secrets, and where it is running. */

export const DEFAULT_DATA = ".data";

export interface LocalSecrets {
  SIGNING_SECRET: string;
  SEALING_SECRET: string;
  ADMIN_SECRET: string;
}

export interface RunningServer {
  url: string;
  pid: number;
}

export function newSecret(): string {
  return randomBytes(32).toString("base64url");
}

/** All secrets of a registry, new ones. */
export function newSecrets(): LocalSecrets {
  return { SIGNING_SECRET: newSecret(), SEALING_SECRET: newSecret(), ADMIN_SECRET: newSecret() };
}

/** Reads the secrets of a data folder; creates those that are not there yet, readable by their owner only. */
export function loadSecrets(data: string): LocalSecrets {
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const there = readSecrets(data);
  const secrets: LocalSecrets = { ...newSecrets(), ...there };
  const isComplete = there !== null && Object.keys(secrets).every((name) => Object.hasOwn(there, name));
  if (!isComplete) {
    const next = `${secretsFile(data)}.${process.pid}`;
    writeFileSync(next, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600, flag: "wx" });
    renameSync(next, secretsFile(data));
  }
  return secrets;
}

/** The secrets of a data folder, if a registry was ever started on it. */
export function readSecrets(data: string): Partial<LocalSecrets> | null {
  const file = secretsFile(data);
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Partial<LocalSecrets>) : null;
}

const secretsFile = (data: string) => join(data, "secrets.json");

const serverFile = (data: string) => join(data, "server.json");

export function noteServer(data: string, server: RunningServer): void {
  writeFileSync(serverFile(data), JSON.stringify(server));
}

export function forgetServer(data: string): void {
  rmSync(serverFile(data), { force: true });
}

/** The server that runs on a data folder, if one does. */
export function findServer(data: string): RunningServer | null {
  const file = serverFile(resolve(data));
  if (!existsSync(file)) return null;
  const server = JSON.parse(readFileSync(file, "utf8")) as RunningServer;
  return isAlive(server.pid) ? server : null;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
