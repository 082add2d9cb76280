/** By what a target was judged: the release and its source stand beside every answer. */
import type { TargetReport } from "./report.ts";

/** Each text once, where limits are told elsewhere. */
export function judgedTexts(targets: readonly JudgedBy[]): readonly string[] {
  return [...new Set(targets.filter(isJudged).map(judgedText))];
}

export function isJudged({ error = null, absent = null }: JudgedBy): boolean {
  return error === null && absent === null;
}

/** By what an answer was found, in any command. */
export type Judged = Pick<TargetReport, "openssh" | "opensshSource" | "accounts">;

/** For people, without limits. */
export function judgedText(target: JudgedBy): string {
  return `judged ${byWhat(target)}`;
}

type JudgedBy = Judged & Partial<Pick<TargetReport, "policyFile" | "error" | "absent">>;

/** "as OpenSSH 9.2p1 (given with --openssh); anybody may exist (--accounts open)" */
export function byWhat(target: JudgedBy): string {
  return `as ${releaseWords(target)}; ${target.accounts}${policyText(target)}`;
}

/** "OpenSSH 1:9.2p1-2 (found on this host, dpkg: openssh-server)": that source would name the version twice. */
export function releaseWords({ openssh, opensshSource }: Pick<Judged, "openssh" | "opensshSource">): string {
  const short = opensshSource.slice(0, -` ${openssh}`.length);
  const isPackage = opensshSource.endsWith(` ${openssh}`) && /: [^ ]+$/.test(short);
  return `OpenSSH ${openssh} (${isPackage ? short : opensshSource})`;
}

function policyText({ policyFile = null }: Partial<Pick<TargetReport, "policyFile">>): string {
  if (policyFile === null) return "";
  const off = policyFile.off.map(({ rule }) => rule);
  return `; by the policy of ${policyFile.path}${off.length === 0 ? "" : `, which switches off ${off.join(", ")}`}`;
}
