import { resolve } from "node:path";
import { build } from "./server/build.ts";

await build(resolve(import.meta.dirname, ".."));
