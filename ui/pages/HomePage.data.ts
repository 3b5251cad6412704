import type { Site } from "../api/schema.d.ts";
import { addRemote, download, login, needsScheme, pull, pullAnonymously, push } from "../client-lines.ts";

/** Lines to paste, and what they are for. */
export interface LineGroup {
  title: string;
  about: string;
  lines: string[];
}

/** From a new client to a pushed and pulled image. Getting the token, the step before, has a page of its own. */
export function connectSteps(site: Site, image: string): LineGroup[] {
  return [
    {
      title: "Add the registry and log in",
      about:
        "Once on each machine, with your token in the file token.txt. The client keeps the token: delete the file afterwards." +
        (needsScheme(site)
          ? " The second line corrects the new entry: the client's own command cannot write an address with a port."
          : ""),
      lines: [...addRemote(site), ...login(site)],
    },
    {
      title: "Push an image",
      about:
        "image.sif is your file. Collection (tools), name (image) and tag (v1) are yours to choose; what is not there yet is created. -U allows an image that is not signed.",
      lines: push(site, image),
    },
    {
      title: "Pull it",
      about: "On any machine that is logged in. The file gets the name and the tag: image_v1.sif.",
      lines: pull(site, image),
    },
  ];
}

/** For images in public collections. */
export function anonymousWays(site: Site, image: string): LineGroup[] {
  return [
    { title: "With Apptainer", about: "", lines: pullAnonymously(site, image) },
    { title: "With curl", about: "", lines: download(site, image) },
  ];
}
