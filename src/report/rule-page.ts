/** A rule's own documentation as a page of Markdown. */
import type { Rule } from "../lint/rule.ts";

export function ruleMarkdown({ id, title, severity, docs, references }: Rule): string {
  const sections = [
    `# ${id}`,
    `${sentence(title)} Usual severity: ${severity}.`,
    `## What\n\n${docs.what}`,
    `## Why it matters\n\n${docs.why}`,
    `## Who is affected\n\n${docs.who}`,
    ...(docs.policy === undefined ? [] : [`## Policy file\n\n${example(docs.policy)}`]),
    `## Bad${docs.release === undefined ? "" : ` (OpenSSH ${docs.release})`}\n\n${example(docs.bad)}`,
    `## Good\n\n${example(docs.good)}`,
    `## Fix\n\n${docs.fix}`,
    `## When to allow it\n\n${docs.allowWhen}\n\n${example(`# sshd-policy: allow ${id} -- reason`)}`,
    `## References\n\n${references.map((reference) => `- ${reference}`).join("\n")}`,
  ];
  return `${sections.join("\n\n")}\n`;
}

function sentence(title: string): string {
  return `${title.charAt(0).toUpperCase()}${title.slice(1)}.`;
}

function example(text: string): string {
  return `\`\`\`\n${text.replace(/\n$/, "")}\n\`\`\``;
}

const PROFILES =
  "`--profile strict` adds reminders to the `default` profile. There is no profile of a benchmark (CIS, STIG, ANSSI, Mozilla): those ask for a line, not for what it comes to. Items whose text was read stand in the references of a rule, with where it was read. The policy file sets severities and switches rules off, with a reason ([docs/policy-file.md](policy-file.md)).";

/** The index of all rules. */
export function ruleIndex(rules: readonly Rule[]): string {
  const rows = rules.map(({ id, severity, title }) => `| [${id}](rules/${id}.md) | ${severity} | ${title} |`);
  return `# Rules\n\n${PROFILES}\n\n| rule | severity | what |\n|---|---|---|\n${rows.join("\n")}\n`;
}
