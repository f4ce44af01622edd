import { gzipSync } from "node:zlib";
import type { Plugin } from "vite";

/** What a shopper loads before the first page: scripts and styles, gzipped. */
const BUDGET_KB = 250;

/** Prints the size of the storefront, and fails the build where it is over its budget. */
export function sizeBudget(): Plugin {
  return {
    name: "size-budget",
    apply: "build",
    generateBundle: {
      order: "post",
      handler(_, bundle) {
        const files = Object.values(bundle);
        const chunks = new Set(files.filter((file) => file.type === "chunk" && file.isEntry));
        for (const chunk of chunks) {
          if (chunk.type !== "chunk") continue;
          for (const name of [...chunk.imports, ...(chunk.viteMetadata?.importedCss ?? [])]) {
            const file = bundle[name];
            if (file !== undefined) chunks.add(file);
          }
        }
        const bytes = [...chunks].map(
          (file) => gzipSync(file.type === "chunk" ? file.code : file.source).length,
        );
        const kb = bytes.reduce((sum, one) => sum + one, 0) / 1_000;
        const told = `storefront: ${kb.toFixed(1)} KB gzipped, of at most ${BUDGET_KB} KB`;
        if (kb > BUDGET_KB) this.error(told);
        this.info(told);
      },
    },
  };
}
