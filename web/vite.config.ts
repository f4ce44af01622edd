import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { sizeBudget } from "./size-budget";

const server = "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [react(), sizeBudget()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    outDir: "../src/twotower/server/static",
    emptyOutDir: true,
    target: "es2022",
    // The page is served under default-src 'self': nothing may become a data: URI.
    assetsInlineLimit: 0,
    // The licences of what is in the bundle travel with it.
    license: { fileName: "third-party-licenses.md" },
  },
  server: { proxy: { "/v1": server, "/health": server } },
  test: {
    environment: "jsdom",
    setupFiles: ["src/testing/setup.ts"],
    testTimeout: 60_000, // of a machine that does much else
    include: ["src/**/*.test.{ts,tsx}"],
    css: false,
    // jsdom 26 does not know the <search> element of HTML; browsers do since 2023.
    onConsoleLog: (log) => !log.includes("The tag <search> is unrecognized"),
  },
});
