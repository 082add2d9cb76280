/** What a change does to what is open. */
import type { Release } from "../../grammar/release.ts";
import { type Change, keywordOf } from "../config/change.ts";
import type { Config } from "../config/config.ts";
import type { Answer } from "../policy/answer.ts";
import type { Capability } from "../policy/connection.ts";
import { deciderOf, isClosedBy } from "./openings.ts";

/** Whether the new value closes the capability where its line, or default, decides. */
function closesCapability(release: Release, change: Change, capability: Capability): boolean {
  return isClosedBy(release, capability, { keyword: keywordOf(change), values: change.value.split(" ") });
}

/** Whether the change takes the answer away: its line, or default, decides there, and the new value closes. */
export function closesAnswer({ release }: Config, change: Change, answer: Answer): boolean {
  const decider = deciderOf(answer, keywordOf(change));
  if (decider === null) return false;
  const { directive } = decider;
  const isChanged =
    change.kind === "set-global"
      ? directive === null || directive.guards.length === 0
      : change.directive === directive;
  return isChanged && closesCapability(release, change, answer.capability);
}
