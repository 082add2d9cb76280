/**
 * The policy file (`.sshd-policy.yaml`) as an Intent. Its form is docs/policy-file.md and schemas/policy-file.json;
 * this reader says more about mistakes, each with its line and column. Loaded only where such a file exists.
 */
import type { Node } from "yaml";
import { makeSource, type Source } from "../source/source.ts";
import type { Intent, RuleSetting } from "./intent.ts";
import { entriesOf } from "./policy-entries.ts";
import type { AllowedForwarding, Severity } from "./rule.ts";
import {
  choiceOf,
  complain,
  fieldsOf,
  problemText,
  readYaml,
  textOf,
  type YamlReading,
} from "./yaml-reading.ts";

export interface KnownNames {
  readonly rules: readonly string[];
  readonly profiles: readonly string[];
}

const FIELDS = ["version", "profile", "fail-on", "allow-forwarding", "rules", "allow", "keep"];
const SEVERITIES: readonly Severity[] = ["info", "low", "medium", "high", "error"];
const FORWARDINGS: readonly AllowedForwarding[] = ["none", "local", "remote"];

/** `text`: latin1. Every mistake as "file:line:column: message". */
export function readPolicyFile(
  path: string,
  text: string,
  known: KnownNames,
): Intent | { readonly mistakes: readonly string[] } {
  const reading: YamlReading = { source: makeSource(path, text), problems: [] };
  const top = readYaml(reading);
  const intent =
    top === null || reading.problems.length > 0 ? nothing(reading.source) : read(reading, top, known);
  return reading.problems.length > 0 ? { mistakes: reading.problems.map(problemText) } : intent;
}

/** An empty file wants nothing. */
function nothing({ path }: Source): Intent {
  return { path, profile: null, failOn: null, allowForwarding: null, rules: [], allow: null, keep: [] };
}

function read(reading: YamlReading, top: Node, known: KnownNames): Intent {
  const fields = fieldsOf(reading, top, { what: "a policy file", known: FIELDS }) ?? new Map<string, Node>();
  const choice = <Choice extends string>(name: string, choices: readonly Choice[]): Choice | null => {
    const node = fields.get(name);
    return node === undefined ? null : choiceOf(reading, node, { what: `"${name}"`, choices });
  };
  const version = fields.get("version");
  if (version === undefined) complain(reading, top, 'the first line must say "version: 1"');
  else choiceOf(reading, version, { what: '"version"', choices: ["1"] });
  const rules = fields.get("rules");
  const allow = fields.get("allow");
  const keep = fields.get("keep");
  return {
    path: reading.source.path,
    profile: choice("profile", known.profiles),
    failOn: choice("fail-on", SEVERITIES),
    allowForwarding: choice("allow-forwarding", FORWARDINGS),
    rules: rules === undefined ? [] : ruleSettings(reading, rules, known.rules),
    allow: allow === undefined ? null : entriesOf(reading, allow, "allow"),
    keep: keep === undefined ? [] : entriesOf(reading, keep, "keep"),
  };
}

function ruleSettings(reading: YamlReading, node: Node, ids: readonly string[]): RuleSetting[] {
  const fields = fieldsOf(reading, node, { what: '"rules"', known: ids }) ?? new Map<string, Node>();
  return [...fields].flatMap(([rule, value]) => {
    const set = settingOf(reading, rule, value);
    return set === null ? [] : [{ rule, set }];
  });
}

/** `medium`, `{ severity: medium }` or `{ off: the reason }`. */
function settingOf(reading: YamlReading, rule: string, node: Node): RuleSetting["set"] | null {
  if (isOneValue(node)) {
    const said = textOf(reading, node, `"${rule}"`);
    if (said === "off" || said === "false")
      return complain(
        reading,
        node,
        `${rule} is switched off without a reason: write "off: the reason" below it`,
      );
    const severity = choiceOf(reading, node, { what: `"${rule}"`, choices: SEVERITIES });
    return severity === null ? null : { severity };
  }
  const fields = fieldsOf(reading, node, { what: `"${rule}"`, known: ["severity", "off"] });
  const severity = fields?.get("severity");
  const off = fields?.get("off");
  if (off !== undefined && severity !== undefined)
    return complain(reading, off, `${rule} has a severity and is switched off: one of them can hold`);
  if (severity !== undefined) {
    const chosen = choiceOf(reading, severity, { what: `severity of ${rule}`, choices: SEVERITIES });
    return chosen === null ? null : { severity: chosen };
  }
  if (off === undefined)
    return fields === null ? null : complain(reading, node, `${rule} needs "severity" or "off"`);
  const reason = textOf(reading, off, `the reason for which ${rule} is off`);
  if (reason !== null && ["", "true", "yes"].includes(reason))
    return complain(reading, off, `${rule} is switched off without a reason: say why behind "off:"`);
  return reason === null ? null : { off: reason };
}

function isOneValue(node: Node): boolean {
  return "value" in node;
}
