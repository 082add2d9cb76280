/** The same policy in other words: what is left out of it or written otherwise decides nothing. */
import { MAIN_FILE } from "../sshd/reading.ts";
import { COMMAND_LINE, type ServerTree } from "../sshd/server-tree.ts";
import type { Random } from "./random.ts";

type Rewriting = (lines: readonly string[], random: Random) => string[];

const IN_OTHER_WORDS: Readonly<Record<string, string>> = {
  allowtcpforwarding: "remote",
  allowstreamlocalforwarding: "local",
  disableforwarding: "yes",
  gatewayports: "clientspecified",
  permittunnel: "ethernet",
  x11forwarding: "yes",
  allowagentforwarding: "no",
  permitopen: "other:1",
  permitlisten: "1",
};

/** `Keyword value` of the table, without quotes or anything behind it. */
const PLAIN = /^([ \t]*)([A-Za-z]+)[ \t]+([\w:.*-]+)$/;

function keywordOf(line: string): string | null {
  const keyword = PLAIN.exec(line)?.[2]?.toLowerCase() ?? "";
  return keyword in IN_OTHER_WORDS ? keyword : null;
}

const isMatch = (line: string): boolean => /^[ \t]*match[ \t=]/i.test(line);

/** A block for each line: its Match line again behind every plain line. */
const splitBlocks: Rewriting = (lines, random) => {
  let match: string | null = null;
  return lines.flatMap((line) => {
    if (isMatch(line)) match = line;
    const again = match !== null && keywordOf(line) !== null && random.chance(70);
    return again && match !== null ? [line, match] : [line];
  });
};

const quoteAgain: Rewriting = (lines, random) =>
  lines.map((line) => {
    if (keywordOf(line) === null || random.chance(40)) return line;
    return line.replace(PLAIN, (_all, indent: string, keyword: string, value: string) => {
      const spelled = random.pick([keyword.toUpperCase(), keyword.toLowerCase(), `"${keyword}"`]);
      return `${indent}${spelled}${random.pick([" ", "=", "\t", " = "])}${random.pick([value, `"${value}"`])} # ${value}`;
    });
  });

/** Two neighbours that set different keywords in the same place. */
const reorder: Rewriting = (lines, random) => {
  const moved = [...lines];
  for (let at = 0; at + 1 < moved.length; at++) {
    const [first = "", second = ""] = moved.slice(at, at + 2);
    const [one, other] = [keywordOf(first), keywordOf(second)];
    if (one !== null && other !== null && one !== other && random.chance(60))
      moved.splice(at, 2, second, first);
  }
  return moved;
};

/** Behind a line that decides the same place already. */
const addDead: Rewriting = (lines, random) =>
  lines.flatMap((line) => {
    const keyword = keywordOf(line);
    return keyword === null || random.chance(40) ? [line] : [line, `${keyword} ${IN_OTHER_WORDS[keyword]}`];
  });

/** A block that only clients outside this one's address could enter, were there any. */
const addUnreachable: Rewriting = (lines) => [
  ...lines,
  "Match Address 10.0.0.0/8 Address 192.0.2.0/24",
  "AllowTcpForwarding yes",
  "Match User !alice",
  "DisableForwarding no",
];

const explain: Rewriting = (lines, random) =>
  lines.flatMap((line) => (random.chance(30) ? ["# why", "", line] : [line]));

const REWRITINGS = [splitBlocks, quoteAgain, reorder, addDead, addUnreachable, explain];

/** Some rewritings of each file without bytes that end a line early, and sometimes the main file as an included one. */
export function rewrite(tree: ServerTree, random: Random): ServerTree {
  const written = Object.entries(tree).map(([path, text]) => [
    path,
    path === COMMAND_LINE ? text : rewriteFile(text, random),
  ]);
  const same: ServerTree = Object.fromEntries(written);
  if (random.chance(60)) return same;
  return { ...same, [MAIN_FILE]: `Include ${MOVED}\n`, [MOVED]: same[MAIN_FILE] ?? "" };
}

/** No pattern of the generator names it. */
const MOVED = "/etc/ssh/moved/all.conf";

function rewriteFile(text: ServerTree[string], random: Random): ServerTree[string] {
  if (typeof text !== "string" || /[\0\r"'\\]/.test(text)) return text;
  const chosen = REWRITINGS.filter(() => random.chance(50));
  const lines = chosen.reduce((all: readonly string[], one) => one(all, random), text.split("\n"));
  return lines.join("\n");
}
