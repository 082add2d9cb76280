/** What a change does to what is open. */
import { type Change, keywordOf } from "../config/change.ts";
import type { Config } from "../config/config.ts";
import type { Answer } from "../policy/answer.ts";
import { requirements } from "../policy/capabilities.ts";

/** Whether the change takes the answer away: its line, or default, decides there, and the new value closes. */
export function closesAnswer(
  { release }: Config,
  change: Change,
  { capability, decidedBy }: Answer,
): boolean {
  const keyword = keywordOf(change);
  const requirement = requirements(capability, release).find((one) => one.keyword === keyword);
  const decider = decidedBy.find((one) => one.keyword === keyword);
  if (requirement === undefined || decider === undefined) return false;
  const { directive } = decider;
  const isChanged =
    change.kind === "set-global"
      ? directive === null || directive.guards.length === 0
      : change.directive === directive;
  return isChanged && requirement.closes(change.value.split(" "));
}
