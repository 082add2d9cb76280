/** Writes src/files/plain-header.generated.ts: plain-header.wat as WebAssembly. With --check: fails where it is stale. */
import { readFileSync, writeFileSync } from "node:fs";
import openWabt from "wabt";

const NAME = "src/files/plain-header";
const wabt = await openWabt();
const { buffer } = wabt.parseWat(`${NAME}.wat`, readFileSync(`${NAME}.wat`, "utf8")).toBinary({});
const text = `/** Of plain-header.wat, by scripts/plain-header.ts: WebAssembly in base64. */
export const PLAIN_HEADER = "${Buffer.from(buffer).toString("base64")}";
`;
const path = `${NAME}.generated.ts`;
if (!process.argv.includes("--check")) writeFileSync(path, text);
else if (readFileSync(path, "utf8") !== text) {
  process.stderr.write(`${path} is stale: npm run generate\n`);
  process.exitCode = 1;
}
