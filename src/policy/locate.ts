/** Where one connection lies, by the plain reading. */
import { onceFor } from "../../grammar/remember.ts";
import type { Config, Directive } from "../config/config.ts";
import type { Answer } from "./answer.ts";
import { requirementsUnder } from "./capabilities.ts";
import type { Capability, Connection } from "./connection.ts";
import { readerOf } from "./reader.ts";

/** The answer in which a connection lies, by the lines that the plain reading finds deciding; null: sshd has none. */
export function locate(
  config: Config,
  answers: readonly Answer[],
  capability: Capability,
  connection: Connection,
): Answer | null {
  const decisions = decisionsAt(config, capability, connection);
  if (decisions === null) return null;
  const { made } = decisions;
  const [first] = made;
  const isSame = ({ decidedBy }: Answer): boolean =>
    decidedBy.length === made.length &&
    decidedBy.every(({ directive }, index) => directive === made[index]?.directive);
  const candidates =
    answersByLine(answers)
      .get(first?.directive ?? null)
      ?.filter(
        (answer) => answer.capability === capability && answer.decidedBy[0]?.keyword === first?.keyword,
      ) ?? [];
  return candidates.find(isSame) ?? null;
}

/** The line that closes the capability for a connection; null: none does, or the default, or sshd has no answer. */
export function closingLine(
  config: Config,
  capability: Capability,
  connection: Connection,
): Directive | null {
  const decisions = decisionsAt(config, capability, connection);
  return decisions?.closed === true ? (decisions.made[0]?.directive ?? null) : null;
}

interface Decisions {
  /** what decides each keyword that counts; where one closes, that one alone */
  readonly made: readonly { readonly keyword: string; readonly directive: Directive | null }[];
  readonly closed: boolean;
}

/** Null: sshd has no answer for the connection. */
function decisionsAt(config: Config, capability: Capability, connection: Connection): Decisions | null {
  const reader = readerOf(config);
  const made: Decisions["made"][number][] = [];
  for (const { keyword, closes } of requirementsUnder(config, capability)) {
    const setting = reader.read(connection, keyword);
    if (setting === null) return null;
    const decision = { keyword, directive: setting.decidedBy[0] ?? null };
    if (closes(setting.values)) return { made: [decision], closed: true };
    made.push(decision);
  }
  return { made, closed: false };
}

/** The answers by the line that opens or closes each. */
const answersByLine = onceFor((answers: readonly Answer[]) => {
  const byLine = new Map<Directive | null, Answer[]>();
  for (const answer of answers) {
    const line = answer.decidedBy[0]?.directive ?? null;
    const same = byLine.get(line);
    if (same === undefined) byLine.set(line, [answer]);
    else same.push(answer);
  }
  return byLine;
});
