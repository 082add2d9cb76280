/** Fixes seen through the policy file: what it allows must stay open, and what it does not allow nobody opened on purpose. */
import { lookUpKeyword } from "../../grammar/keywords.ts";
import { type Change, keywordOf } from "../config/change.ts";
import type { Config } from "../config/config.ts";
import { globalLine } from "../config/keyword-lines.ts";
import type { Answer } from "../policy/answer.ts";
import { closesAnswer } from "./closing.ts";
import { type Fix, safeFix, unsafeFix } from "./fixes.ts";
import type { Intended } from "./intended.ts";
import { bothAllow, TWO_WAY } from "./openings.ts";
import type { Finding } from "./rule.ts";

/** The finding with a fix that is safe or unsafe by what the policy file says. */
export function withIntent(config: Config, intended: Intended, finding: Finding): Finding {
  const { fix, capability } = finding;
  // what is lost is wanted, not too much
  if (capability === null || finding.rule === "lost-forwarding") return finding;
  const notes = intended.isComplete
    ? [...finding.notes, `${intended.path} does not allow it`]
    : finding.notes;
  return { ...finding, notes, fix: fix === null ? null : judged(config, intended, fix) };
}

function judged(config: Config, intended: Intended, fix: Fix): Fix {
  const kept = wantedAnswers(intended);
  const narrower = fix.changes.map((change) => narrowed(config, kept, change));
  const lost = kept.filter((answer) => narrower.some((change) => closesAnswer(config, change, answer)));
  const isSame = narrower.every((change, index) => change === fix.changes[index]);
  const title = isSame ? fix.title : narrower.map((change) => changeText(config, change)).join(", ");
  const [first] = lost;
  if (first !== undefined) {
    const because = `also closes what ${intended.path} allows ${first.condition}`;
    return unsafeFix(`${title}, which ${because}`, narrower, `it ${because}`);
  }
  return intended.isComplete ? safeFix(title, narrower) : { ...fix, title, changes: narrower };
}

/** Open answers of which something is wanted. */
function wantedAnswers({ everything, unwanted }: Intended): readonly Answer[] {
  const without = new Set(unwanted.answers);
  return everything.answers.filter((answer) => answer.allowed !== false && !without.has(answer));
}

/** `AllowTcpForwarding no` as `local` or `remote`, where that closes something and leaves open what is wanted. */
function narrowed(config: Config, kept: readonly Answer[], change: Change): Change {
  if (change.value !== "no" || !TWO_WAY.has(keywordOf(change))) return change;
  if (!kept.some((answer) => closesAnswer(config, change, answer))) return change;
  const now = valueNow(config, change);
  const choices = ["local", "remote"]
    .filter((value) => value !== now && bothAllow(value, now) === value)
    .map((value) => ({ ...change, value }));
  const found = choices.find((choice) => !kept.some((answer) => closesAnswer(config, choice, answer)));
  return found ?? change;
}

function valueNow(config: Config, change: Change): string {
  const directive = change.kind === "set-global" ? globalLine(config, keywordOf(change)) : change.directive;
  return directive?.values?.[0] ?? "yes";
}

function changeText(config: Config, change: Change): string {
  const keyword = keywordOf(change);
  const name = lookUpKeyword(keyword, config.release).keyword?.name ?? keyword;
  return `${name} ${change.value}`;
}
