/**
 * Names by which files that are made from one template differ: users and groups of Match, AllowUsers and the like, hosts
 * of PermitOpen. An audit only compares them with each other (match.c), so that a file with stand-ins for its names is
 * judged as the file itself, up to the names in the texts of the report. Where more than that can count (wildcards,
 * quotes, names of a witness), a file keeps all its names.
 */
import { isOwnHost } from "../lint/openings.ts";
import { INVENTED_NAMES } from "../policy/theory-names.ts";
import type { WrittenLine } from "./written-lines.ts";

export interface WithStandIns {
  /** as long as the file's own text, and the same but for the names */
  readonly text: string;
  /** in the order of their first appearance, in which the stand-ins are numbered */
  readonly names: readonly string[];
}

/**
 * The first byte of a stand-in is its name's own, the others are filled up to the name's length. All are letters that
 * have no upper case, or are one. Where they stand in a file, too, its report is told to differ (audit-targets.ts).
 */
const FIRST_BYTES = Array.from({ length: 30 }, (_, index) => String.fromCharCode(0xe0 + index));
const FILL = "\xff";
const STAND_IN = new RegExp(`[${FIRST_BYTES.join("")}]${FILL}*`, "g");

export function withStandIns(text: string, lines: readonly WrittenLine[]): WithStandIns {
  const none = { text, names: [] };
  const standIns = new Map<string, string>();
  const kept: string[] = [];
  let from = 0;
  for (const { start, line, keyword, rest } of lines) {
    if (!ABOUT_NAMES.has(keyword)) continue;
    const found = PLAIN_WORDS.test(rest)
      ? replaceIn(keyword, rest, (name) => standInFor(name, standIns))
      : null;
    if (found === null || standIns.size > FIRST_BYTES.length) return none;
    if (found === rest) continue;
    const end = start + line.length;
    kept.push(text.slice(from, end - rest.length), found);
    from = end;
  }
  if (standIns.size === 0) return none;
  return { text: kept.join("") + text.slice(from), names: [...standIns.keys()] };
}

/** The names in place of their stand-ins, also of the first part of one where a long text was cut. */
export function withNames(text: string, names: readonly string[]): string {
  return text.replace(
    STAND_IN,
    (standIn) => names[FIRST_BYTES.indexOf(standIn.charAt(0))]?.slice(0, standIn.length) ?? standIn,
  );
}

const ABOUT_NAMES: ReadonlySet<string> = new Set([
  "match",
  "allowusers",
  "denyusers",
  "allowgroups",
  "denygroups",
  "permitopen",
]);
/** Words in which no quote, escape, comment or `=` could make other words. */
const PLAIN_WORDS = /^[ \t][ \t!$-&(-<>-[\]-~]+$/;

function standInFor(name: string, standIns: Map<string, string>): string {
  const known = standIns.get(name);
  if (known !== undefined) return known;
  const standIn = (FIRST_BYTES[standIns.size] ?? "").padEnd(name.length, FILL);
  standIns.set(name, standIn);
  return standIn;
}

/** Ours. A digit, because no user, group or word that means anything to sshd or to a rule has one: root, none, any. */
const NAME = "[a-z](?=[a-z_.-]*[0-9])[a-z0-9_.-]{1,63}";
const LISTED = new RegExp(`(?<![^ \\t,!])${NAME}(?![^ \\t,])`, "g");
const HOST = new RegExp(`(?<![^ \\t])${NAME}(?=:(?:\\*|[0-9]+)(?![^ \\t]))`, "g");
/** What stands in front of a list of names, and the list; other criteria with their values. */
const CRITERION =
  /([ \t]+(?:user|group)[ \t]+)([^ \t]+)|[ \t]+(?:all|invalid-user)(?![^ \t])|[ \t]+[^ \t]+[ \t]+[^ \t]+/gi;

/** Null: the line may do more with names than to list them. */
function replaceIn(keyword: string, words: string, standIn: (name: string) => string): string | null {
  switch (keyword) {
    case "permitopen":
      // `[host]:22` and up to 7.9 `host/22` name the host, too
      if (/[[/]/.test(words)) return null;
      // "localhost6" leads to the server itself
      return words.replace(HOST, (host) => (isOwnHost(host) ? host : standIn(host)));
    case "match": {
      const found = [...words.matchAll(CRITERION)];
      if (!found.every(([, , list = ""]) => isNamesAlone(list))) return null;
      return words.replace(CRITERION, (whole, before?: string, list?: string) =>
        before === undefined || list === undefined ? whole : before + list.replace(LISTED, standIn),
      );
    }
    default:
      return isNamesAlone(words) ? words.replace(LISTED, standIn) : null;
  }
}

/** No pattern that could match several names, and none of the names that the search would take for somebody else. */
function isNamesAlone(list: string): boolean {
  return !/[*?@]/.test(list) && !list.split(/[ \t,!]+/).some((name) => INVENTED_NAMES.includes(name));
}
