import { defineConfig } from "vite";
import solid from "vite-plugin-solid";

export default defineConfig({
  root: "ui",
  plugins: [solid()],
  build: {
    outDir: "../dist/ui",
    emptyOutDir: true,
    // Not Vite's `assets/`: the clients look for their discovery document there.
    assetsDir: "static",
    assetsInlineLimit: 0,
  },
});
