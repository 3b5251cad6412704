import { fail } from "../arguments.ts";
import type { Registry } from "./registry.ts";

/*
 * Commands that go through everything there is. Each can be interrupted, and begun again at any time.
 */

type Options = Readonly<Record<string, string>>;

export async function rebuildSearch(registry: Registry): Promise<void> {
  let documents = 0;
  for await (const step of registry.pages<{ documents: number }>("rebuild-search")) {
    documents = step.documents;
    console.error(`${counted(documents, "document")} so far`);
  }
  console.log(`The search index is made anew: ${counted(documents, "document")}.`);
}

/** Ends with status 1 when there is a key that neither secret opens. */
export async function resealKeys(registry: Registry): Promise<void> {
  let [resealed, lost] = [0, 0];
  for await (const page of registry.pages<{ resealed: number; lost: number }>("reseal-keys")) {
    resealed += page.resealed;
    lost += page.lost;
  }
  console.log(`${counted(resealed, "key")} sealed anew.`);
  if (lost === 0) return;
  console.log(`${counted(lost, "key")} cannot be opened: their users need new ones (list-keys, add-key).`);
  process.exitCode = 1;
}

/** Ends with status 1 when anything but open uploads and what waits to be freed is found. */
export async function printIntegrity(registry: Registry): Promise<void> {
  const harmless = ["upload-open", "blob-unreferenced", "object-discarded"];
  let problems = 0;
  let objects = 0;
  type Page = { findings: { kind: string; subject: string }[]; objects: number };
  for await (const page of registry.pages<Page>("check-integrity")) {
    for (const finding of page.findings) {
      if (!harmless.includes(finding.kind)) problems++;
      console.log(`${finding.kind} ${finding.subject}`);
    }
    objects += page.objects;
  }
  conclude(counted(objects, "object"), ", no problem found.", problems);
}

/** Ends with status 1 when anything is damaged or unreadable. */
export async function verifyStored(registry: Registry, { all, ...one }: Options): Promise<void> {
  if ((all === undefined) === (one.image === undefined)) fail("Say either --all or --image REFERENCE.");
  let checked = 0;
  let problems = 0;
  for await (const { digest } of all === undefined
    ? [await registry.call<{ digest: string }>("find-digest", one)]
    : itemsOf<{ digest: string }>(registry, "list-blobs")) {
    const { state, about } = await verifyOne(registry, digest);
    checked++;
    if (["stored", "deleting", "gone"].includes(state)) continue;
    problems++;
    console.log(`${state} ${digest} ${about}`);
  }
  conclude(`${counted(checked, "blob")} read`, ", no damage found.", problems);
}

/** Each call waits a while for the reading to end. */
async function verifyOne(registry: Registry, digest: string): Promise<{ state: string; about: string }> {
  type Check = { state: string; doneBytes?: number; totalBytes?: number; error?: string; images?: string[] };
  for (;;) {
    const check = await registry.call<Check>("verify-blob", { digest });
    if (check.state !== "verifying") return { state: check.state, about: check.error ?? check.images?.join(" ") ?? "" };
    console.error(`${digest}: ${check.doneBytes} of ${check.totalBytes} bytes`);
  }
}

/** Ends with status 1 when an image cannot be read. */
export async function inspectImages(registry: Registry, { all, again, ...one }: Options): Promise<void> {
  const ways = [all, again, one.image].filter((way) => way !== undefined);
  if (ways.length !== 1) fail("Say --all, --again or --image REFERENCE.");
  let read = 0;
  let problems = 0;
  for await (const { id, image } of one.image === undefined
    ? imagesToInspect(registry, again !== undefined)
    : [await registry.call<{ id: string; image: string }>("find-image", one)]) {
    const { state, error } = await inspectOne(registry, id, image);
    read++;
    if (state !== "failed") continue;
    problems++;
    console.log(`failed ${image} ${error}`);
  }
  conclude(`${counted(read, "image")} read`, ".", problems);
}

async function* imagesToInspect(registry: Registry, again: boolean): AsyncGenerator<{ id: string; image: string }> {
  type Item = { imageId: string; image: string; state: string };
  for await (const { imageId, image, state } of itemsOf<Item>(registry, "list-inspections")) {
    if (again || state !== "done") yield { id: imageId, image };
  }
}

/** Each call waits a while for the reading to end. */
async function inspectOne(registry: Registry, id: string, image: string): Promise<{ state: string; error?: string }> {
  for (;;) {
    const result = await registry.call<{ state: string; error?: string }>("inspect-image", { id });
    if (result.state !== "running") return result;
    console.error(`${image}: still being read`);
  }
}

async function* itemsOf<Item>(registry: Registry, verb: string): AsyncGenerator<Item> {
  for await (const { items } of registry.pages<{ items: Item[] }>(verb)) yield* items;
}

function conclude(done: string, well: string, problems: number): void {
  console.log(problems === 0 ? `${done}${well}` : `${done}, ${counted(problems, "problem")}.`);
  if (problems > 0) process.exitCode = 1;
}

function counted(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
