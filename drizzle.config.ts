import { defineConfig } from "drizzle-kit";

export default defineConfig({
  dialect: "sqlite",
  schema: "./worker/storage/db/schema/*.ts",
  out: "./migrations",
});
