/**
 * Findings that an administrator accepts, said in the file itself:
 * `# sshd-policy: allow RULE -- reason` (optionally `until 2027-01-31` in front of `--` or at the end) on the line before, or at the
 * end of the line; `allow-file RULE` for the whole file.
 */
import { lowerAscii, withoutEnd } from "../../grammar/ascii.ts";
import { lookUpKeyword } from "../../grammar/keywords.ts";
import type { DirectiveLine, Line, Span } from "../../grammar/tree.ts";
import type { Config, ConfigFile } from "../config/config.ts";
import { type Place, positionAt, type Source } from "../source/source.ts";
import type { Draft, Finding } from "./rule.ts";

/** A finding with the suppression that holds it back, if any. */
export interface Judged {
  readonly finding: Finding;
  readonly suppressed: { readonly reason: string; readonly until: string | null } | null;
}

interface Suppression {
  readonly rule: string;
  readonly reason: string;
  /** ISO date of the last day; null: no end */
  readonly until: string | null;
  readonly place: Place;
  /** physical line it is about, from 1; null: the whole file */
  readonly line: number | null;
  /** it stands before the first Match line and is not about that line */
  readonly isGlobal: boolean;
}

const MARK = /#[ \t]*sshd-policy:[ \t]*(.*)$/;
/** without blanks at its end */
const FORM = /^(allow|allow-file)[ \t]+([a-z0-9-]+)(?:[ \t]+until[ \t]+(\S+))?[ \t]*(?:--[ \t]*(.*))?$/;
/** at the end of a reason: a date only, for "until" is a word of the language, too */
const END = /(?:^|[ \t])until[ \t]+(\d{4}-\d{2}-\d{2})$/;

export interface SuppressionOptions {
  /** today as an ISO date: what ended before it is expired. Asked only where something has an end. */
  readonly today: () => string;
  readonly knownRules: readonly string[];
  /** rules of this run: a suppression of another one cannot be called unused */
  readonly ran: ReadonlySet<string>;
}

export interface Suppressed {
  readonly judged: readonly Judged[];
  /** what is wrong with suppressions themselves: without reason, expired, unused, of an unknown rule */
  readonly complaints: readonly Draft[];
}

/** Suppressions of all files of the configuration, applied to the findings. */
export function applySuppressions(
  config: Config,
  findings: readonly Finding[],
  { today, knownRules, ran }: SuppressionOptions,
): Suppressed {
  const complaints: Draft[] = [];
  const valid: Suppression[] = [];
  for (const file of config.files) {
    for (const found of suppressionsOf(file)) {
      const wrong = "wrong" in found ? found.wrong : whyInvalid(found, today, knownRules);
      if (wrong === null && !("wrong" in found)) valid.push(found);
      else complaints.push({ message: wrong ?? "", place: found.place, severity: "low" });
    }
  }
  const used = new Set<Suppression>();
  const judged = findings.map((finding): Judged => {
    const by = valid.find((suppression) => covers(suppression, finding));
    if (by === undefined) return { finding, suppressed: null };
    used.add(by);
    return { finding, suppressed: { reason: by.reason, until: by.until } };
  });
  for (const suppression of valid) {
    if (!used.has(suppression) && ran.has(suppression.rule))
      complaints.push({
        message: `this comment allows ${suppression.rule}, and there is no such finding here any more`,
        place: suppression.place,
        severity: "info",
      });
  }
  return { judged, complaints };
}

function whyInvalid(
  { rule, reason, until }: Suppression,
  today: () => string,
  knownRules: readonly string[],
): string | null {
  if (!knownRules.includes(rule)) return `this comment allows "${rule}", and there is no such rule`;
  if (reason === "") return `this comment allows ${rule} without a reason: write it behind --`;
  if (until !== null && !isDate(until))
    return `this comment allows ${rule} until "${until}", and that is no date: write 2027-01-31`;
  if (until !== null && until < today()) return `this comment allowed ${rule} until ${until}: it is over`;
  return null;
}

/** The day exists: Date takes 31 February for 3 March. */
function isDate(text: string): boolean {
  const time = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}

/**
 * A finding without a line of its own points at the top of the file: any comment of the global part may accept it, none of
 * a Match block, which speaks of that block's connections only.
 */
function covers({ rule, place, line, isGlobal }: Suppression, { rule: found, place: at }: Finding): boolean {
  if (found !== rule || at.source !== place.source) return false;
  if (line === null) return true;
  const hasNoLine = at.start === 0 && at.end === 0;
  return hasNoLine ? isGlobal : positionAt(place.source, at.start).line === line;
}

type Read = Suppression | { readonly wrong: string; readonly place: Place };

function suppressionsOf({ source, tree }: ConfigFile): Read[] {
  // most files have none, and are not looked through
  if (!source.text.includes("sshd-policy:")) return [];
  const found: Read[] = [];
  const firstMatch = tree.lines.find(isMatch)?.number ?? Number.POSITIVE_INFINITY;
  // several may stand above one line, so the lines are gone through from the last one on
  let below: number | null = null;
  for (const line of tree.lines.toReversed()) {
    const comment = commentOf(line, tree.release, source);
    const about = line.kind === "comment" ? below : line.number;
    const own = comment && read(source, comment, about, (about ?? line.number) < firstMatch);
    if (own !== null) found.push(own);
    if (own === null || line.kind !== "comment") below = line.number;
  }
  return found.reverse();
}

function isMatch(line: Line): boolean {
  return line.kind === "directive" && lowerAscii(line.keyword.value) === "match";
}

/** The comment of a line; keywords that take the rest of the line as their value have none. */
function commentOf(line: Line, release: Parameters<typeof lookUpKeyword>[1], source: Source): Span | null {
  if (line.kind === "comment") {
    const text = withoutEnd(source.text.slice(line.start, line.end), LINE_ENDS);
    return { start: line.start, end: line.start + text.length };
  }
  if (line.kind !== "directive" || takesRest(line, release)) return null;
  return line.comment;
}

function takesRest({ keyword }: DirectiveLine, release: Parameters<typeof lookUpKeyword>[1]): boolean {
  const form = lookUpKeyword(lowerAscii(keyword.value), release).keyword?.form;
  return form === "raw" || form === "version-addendum" || form === "command";
}

const LINE_ENDS = "\r\n";
const BLANKS = " \t";

function read(source: Source, span: Span, line: number | null, isGlobal: boolean): Read | null {
  const text = withoutEnd(source.text.slice(span.start, span.end), LINE_ENDS);
  const marked = MARK.exec(text);
  if (marked === null) return null;
  const place = { source, start: span.start + marked.index, end: span.start + text.length };
  const form = FORM.exec(withoutEnd(marked[1] ?? "", BLANKS));
  if (form === null)
    return { wrong: "this comment is not understood: write # sshd-policy: allow RULE -- reason", place };
  const [, scope, rule = "", until, written = ""] = form;
  const end = END.exec(written);
  const reason = end === null ? written : withoutEnd(written.slice(0, end.index), BLANKS);
  return {
    rule,
    reason,
    until: until ?? end?.[1] ?? null,
    place,
    line: scope === "allow-file" ? null : (line ?? -1),
    isGlobal,
  };
}
