/** Which of several lines of one keyword counts, inside the global lines or inside the matching blocks. */
import { lowerAscii } from "../../grammar/ascii.ts";
import type { Keyword, Sets } from "../../grammar/keywords.ts";
import type { Directive } from "../config/config.ts";

export interface Chosen {
  readonly values: readonly string[];
  readonly decidedBy: readonly Directive[];
}

type Choose = (directives: readonly Directive[]) => Chosen;

/**
 * `inMatch` and `global`: accepted lines of the keyword in order, of the blocks that hold and of the global part. Null
 * when neither has one.
 */
export function chooseValues(
  keyword: Keyword,
  inMatch: readonly Directive[],
  global: readonly Directive[],
): Chosen | null {
  if (inMatch.length + global.length === 0) return null;
  const defaults = keyword.defaults ?? [];
  if (keyword.sets === "first-per-part") return firstPerPart([...inMatch, ...global], defaults);
  if (keyword.sets === "first-per-key") return firstPerKey(global, defaults);
  if (inMatch.length > 0) return withoutNone(keyword, "everywhere", CHOICES[keyword.sets](inMatch));
  return withoutNone(keyword, "global", CHOICES[keyword.sets](global));
}

/** A cleared list of files is empty, not the default; `sshd -T` then prints no line (10.3 and later). */
function withoutNone(keyword: Keyword, place: Keyword["noneClears"], chosen: Chosen): Chosen {
  const { values } = chosen;
  const clears = keyword.noneClears === "everywhere" || keyword.noneClears === place;
  if (!clears || values.length !== 1 || lowerAscii(values[0] ?? "") !== "none") return chosen;
  return { ...chosen, values: keyword.key === "authorizedkeysfile" ? [] : (keyword.defaults ?? []) };
}

const CHOICES: Readonly<Record<Exclude<Sets, "first-per-part" | "first-per-key">, Choose>> = {
  first: (directives) => only(directives[0]),
  "first-line": (directives) => only(directives[0]),
  last: (directives) => only(directives.at(-1)),
  append: (directives) => ({ values: directives.flatMap(valuesOf), decidedBy: directives }),
  "first-per-name": firstPerName,
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

/** Subsystem */
function firstPerName(directives: readonly Directive[]): Chosen {
  const values = new Map<string, string>();
  const decidedBy = new Set<Directive>();
  for (const directive of directives) {
    for (const value of valuesOf(directive)) {
      const name = value.split(" ", 1)[0] ?? "";
      if (values.has(name)) continue;
      values.set(name, value);
      decidedBy.add(directive);
    }
  }
  return { values: [...values.values()], decidedBy: [...decidedBy] };
}

/** RekeyLimit: bytes and time are set apart from each other, in the matching blocks and in the global part too. */
function firstPerPart(directives: readonly Directive[], defaults: readonly string[]): Chosen {
  const values: string[] = [];
  const decidedBy = new Set<Directive>();
  for (const directive of directives) {
    for (const [part, value] of valuesOf(directive).entries()) {
      if (values[part] !== undefined) continue;
      values[part] = value;
      decidedBy.add(directive);
    }
  }
  const missing = defaults.slice(values.length);
  return { values: [...values, ...missing], decidedBy: [...decidedBy] };
}

/**
 * PerSourcePenalties: keys keep their first value, and each new one turns penalties on; `yes` and `no` count where
 * nothing has. All keys are printed, in the order of the defaults; overflow6 follows overflow.
 */
function firstPerKey(directives: readonly Directive[], defaults: readonly string[]): Chosen {
  const values = new Map<string, string>();
  const decidedBy = new Set<Directive>();
  let enabled: boolean | null = null;
  for (const directive of directives) {
    for (const value of valuesOf(directive)) {
      const [key = ""] = value.split(":", 1);
      const isSwitch = value === "yes" || value === "no";
      if (isSwitch ? enabled !== null : values.has(key)) continue;
      decidedBy.add(directive);
      enabled = value !== "no";
      if (!isSwitch) values.set(key, value);
    }
  }
  if (enabled === false) return { values: ["no"], decidedBy: [...decidedBy] };
  const overflow = values.get("overflow");
  if (overflow !== undefined && !values.has("overflow6"))
    values.set("overflow6", overflow.replace("overflow", "overflow6"));
  const all = defaults.map((value) => values.get(value.split(":", 1)[0] ?? "") ?? value);
  return { values: all, decidedBy: [...decidedBy] };
}

/** UnusedConnectionTimeout: the word `none` overwrites any time, and then stays; 0 is a time like others. */
function firstButNoneLast(directives: readonly Directive[]): Chosen {
  const none = directives.findLast(({ args }) => lowerAscii(args[0]?.value ?? "") === "none");
  return only(none ?? directives[0]);
}
