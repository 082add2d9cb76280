/** Where one connection lies, by the plain reading. */
import type { Config, Directive } from "../config/config.ts";
import type { Answer } from "./answer.ts";
import { requirements } from "./capabilities.ts";
import type { Capability, Connection } from "./connection.ts";
import { evaluate, isAnswer } from "./evaluate.ts";

/** The answer in which a connection lies, by the lines that the plain evaluator finds deciding; null: sshd has none. */
export function locate(
  config: Config,
  answers: readonly Answer[],
  capability: Capability,
  connection: Connection,
): Answer | null {
  const effective = evaluate(config, connection);
  if (!isAnswer(effective)) return null;
  const made: { keyword: string; directive: Directive | null }[] = [];
  let allowed = true;
  for (const { keyword, closes } of requirements(capability, config.release)) {
    const setting = effective.get(keyword);
    const decided = { keyword, directive: setting?.decidedBy[0] ?? null };
    allowed = !closes(setting?.values ?? []);
    if (allowed) made.push(decided);
    else made.splice(0, made.length, decided);
    if (!allowed) break;
  }
  const isSame = ({ decidedBy }: Answer): boolean =>
    decidedBy.length === made.length &&
    decidedBy.every(({ directive }, index) => directive === made[index]?.directive);
  return (
    answers.find(
      (answer) =>
        answer.capability === capability &&
        answer.decidedBy[0]?.keyword === made[0]?.keyword &&
        isSame(answer),
    ) ?? null
  );
}
