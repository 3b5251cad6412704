import { readdirSync, readFileSync, realpathSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** A workerd that has a data folder open. */
export interface Runtime {
  pid: number;
  /** Its server is gone, as after `kill -9`. workerd does not notice that by itself: it serves on. */
  isOrphan: boolean;
}

/** Which server started a workerd, and on what data, stands in its environment. */
const MARK = "SREGISTRY_EDGE_SERVER";

/** What goes into the environment of the workerd that this process starts on a data folder. */
export function markFor(data: string): Record<string, string> {
  return { [MARK]: `${process.pid} ${realpathSync(data)}` };
}

/** Finds none where there is no /proc. */
export function runtimesOn(data: string): Runtime[] {
  const folder = realpathSync(data);
  return processIds().flatMap((pid) => {
    const { server, marked, parent } = readProcess(pid) ?? {};
    return marked === folder ? [{ pid, isOrphan: parent !== server }] : [];
  });
}

/** Lets runtimes finish what they are doing, as workerd does on SIGTERM, but not for longer than the time given. */
export async function endRuntimes(runtimes: readonly Runtime[], withinMs: number): Promise<void> {
  const running = () => runtimes.filter(({ pid }) => readProcess(pid) !== null);
  for (const { pid } of running()) end(pid, "SIGTERM");
  const deadline = Date.now() + withinMs;
  while (running().length > 0 && Date.now() < deadline) await sleep(20);
  for (const { pid } of running()) end(pid, "SIGKILL");
}

function end(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended by itself.
  }
}

function processIds(): number[] {
  try {
    const entries = readdirSync("/proc").filter((entry) => /^\d+$/.test(entry));
    return entries.map(Number);
  } catch {
    return [];
  }
}

/** Null for any process that bears no mark; one that has ended and is not buried yet shows none. */
function readProcess(pid: number): { server: number; marked: string; parent: number } | null {
  try {
    const variables = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
    const mark = variables.find((variable) => variable.startsWith(`${MARK}=`))?.slice(MARK.length + 1) ?? "";
    const [, server, marked] = /^(\d+) (.+)$/s.exec(mark) ?? [];
    const [, parent] = /^PPid:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return marked === undefined ? null : { server: Number(server), marked, parent: Number(parent) };
  } catch {
    // Another user's, or it ended meanwhile.
    return null;
  }
}
