/**
 * Every rule: its file, its id, its page, its fixtures and its examples. A fixture is a folder that holds a root file
 * system, `findings.txt`, and `fixed/` with the files that the fix changes; UPDATE_FIXTURES=1 rewrites them.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, test } from "vitest";
import { RULES } from "../rules/index.ts";
import type { Finding, Rule } from "../src/lint/rule.ts";
import { ruleIndex, ruleMarkdown } from "../src/report/rule-page.ts";
import { positionAt } from "../src/source/source.ts";
import { type AuditedRoot, auditRoot, fixRoot, MAIN, makeRoot } from "./auditing.ts";

const project = new URL("..", import.meta.url).pathname;
const fixtures = `${project}fixtures/rules`;
const update = process.env["UPDATE_FIXTURES"] === "1";

const namesIn = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder).sort() : []);
const ids = RULES.map(({ id }) => id).sort();

test("rule file = id = fixture = page = index", () => {
  const files = namesIn(`${project}rules`).filter((name) => name !== "index.ts");
  expect(files).toEqual(ids.map((id) => `${id}.ts`));
  expect(namesIn(fixtures)).toEqual(ids);
  expect(namesIn(`${project}docs/rules`)).toEqual(ids.map((id) => `${id}.md`));
  expect(readFileSync(`${project}docs/rules.md`, "utf8")).toBe(ruleIndex(RULES));
});

describe.each(RULES.map((rule) => [rule.id, rule] as const))("%s", (id, rule) => {
  test("the page is generated from the rule", () => {
    expect(readFileSync(`${project}docs/rules/${id}.md`, "utf8")).toBe(ruleMarkdown(rule));
  });

  test("the bad example fires, the good one does not", () => {
    // the same text with other permissions or times: its fixtures show both
    if (id === "loose-permissions" || id === "stale-daemon") return;
    expect(findingsOfText(rule, rule.docs.bad).map((finding) => finding.rule)).toContain(id);
    expect(findingsOfText(rule, rule.docs.good)).toEqual([]);
  });

  test("messages are one line without a full stop", () => {
    for (const { message } of findingsOfText(rule, rule.docs.bad)) expect(message).toMatch(/^[^\n]*[^.\n]$/);
  });

  const cases = namesIn(`${fixtures}/${id}`);
  test("has fixtures that fire and that do not", () => {
    expect(cases.some((name) => name.startsWith("fires"))).toBe(true);
    expect(cases.some((name) => name.startsWith("silent"))).toBe(true);
  });

  test.each(cases)("%s", (name) => {
    const folder = `${fixtures}/${id}/${name}`;
    const audited = { root: `${folder}/root`, rules: [rule], ...settingsOf(folder) };
    const found = auditRoot(audited).findings.map(findingLine).join("");
    expectText(`${folder}/findings.txt`, found);
    expect(found === "").toBe(name.startsWith("silent"));
    expectFixed(folder, audited);
  });
});

function settingsOf(folder: string): Omit<AuditedRoot, "root" | "rules"> {
  const path = `${folder}/settings.json`;
  const policy = `${folder}/policy.yaml`;
  return {
    ...(existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : {}),
    ...(existsSync(policy) ? { policy: readFileSync(policy, "latin1") } : {}),
  };
}

/** Rules about what stands beside the file: their examples need it. */
const BESIDE: Readonly<
  Record<string, { readonly files?: Readonly<Record<string, string>> } & Omit<AuditedRoot, "root" | "rules">>
> = {
  "drop-in-not-included": { files: { "/etc/ssh/sshd_config.d/50-site.conf": "X11Forwarding no\n" } },
  "nologin-still-forwards": { files: { "/etc/passwd": "mail:x:1001:1001::/srv:/usr/sbin/nologin\n" } },
  "authorized-keys-options": {
    files: {
      "/etc/passwd": "git:x:1001:1001::/home/git:/bin/sh\n",
      "/home/git/.ssh/authorized_keys": 'command="git-shell" ssh-ed25519 AAAA git\n',
    },
  },
  "socket-unit-overrides-port": {
    files: {
      "/etc/systemd/system/sockets.target.wants/ssh.socket": "[Socket]\n",
      "/lib/systemd/system/ssh.socket": "[Socket]\nListenStream=22\nAccept=no\n",
    },
  },
  "option-overrides-file": { commandLine: ["AllowTcpForwarding=yes"] },
};

function findingsOfText(rule: Rule, text: string): Finding[] {
  const { release, policy } = rule.docs;
  const { files = {}, ...settings } = BESIDE[rule.id] ?? {};
  const root = makeRoot({ [MAIN]: text, ...files });
  return auditRoot({
    root,
    rules: [rule],
    ...settings,
    ...(release === undefined ? {} : { release }),
    ...(policy === undefined ? {} : { policy }),
  }).findings;
}

function findingLine({ place, severity, message, rule, label }: Finding): string {
  const { line, column } = positionAt(place.source, place.start);
  return `${place.source.path}:${line}:${column}-${positionAt(place.source, place.end).column}: ${severity}: ${message} [${rule}]${label === "" ? "" : ` (${label})`}\n`;
}

function expectText(path: string, text: string): void {
  if (update) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, "latin1");
  }
  expect(text).toBe(readFileSync(path, "latin1"));
}

/** The fixed files, that the fix converges, and that a CRLF twin and one without a final newline become the same. */
function expectFixed(folder: string, audited: Parameters<typeof fixRoot>[0]): void {
  const plan = fixRoot(audited);
  if (update) rmSync(`${folder}/fixed`, { recursive: true, force: true });
  for (const { realPath, after } of plan.files) expectText(`${folder}/fixed${realPath}`, after);
  if (plan.files.length === 0) expect(existsSync(`${folder}/fixed`)).toBe(false);
  expect(plan.broken).toEqual([]);
  expect(plan.moved).toEqual([]);
  expect(plan.remaining.filter(({ fix }) => fix !== null)).toEqual([]);
  expectTwin(audited, (text) => text.replaceAll(/\r?\n/g, "\r\n"));
  expectTwin(audited, (text) => text.replace(/\r?\n$/, ""));
}

function expectTwin(audited: Parameters<typeof fixRoot>[0], twin: (text: string) => string): void {
  const plan = fixRoot(audited);
  const files = plan.files.map(({ realPath, before }) => [realPath, twin(before)] as const);
  if (files.length === 0) return;
  const originals = Object.fromEntries(textFiles(audited.root));
  const twins = fixRoot({ ...audited, root: makeRoot({ ...originals, ...Object.fromEntries(files) }) });
  expect(twins.files.map(({ after }) => after)).toEqual(plan.files.map(({ after }) => twin(after)));
}

function textFiles(root: string): (readonly [string, string])[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`)
    .map((path) => [path.slice(root.length), readFileSync(path, "latin1")] as const);
}
