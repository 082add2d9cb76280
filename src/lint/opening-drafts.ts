/** Findings about a kind of forwarding that is open: one for each line, or default, that decides. */
import { onceFor } from "../../grammar/remember.ts";
import type { Answer, Decider } from "../policy/answer.ts";
import { CAPABILITIES, type Capability, NOT_OVER_IP } from "../policy/connection.ts";
import { opened } from "./affected.ts";
import { setWhereDecided } from "./fixes.ts";
import { bothAllow, deciderOf, groupBy, isMeant, loginLimit, openAnswers, reopenedBy } from "./openings.ts";
import { pointAt } from "./places.ts";
import type { Audit, Draft, Severity } from "./rule.ts";
import { forwards, quoted, whoText } from "./wording.ts";

export interface Opening {
  /** canonical spelling of the keyword that opens */
  readonly keyword: string;
  readonly capabilities: readonly Capability[];
  /** the value that closes; what the line closes already stays closed */
  readonly closed: string;
  readonly severity: (answers: readonly Answer[]) => Severity;
  /** "may tunnel TCP through this server"; default: by what is open */
  readonly may?: (answers: readonly Answer[]) => string;
  /** answers that are another rule's business */
  readonly unless?: (answer: Answer) => boolean;
  /** what an attacker gains; one line */
  readonly why?: string;
  readonly notes?: (answers: readonly Answer[]) => readonly string[];
}

/** Answers that are open, not meant to be, and not opened by an exception that reopened-by-match reports. */
export function unmeant(audit: Audit, capabilities: readonly Capability[]): readonly Answer[] {
  return allUnmeant(audit).filter(({ capability }) => capabilities.includes(capability));
}

/** Several rules ask for them. */
const allUnmeant = onceFor(({ exposure, allowed, config }: Audit) =>
  openAnswers(exposure, CAPABILITIES).filter(
    (answer) => !isMeant(allowed, answer.capability) && reopenedBy(config, answer) === null,
  ),
);

export function openingDrafts(audit: Audit, opening: Opening): Draft[] {
  const key = opening.keyword.toLowerCase();
  const open = unmeant(audit, opening.capabilities).filter((answer) => opening.unless?.(answer) !== true);
  const byDecider = groupBy(open, (answer) => deciderOf(answer, key)?.directive ?? null);
  return [...byDecider.values()].flatMap((answers) => draft(audit, opening, answers));
}

function draft(audit: Audit, opening: Opening, answers: readonly Answer[]): Draft[] {
  const first = answers.find(({ login }) => login !== "impossible") ?? answers[0];
  if (first === undefined) return [];
  const key = opening.keyword.toLowerCase();
  const decider = deciderOf(first, key);
  const pointed = pointAt(audit.config, key, decider);
  if (pointed === null) return [];
  const may = opening.may ?? forwards;
  return [
    {
      message: `${whoText(answers)} ${may(answers)}: ${becauseOf(opening.keyword, decider)}`,
      severity: answers.every(({ login }) => login === "impossible") ? "low" : opening.severity(answers),
      ...pointed,
      ...opened(audit, first, answers),
      notes: [
        ...(opening.why === undefined ? [] : [opening.why]),
        ...notesOf(audit, first, decider),
        ...(opening.notes?.(answers) ?? []),
      ],
      fix: setWhereDecided(decider, opening.keyword, bothAllow(opening.closed, decider?.value ?? "yes")),
    },
  ];
}

/** Why a way to forward is no danger yet; the reason is that of the witness. */
export function nobodyLogsIn({ loginBecause }: Answer): string {
  return `nobody of them can log in today (${loginBecause}), so it matters only when that changes`;
}

/** Which line allows it, or that only the default does. */
export function becauseOf(keyword: string, decider: Decider | null): string {
  const directive = decider?.directive ?? null;
  if (directive === null) return `${keyword} is not set, and sshd's default is ${decider?.value ?? "yes"}`;
  const where = directive.origin === "option" ? " on sshd's command line" : "";
  return `${quoted(directive)}${where} allows it`;
}

function notesOf({ config }: Audit, answer: Answer, decider: Decider | null): string[] {
  const notes: string[] = [];
  const limit = loginLimit(config);
  if (answer.login === "possible" && limit !== null) notes.push(limit);
  if (answer.allowed === "unknown")
    notes.push(`not proved: ${answer.unknownBecause ?? "the search gave up"}`);
  if (answer.login === "impossible") notes.push(nobodyLogsIn(answer));
  if (answer.witness?.addr === NOT_OVER_IP.addr)
    notes.push(
      "address lists, * too, never hold for a client without an IP address: sshd -i on a unix or vsock socket, or on a pipe",
    );
  if (decider?.directive?.origin === "option")
    notes.push("an option wins over the file's lines: change it where sshd is started");
  return notes;
}
