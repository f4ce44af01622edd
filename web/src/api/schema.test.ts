// @vitest-environment node
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import openapiTS, { astToString, COMMENT_HEADER } from "openapi-typescript";
import { expect, test } from "vitest";

const contract = new URL("../../../docs/reference/openapi.json", import.meta.url);
const generated = fileURLToPath(new URL("./schema.d.ts", import.meta.url));

test("schema.d.ts is current; if not, run `npm run api`", async () => {
  const nodes = await openapiTS(contract);
  expect(await readFile(generated, "utf8")).toBe(`${COMMENT_HEADER}${astToString(nodes)}`);
});
