/** Writes docs/rules.md and a page per rule from the rules' own files. With --check: fails where one is stale. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { RULES } from "../rules/index.ts";
import { ruleIndex, ruleMarkdown } from "../src/report/rule-page.ts";

const docs = new URL("../docs/", import.meta.url).pathname;
const pages = new Map<string, string>([["rules.md", ruleIndex(RULES)]]);
for (const rule of RULES) pages.set(`rules/${rule.id}.md`, ruleMarkdown(rule));

mkdirSync(`${docs}rules`, { recursive: true });
const stale = readdirSync(`${docs}rules`).filter((name) => !pages.has(`rules/${name}`));
if (process.argv.includes("--check")) {
  const changed = [...pages].filter(([name, text]) => read(`${docs}${name}`) !== text).map(([name]) => name);
  for (const name of [...changed, ...stale])
    process.stderr.write(`docs/${name} is stale: npm run generate\n`);
  process.exitCode = changed.length + stale.length > 0 ? 1 : 0;
} else {
  for (const name of stale) rmSync(`${docs}rules/${name}`);
  for (const [name, text] of pages) writeFileSync(`${docs}${name}`, text);
}

function read(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
