/** One or two keywords again and again, outside and inside blocks and included files: which of the lines counts. */
import { type Keyword, knownKeywords } from "../../grammar/keywords.ts";
import type { Release } from "../../grammar/release.ts";
import { load, MAIN_FILE, verdictOf } from "../sshd/reading.ts";
import type { DrawnCase } from "./generate.ts";
import type { Random } from "./random.ts";
import { randomValue } from "./values.ts";

const BLOCKS = [
  "Match all",
  "Match User a",
  "Match User *,!a",
  "Match Address 10.*",
  "Match User b Address 10.*",
];
const CONNECTIONS = ["a", "b"].flatMap((user) =>
  ["10.0.0.1", "192.0.2.9"].map(
    (addr) => `user=${user},host=${addr},addr=${addr},laddr=192.0.2.1,lport=22,rdomain=`,
  ),
);

export function drawRepeats(release: Release, random: Random): DrawnCase {
  const all = knownKeywords(release).filter(({ form }) => form !== "match" && form !== "include");
  const first = random.pick(all);
  // those of one beginning often hang together: AuthorizedKeysCommand and its user
  const related = all.filter(({ key }) => key.slice(0, 6) === first.key.slice(0, 6));
  const chosen = [first, random.pick(random.chance(50) ? related : all)];
  const file = (most: number): string => linesOf(chosen, { release, random, most });
  const tree = {
    "/etc/ssh/d/a": file(3),
    "/etc/ssh/d/b": file(3),
    [MAIN_FILE]: file(7),
  };
  return { tree, connections: CONNECTIONS, draw: random.int(2 ** 31) };
}

function linesOf(
  chosen: readonly Keyword[],
  { release, random, most }: { readonly release: Release; readonly random: Random; readonly most: number },
): string {
  const { inMatch } = chosen[0] ?? { inMatch: false };
  const lines = random.some(0, most, () => {
    if (random.chance(inMatch ? 25 : 4)) return random.pick(BLOCKS);
    if (random.chance(12)) return `Include ${random.pick(["d/a", "d/b", "d/*"])}`;
    return acceptedLine(random.pick(chosen), release, random);
  });
  return lines.map((line) => `${line}\n`).join("");
}

/** Mostly one that is right by itself, since a wrong one hides all others. */
function acceptedLine({ name, form }: Keyword, release: Release, random: Random): string {
  const make = (): string => `${name} ${randomValue(form, random)}`;
  let line = make();
  for (let tries = 0; tries < 8 && !random.chance(2); tries++) {
    if (verdictOf(load({ [MAIN_FILE]: line }, release)).accepted) break;
    line = make();
  }
  return line;
}
