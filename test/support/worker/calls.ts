import type { Env } from "../../../worker/env.ts";
import { environment } from "./registry.ts";

/*
 * Calls that leave the Worker, seen one by one: to D1 (a batch is one), to R2, and to Durable Objects.
 */

export interface Call {
  kind: "d1" | "r2" | "durable";
  /** Of a call to D1: the search index instead of the registry's database. */
  isSearch?: boolean;
  /** Such as `batch`, `put`, `uploadPart`, `run`. */
  name: string;
  /** The statements a call to D1 runs. */
  sql: string[];
  /** What each of them was bound to. */
  params?: unknown[][];
  /** What else it was given. */
  args: unknown[];
}

/** Is told of each call before it is made, and may make it wait or fail. */
export interface Watcher {
  before?: (call: Call) => Promise<void>;
  /** Called when it was made. What it throws is all the caller learns of it. */
  after?: (call: Call) => Promise<void>;
}

export interface Counts {
  d1: number;
  r2: number;
  durable: number;
}

/** An environment that counts. */
export function counted(settings: Record<string, string> = {}): { env: Env; counts: Counts } {
  const counts: Counts = { d1: 0, r2: 0, durable: 0 };
  const before = async (call: Call) => {
    if (!isSettingsRead(call)) counts[call.kind]++;
  };
  return { env: watched(environment(settings), { before }), counts };
}

/** An isolate reads the run-time settings every ten seconds, whatever requests there are: they are no request's. */
export function isSettingsRead({ sql }: Call): boolean {
  return sql.length === 1 && /^select .* from "settings"$/.test(sql[0] ?? "");
}

/** An environment that tells of each call before it is made. */
export function observed(env: Env, observer: (call: Call) => void | Promise<void>): Env {
  return watched(env, { before: async (call) => await observer(call) });
}

/** The same environment, in which something else happens once, just before a call. */
export function interrupted(env: Env, isTheCall: (call: Call) => boolean, happens: () => Promise<unknown>): Env {
  let isDone = false;
  const before = async (call: Call) => {
    if (isDone || !isTheCall(call)) return;
    isDone = true;
    await happens();
  };
  return watched(env, { before });
}

/** An environment whose every call passes a watcher. */
export function watched(env: Env, watcher: Watcher): Env {
  const around: Around = async (call, make) => {
    await watcher.before?.(call);
    const result = await make();
    await watcher.after?.(call);
    return result;
  };
  return {
    ...env,
    DB: watchDatabase(env.DB, around),
    SEARCH_DB: watchDatabase(env.SEARCH_DB, (call, make) => around({ ...call, isSearch: true }, make)),
    BLOBS: watchBucket(env.BLOBS, around),
    RATE_LIMITER: watchNamespace(env.RATE_LIMITER, around),
    JOB_RUNNER: watchNamespace(env.JOB_RUNNER, around),
    PULL_METER: watchNamespace(env.PULL_METER, around),
  };
}

type Around = <T>(call: Call, make: () => Promise<T>) => Promise<T>;
type Method = (...args: unknown[]) => unknown;

/** A copy of an object in which some methods are replaced; they get the real one. */
function withMethods<T extends object>(target: T, replace: (name: string, real: Method) => Method | null): T {
  return new Proxy(target, {
    get(object, key) {
      const value: unknown = Reflect.get(object, key);
      if (typeof value !== "function") return value;
      const real: Method = (...args) => Reflect.apply(value, object, args);
      return replace(String(key), real) ?? real;
    },
  });
}

/** Watched statements, and what they are. */
const known = new WeakMap<object, { statement: D1PreparedStatement; sql: string; params: unknown[] }>();

function watchDatabase(database: D1Database, around: Around): D1Database {
  return withMethods(database, (name, real) => {
    if (name === "prepare") return (sql) => watchStatement(real(sql) as D1PreparedStatement, String(sql), around);
    if (name === "batch") {
      return (statements) => {
        const watchedOnes = statements as D1PreparedStatement[];
        const sql = watchedOnes.map((one) => known.get(one)?.sql ?? "");
        const params = watchedOnes.map((one) => known.get(one)?.params ?? []);
        const batch = async () => real(watchedOnes.map((one) => known.get(one)?.statement ?? one));
        return around({ kind: "d1", name, sql, params, args: [] }, batch);
      };
    }
    return null;
  });
}

/** A statement that passes the watcher when it runs by itself, and is the real one in a batch. */
function watchStatement(
  statement: D1PreparedStatement,
  sql: string,
  around: Around,
  params: unknown[] = [],
): D1PreparedStatement {
  const wrapped = withMethods(statement, (name, real) => {
    if (name === "bind") return (...args) => watchStatement(real(...args) as D1PreparedStatement, sql, around, args);
    return (...args) => around({ kind: "d1", name, sql: [sql], params: [params], args }, async () => real(...args));
  });
  known.set(wrapped, { statement, sql, params });
  return wrapped;
}

function watchBucket(bucket: R2Bucket, around: Around): R2Bucket {
  return withMethods(bucket, (name, real) => {
    if (name === "resumeMultipartUpload") {
      return (...args) =>
        withMethods(real(...args) as R2MultipartUpload, (step, realStep) => {
          return (...stepArgs) =>
            around({ kind: "r2", name: step, sql: [], args: stepArgs }, async () => realStep(...stepArgs));
        });
    }
    return (...args) => around({ kind: "r2", name, sql: [], args }, async () => real(...args));
  });
}

function watchNamespace(namespace: DurableObjectNamespace, around: Around): DurableObjectNamespace {
  return withMethods(namespace, (name, real) => {
    if (name !== "get") return null;
    return (...args) => {
      const stub = real(...args) as Record<string, Method>;
      // A stub answers to any name; its methods cannot be asked for without being meant.
      return new Proxy({} as Record<string, Method>, {
        get: (_, method) => {
          return (...callArgs: unknown[]) =>
            around({ kind: "durable", name: String(method), sql: [], args: callArgs }, async () =>
              stub[String(method)]?.(...callArgs),
            );
        },
      });
    };
  });
}
