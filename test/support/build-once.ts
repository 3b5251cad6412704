import { resolve } from "node:path";
import { build } from "../../scripts/server/build.ts";

export default async function setup(): Promise<void> {
  await build(resolve(import.meta.dirname, "../.."));
}
