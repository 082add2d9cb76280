/** What ends sshd's second pass, the one for a connection, though `sshd -t` accepts the file. */
import type { Config, Directive, LaterProblem, MatchBlock } from "../config/config.ts";
import { isSetBy } from "../config/other-lines.ts";

/**
 * Asked once for each Match line in order, and once with their number at the end, while `entered` grows: the line that
 * sshd prints when it stops before that Match line; null when it goes on. One walk over all lines in total.
 */
export function secondPass(
  config: Config,
  entered: ReadonlySet<MatchBlock>,
): (matchesBefore: number) => string | null {
  const isEntered = ({ guards }: Directive): boolean =>
    guards.length > 0 && guards.every((block) => entered.has(block));
  /** values that blocks have set so far, by keyword */
  const set = new Map<string, string[]>();
  let nextDirective = 0;
  let nextProblem = 0;

  const readUpTo = (order: number): void => {
    for (; nextDirective < order; nextDirective++) {
      const directive = config.directives[nextDirective];
      if (directive === undefined || !isEntered(directive)) continue;
      const values = set.get(directive.keyword) ?? [];
      set.set(directive.keyword, values);
      values.push(...(directive.values ?? []));
    }
  };

  const applies = ({ directive, when }: LaterProblem): boolean => {
    if (directive === null || when === "always") return true;
    const active = when === "first" || when === "again" || isEntered(directive);
    if (!active || when === "active") return active;
    readUpTo(directive.order);
    const isSet = isSetBy(directive.keyword, directive.line, set.get(directive.keyword) ?? []);
    return isSet === (when === "again");
  };

  return (matchesBefore) => {
    for (; nextProblem < config.later.length; nextProblem++) {
      const problem = config.later[nextProblem];
      if (problem === undefined || problem.matchesBefore > matchesBefore) return null;
      if (applies(problem)) return problem.sshdText;
    }
    return null;
  };
}
