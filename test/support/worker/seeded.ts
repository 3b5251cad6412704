import { env } from "cloudflare:workers";
import { type Database, seedDatabase } from "../../../scripts/seed/seed-database.ts";
import { indexed, newPerson } from "./registry.ts";
import { newSession } from "./session.ts";

/** Somebody who asks a seeded registry. */
export interface Viewer {
  who: "administrator" | "member" | "stranger" | "anonymous";
  username: string;
  token: string | null;
  headers: Record<string, string>;
}

/** Names that mean something in a seeded registry, by what a path or query calls them. */
export type Examples = Readonly<Record<string, string>>;

/** 100,000 images take some minutes: `SEEDED_IMAGES=100000 npm test -- seeded-plans`. */
const images = Number(env.SEEDED_IMAGES) || 10_000;
export const SEEDED = { collections: images / 20, images, seed: 1, now: Date.UTC(2026, 10, 1) };

/** So many things stay to be indexed for searches: all of them would take a minute. */
const INDEXED = 300;

/** A registry with 10,000 images in 500 collections, and who asks it. The first of everything is large. */
export async function seededRegistry(): Promise<{ viewers: Viewer[]; examples: Examples }> {
  await seedDatabase(env.DB as unknown as Database, SEEDED);
  await env.DB.prepare(
    `DELETE FROM search_outbox WHERE kind <> 'image' OR rowid NOT IN (
      SELECT rowid FROM search_outbox WHERE kind = 'image' LIMIT ${INDEXED})`,
  ).run();
  await indexed();
  const administrator = await newPerson("administrator", { role: "superuser" });
  const stranger = await newPerson("stranger");
  const { newTokenFor } = await import("./registry.ts");
  const member = { username: "user-1", token: await newTokenFor("user-1") };
  const viewer = async (who: Viewer["who"], person: { username: string; token: string }): Promise<Viewer> => {
    return { who, ...person, headers: (await newSession(person.username)).headers };
  };
  return {
    viewers: [
      await viewer("administrator", administrator),
      await viewer("member", member),
      await viewer("stranger", stranger),
      { who: "anonymous", username: "", token: null, headers: {} },
    ],
    examples: await findExamples(),
  };
}

/** The largest of everything. */
async function findExamples(): Promise<Examples> {
  const place = await one(`
    SELECT entities.name AS entity, collections.name AS collection, containers.name AS container,
      collections.id AS collectionId, containers.id AS containerId
    FROM containers JOIN collections ON collections.id = containers.collection_id
    JOIN entities ON entities.id = collections.entity_id ORDER BY containers.image_count DESC LIMIT 1`);
  const image = await one(
    `SELECT images.id AS imageId, images.digest, images.arch, labels.key, labels.value FROM images
      JOIN labels ON labels.image_id = images.id
      WHERE container_id = '${place.containerId}' AND labels.key = 'org.label-schema.version' LIMIT 1`,
  );
  const robot = await one("SELECT username AS robot FROM users WHERE is_robot AND owner_user_id IS NOT NULL LIMIT 1");
  const topic = await one("SELECT name AS topic FROM topics GROUP BY name ORDER BY count(*) DESC LIMIT 1");
  const share = await one("SELECT id AS share FROM shares GROUP BY image_id ORDER BY count(*) DESC LIMIT 1");
  return { ...place, ...image, ...robot, ...topic, ...share, tag: "latest", team: "team-1", username: "user-1" };
}

async function one(sql: string): Promise<Record<string, string>> {
  const row = await env.DB.prepare(sql).first<Record<string, string>>();
  if (row === null) throw new Error(`nothing was seeded for ${sql}`);
  return row;
}
