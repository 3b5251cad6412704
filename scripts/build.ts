import { resolve } from "node:path";
import { build } from "./server/build.ts";

build(resolve(import.meta.dirname, ".."));
