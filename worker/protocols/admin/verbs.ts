import type { Verb } from "./arguments.ts";
import { catalogVerbs } from "./catalog-verbs.ts";
import { peopleVerbs } from "./people-verbs.ts";
import { siteVerbs } from "./site-verbs.ts";

/** Every command of administrators, by its name. */
export const verbs: Readonly<Record<string, Verb>> = { ...peopleVerbs, ...catalogVerbs, ...siteVerbs };
