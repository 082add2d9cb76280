import { parseRelease, type Release } from "../grammar/release.ts";
import { RULES } from "../rules/index.ts";
import type { Config } from "../src/config/config.ts";
import { type LoadOptions, loadConfig } from "../src/config/load.ts";
import { accountsOf } from "../src/files/accounts.ts";
import { folderTree } from "../src/files/folder.ts";
import { unprivilegedPortStart } from "../src/files/port-limit.ts";
import type { FileTree } from "../src/files/tree.ts";
import { type Plan, planFix } from "../src/fix/plan.ts";
import { audit } from "../src/lint/audit.ts";
import { compareIntent, type Intended } from "../src/lint/intended.ts";
import type { Intent } from "../src/lint/intent.ts";
import { readPolicyFile } from "../src/lint/policy-file.ts";
import type { Finding, Rule } from "../src/lint/rule.ts";
import { exposure } from "../src/policy/exposure.ts";
import { keyFilesOf } from "../src/policy/key-files.ts";
import { lineUses } from "../src/policy/line-uses.ts";
import { hostFacts } from "../src/start/host-facts.ts";
import { makeFolder } from "./own-folder.ts";
import { type ServerTree, writeTree } from "./sshd/server-tree.ts";

const TODAY = "2026-11-24";
/** The machine booted a minute before the month began. */
const CLOCK = {
  nowMs: Date.parse(TODAY),
  upSeconds: (Date.parse(TODAY) - Date.parse("2026-10-31T23:59:00Z")) / 1000,
};
export const MAIN = "/etc/ssh/sshd_config";

export interface AuditedRoot {
  readonly root: string;
  readonly rules: readonly Rule[];
  /** default 9.2+debian */
  readonly release?: string;
  readonly commandLine?: readonly string[];
  /** text of a policy file; of a rule's fixture it is the file policy.yaml beside root/ */
  readonly policy?: string;
  /** octal permissions of paths inside the root, for what git does not keep */
  readonly modes?: Readonly<Record<string, string>>;
  /** when files were changed (ISO 8601), by path inside the root: then its sshd runs */
  readonly modified?: Readonly<Record<string, string>>;
}

export function auditRoot(audited: AuditedRoot): { readonly config: Config; readonly findings: Finding[] } {
  const config = loadConfig(treeOf(audited), MAIN, loadOptions(audited));
  return { config, findings: findingsOf(config, audited) };
}

export function fixRoot(audited: AuditedRoot): Plan {
  return planFix({
    tree: treeOf(audited),
    path: MAIN,
    load: loadOptions(audited),
    audit: (config) => ({
      findings: findingsOf(config, audited),
      answers: exposure(config).answers,
      losses: intendedOf(config, audited)?.losses.length ?? 0,
    }),
    unsafe: true,
  });
}

/** Everything belongs to root and nobody else may write it, unless `modes` says so. */
function treeOf({ root, modes = {}, modified = {} }: AuditedRoot): FileTree {
  const tree = folderTree(root);
  return {
    ...tree,
    stat: (path, options) => {
      const entry = tree.stat(path, options);
      const modifiedMs = Date.parse(modified[path] ?? "2026-01-01T00:00:00Z");
      const mode = Number.parseInt(modes[path] ?? "755", 8);
      return entry === null ? null : { ...entry, uid: 0, mode, modifiedMs };
    },
  };
}

function intendedOf(config: Config, audited: AuditedRoot): Intended | null {
  const { policy } = audited;
  return policy === undefined
    ? null
    : compareIntent(config, intentOf(policy), {
        accounts: null,
        today: TODAY,
        unprivilegedPortStart: unprivilegedPortStart(treeOf(audited)),
      });
}

function findingsOf(config: Config, audited: AuditedRoot): Finding[] {
  const tree = treeOf(audited);
  const files = config.files.map(({ realPath }) => realPath);
  const accounts = accountsOf(tree);
  const intended = intendedOf(config, audited);
  const found =
    intended?.everything ?? exposure(config, { unprivilegedPortStart: unprivilegedPortStart(tree) });
  return audit(config, found, audited.rules, {
    intended,
    lineUses: lineUses(config),
    accounts,
    facts: hostFacts(tree, {
      files,
      configFolder: "/etc/ssh",
      owners: true,
      permissions: true,
      running: audited.modified === undefined ? null : CLOCK,
      keyFiles: keyFilesOf(config, accounts ?? []),
    }),
    suppressions: { today: () => TODAY, knownRules: RULES.map(({ id }) => id) },
  });
}

/** The policy file's own name in findings. */
export function intentOf(text: string): Intent {
  const intent = readPolicyFile(".sshd-policy.yaml", text, { rules: [], profiles: [] });
  if ("mistakes" in intent) throw new Error(intent.mistakes.join("\n"));
  return intent;
}

function loadOptions({ release = "9.2+debian", commandLine = [] }: AuditedRoot): LoadOptions {
  return { release: releaseOf(release), commandLine };
}

export function releaseOf(text: string): Release {
  const release = parseRelease(text);
  if (release === null) throw new Error(`no release: ${text}`);
  return release;
}

/** A folder with these files (by absolute path inside it). */
export function makeRoot(files: ServerTree): string {
  const root = makeFolder();
  writeTree(root, files);
  return root;
}
