/** The lines of a configuration by keyword. Most questions are about one, and most files set few. */
import { onceFor } from "../../grammar/remember.ts";
import type { Config, Directive } from "./config.ts";

type Lines = Pick<Config, "directives">;

interface OfKeyword {
  readonly lines: Directive[];
  global: Directive | null;
}

const byKeyword = onceFor((directives: Config["directives"]): ReadonlyMap<string, OfKeyword> => {
  const keywords = new Map<string, OfKeyword>();
  for (const directive of directives) {
    const { keyword, guards } = directive;
    const global = guards.length === 0 && isEffective(directive) ? directive : null;
    const known = keywords.get(keyword);
    if (known === undefined) keywords.set(keyword, { lines: [directive], global });
    else {
      known.lines.push(directive);
      known.global ??= global;
    }
  }
  return keywords;
});

const NONE: readonly Directive[] = [];

/** All lines that set a keyword (lower case), in sshd's order. */
export function linesOf({ directives }: Lines, keyword: string): readonly Directive[] {
  return byKeyword(directives).get(keyword)?.lines ?? NONE;
}

/** The line outside every Match that counts for a first-value keyword; null where only the default is left. */
export function globalLine({ directives }: Lines, keyword: string): Directive | null {
  return byKeyword(directives).get(keyword)?.global ?? null;
}

/** Without those that sshd refuses or that set nothing (`PermitOpen # all` up to 9.6). */
export function effectiveLines(config: Lines, keyword: string): readonly Directive[] {
  const lines = linesOf(config, keyword);
  return lines.every(isEffective) ? lines : lines.filter(isEffective);
}

function isEffective({ values }: Directive): boolean {
  return values !== null && values.length > 0;
}

/** The keywords that lines set, in the order of their first lines. */
export function keywordsOf({ directives }: Lines): Iterable<string> {
  return byKeyword(directives).keys();
}
