/** What a finding about an opening says of the answers behind it. */
import type { Answer } from "../policy/answer.ts";
import type { Affected, Audit, Finding } from "./rule.ts";
import { grantText } from "./wording.ts";

/** The witness is that of `first`; what it may do is told by those of the answers in which it lies. */
export function opened(
  audit: Pick<Audit, "at">,
  first: Answer,
  answers: readonly Answer[],
): Pick<Finding, "witness" | "grant" | "capability" | "login" | "affected"> {
  const { witness, capability, login } = first;
  const grant = grantText(answersAt(audit, first, answers));
  return { witness, grant, capability, login, affected: affectedBy(answers) };
}

function answersAt(
  { at }: Pick<Audit, "at">,
  { condition, witness }: Answer,
  answers: readonly Answer[],
): readonly Answer[] {
  const same = answers.filter((answer) => answer.condition === condition);
  if (same.length === answers.length || witness === null) return same;
  const told = new Set(same.map(({ capability }) => capability));
  const others = new Set(answers.map(({ capability }) => capability).filter((one) => !told.has(one)));
  const located = [...others].flatMap((capability) => at(capability, witness) ?? []);
  return [...same, ...located.filter((answer) => answers.includes(answer))];
}

/** `who`: where the finding is about one account, whatever others the answers are about */
export function affectedBy(answers: readonly Answer[], who: string | null = null): readonly Affected[] {
  return answers.map((answer) => ({
    who: who ?? answer.extent.who,
    except: who === null ? answer.extent.except : NOBODY,
    capability: answer.capability,
    grant: completeGrant(answer),
  }));
}

const NOBODY: readonly string[] = [];

function completeGrant({ capability, destinations, listen }: Answer): string {
  if (listen === null)
    return destinations.length === 0 ? capability : `${capability} ${destinations.join(" ")}`;
  return `${capability} ${listen.bind} ${listen.privilegedPorts} ${listen.addresses.join(" ")}`;
}
