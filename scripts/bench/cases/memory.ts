import { bareObject, sendBareParts } from "../bare-server.ts";
import { type Bench, hasRoom, report, withBare, withFolder, withRegistry } from "../bench.ts";
import { pullRanges } from "../client.ts";
import { BenchImage } from "../image.ts";
import { peakMemoryMib } from "../machine.ts";
import { askForDownload, register, sendInParts } from "../registry-push.ts";
import { sizeText } from "./transfer.ts";

const KEY = "memory";

/** The most memory the Worker's process ever held while it took or gave an image; each figure from a fresh one. */
export async function measureMemory(bench: Bench, sizeBytes: number): Promise<void> {
  const size = sizeText(sizeBytes);
  if (!hasRoom(bench, `Peak memory with ${size}`, 2.5 * sizeBytes)) return;
  await withFolder(bench, "memory", async (data) => {
    const image = new BenchImage(sizeBytes);
    let partBytes = 0;
    const pushed = await withRegistry(bench, data, async (registry) => {
      partBytes = registry.partBytes;
      const { imageId } = await register(registry, image);
      await sendInParts(registry, imageId, image);
      return peakOf(registry);
    });
    const pushedBare = await withBare(bench, data, async (bare) => {
      await sendBareParts(bare, KEY, image, partBytes);
      return peakOf(bare);
    });
    report(bench, { name: `Peak memory, ${size} push`, unit: "MiB", ours: pushed, bare: pushedBare, goal: null });
    const pulled = await withRegistry(bench, data, async (registry) => {
      await pullRanges((await askForDownload(registry, image)) ?? "", sizeBytes);
      return peakOf(registry);
    });
    const pulledBare = await withBare(bench, data, async (bare) => {
      await pullRanges(bareObject(bare, KEY), sizeBytes);
      return peakOf(bare);
    });
    report(bench, { name: `Peak memory, ${size} pull`, unit: "MiB", ours: pulled, bare: pulledBare, goal: null });
  });
}

function peakOf({ pid }: { pid: number | null }): number[] {
  const mib = pid === null ? null : peakMemoryMib(pid);
  return mib === null ? [] : [mib];
}
