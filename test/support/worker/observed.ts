import type { Env } from "../../../worker/env.ts";

/** A call that leaves the Worker. A batch is one. */
export interface Call {
  service: "d1" | "r2" | "durable";
  method: string;
  /** The statements a call to D1 runs. */
  sql: string[];
  /** What else it was given. */
  args: unknown[];
}

/** Is told of a call before it is made, and may hold it up. */
export type Observer = (call: Call) => void | Promise<void>;

/** The same environment, whose calls are seen by an observer. */
export function observed(env: Env, observer: Observer): Env {
  const r2 = ["get", "put", "head", "delete", "list"];
  return {
    ...env,
    DB: wrap(env.DB, (method, args, call) => {
      if (method === "prepare") return wrapStatement(call() as D1PreparedStatement, String(args[0]), observer);
      const statements = Array.isArray(args[0]) ? args[0] : [];
      const sql =
        method === "exec" ? [String(args[0])] : statements.map((statement) => known.get(statement)?.sql ?? "");
      return first(observer({ service: "d1", method, sql, args }), call);
    }),
    BLOBS: wrap(env.BLOBS, (method, args, call) =>
      r2.includes(method) ? first(observer({ service: "r2", method, sql: [], args }), call) : call(),
    ),
    RATE_LIMITER: wrap(env.RATE_LIMITER, (method, args, call) => {
      if (method === "get") void observer({ service: "durable", method, sql: [], args });
      return call();
    }),
  };
}

/** The same environment, in which something else happens once, just before a call. */
export function interrupted(env: Env, isTheCall: (call: Call) => boolean, happens: () => Promise<unknown>): Env {
  let isDone = false;
  return observed(env, async (call) => {
    if (isDone || !isTheCall(call)) return;
    isDone = true;
    await happens();
  });
}

/** Wrapped statements, and what they are. */
const known = new WeakMap<object, { statement: D1PreparedStatement; sql: string }>();

function wrapStatement(statement: D1PreparedStatement, sql: string, observer: Observer): D1PreparedStatement {
  const wrapped = wrap(statement, (method, args, call) =>
    method === "bind"
      ? wrapStatement(call() as D1PreparedStatement, sql, observer)
      : first(observer({ service: "d1", method, sql: [sql], args }), call),
  );
  known.set(wrapped, { statement, sql });
  return wrapped;
}

function wrap<T extends object>(
  target: T,
  onCall: (method: string, args: unknown[], call: () => unknown) => unknown,
): T {
  return new Proxy(target, {
    get(object, name) {
      const value: unknown = Reflect.get(object, name);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => onCall(String(name), args, () => value.apply(object, args.map(unwrap)) as unknown);
    },
  });
}

async function first(something: void | Promise<void>, then: () => unknown): Promise<unknown> {
  await something;
  return await then();
}

/** A batch takes the real statements only. */
function unwrap(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unwrap);
  return typeof value === "object" && value !== null ? (known.get(value)?.statement ?? value) : value;
}
