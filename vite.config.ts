import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { defineConfig, type Plugin } from "vite";
import solid from "vite-plugin-solid";

const file = (path: string) => resolve(import.meta.dirname, path);

/** The JSON API's document stands beside the pages, for the Worker to answer with. */
const apiDocument: Plugin = {
  name: "api-document",
  generateBundle() {
    const document: unknown = JSON.parse(readFileSync(file("docs/openapi.json"), "utf8"));
    this.emitFile({ type: "asset", fileName: "openapi.json", source: JSON.stringify(document) });
  },
};

/** What is made from others' work says whose it is, which shortening the code leaves out. */
const licences: Plugin = {
  name: "licences",
  generateBundle(_, bundle) {
    const texts = ["LICENSE.txt", "dist/rapidoc-min.js.LICENSE.txt"].map((name) =>
      readFileSync(file(`node_modules/rapidoc/${name}`), "utf8").replaceAll("*/", "* /"),
    );
    for (const output of Object.values(bundle)) {
      if (output.type === "chunk" && output.name === "api-docs")
        output.code = `/*!\n${texts.join("\n")}\n*/\n${output.code}`;
    }
  },
};

export default defineConfig({
  root: "ui",
  plugins: [solid(), apiDocument, licences],
  build: {
    outDir: "../dist/ui",
    emptyOutDir: true,
    // Not Vite's `assets/`: the clients look for their discovery document there.
    assetsDir: "static",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // The reader of the API's document is larger than all pages together: it has a page, and scripts, of its own.
    rollupOptions: { input: [file("ui/index.html"), file("ui/api-docs.html")] },
    chunkSizeWarningLimit: 1000,
  },
});
