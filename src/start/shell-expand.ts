/**
 * What the words of a shell command may become (POSIX.1-2017, Shell Command Language, 2.6): all that they may, where a
 * variable has several values, since nothing is run. What a command would print is COMPUTED.
 */
import { matchesGlob } from "../files/glob.ts";
import { behindPiece } from "./shell-commands.ts";

/** Stands in a value for what only running something would tell; no file of text holds it. */
export const COMPUTED = "\0";

export interface Scope {
  /** each with all the values that it may have; none: it is not set */
  readonly variables: Map<string, readonly string[]>;
  /** $1, $2 …: all that they may be */
  args: readonly (readonly string[])[];
  /** what a variable of the environment is that nobody sets here: what somebody may set where it runs counts, too, or not */
  readonly unset: "empty" | "anything";
  /** what a substitution of this text prints, as far as that is known, among what else it may; of the scope that has it */
  named(text: string, scope: Scope): readonly string[];
}

export type Fields = readonly string[];

/** Ours: more are not told apart; longer ones are not looked into, however deep they go. */
const MAX_ALTERNATIVES = 32;
const MAX_PARAMETER = 2000;
/** Ours: a longer value, such as one that doubles itself again and again, is COMPUTED. */
export const MAX_VALUE: number = 64 * 1024;
/** Ours: who meets more fields than these leaves the command unread. */
export const MAX_FIELDS = 2000;

interface Partial {
  readonly done: Fields;
  /** null: no field has begun */
  readonly current: string | null;
}

/** All lists of fields that the words may become. */
export function expandWords(words: readonly string[], scope: Scope): readonly Fields[] {
  let alternatives: readonly Fields[] = [[]];
  for (const word of words) {
    if (alternatives.some(isTooLong)) break;
    const next = expandWord(word, scope);
    alternatives = distinct(alternatives.flatMap((before) => next.map((fields) => [...before, ...fields])));
    if (alternatives.length > MAX_ALTERNATIVES) alternatives = [[...(alternatives[0] ?? []), COMPUTED]];
  }
  return alternatives;
}

export function isTooLong(fields: Fields): boolean {
  return fields.length > MAX_FIELDS;
}

/** All values that a word may have where it is not split: in an assignment. */
export function valuesOf(word: string, scope: Scope): readonly string[] {
  const values = expandPieces(word, scope, true).map(({ done, current }) =>
    [...done, ...(current === null ? [] : [current])].join(" "),
  );
  return bounded([...new Set(values)]);
}

function expandWord(word: string, scope: Scope): readonly Fields[] {
  // alone it is no field where there are no arguments
  if (word === '"$@"') return scope.args;
  return distinct(
    expandPieces(word, scope, false).map(({ done, current }) =>
      current === null ? done : [...done, current],
    ),
  );
}

function distinct(alternatives: readonly Fields[]): readonly Fields[] {
  return alternatives.length === 1
    ? alternatives
    : [...new Map(alternatives.map((fields) => [JSON.stringify(fields), fields])).values()];
}

function bounded(values: readonly string[]): readonly string[] {
  return values.length > MAX_ALTERNATIVES ? [COMPUTED] : values;
}

/** A word on the way: all that it may have become up to here. */
interface Expansion {
  readonly word: string;
  readonly scope: Scope;
  /** it is not split into fields */
  readonly isWhole: boolean;
  partials: readonly Partial[];
  isQuoted: boolean;
}

function expandPieces(word: string, scope: Scope, isWhole: boolean): readonly Partial[] {
  const partials = [{ done: [], current: null }];
  const expansion: Expansion = { word, scope, isWhole, partials, isQuoted: false };
  for (let at = 0; at < word.length; ) {
    at = expandNext(expansion, at);
    if (expansion.partials.some(({ done }) => isTooLong(done))) break;
  }
  return expansion.partials;
}

/** Gives the place behind the piece that begins here. */
function expandNext(expansion: Expansion, at: number): number {
  const { word, scope, isQuoted, isWhole } = expansion;
  const isSplit = !isQuoted && !isWhole;
  const char = word[at] ?? "";
  if (char === '"') {
    add(expansion, [""], false);
    expansion.isQuoted = !isQuoted;
    return at + 1;
  }
  // $"…" is translated: quotes as usual
  if (char === "$" && word[at + 1] === '"' && !isQuoted) return at + 1;
  const end = Math.min(behindPiece(word, at, isQuoted), word.length);
  const piece = word.slice(at, end);
  if (!isWhole && /^\$(?:@|\{@\})/.test(word.slice(at))) {
    expansion.partials = expansion.partials.flatMap((partial) =>
      scope.args.map((args) => withArguments(partial, args, isQuoted)),
    );
    return piece.length === 1 ? at + 2 : end;
  }
  if (char !== "$" || piece.length > 1) {
    add(expansion, plain(piece, isQuoted, scope), char === "$" && isSplit);
    return end;
  }
  const name = /^\$([A-Za-z_]\w*|[0-9@*#?$!-])/.exec(word.slice(at, at + 256))?.[1];
  if (name === undefined) {
    add(expansion, ["$"], false);
    return end;
  }
  add(expansion, lookUp(name, scope), isSplit);
  return at + name.length + 1;
}

function add(expansion: Expansion, values: readonly string[], isSplit: boolean): void {
  const longer = expansion.partials.flatMap((partial) =>
    values.map((value) => (isSplit ? split(partial, value) : joined(partial, value))),
  );
  expansion.partials =
    longer.length > MAX_ALTERNATIVES * 4 ? longer.slice(0, 1).map((one) => joined(one, COMPUTED)) : longer;
}

/** What only says where a program lies: `$(which sshd)`. */
const FINDING =
  /^(?:\$\(|`)[ \t]*(?:which|command[ \t]+-v|type[ \t]+-[pP])[ \t]+(?<program>[\w./-]+)[ \t]*(?:2>[ \t]*\/dev\/null[ \t]*)?[)`]$/;

/** A piece that behindPiece() took: quoted text, a substitution, or one character. */
function plain(piece: string, isQuoted: boolean, scope: Scope): readonly string[] {
  if (piece.startsWith("\\")) {
    const next = piece.slice(1);
    if (next === "\n") return [""];
    return [isQuoted && !/["$`\\]/.test(next) ? piece : next];
  }
  if (piece.startsWith("'") && !isQuoted) return [piece.replace(/^'|'$/g, "")];
  const found = FINDING.exec(piece)?.groups?.["program"];
  if (found !== undefined) return [found];
  if (/^(?:`|\$\()[ \t]*mktemp\b[^/]*$/.test(piece)) return [`/tmp/${COMPUTED}`];
  if (piece.startsWith("${")) return parameter(piece.slice(2, -1), scope);
  if (/^(?:`|\$\((?!\())/.test(piece)) return [COMPUTED, ...scope.named(inside(piece), scope)];
  return piece.length > 1 && piece.startsWith("$") ? [COMPUTED] : [piece];
}

/** The texts of the commands whose output a word takes, those in quotes, too. */
export function substitutionsIn(word: string, isQuoted = false): readonly string[] {
  if (!/`|\$\(/.test(word)) return [];
  const found: string[] = [];
  for (let at = 0; at < word.length; ) {
    const end = Math.max(behindPiece(word, at, isQuoted), at + 1);
    const piece = word.slice(at, end);
    if (/^(?:`|\$\((?!\())/.test(piece)) found.push(inside(piece));
    else if (piece.startsWith('"') && !isQuoted) found.push(...substitutionsIn(piece.slice(1, -1), true));
    at = end;
  }
  return found;
}

/** Between the marks of a substitution. */
function inside(piece: string): string {
  return piece.startsWith("`") ? piece.slice(1, -1) : piece.slice(2, -1);
}

function joined({ done, current }: Partial, value: string): Partial {
  const length = (current ?? "").length + value.length;
  return { done, current: length > MAX_VALUE ? COMPUTED : (current ?? "") + value };
}

function split(partial: Partial, value: string): Partial {
  const [first = "", ...rest] = value.split(/[ \t\n]+/);
  if (rest.length === 0) return value === "" ? partial : joined(partial, value);
  const begun = first === "" ? partial : joined(partial, first);
  const done = [...begun.done, ...(begun.current === null ? [] : [begun.current]), ...rest.slice(0, -1)];
  return { done, current: rest.at(-1) === "" ? null : (rest.at(-1) ?? null) };
}

function withArguments(partial: Partial, args: readonly string[], isQuoted: boolean): Partial {
  if (!isQuoted)
    return args.reduce((before, arg, index) => split(before, index === 0 ? arg : ` ${arg}`), partial);
  if (args.length === 0) return { ...partial, current: partial.current === "" ? null : partial.current };
  const [first = "", ...rest] = args;
  const begun = joined(partial, first);
  return rest.length === 0
    ? begun
    : { done: [...begun.done, begun.current ?? "", ...rest.slice(0, -1)], current: rest.at(-1) ?? null };
}

function lookUp(name: string, scope: Scope): readonly string[] {
  if (/^[1-9]\d*$/.test(name))
    return bounded([...new Set(scope.args.map((args) => args[Number(name) - 1] ?? ""))]);
  if (name === "@" || name === "*") return scope.args.map((args) => args.join(" "));
  if (name === "#") return [...new Set(scope.args.map((args) => String(args.length)))];
  if (/^[?$!0-]$/.test(name)) return [COMPUTED];
  const values = scope.variables.get(name) ?? [];
  if (values.length > 0) return values;
  return scope.unset === "anything" && /^[A-Z][A-Z0-9_]*$/.test(name) ? ["", COMPUTED] : [""];
}

/** What stands between `${` and `}`. */
function parameter(text: string, scope: Scope): readonly string[] {
  const [, name = "", operator = "", word = ""] =
    /^([A-Za-z_]\w*|[1-9]\d*|[@*#])(:?[-=+?]|%%?|##?|\/\/?|:(?=\d)|)([\s\S]*)$/.exec(text) ?? [];
  if (name === "" || (operator === "" && word !== "") || text.length > MAX_PARAMETER) return [COMPUTED];
  const values = lookUp(name, scope);
  if (operator === "") return values;
  const change = CHANGES[operator.charAt(0)];
  if (change !== undefined && (operator.charAt(0) !== ":" || operator === ":"))
    return bounded([...new Set(values.map((value) => change(value, operator, word)))]);
  const isSet = (value: string): boolean =>
    value !== "" || (!operator.startsWith(":") && scope.variables.has(name));
  const others = operator.endsWith("?") ? [""] : otherwise(word, scope);
  const results = values.flatMap((value) => {
    if (operator.endsWith("+")) return isSet(value) ? others : [""];
    return isSet(value) ? [value] : others;
  });
  if (operator.endsWith("=")) scope.variables.set(name, bounded([...new Set(results)]));
  return bounded([...new Set(results)]);
}

/** Quotes in it keep blanks together, which a value does not tell. */
function otherwise(word: string, scope: Scope): readonly string[] {
  const values = valuesOf(word, scope);
  return /["'\\]/.test(word) && values.some((value) => /\s/.test(value)) ? [COMPUTED] : values;
}

/** What a word makes of a value: `${NAME%word}`, `${NAME/old/new}`, `${NAME:1:2}` (bash(1), Parameter Expansion). */
const CHANGES: Readonly<Record<string, (value: string, operator: string, word: string) => string>> = {
  "%": without,
  "#": without,
  "/": replaced,
  ":": cutOut,
};

/** Ours: a pattern is tried at each place of a value. */
const MAX_TRIED = 256;

function without(value: string, operator: string, word: string): string {
  if (value === "") return "";
  if (/[\\$`"']/.test(word) || (/[*?[]/.test(word) && value.length > MAX_TRIED)) return COMPUTED;
  const isEnd = operator.startsWith("%");
  const lengths = Array.from({ length: value.length + 1 }, (_, length) => length);
  const fits = (length: number): boolean =>
    holds(isEnd ? value.slice(value.length - length) : value.slice(0, length), word);
  const length = operator.length === 1 ? lengths.find(fits) : lengths.findLast(fits);
  if (length === undefined) return value.includes(COMPUTED) ? COMPUTED : value;
  return isEnd ? value.slice(0, value.length - length) : value.slice(length);
}

/** To a shell's pattern a slash or a dot is a letter like others. */
function holds(part: string, pattern: string): boolean {
  if (!/[*?[]/.test(pattern)) return part === pattern;
  const plainly = (text: string): string => `x${text.replaceAll("/", "\x01")}`;
  return matchesGlob(plainly(part), plainly(pattern));
}

/** Of a pattern without wildcards. */
function replaced(value: string, operator: string, word: string): string {
  const [pattern = "", ...by] = word.split("/");
  if (pattern === "" || /[\\$`"'*?[#%]/.test(pattern) || /[\\$`"'&]/.test(by.join("/"))) return COMPUTED;
  return operator === "//"
    ? value.replaceAll(pattern, () => by.join("/"))
    : value.replace(pattern, () => by.join("/"));
}

function cutOut(value: string, _: string, word: string): string {
  const [, from = "", length] = /^(\d+)(?::(\d+))?$/.exec(word) ?? [];
  if (from === "" || value.includes(COMPUTED)) return COMPUTED;
  const at = Number(from);
  return value.slice(at, length === undefined ? undefined : at + Number(length));
}
