/** The findings of one target: its answers, what its policy file wants, the rules over both. */
import { RULES } from "../../rules/index.ts";
import type { Config } from "../config/config.ts";
import { accountsOf } from "../files/accounts.ts";
import { secondsSinceBoot } from "../files/boot-clock.ts";
import { judge } from "../lint/audit.ts";
import { compareIntent } from "../lint/intended.ts";
import { saysWhatIsWanted } from "../lint/intent.ts";
import type { Judged } from "../lint/suppressions.ts";
import type { Answer } from "../policy/answer.ts";
import { exposure } from "../policy/exposure.ts";
import { keyFilesOf } from "../policy/key-files.ts";
import { lineUses } from "../policy/line-uses.ts";
import { type HostFacts, hostFacts } from "../start/host-facts.ts";
import { targetLimitsOf } from "./chosen-accounts.ts";
import type { Judging } from "./prepare-audit.ts";
import { isServer, type Target, worldOf } from "./target.ts";

export interface Found {
  readonly judged: readonly Judged[];
  readonly limits: readonly string[];
  readonly answers: readonly Answer[];
  /** how many times something is closed that the policy file keeps, whatever rules are asked for; 0 without one */
  readonly losses: number;
}

const KNOWN_RULES: readonly string[] = RULES.map(({ id }) => id);

/** Of a drop-in given as FILE only its own findings. */
export function findingsOf(
  target: Target,
  config: Config,
  { rules, allowed, suppressions, intent }: Judging,
): Found {
  const world = worldOf(target);
  const intended = saysWhatIsWanted(intent)
    ? compareIntent(config, intent, { ...world, today: today() })
    : null;
  const found = intended?.everything ?? exposure(config, { ...world, answers: "open" });
  const facts = factsOf(target, config);
  const judged = judge(config, found, rules, {
    lineUses: lineUses(config, world),
    allowed,
    intended,
    accounts: target.accounts,
    world: target.world,
    fragment: target.fragment,
    facts,
    ...(target.loadOptions.shownAs === undefined ? {} : { shownAs: target.loadOptions.shownAs }),
    suppressions: suppressions ? { today, knownRules: KNOWN_RULES } : null,
  });
  const limits = [
    ...new Set([...config.limits, ...found.limits, ...facts.limits, ...targetLimitsOf(target)]),
  ];
  const rest = { limits, answers: found.answers, losses: intended?.losses.length ?? 0 };
  if (target.onlyRealPath === null) return { judged, ...rest };
  const own = new Set(
    config.files.filter(({ realPath }) => realPath === target.onlyRealPath).map(({ source }) => source),
  );
  return {
    judged: judged.filter(({ finding }) => own.has(finding.place.source)),
    ...rest,
  };
}

/**
 * Permissions count on this host, in a root and in an image, not in a checkout; owners not in a root that somebody
 * unpacked as himself, its `/` too. Those of an image are its containers'.
 */
function factsOf(target: Target, config: Config): HostFacts {
  return hostFacts(target.tree, {
    files: config.files.map(({ realPath }) => realPath),
    // a drop-in folder belongs to the sshd_config beside it, to no other file
    configFolder: target.path.endsWith("/sshd_config")
      ? (target.loadOptions.configFolder ?? "/etc/ssh")
      : null,
    owners: target.live || target.image !== null || target.tree.stat("/")?.uid === 0,
    permissions: isServer(target),
    running: target.live ? { nowMs: Date.now(), upSeconds: secondsSinceBoot() } : null,
    // accounts of this host label nothing in the open world, but their keys are there
    keyFiles: isServer(target) ? keyFilesOf(config, target.accounts ?? accountsOf(target.tree) ?? []) : [],
  });
}

/** The date here, as people write it in a suppression; for the time zone Node.js reads files. */
function today(): string {
  const now = new Date();
  const two = (part: number): string => String(part).padStart(2, "0");
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
}
