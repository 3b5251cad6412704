import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasBrowser, launchBrowser, newPage } from "../support/browser.ts";
import { makeSif } from "../support/make-sif.ts";
import { findingsOf, startTestServer, type TestServer } from "../support/test-server.ts";

/*
 * What a page of the registry does to upload a file: with the session of whoever is signed in, in parts of the file as
 * the browser has it.
 */

const PART_BYTES = 5 * 1024 * 1024;
const image = makeSif({ salt: "from a browser", sizeBytes: 3 * PART_BYTES + 5000 });

interface Upload {
  id: string;
  partBytes: number;
  parts: number;
  received: number[];
  state: string;
}

describe.skipIf(!hasBrowser)("a page", () => {
  let server: TestServer;
  let browser: Browser;
  let page: Page;
  let faults: string[];
  const folder = mkdtempSync(join(tmpdir(), "uploads-"));
  const file = join(folder, "image.sif");

  beforeAll(async () => {
    writeFileSync(file, image);
    server = await startTestServer({ PART_BYTES: String(PART_BYTES) });
    browser = await launchBrowser();
    await server.admin("add-user", { username: "alice" });
    ({ page, faults } = await newPage(browser, server.url));
    await page.goto(((await server.admin("login-link", { username: "alice" })) as { url: string }).url);
    await page.getByRole("main").getByRole("button", { name: "Sign in" }).click();
    await page.waitForURL("**/account");
  });

  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** One chooses the file. */
  async function choose(): Promise<void> {
    await page.evaluate(() => {
      const input = Object.assign(document.createElement("input"), { type: "file", id: "chosen" });
      document.body.append(input);
    });
    await page.locator("#chosen").setInputFiles(file);
  }

  /** What the registry answers to a request of the page. */
  async function ask<Answer>(method: string, path: string, body?: object): Promise<Answer> {
    return await page.evaluate(
      async ([verb, url, said]) => {
        const response = await fetch(url, { method: verb, ...(said === null ? {} : { body: said }) });
        const text = await response.text();
        return text === "" ? response.status : JSON.parse(text);
      },
      [method, `/api/v1/${path}`, body === undefined ? null : JSON.stringify(body)] as const,
    );
  }

  async function begin(container: string): Promise<Upload> {
    const where = { entity: "alice", collection: "tools", container, tags: ["v1"] };
    const what = { digest: `sha256.${createHash("sha256").update(image).digest("hex")}`, sizeBytes: image.length };
    return (await ask<{ upload: Upload }>("POST", "uploads", { ...where, ...what })).upload;
  }

  /** Sends parts of the chosen file, all at once. @returns their statuses */
  async function send({ id, partBytes }: Upload, numbers: number[]): Promise<number[]> {
    return await page.evaluate(
      async ([uploadId, size, wanted]) => {
        const chosen = document.querySelector<HTMLInputElement>("#chosen")?.files?.item(0);
        const put = async (number: number) => {
          const body = chosen?.slice((number - 1) * size, number * size) ?? null;
          return (await fetch(`/api/v1/uploads/${uploadId}/parts/${number}`, { method: "PUT", body })).status;
        };
        return await Promise.all(wanted.map(put));
      },
      [id, partBytes, numbers] as const,
    );
  }

  it("uploads a file in several parts at once, goes on with it after a reload, and it can be pulled", async () => {
    await choose();
    const upload = await begin("app");
    expect(upload).toMatchObject({ parts: 4, received: [] });
    expect(await send(upload, [3, 1, 4])).toEqual([204, 204, 204]);

    await page.reload();
    await choose();
    expect((await ask<{ items: Upload[] }>("GET", "uploads")).items.map(({ id }) => id)).toEqual([upload.id]);
    const again = await begin("app");
    expect(again).toMatchObject({ id: upload.id, received: [1, 3, 4] });
    expect(await send(again, [2])).toEqual([204]);
    expect(await ask("POST", `uploads/${upload.id}/completion`)).toMatchObject({ state: "published" });

    const pulled = await fetch(`${server.url}/v1/imagefile/alice/tools/app:v1`);
    expect(Buffer.compare(Buffer.from(await pulled.arrayBuffer()), image)).toBe(0);
    expect(faults).toEqual([]);
  });

  it("cancels one, after which there is nothing left of it", async () => {
    await server.admin("delete-collection", { collection: "alice/tools" });
    await server.admin("free-name", { kind: "collection", name: "alice/tools" });
    const upload = await begin("app");
    expect(await send(upload, [1, 2])).toEqual([204, 204]);
    expect(await ask("DELETE", `uploads/${upload.id}`)).toBe(204);
    expect(await ask("GET", "uploads")).toEqual({ items: [], next: null });
    expect(await ask("GET", "me")).toMatchObject({ quota: { usedBytes: 0, reservedBytes: 0 } });
    expect((await findingsOf(server.admin)).filter(({ kind }) => kind !== "blob-unreferenced")).toEqual([]);
    expect(faults).toEqual([]);
  });
});
