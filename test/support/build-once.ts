import { resolve } from "node:path";
import { build } from "../../scripts/server/build.ts";

export default function setup(): void {
  build(resolve(import.meta.dirname, "../.."));
}
