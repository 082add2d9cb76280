/** By what a target was judged: the release and its source stand beside every answer. */
import type { TargetReport } from "./report.ts";

/** Each text once, of all targets that were judged, where limits are told elsewhere. */
export function judgedTexts(targets: readonly TargetReport[]): readonly string[] {
  return [...new Set(targets.filter(isJudged).map(judgedText))];
}

export function isJudged({ error, absent }: TargetReport): boolean {
  return error === null && absent === null;
}

/** For people, without limits. */
export function judgedText(target: TargetReport): string {
  // "dpkg: openssh-server 1:9.2p1-2" would name the version twice
  const short = target.opensshSource.slice(0, -` ${target.openssh}`.length);
  const isPackage = target.opensshSource.endsWith(` ${target.openssh}`) && /: [^ ]+$/.test(short);
  const source = isPackage ? short : target.opensshSource;
  return `judged as OpenSSH ${target.openssh} (${source}); ${target.accounts}${policyText(target)}`;
}

function policyText({ policyFile }: TargetReport): string {
  if (policyFile === null) return "";
  const off = policyFile.off.map(({ rule }) => rule);
  return `; by the policy of ${policyFile.path}${off.length === 0 ? "" : `, which switches off ${off.join(", ")}`}`;
}
