/**
 * Scripts of execlineb(1), of which s6's services are: each program runs the words behind its own as the next one, and
 * blocks in braces are programs of their own. What its own programs do with their words is not known here.
 */
import { COMPUTED, type Fields } from "./shell-expand.ts";
import { isSshd, nameOf } from "./shell-programs.ts";
import { usageOf } from "./shell-table.ts";
import { splitWords } from "./shell-words.ts";

/** Blocks first, as most programs run theirs before what follows; each from the program that is known among its words. */
export function execlineCommands(text: string): readonly Fields[] {
  const lines = text.split("\n").map((line) => line.replace(/(?:^|(?<=\s))#.*$/, ""));
  const commands: Fields[] = [];
  const open: string[][] = [[]];
  for (const word of splitWords(lines.join(" ").replaceAll(/\s/g, " "))) {
    if (word === "{") open.push([]);
    else if (word === "}" && open.length > 1) commands.push(open.pop() ?? []);
    else open.at(-1)?.push(word.replaceAll(/\$\{?\w+\}?/g, COMPUTED));
  }
  return [...commands, ...open.toReversed()].map(fromProgram).filter((words) => words.length > 0);
}

/** Behind fdmove, redirfd and the like, of which nothing is known. */
function fromProgram(words: Fields): Fields {
  const isKnown = (word: string): boolean => isSshd(word) || usageOf(nameOf(word)) !== null;
  const known = words.findIndex(isKnown);
  const at = known === -1 ? words.findIndex((word) => /^\/(?!dev\/)/.test(word)) : known;
  return at === -1 ? words : words.slice(at);
}
