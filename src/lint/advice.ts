/** What is wrong with a line that sshd refuses, and what would be right, in words for an administrator. */
import { isAlgorithmKind, knownAlgorithms } from "../../grammar/algorithms.ts";
import { lowerAscii, withoutEnd } from "../../grammar/ascii.ts";
import { type Keyword, knownKeywords, lookUpKeyword, type ValueForm } from "../../grammar/keywords.ts";
import { NEWEST, type Release } from "../../grammar/release.ts";
import { remember } from "../../grammar/remember.ts";
import type { DirectiveLine } from "../../grammar/tree.ts";
import type { Config, Problem } from "../config/config.ts";
import { closestWord } from "./closest-word.ts";

/** One line without a full stop. */
export function explainProblem(config: Config, problem: Problem): string {
  const line = lineAt(config, problem);
  const keyword = line === null ? null : lookUpKeyword(line.keyword.value, config.release).keyword;
  if (problem.code === "unknown-keyword" && line !== null) return unknownKeyword(config.release, line);
  if (problem.code === "not-allowed-in-match" && line !== null)
    return `${line.keyword.value} holds for the whole server and may not stand in a Match block: move it above the first Match`;
  if (problem.code === "invalid-quotes") return "a quote is opened and never closed";
  if (problem.code === "no-argument") return `${line?.keyword.value ?? "the keyword"} needs a value`;
  const unsupported = keyword === null || line === null ? [] : unknownNames(keyword, line, config.release);
  if (keyword !== null && line !== null && unsupported.length > 0)
    return `${keyword.name} names ${unsupported.join(", ")}, which OpenSSH ${config.release.major}.${config.release.minor} ${whenKnown(keyword, line, unsupported)}`;
  const said = withoutEnd(problem.message, ".\n");
  const expected = keyword === null ? undefined : EXPECTED[keyword.form];
  return expected === undefined || keyword === null ? said : `${said} (${keyword.name} takes ${expected})`;
}

function lineAt(config: Config, { place }: Problem): DirectiveLine | null {
  const file = config.files.find(({ source }) => source === place.source);
  const line = file?.tree.lines.find(
    ({ start, end }) => start <= place.start && place.start < Math.max(end, start + 1),
  );
  return line?.kind === "directive" ? line : null;
}

/** Names of a list of algorithms that the release does not have; patterns are left out. */
function unknownNames({ form }: Keyword, line: DirectiveLine, release: Release): string[] {
  if (!isAlgorithmKind(form)) return [];
  const known = new Set(knownAlgorithms(form, release));
  const names = (line.args[0]?.value ?? "").replace(/^[+^-]/, "").split(",");
  return names.filter((name) => name !== "" && !/[*?]/.test(name) && !known.has(name));
}

function whenKnown(keyword: Keyword, line: DirectiveLine, unsupported: readonly string[]): string {
  const never = unknownNames(keyword, line, NEWEST);
  if (unsupported.every((name) => !never.includes(name))) return "does not have yet";
  return unsupported.every((name) => never.includes(name))
    ? "does not have (any more)"
    : "does not have (any more, or yet)";
}

const CONFLICT = /^(?:<{7}|>{7}|\|{7})$/;

function unknownKeyword(release: Release, line: DirectiveLine): string {
  const spelled = line.keyword.value;
  if (CONFLICT.test(spelled)) return `"${spelled}" is the mark of a merge conflict that nobody has solved`;
  const guess = closestKeyword(spelled, release);
  const hint = guess === null ? "" : `; did you mean ${guess.name}?`;
  return `"${spelled}" is no keyword of OpenSSH ${release.major}.${release.minor}${hint}`;
}

/** The first release that knows a keyword, where the one at hand is older; null for a word that none knows. */
export function introducedIn(spelled: string): string | null {
  if (lookUpKeyword(spelled, NEWEST).status === "unknown") return null;
  return (
    RELEASES.find(
      ([major, minor]) => lookUpKeyword(spelled, { ...NEWEST, major, minor }).status !== "unknown",
    )?.join(".") ?? null
  );
}

const MINORS: readonly (readonly [number, readonly number[]])[] = [
  [7, [4, 5, 6, 7, 8, 9]],
  [8, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
  [9, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
  [10, [0, 1, 2, 3, 4, 5, 6]],
];
const RELEASES = MINORS.flatMap(([major, minors]) => minors.map((minor) => [major, minor] as const));

/** The keyword of the release that was meant; null where none is near. */
const closestKeyword = remember((spelled, release): Keyword | null => {
  const word = lowerAscii(spelled.slice(0, 40)).replaceAll(/[-_]/g, "");
  const byKey = new Map(knownKeywords(release).map((keyword) => [keyword.key, keyword]));
  return byKey.get(closestWord(word, byKey.keys()) ?? "") ?? null;
});

const EXPECTED: Readonly<Partial<Record<ValueForm, string>>> = {
  flag: "yes or no",
  "tcp-forwarding": "yes, no, local or remote",
  "gateway-ports": "yes, no or clientspecified",
  "root-login": "yes, no, prohibit-password or forced-commands-only",
  "address-family": "any, inet or inet6",
  compression: "yes, no or delayed",
  tunnel: "yes, no, point-to-point or ethernet, in lower case",
  "permit-open": "HOST:PORT items between blanks, any or none",
  "permit-listen": "PORT or HOST:PORT items between blanks, any or none",
  port: "a number from 1 to 65535",
  integer: "a number",
  time: "seconds, or a time like 2m30s",
};
