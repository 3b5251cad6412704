import { beforeAll, describe, expect, it } from "vitest";
import { limits } from "../../worker/registry/limits.ts";
import { makeSif } from "../support/make-sif.ts";
import { interrupted } from "../support/worker/calls.ts";
import { ask, askJson, environment, newPerson, type Person, push } from "../support/worker/registry.ts";

interface Made {
  share: { id: string; downloads: number };
  url: string;
}

let alice: Person;
let shares: string;

beforeAll(async () => {
  alice = await newPerson("racing");
  const path = `${alice.username}/races/app`;
  const { digest } = await push(alice.token, `${path}:v1`, makeSif({ salt: "races" }), { private: true });
  shares = `/api/v1/containers/${path}/images/${digest}/shares`;
});

const make = async (body: Record<string, unknown>) =>
  await askJson<Made>(shares, { method: "POST", token: alice.token, body });

async function downloadsOf({ share: { id } }: Made): Promise<number | undefined> {
  const { items } = await askJson<{ items: Made["share"][] }>(shares, { token: alice.token });
  return items.find((share) => share.id === id)?.downloads;
}

describe("two at once", () => {
  it("for the last download of a share: one gets it, and the other is told", async () => {
    const made = await make({ maxDownloads: 1 });
    // The second one has looked, and found one download left, before the first one takes it.
    let first = 0;
    const isCounting = ({ name }: { name: string }) => name === "batch";
    const of = interrupted(environment(), isCounting, async () => {
      first = (await ask(made.url)).status;
    });
    const second = await ask(made.url, { env: of });
    expect([first, second.status]).toEqual([303, 410]);
    expect(second.headers.get("Sregistry-Error")).toContain("has ended");
    expect(await downloadsOf(made)).toBe(1);
  });

  it("and twenty for five: five get one", async () => {
    const made = await make({ maxDownloads: 5 });
    const statuses = await Promise.all(Array.from({ length: 20 }, async () => (await ask(made.url)).status));
    expect(statuses.filter((status) => status === 303)).toHaveLength(5);
    expect(statuses.filter((status) => status === 410)).toHaveLength(15);
    expect(await downloadsOf(made)).toBe(5);
  });

  it("one of whom revokes the share: after that nothing is given out", async () => {
    const made = await make({});
    const of = interrupted(
      environment(),
      ({ name }) => name === "batch",
      async () => await ask(`${shares}/${made.share.id}`, { method: "DELETE", token: alice.token }),
    );
    expect((await ask(made.url, { env: of })).status).toBe(410);
  });

  it("making the last share an image may have: one makes it", async () => {
    const { items } = await askJson<{ items: unknown[] }>(shares, { token: alice.token });
    for (let n = items.length; n < limits.sharesPerImage - 1; n++) await make({});
    const both = await Promise.all(
      [0, 1].map(async () => {
        const answer = await ask(shares, { method: "POST", token: alice.token, body: {} });
        return answer.status;
      }),
    );
    expect(both.sort()).toEqual([201, 409]);
  });
});
