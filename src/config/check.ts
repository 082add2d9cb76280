/** The verdict of `sshd -t`: what sshd of that release would refuse, all of it, and what only the machine can tell. */
import { isRefusal } from "../../grammar/problem.ts";
import { atLeast } from "../../grammar/release.ts";
import { oncePerPlace } from "../source/source.ts";
import type { Config, Directive, Problem } from "./config.ts";

export interface CheckResult {
  readonly accepted: boolean;
  /** in sshd's order: the first is the one that sshd names */
  readonly errors: readonly Problem[];
  readonly warnings: readonly Problem[];
  /** accepted without a word, yet not what was meant: lines that vanish, lists that lock everybody out */
  readonly silent: readonly Problem[];
  /** what the verdict leaves out, since only the machine knows it */
  readonly depends: readonly string[];
}

export function checkConfig(config: Config): CheckResult {
  const problems = oncePerPlace(config.problems);
  const errors = problems.filter(isRefusal);
  return {
    accepted: errors.length === 0 && config.limits.length === 0,
    errors,
    warnings: problems.filter(({ weight }) => weight === "warning"),
    silent: problems.filter(({ weight }) => weight === "silent"),
    depends: machineFacts(config),
  };
}

function machineFacts(config: Config): string[] {
  const facts = ["the host keys must be readable and not open to others", privsepFact(config)];
  const names = config.directives.filter(namesHost).map(({ args }) => args[0]?.value ?? "");
  if (names.length > 0) facts.push(`these names must resolve: ${names.join(", ")}`);
  return facts;
}

function privsepFact(config: Config): string {
  const folder = config.release.vendor === "upstream" ? "the privilege separation folder" : "/run/sshd";
  return atLeast(config.release, "7.5")
    ? `${folder} and the user sshd must exist`
    : `${folder} and the user sshd must exist, unless UsePrivilegeSeparation is no`;
}

/** ListenAddress with a name: sshd resolves it when it starts, and under -t (servconf.c add_one_listen_addr). */
function namesHost({ keyword, args }: Directive): boolean {
  return keyword === "listenaddress" && /[g-zG-Z]/.test(args[0]?.value ?? "");
}
