/** After a fix: whether a throw-away sshd with the new files does what they say (`audit --fix --probe`). */
import type { Config } from "../config/config.ts";
import type { Proof } from "../host/transaction.ts";
import { differs } from "../policy/probed.ts";
import { differenceText } from "../report/probe.ts";
import { insideCommand } from "./probe.ts";
import { knownAccounts } from "./probe-plan.ts";
import { probe } from "./probe-run.ts";
import { findSshd } from "./sshd-program.ts";
import type { Target } from "./target.ts";

/** What cannot be seen proves nothing against the fix: it is said. The running service is not touched. */
export async function probeProof(target: Target, config: Config): Promise<Proof> {
  const program = findSshd("/", undefined, config.release);
  if (typeof program === "string") return holds(0, [program]);
  const { attempts, failed, limits } = await probe({
    config,
    tree: target.tree,
    accounts: knownAccounts(target),
    world: target.world,
    keyOptions: "",
    program,
    inside: insideCommand(),
    onEvent: () => {},
  });
  const seen = attempts.filter(({ observation }) => observation.observed !== null);
  const [wrong] = seen.filter(differs);
  if (wrong !== undefined)
    return { kind: "fails", because: `a throw-away sshd does otherwise: ${differenceText(wrong)}` };
  const untried = attempts.filter(({ observation: { why } }) => why === "untried" || why === "no-login");
  return holds(seen.length, [
    ...(failed === null ? [] : [failed]),
    ...limits,
    ...new Set(untried.map(({ observation }) => observation.detail)),
  ]);
}

function holds(seen: number, unseen: readonly string[]): Proof {
  const outcome = seen === 0 ? "no forward was tried" : `${seen} attempts to forward, all as predicted`;
  const lines = [`a throw-away sshd with these files: ${outcome}`];
  return { kind: "holds", text: [...lines, ...unseen.map((what) => `not seen: ${what}`)].join("\n") };
}
