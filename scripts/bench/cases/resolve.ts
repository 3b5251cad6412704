import { type Bench, report, type Servers } from "../bench.ts";
import { ask } from "../client.ts";
import { interleave } from "../measure.ts";
import { pathOf } from "../registry-push.ts";

const AT_A_TIME = 16;

/** Requests a second that resolve a tag for somebody anonymous, against one raw point query. */
export async function measureResolve(bench: Bench, { registry, bare }: Servers): Promise<void> {
  const names = Array.from({ length: 50 }, (_, index) => `image-${index}`);
  await ask(`${bare.url}/rows`, { method: "POST", body: JSON.stringify(names) });
  const { rateSeconds } = bench.sizes;
  const reference = `${pathOf(registry)}:v1?arch=amd64`;
  const measures = {
    image: () => rateOf(`${registry.url}/v1/images/${reference}`, 200, rateSeconds),
    download: () => rateOf(`${registry.url}/v1/imagefile/${reference}`, 303, rateSeconds),
    bare: () => rateOf(`${bare.url}/row?name=image-7`, 200, rateSeconds),
  };
  await interleave(1, measures);
  const { image, download, bare: raw } = await interleave(bench.rounds, measures);
  const common = { unit: "req/s", bare: raw, goal: { atLeast: 0.6 } } as const;
  report(bench, { name: "Resolving a tag ÷ one raw D1 point query", ours: image, ...common });
  report(bench, { name: "Beginning a pull (resolve and sign) ÷ the same", ours: download, ...common });
}

/** How many requests a second are answered, with 16 under way. @throws when one is answered otherwise */
async function rateOf(url: string, status: number, seconds: number): Promise<number> {
  const began = performance.now();
  const end = began + seconds * 1000;
  let answered = 0;
  const client = async () => {
    while (performance.now() < end) {
      await ask(url, {}, [status]);
      answered++;
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, client));
  return answered / ((performance.now() - began) / 1000);
}
