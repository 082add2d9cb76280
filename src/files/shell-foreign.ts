/** Programs of other languages than a shell's, and those that do what files of their own say: they are not followed. */
import { textOf } from "./file-text.ts";
import { changedByText, noteEdits } from "./shell-edits.ts";
import type { Fields } from "./shell-expand.ts";
import { filesRead } from "./shell-fed.ts";
import { nameOf } from "./shell-programs.ts";
import { type Fed, leaveUnread, type Reading, type Standing } from "./shell-reading.ts";
import { type Used, wordsOf } from "./shell-usage.ts";

/** Of another language's script nothing is known. */
export function interpret(reading: Reading, [program = ""]: Fields, used: Used, { fed }: Standing): void {
  const [script] = wordsOf(used, "script");
  noteForeign(reading, used, foreignTexts(reading, used, fed));
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
function noteForeign(reading: Reading, used: Used, texts: readonly string[] | null): void {
  const args = [...wordsOf(used, "argument"), ...wordsOf(used, "script")];
  noteEdits(reading, (at) => (texts ?? ["write"]).flatMap((text) => changedByText(text, args, at)));
}

/** Programs that find sshd's file by themselves: what they do is known from their text, or from a folder of theirs. */
export function apply(reading: Reading, program: string, used: Used, { fed }: Standing): void {
  const { applies = "", language } = used.usage;
  const texts = language === "other" ? foreignTexts(reading, used, fed) : textsIn(reading, applies);
  if (texts !== null && language === "other") noteForeign(reading, used, texts);
  else if (texts === null || texts.some((text) => /ssh/.test(text)))
    reading.found.edits.push({ path: reading.path, mayBy: nameOf(program) });
}

/** Null: it is no folder, or there is nothing in it. */
function textsIn({ tree }: Reading, folder: string): readonly string[] | null {
  const names = folder.startsWith("/") ? (tree.list(folder) ?? []) : [];
  return names.length === 0 ? null : names.map((name) => textOf(tree, `${folder}/${name}`) ?? "");
}
