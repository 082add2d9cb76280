/**
 * The simple commands of a shell script in the order of its text (POSIX.1-2017, Shell Command Language, 2.3 and 2.9):
 * words stay as they are written, quotes included; comments, here-documents and redirections that only read are left out.
 */
import { endOfLine } from "../source/source.ts";

export interface ShellCommand {
  readonly words: readonly string[];
  /** a reserved word ("if", "{"), or the name of a function whose body comes next; words is empty then */
  readonly reserved: string | null;
  readonly kind: "simple" | "reserved" | "function";
  /** what ends it: "&&", "||", "|", "(", ")", "&" or ";", which a line feed is, too; "" between a reserved word and its command */
  readonly end: string;
  /** something stands behind `<`, or before the pipe that it is behind: what a shell without a file would read */
  readonly isFed: boolean;
  /** the commands of the pipe that it is behind, in order */
  readonly before: readonly ShellCommand[];
  /** what stands behind its last `<`; null: nothing */
  readonly input: ShellInput | null;
  /** the files that it writes by redirection, as they are written */
  readonly writes: readonly string[];
}

/** As it is written: the name of a file, a word (`<<<`), a here-document, in which nothing is expanded if it is quoted. */
export interface ShellInput {
  readonly kind: "file" | "word" | "document" | "quoted document";
  readonly text: string;
}

type Part = Omit<ShellCommand, "isFed" | "before" | "writes" | "input">;

/** A here-document that begins behind this line. */
interface HereDocument {
  readonly delimiter: string;
  readonly isIndented: boolean;
  readonly input: { text: string };
}

const RESERVED = new Set([
  "if",
  "then",
  "elif",
  "else",
  "fi",
  "do",
  "done",
  "while",
  "until",
  "esac",
  "{",
  "}",
  "!",
  "time",
]);

/** Ours: of a longer pipe the nearest commands are kept. */
const MAX_PIPE = 16;

/** What was read of the command that is being read, and of those before it. */
interface Reader {
  readonly text: string;
  readonly commands: ShellCommand[];
  readonly hereDocuments: HereDocument[];
  words: string[];
  /** how many of them are known to be reserved words at the beginning */
  reserved: number;
  before: readonly ShellCommand[];
  input: ShellInput | null;
  writes: string[];
  /** parentheses that are open */
  open: number;
  isFed: boolean;
}

/** Ours: of a text with more the rest is not read. */
export const MOST_COMMANDS = 20_000;

export function shellCommands(text: string): readonly ShellCommand[] {
  const reader: Reader = {
    text,
    commands: [],
    hereDocuments: [],
    words: [],
    reserved: 0,
    before: [],
    input: null,
    writes: [],
    open: 0,
    isFed: false,
  };
  for (let at = 0; at < text.length && reader.commands.length < MOST_COMMANDS; ) at = readNext(reader, at);
  finish(reader, ";");
  return reader.commands;
}

/** Gives the place behind what was read. */
function readNext(reader: Reader, at: number): number {
  const { text, words } = reader;
  const char = text[at] ?? "";
  const two = text.slice(at, at + 2);
  if (two === "\\\n") return at + 2;
  if (char === " " || char === "\t" || char === "\r") return at + 1;
  if (char === "#") return endOfLine(text, at);
  if (char === "\n") {
    finish(reader, ";");
    return behindHereDocuments(text, at + 1, reader.hereDocuments.splice(0));
  }
  const operator = /^(?:&&|\|\||[()<>])/.exec(two)?.[0];
  if (operator !== undefined && isInTest(reader)) {
    words.push(operator);
    return at + operator.length;
  }
  if (two === "&&" || two === "||" || two === ";;") {
    finish(reader, two === ";;" ? ";" : two);
    return at + 2;
  }
  if (isProcess(two)) {
    const end = behindClosing(text, at + 2, ")");
    words.push(text.slice(at, end));
    return end;
  }
  if (char === ")" && reader.open === 0) {
    leavePattern(reader);
    return at + 1;
  }
  if (words.length > 0 && /^\([ \t]*\)/.test(text.slice(at, at + 20))) {
    beginFunction(reader);
    return text.indexOf(")", at) + 1;
  }
  if (/[;&|()]/.test(char) && two !== "&>") {
    reader.open += char === "(" ? 1 : char === ")" ? -1 : 0;
    finish(reader, char);
    return at + 1;
  }
  return /[<>]/.test(char) || two === "&>" ? readRedirection(reader, at) : readWord(reader, at);
}

/** Between `[[` and `]]`, where operators are words (bash(1), Compound Commands). */
function isInTest(reader: Reader): boolean {
  const { words } = reader;
  while (RESERVED.has(words[reader.reserved] ?? "")) reader.reserved++;
  return words[reader.reserved] === "[[" && words.at(-1) !== "]]";
}

/** `<(…)`, `>(…)`: a word that stands for what a command prints or reads (bash(1), Process Substitution). */
export function isProcess(word: string): boolean {
  return /^[<>]\(/.test(word);
}

function begin(reader: Reader): void {
  reader.words = [];
  reader.reserved = 0;
}

function add(reader: Reader, parts: readonly Part[]): void {
  const { commands, isFed, before, writes, input } = reader;
  const last = parts.length - 1;
  for (const [index, part] of parts.entries())
    commands.push({ ...part, isFed, before, input, writes: index === last ? writes : [] });
  if (parts.length > 0) reader.writes = [];
}

function finish(reader: Reader, end: string): void {
  add(reader, partsOf(reader.words, end));
  // behind what was closed before
  if (reader.writes.length > 0) add(reader, [{ words: [], reserved: null, kind: "simple", end }]);
  const command = reader.words.length > 0 ? reader.commands.at(-1) : undefined;
  reader.before = end === "|" && command !== undefined ? [...command.before, command].slice(-MAX_PIPE) : [];
  begin(reader);
  reader.input = null;
  reader.isFed = end === "|";
}

/** What stands before a `)` that nothing opened is a pattern of `case`. */
function leavePattern(reader: Reader): void {
  const { commands, words } = reader;
  if (words[0] === "case") add(reader, partsOf(words.slice(0, 3), ";"));
  else while (commands.at(-1)?.end === "|" && (commands.at(-1)?.words.length ?? 0) <= 1) commands.pop();
  begin(reader);
  reader.before = [];
  reader.input = null;
  reader.isFed = false;
}

/** `name ()`: the last word is the function's name. */
function beginFunction(reader: Reader): void {
  const { words } = reader;
  add(reader, words.length === 1 ? [] : partsOf(words.slice(0, -1), ""));
  add(reader, [{ words: [], reserved: words.at(-1) ?? "", kind: "function", end: "" }]);
  begin(reader);
}

function readRedirection(reader: Reader, at: number): number {
  const { text } = reader;
  const redirection = /^&?[<>]{1,3}[&|-]?[ \t]*/.exec(text.slice(at, at + 40))?.[0] ?? text[at] ?? "";
  const start = at + redirection.length;
  // `< <(…)`
  const end = isProcess(text.slice(start, start + 2))
    ? behindClosing(text, start + 2, ")")
    : endOfWord(text, start);
  const operand = text.slice(at + redirection.length, end);
  if (redirection.startsWith("<") && !redirection.includes("&")) {
    reader.isFed = true;
    reader.input = inputOf(reader, redirection.trim(), operand);
  }
  if (redirection.includes(">")) reader.writes.push(operand);
  return Math.max(end, at + 1);
}

function inputOf({ hereDocuments }: Reader, operator: string, operand: string): ShellInput {
  if (operator === "<<" || operator === "<<-") {
    const delimiter = operand.replaceAll(/["'\\]/g, "");
    const kind = delimiter === operand ? "document" : "quoted document";
    // its text comes behind this line
    const input: ShellInput & { text: string } = { kind, text: "" };
    hereDocuments.push({ delimiter, isIndented: operator === "<<-", input });
    return input;
  }
  return { kind: operator === "<<<" ? "word" : "file", text: operand };
}

function readWord({ text, words }: Reader, at: number): number {
  const end = Math.max(endOfWord(text, at), at + 1);
  const word = text.slice(at, end);
  // a number or a name in braces before a redirection is its file descriptor
  if (!(/^(?:\d+|\{\w+\})$/.test(word) && /[<>]/.test(text[end] ?? ""))) words.push(word);
  return end;
}

/** Reserved words at the beginning become commands of their own. */
function partsOf(words: readonly string[], end: string): readonly Part[] {
  const count = words.findIndex((word) => !RESERVED.has(word));
  const head = count === -1 ? words : words.slice(0, count);
  const rest = words.slice(head.length);
  const parts = head.map((reserved, index): Part => {
    const isLast = rest.length === 0 && index === head.length - 1;
    return { words: [], reserved, kind: "reserved", end: isLast ? end : "" };
  });
  if (rest[0] === "function" && rest[1] !== undefined) {
    const name: Part = { words: [], reserved: rest[1], kind: "function", end: "" };
    return [...parts, name, ...partsOf(rest.slice(2), end)];
  }
  if (rest.length === 0 && (parts.length > 0 || end === ";")) return parts;
  return [...parts, { words: rest, reserved: null, kind: "simple", end }];
}

function behindHereDocuments(text: string, start: number, documents: readonly HereDocument[]): number {
  let at = start;
  for (const { delimiter, isIndented, input } of documents) {
    const lines: string[] = [];
    while (at < text.length) {
      const end = endOfLine(text, at);
      const line = text.slice(at, end);
      const inner = line.replace(/^\t+/, "");
      at = end + 1;
      if (inner === delimiter) break;
      lines.push(`${isIndented ? inner : line}\n`);
    }
    input.text = lines.join("");
  }
  return at;
}

/** The first place behind a word: what is quoted, substituted or in braces belongs to it. */
function endOfWord(text: string, start: number): number {
  let at = start;
  while (at < text.length && !/[ \t\r\n;&|()<>]/.test(text[at] ?? "")) at = behindPiece(text, at, false);
  return at;
}

/** Behind one character of a word, or all of a quoted or substituted piece of it. */
export function behindPiece(text: string, at: number, quoted: boolean): number {
  const char = text[at] ?? "";
  if (char === "\\") return at + 2;
  if (char === "'" && !quoted) return behind(text, text.indexOf("'", at + 1));
  if (char === '"' && !quoted) return behindClosing(text, at + 1, '"');
  if (char === "`") return behindClosing(text, at + 1, "`");
  if (char === "$" && text[at + 1] === "'" && !quoted) return behindClosing(text, at + 2, "'");
  if (char === "$" && text[at + 1] === "(") return behindClosing(text, at + 2, ")");
  if (char === "$" && text[at + 1] === "{") return behindClosing(text, at + 2, "}");
  return at + 1;
}

function behind(text: string, found: number): number {
  return found === -1 ? text.length : found + 1;
}

/** Pieces inside each other are followed with a stack: any depth is one pass. */
function behindClosing(text: string, start: number, closing: string): number {
  const open = [closing];
  let at = start;
  for (; at < text.length && open.length > 0; at++) {
    const char = text[at] ?? "";
    const inside = open.at(-1);
    const opens = text[at + 1];
    if (char === "\\" && inside !== "''") at++;
    else if (char === inside) open.pop();
    else if (inside === "`" || inside === "'") continue;
    else if (char === "'" && inside !== '"') at = behind(text, text.indexOf("'", at + 1)) - 1;
    else if (char === '"' || char === "`") open.push(char);
    else if (char === "(" && inside === ")") open.push(")");
    else if (char === "$" && (opens === "(" || opens === "{")) {
      open.push(opens === "(" ? ")" : "}");
      at++;
    }
  }
  return at;
}
