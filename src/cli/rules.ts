/** `rules`: the list, or one rule explained from its own file. */
import { RULES } from "../../rules/index.ts";
import { jsonText } from "../report/json.ts";
import { ruleMarkdown } from "../report/rule-page.ts";
import { type OutputOptions, refuse, writeAnswer } from "./output.ts";

export function runRules(id: string | undefined, options: OutputOptions): number {
  const rule = RULES.find((candidate) => candidate.id === id);
  if (id !== undefined && rule === undefined)
    return refuse(`there is no rule "${id}". "sshd-policy rules" lists them.`);
  const text = rule === undefined ? ruleList() : ruleMarkdown(rule);
  const failed = writeAnswer(options.format === "json" ? ruleJson(id) : text, options);
  return failed === null ? 0 : refuse(failed);
}

function ruleList(): string {
  const width = Math.max(...RULES.map(({ id }) => id.length));
  return RULES.map(
    ({ id, severity, title }) => `${id.padEnd(width)}  ${severity.padEnd(6)}  ${title}\n`,
  ).join("");
}

function ruleJson(id: string | undefined): string {
  const rules = RULES.filter((rule) => id === undefined || rule.id === id).map(
    ({ check: _, ...rule }) => rule,
  );
  return jsonText({ version: 1, rules });
}
