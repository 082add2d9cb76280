/** Reports of a configuration in every format, without a process for each. */
import { describe as describeTarget } from "../src/cli/describe-target.ts";
import { findingsOf } from "../src/cli/findings.ts";
import { renderAudit } from "../src/cli/output.ts";
import { prepareAudit } from "../src/cli/prepare-audit.ts";
import type { AuditReport } from "../src/report/report.ts";
import { makeRoot } from "./auditing.ts";

export const FORMATS = ["pretty", "concise", "json", "sarif", "github", "junit", "markdown", "html"] as const;
export type Format = (typeof FORMATS)[number];

/** `files` by path below a folder of its own; `sshd_config` (latin1) is audited as OpenSSH 9.2p1. */
export async function reportOf(
  files: Readonly<Record<string, string>>,
  name = "sshd_config",
): Promise<AuditReport> {
  const path = `${makeRoot(files)}/${name}`;
  const prepared = await prepareAudit([path], {
    openssh: "9.2p1",
    profile: "strict",
    suppressions: true,
    config: false,
    restart: true,
    validate: true,
  });
  if ("misuse" in prepared) throw new Error(prepared.misuse);
  const targets = prepared.opened.map((one) => {
    if (!("target" in one)) throw new Error(`${one.name} was not read`);
    const { target, judging } = one;
    return describeTarget(target, target.config, findingsOf(target, target.config, judging), judging);
  });
  return { tool: { name: "sshd-policy", version: "0.0.0" }, targets, fixed: 0 };
}

export async function render(report: AuditReport, format: Format): Promise<string> {
  return [...(await renderAudit(report, { format, color: "never" }))].join("");
}
