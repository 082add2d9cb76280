/** What a command has on its standard input, as far as here-documents and the commands of its pipe tell. */
import { posix } from "node:path";
import { type ShellCommand, type ShellInput, shellCommands } from "./shell-commands.ts";
import { namedBy } from "./shell-edits.ts";
import {
  COMPUTED,
  expandWords,
  type Fields,
  MAX_VALUE,
  type Scope,
  substitutionsIn,
  valuesOf,
} from "./shell-expand.ts";
import { absolute, readScript, workingFolders } from "./shell-files.ts";
import { filesListed } from "./shell-listing.ts";
import { nameOf } from "./shell-programs.ts";
import { affords, type Fed, NOT_FED, type Reading, type Standing } from "./shell-reading.ts";
import { usageOf } from "./shell-table.ts";
import { type Act, usedBy } from "./shell-usage.ts";

/** What a command reads, as far as its here-document, or what stands before its pipe, tells. */
export function fedTo(reading: Reading, { isFed, input, before }: ShellCommand): Fed {
  if (!isFed) return NOT_FED;
  const [process] = processIn(input);
  if (process !== undefined)
    return { isFed, by: chainIn(process, reading), texts: affordable(reading, printedIn(process, reading)) };
  if (input !== null) return { isFed, by: [], texts: affordable(reading, textsOf(reading, input)) };
  const by = before.flatMap(({ words }) => expandWords(words, reading));
  return { isFed, by, texts: affordable(reading, printedBy(reading, before)) };
}

/** Null: they are not known, or too long. */
function affordable(reading: Reading, texts: readonly string[] | null): readonly string[] | null {
  const bytes = (texts ?? []).reduce((sum, { length }) => sum + length, 0);
  return affords(reading, { bytes }) ? texts : null;
}

/** What the only pipe of a text prints; null: nobody knows. */
function printedIn(text: string, reading: Reading): readonly string[] | null {
  const commands = text.length > MAX_SUBSTITUTION ? [] : shellCommands(text);
  const last = commands.at(-1);
  const isOne = commands.every(
    ({ end, kind }, index) => kind === "simple" && (end === "|" || index === commands.length - 1),
  );
  // none inside another
  return isOne && last !== undefined
    ? printedBy({ ...reading, named: () => [] }, [...last.before, last])
    : null;
}

/** The text of `< <(…)`, if that is what is read. */
export function processIn(input: ShellInput | null): readonly string[] {
  return input?.kind === "file" && input.text.startsWith("<(") ? [input.text.slice(2, -1)] : [];
}

function textsOf(reading: Reading, { kind, text }: ShellInput): readonly string[] | null {
  if (kind === "quoted document") return [text];
  if (kind === "document") return valuesOf(`"${text.replaceAll('"', '\\"')}"`, reading);
  if (kind === "word") return valuesOf(text, reading).map((value) => `${value}\n`);
  return filesRead(reading, valuesOf(text, reading));
}

/** Null: one of them is not there, or no text. */
export function filesRead(reading: Reading, names: readonly string[]): readonly string[] | null {
  const texts = names.map((name) => scriptText(reading, name));
  return texts.includes(null)
    ? null
    : affordable(
        reading,
        texts.map((text) => text ?? ""),
      );
}

/** What a pipe gives the command behind it. The pipe is cut where it is long: what stands before each of its commands is not. */
function printedBy(reading: Reading, pipe: readonly ShellCommand[]): readonly string[] | null {
  const command = pipe.at(-1);
  if (command === undefined) return null;
  const { words, input } = command;
  const [name = "", ...args] = words;
  const isPlain = !args.some((word) => word.startsWith("-"));
  if (name === "cat" && args.length === 0)
    return input === null ? printedBy(reading, pipe.slice(0, -1)) : fedTo(reading, command).texts;
  if (name === "cat" && args.length === 1 && isPlain)
    return filesRead(reading, valuesOf(args[0] ?? "", reading));
  if (name === "echo" && (isPlain || args[0] === "-e"))
    return expandWords(args.slice(isPlain ? 0 : 1), reading).map(
      (fields) => `${unescaped(fields.join(" "))}\n`,
    );
  if (name === "printf" && isPlain) return expandWords(args, reading).map(formatted);
  const part = PARTS[name];
  if (part !== undefined && args.length === 1 && isPlain)
    return partsOf(valuesOf(args[0] ?? "", reading), part);
  return null;
}

const PARTS: Readonly<Record<string, (path: string) => string>> = {
  basename: (path) => posix.basename(path),
  dirname: (path) => posix.dirname(path),
};

/** Null: one of the names is not known. */
function partsOf(names: readonly string[], part: (path: string) => string): readonly string[] | null {
  return names.some((name) => name.includes(COMPUTED)) ? null : names.map(part);
}

/** As far as a line feed goes. */
function unescaped(text: string): string {
  return text.replaceAll("\\n", "\n");
}

/** printf(1) with %s alone takes its format again for further words. */
function formatted([format = "", ...words]: Fields): string {
  const text = unescaped(format);
  const places = text.split("%s").length - 1;
  if (places === 0) return text;
  const rounds = Math.max(1, Math.ceil(words.length / places));
  const rest = [...words];
  if (text.length * rounds > MAX_VALUE) return COMPUTED;
  return text.repeat(rounds).replaceAll("%s", () => rest.shift() ?? "");
}

/** Null: it is not there, or longer than is read. */
function scriptText(reading: Reading, script: string): string | null {
  const read = readScript(reading.tree, absolute(reading, script));
  return read === null || read.kind === "too long" ? null : read.text;
}

/** The configurations, and the scripts of folders of its own, that a command reads the names of. */
export function namesFed({ tree, variables }: Reading, { texts, by }: Fed): readonly string[] {
  const printed = (texts ?? []).map((text) => ["echo", ...text.split(/\s+/).filter((word) => word !== "")]);
  const naming = by.filter((words) => usedBy(words)?.usage.lists === true);
  const named = workingFolders(variables).flatMap((at) =>
    [...naming, ...printed].flatMap((words) => [...namedBy(words, at), ...filesListed(tree, words, at)]),
  );
  return [...new Set(named)];
}

/** Ours: no longer text is looked into, and none inside another. */
export const MAX_SUBSTITUTION = 2000;

/** The same of the text of a substitution: `$(find /etc/ssh -name sshd_config)`; of one that prints a file, its content. */
export function namesIn(text: string, reading: Reading): readonly string[] {
  const isListing = /ssh|\$|\bls\b|\bfind\b/.test(text);
  const names = isListing ? namesFed(reading, { isFed: true, texts: null, by: chainIn(text, reading) }) : [];
  const printed = affordable(reading, printedIn(text, reading)) ?? [];
  const short = printed.filter(({ length }) => length <= MAX_VALUE);
  return [...new Set([...names, ...short.map((each) => each.replace(/\n+$/, ""))])];
}

/** The program that brings what a word, which is a substitution alone, prints: `"$(curl …)"`; null: there is none. */
export function broughtIn(word: string): string | null {
  const [text = "", ...others] = substitutionsIn(word);
  const isAlone =
    others.length === 0 && word.replaceAll('"', "").length - text.replaceAll('"', "").length <= 3;
  return isAlone ? broughtBy(text) : null;
}

/** The same of what a process prints. */
export function broughtBy(text: string): string | null {
  if (text.length > MAX_SUBSTITUTION) return null;
  const programs = shellCommands(text).map(({ words }) => nameOf(words[0] ?? ""));
  return programs.find((name) => usageOf(name)?.fetches === true) ?? null;
}

/** What the commands of its last pipe may be. */
function chainIn(text: string, scope: Scope): readonly Fields[] {
  const command = text.length > MAX_SUBSTITUTION ? undefined : shellCommands(text).at(-1);
  const chain = command === undefined ? [] : [...command.before, command];
  const plain: Scope = { ...scope, named: () => [] };
  return chain.flatMap(({ words }) => expandWords(words, plain));
}

/** What xargs(1) runs: with the configurations that its input names, as far as the words of a pipe tell. */
export function givenTo(
  reading: Reading,
  command: Fields,
  acts: readonly Act[],
  { fed }: Standing,
): readonly Fields[] {
  const ofFiles = acts.filter(({ role }) => role === "words").map(({ word }) => word);
  const texts = ofFiles.length > 0 ? filesRead(reading, ofFiles) : fed.texts;
  const named = namesFed(reading, { ...fed, texts });
  // most say {}
  const place = acts.find(({ role }) => role === "placeholder")?.word ?? "{}";
  const isPlaced = command.some((word) => word.includes(place));
  return [COMPUTED, ...named].map((file) =>
    isPlaced ? command.map((word) => word.replaceAll(place, file)) : [...command, file],
  );
}
