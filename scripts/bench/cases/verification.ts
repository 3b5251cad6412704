import { type Bench, MIB, report, type Servers } from "../bench.ts";
import { ask } from "../client.ts";
import { interleave, secondsOf } from "../measure.ts";
import { administer } from "../registry.ts";
import { type Stored, sizeText } from "./transfer.ts";

const SLICE_BYTES = 8 * MIB;

/** Has a stored image read back and hashed, and the bare Worker read the same bytes in slices of 8 MiB. */
export async function measureVerification(
  bench: Bench,
  { registry, bare }: Servers,
  { image, key }: Stored,
  how: string,
): Promise<void> {
  const { sizeBytes, digest } = image;
  const read = `${bare.url}/read?key=${key}&size=${sizeBytes}&slice=${SLICE_BYTES}`;
  const measures = {
    ours: () =>
      secondsOf(async () => {
        let check = await administer(registry, "verify-blob", { digest });
        // It answers after a while even where the reading takes longer.
        while (check.state === "verifying") check = await administer(registry, "verify-blob", { digest });
        if (check.state !== "stored") throw new Error(`The image was found ${check.state}.`);
      }),
    bare: () => secondsOf(() => ask(read)),
  };
  await interleave(1, measures);
  const seconds = await interleave(bench.rounds, measures);
  const name = `Verification of ${sizeText(sizeBytes)}, ${how} ÷ reading it without a digest`;
  report(bench, { name, unit: "s", ...seconds, goal: { atMost: 1.5 } });
}
