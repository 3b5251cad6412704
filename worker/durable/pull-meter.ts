import { DurableObject } from "cloudflare:workers";
import type { Pull } from "../context.ts";
import { limits } from "../registry/limits.ts";
import type { PullReport } from "../registry/pull/pull-counts.ts";

const DAY_MS = 86_400_000;

/**
 * Counts the pulls of one container, the one it is named after, and every minute writes what there is to D1: a container
 * that everybody pulls costs the database one batch a minute. A report is put together before it is sent, and sent again as
 * it is until an answer came: its number says whether it was counted. `index.ts` says how one is written.
 */
export abstract class PullMeter<Env> extends DurableObject<Env> {
  protected abstract write(report: PullReport): Promise<"written" | "gone">;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#makeTables();
  }

  /** Counts a pull, and sees to it that it is reported. */
  async count({ containerId, tag, arch, bytes }: Pull): Promise<void> {
    const day = Math.floor(Date.now() / DAY_MS);
    this.ctx.storage.sql.exec(
      `INSERT INTO pulls (container_id, day, tag, arch, pulls, bytes) VALUES (?, ?, ?, ?, 1, ?)
       ON CONFLICT DO UPDATE SET pulls = pulls + 1, bytes = bytes + excluded.bytes`,
      containerId,
      day,
      tag,
      arch,
      bytes,
    );
    if ((await this.ctx.storage.getAlarm()) === null) await this.#reportIn(limits.meterSeconds);
  }

  override async alarm(): Promise<void> {
    const report = this.#nextReport();
    if (report === null) return;
    const outcome = await this.write(report).catch(() => "lost" as const);
    // What it was called while it waited is still there, and goes into the next one.
    if (outcome === "lost") return await this.#reportIn(limits.meterSeconds);
    if (outcome === "gone") {
      await this.ctx.storage.deleteAll();
      return this.#makeTables();
    }
    this.ctx.storage.sql.exec("DELETE FROM sent");
    if (this.#count("pulls") > 0) await this.#reportIn(0);
  }

  /** The report whose answer did not come; else what was counted since, a part at a time. Null where there is nothing. */
  #nextReport(): PullReport | null {
    const { sql } = this.ctx.storage;
    if (this.#count("sent") === 0) {
      const oldest = `SELECT rowid FROM pulls ORDER BY rowid LIMIT ${limits.meterRows}`;
      sql.exec(`INSERT INTO sent SELECT * FROM pulls WHERE rowid IN (${oldest})`);
      sql.exec(`DELETE FROM pulls WHERE rowid IN (${oldest})`);
      // By the clock, so that a meter whose storage was lost does not begin with numbers that were used.
      sql.exec("UPDATE last SET report = max(report + 1, ?)", Date.now());
    }
    const rows = sql.exec("SELECT * FROM sent").toArray();
    const [first] = rows;
    if (first === undefined) return null;
    const { report } = sql.exec<{ report: number }>("SELECT report FROM last").one();
    const counts = rows.map(({ day, tag, arch, pulls, bytes }) => ({
      day: Number(day),
      tag: String(tag),
      arch: String(arch),
      pulls: Number(pulls),
      bytes: Number(bytes),
    }));
    return { containerId: String(first.container_id), report, counts };
  }

  async #reportIn(seconds: number): Promise<void> {
    await this.ctx.storage.setAlarm(Date.now() + seconds * 1000);
  }

  #count(table: "pulls" | "sent"): number {
    return this.ctx.storage.sql.exec<{ n: number }>(`SELECT count(*) AS n FROM ${table}`).one().n;
  }

  #makeTables(): void {
    const columns = "container_id TEXT, day INTEGER, tag TEXT, arch TEXT, pulls INTEGER, bytes INTEGER";
    this.ctx.storage.sql.exec(`
      CREATE TABLE IF NOT EXISTS pulls (${columns}, UNIQUE (day, tag, arch));
      CREATE TABLE IF NOT EXISTS sent (${columns});
      CREATE TABLE IF NOT EXISTS last (report INTEGER NOT NULL);
      INSERT INTO last SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM last);`);
  }
}
