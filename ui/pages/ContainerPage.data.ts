import { ApiError, ask } from "../api/client.ts";
import type { ContainerDetails, Tag } from "../api/schema.d.ts";

export interface ContainerNames {
  entity: string;
  collection: string;
  container: string;
}

/** A container, and the tag that the page's address asks for. */
export interface ContainerAndTag extends ContainerDetails {
  /** Null where it asks for none, or there is none. */
  wanted: Tag | null;
}

/** @param tag its name; null for none. @throws ApiError */
export async function fetchContainer(path: ContainerNames, tag: string | null): Promise<ContainerAndTag> {
  const [container, wanted] = await Promise.all([
    ask("GET /api/v1/containers/{entity}/{collection}/{container}", { path }),
    tag === null ? null : fetchTag(path, tag),
  ]);
  return { ...container, wanted };
}

async function fetchTag(path: ContainerNames, tag: string): Promise<Tag | null> {
  try {
    return await ask("GET /api/v1/containers/{entity}/{collection}/{container}/tags/{tag}", { path: { ...path, tag } });
  } catch (error) {
    if (error instanceof ApiError && error.code === "not-found") return null;
    throw error;
  }
}
