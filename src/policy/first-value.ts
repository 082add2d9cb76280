/** Which of several lines of one keyword counts, inside the global lines or inside the matching blocks. */
import type { Keyword, Sets } from "../../grammar/keywords.ts";
import type { Directive } from "../config/config.ts";

export interface Chosen {
  readonly values: readonly string[];
  readonly decidedBy: readonly Directive[];
}

type Choose = (directives: readonly Directive[]) => Chosen;

/** `directives`: accepted lines of the keyword in order, at least one. */
export function chooseValues(keyword: Keyword, directives: readonly Directive[]): Chosen {
  return CHOICES[keyword.sets](directives);
}

const CHOICES: Readonly<Record<Sets, Choose>> = {
  first: (directives) => only(directives[0]),
  "first-line": (directives) => only(directives[0]),
  last: (directives) => only(directives.at(-1)),
  append: (directives) => ({ values: directives.flatMap(valuesOf), decidedBy: directives }),
  "first-per-name": (directives) => firstPer(directives, (value) => value.split(" ", 1)[0] ?? ""),
  "first-per-key": (directives) => firstPer(directives, (value) => value.split(":", 1)[0] ?? ""),
  "first-per-part": firstPerPart,
  "first-but-none-last": firstButNoneLast,
};

function valuesOf(directive: Directive): readonly string[] {
  return directive.values ?? [];
}

function only(directive: Directive | undefined): Chosen {
  return directive === undefined
    ? { values: [], decidedBy: [] }
    : { values: valuesOf(directive), decidedBy: [directive] };
}

function firstPer(directives: readonly Directive[], keyOf: (value: string) => string): Chosen {
  const values = new Map<string, string>();
  const decidedBy = new Set<Directive>();
  for (const directive of directives) {
    for (const value of valuesOf(directive)) {
      if (values.has(keyOf(value))) continue;
      values.set(keyOf(value), value);
      decidedBy.add(directive);
    }
  }
  return { values: [...values.values()], decidedBy: [...decidedBy] };
}

/** RekeyLimit: bytes and time are set apart from each other. */
function firstPerPart(directives: readonly Directive[]): Chosen {
  const values: string[] = [];
  const decidedBy = new Set<Directive>();
  for (const directive of directives) {
    for (const [part, value] of valuesOf(directive).entries()) {
      if (values[part] !== undefined) continue;
      values[part] = value;
      decidedBy.add(directive);
    }
  }
  return { values, decidedBy: [...decidedBy] };
}

/** UnusedConnectionTimeout: `none` overwrites, and a later time fills it again. */
function firstButNoneLast(directives: readonly Directive[]): Chosen {
  let current: Directive | undefined;
  for (const directive of directives) {
    const isNone = valuesOf(directive)[0] === "none";
    if (isNone || current === undefined || valuesOf(current)[0] === "none") current = directive;
  }
  return only(current);
}
