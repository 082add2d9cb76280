/**
 * The files of a fleet repeat each other. Two FILEs of one run that differ in their names and in the words of comments
 * alone get the same report, at other places: the first one is audited, and its report is moved to the others.
 */
import { lookUpKeyword } from "../../grammar/keywords.ts";
import { NEWEST, type Release } from "../../grammar/release.ts";
import type { Config } from "../config/config.ts";
import { decode, makeSource, type Source } from "../source/source.ts";
import type { Opening, Wanted } from "./load-target.ts";
import { joined } from "./paths.ts";
import type { Target } from "./target.ts";

/** The first FILE of each kind in this run, by what an audit sees of it. */
export type FirstOfKind = Map<string, Target>;

export interface Alike {
  readonly first: Target;
  /** the text of this file under its own name */
  readonly source: Source;
}

/** Ours: more kinds, or longer files, are no fleet, and what is remembered stays small. */
const MOST_KINDS = 1000;
const MOST_BYTES = 20_000;

/** In names and paths nothing that a message could show in another way, or cut. */
const PLAIN = /^[ !#-[\]-~]{1,500}$/;

/**
 * What an audit sees of a FILE that is read as another host's, in one text. Null: it is read with more than its own
 * text, or has a name that cannot be looked for in a report.
 */
export function kindOf(wanted: Wanted, bytes: Uint8Array, opening: Opening): string | null {
  const { name, path, configFolder, onlyRealPath, rootFolder, stdin, fragment = false } = wanted;
  if (configFolder === undefined || onlyRealPath !== undefined || rootFolder !== undefined) return null;
  if (stdin !== undefined || bytes.length > MOST_BYTES || !PLAIN.test(name) || !PLAIN.test(path)) return null;
  const text = decode(bytes);
  const isMain = path.endsWith("/sshd_config");
  const looksAround = isMain || /include/i.test(text);
  const isAlone =
    !/include/i.test(text.replaceAll(STOCK_INCLUDE, "")) &&
    opening.folders.list(joined(configFolder, "sshd_config.d")) === null;
  const folder = looksAround && !isAlone ? configFolder : "";
  return `${isMain} ${fragment} ${folder}\n${withoutWords(text, opening.release.release)}`;
}

/** It finds nothing where there is no such folder. */
const STOCK_INCLUDE = /^Include \/etc\/ssh\/sshd_config\.d\/\*\.conf$/gm;

/** Null where no file before is alike. */
export function alikeTo(firsts: FirstOfKind, kind: string, bytes: Uint8Array, shown: string): Alike | null {
  const first = firsts.get(kind);
  return first === undefined || !readsNothingElse(first.config)
    ? null
    : { first, source: makeSource(shown, decode(bytes)) };
}

export function rememberKind(firsts: FirstOfKind, kind: string, target: Target): void {
  if (firsts.has(kind)) return;
  const [oldest] = firsts.keys();
  if (firsts.size >= MOST_KINDS && oldest !== undefined) firsts.delete(oldest);
  firsts.set(kind, target);
}

function readsNothingElse({ includes }: Config): boolean {
  return includes.every(({ targets }) => targets.every(({ matched }) => matched.length === 0));
}

/** `$` and `^` also stand at a carriage return, and a NUL swallows the end of a line: then every word counts. */
function withoutWords(text: string, release: Release): string {
  if (/[\0\r]/.test(text)) return text;
  return text.replaceAll(COMMENT, (comment) => (isWords(comment, release) ? "#" : comment));
}

const COMMENT = /^#[\t -~]{1,200}$/gm;
const FIRST_WORD = /^# ?([A-Za-z][A-Za-z0-9]*)/;

/** No suppression, and no setting of the stock file that a finding could point at (src/config/stock-comment.ts). */
function isWords(comment: string, release: Release): boolean {
  if (comment.includes("sshd-policy:")) return false;
  const word = FIRST_WORD.exec(comment)?.[1];
  return (
    word === undefined || [release, NEWEST].every((one) => lookUpKeyword(word, one).status === "unknown")
  );
}
