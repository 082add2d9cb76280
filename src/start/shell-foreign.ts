/** Programs of other languages than a shell's, and those that do what files of their own say: they are not followed. */
import { changedByText, mayChange, noteEdits } from "./shell-edits.ts";
import type { Fields } from "./shell-expand.ts";
import { filesRead } from "./shell-fed.ts";
import { absolute } from "./shell-files.ts";
import { nameOf } from "./shell-programs.ts";
import {
  affordedText,
  type Fed,
  leaveUnread,
  type Reading,
  type Standing,
  valuesIn,
} from "./shell-reading.ts";
import { type Used, wordsOf } from "./shell-usage.ts";

/** Of another language's script nothing is known. */
export function interpret(reading: Reading, [program = ""]: Fields, used: Used, { fed }: Standing): void {
  const [script] = wordsOf(used, "script");
  const args = [...wordsOf(used, "argument"), ...wordsOf(used, "script")];
  noteForeign(reading, args, foreignTexts(reading, used, fed));
  if (script !== undefined) leaveUnread(reading, `${script}, which is no shell script`);
  else if (wordsOf(used, "text").length > 0) leaveUnread(reading, `${program} with a program of its own`);
  else if (fed.isFed) leaveUnread(reading, `what ${program} reads from its standard input`);
}

/** Null: they are not known. */
function foreignTexts(reading: Reading, used: Used, fed: Fed): readonly string[] | null {
  const texts = wordsOf(used, "text");
  const [script] = wordsOf(used, "script");
  if (texts.length > 0) return [texts.join(" ")];
  return script === undefined ? fed.texts : filesRead(reading, [script]);
}

/** Of what is not known all that it is given counts. */
export function noteForeign(reading: Reading, given: Fields, texts: readonly string[] | null): void {
  const values = valuesIn(reading);
  noteEdits(reading, (at) =>
    (texts ?? ["write"]).flatMap((text) => changedByText(text, { given, values, at })),
  );
}

/** Programs that find sshd's file by themselves: what they do is known from their text, or from a folder of theirs. */
export function apply(reading: Reading, program: string, used: Used, { fed }: Standing): void {
  const { applies = "", language } = used.usage;
  const texts = language === "other" ? foreignTexts(reading, used, fed) : textsIn(reading, applies);
  if (texts !== null && language === "other") noteForeign(reading, wordsOf(used, "argument"), texts);
  else if (texts === null || texts.some((text) => /ssh/.test(text))) mayChange(reading, nameOf(program));
}

/** By files that its words name, and packages: those of sshd bring a configuration. */
export function applyNamed(reading: Reading, program: string, used: Used): void {
  const rules = wordsOf(used, "rules").map((word) => textsIn(reading, absolute(reading, word)));
  const packages = wordsOf(used, "package").filter((word) => /(?:^|\/)openssh|^ssh$/.test(word));
  if (packages.length > 0 || rules.some((texts) => texts === null || texts.some((text) => /ssh/.test(text))))
    mayChange(reading, nameOf(program));
}

/** Null: it is not there, or there is nothing in it. */
function textsIn(reading: Reading, path: string): readonly string[] | null {
  if (!path.startsWith("/")) return null;
  const names = reading.tree.list(path);
  const paths = names === null ? [path] : names.map((name) => `${path}/${name}`);
  const texts = paths.flatMap((each) => affordedText(reading, each) ?? []);
  return texts.length === 0 ? null : texts;
}
