/** A Match line: the block that it opens, and whether the first pass enters it. */
import { type MatchCriterion, readMatch } from "../../grammar/match.ts";
import { matchPatternList } from "../../grammar/patterns.ts";
import { atLeast, type Release, type Vendor, versionText } from "../../grammar/release.ts";
import type { DirectiveLine } from "../../grammar/tree.ts";
import { placeOf, type Source } from "../source/source.ts";
import type { Criterion, MatchBlock } from "./config.ts";
import { contentSpan } from "./line-spans.ts";
import { pushProblem } from "./load-problems.ts";
import { type FileState, type Loading, noteRepairable } from "./loading.ts";

export function readMatchLine(loading: Loading, state: FileState, line: DirectiveLine): void {
  const { source } = state.text;
  const { outer, activeOutside, includedBy } = state.context;
  const reading = readMatch(line, loading.release);
  for (const problem of reading.problems) pushProblem(loading, state.text, line, problem);
  const criteria = (reading.criteria ?? []).map((criterion) => placed(criterion, source));
  const lost = includedBy !== null && outer.length === 0 && losesIncludedMatches(loading.release);
  if (lost) noteRepairable(loading, "sshd 8.2 and 8.3 lose the Match blocks of included files");
  noteDoubts(loading, criteria);
  const block: MatchBlock = {
    criteria,
    line,
    place: placeOf(source, contentSpan(line)),
    outer,
    static:
      reading.criteria !== null && criteria.every((criterion) => holdsAtStart(criterion, loading.release)),
    lost,
    order: loading.matches.length,
  };
  loading.matches.push(block);
  state.block = block;
  state.guards = outer.concat(block);
  state.active = activeOutside && block.static;
}

/** Spelled out: V8 gives each object that is made of another's rest a shape of its own. */
function placed(criterion: MatchCriterion, source: Source): Criterion {
  const place = placeOf(source, criterion.span);
  switch (criterion.attribute) {
    case "all":
    case "invalid-user":
      return { attribute: criterion.attribute, place };
    case "localport":
      return { attribute: "localport", place, text: criterion.text, port: criterion.port };
    case "address":
    case "localaddress":
      return { attribute: criterion.attribute, place, text: criterion.text, items: criterion.items };
    default:
      return { attribute: criterion.attribute, place, text: criterion.text, items: criterion.items };
  }
}

/** Without a connection `all` holds, and a Version that fits; in 9.9p1 invalid-user too, a bug of that release. */
function holdsAtStart(criterion: Criterion, release: Release): boolean {
  if (criterion.attribute === "all") return true;
  if (criterion.attribute === "invalid-user") return !atLeast(release, "9.9p2");
  if (criterion.attribute !== "version") return false;
  return matchPatternList(versionText(release), criterion.items, release) === 1;
}

/** What packages of one release take differently, where the package does not say how. */
function noteDoubts(loading: Loading, criteria: readonly Criterion[]): void {
  const { release } = loading;
  const has = (attribute: Criterion["attribute"]): boolean =>
    criteria.some((criterion) => criterion.attribute === attribute);
  const isSure = release.patch === FIXED_PATCH || atLeast(release, "10.0");
  if (has("invalid-user") && !isSure) {
    const whom = release.patch < FIXED_PATCH ? "everybody" : "invalid users alone";
    noteRepairable(loading, `Match invalid-user holds for ${whom}`);
  }
  const hasRevision = release.packageVersion !== null || !SIGNED.includes(release.vendor);
  if (has("version") && !hasRevision)
    noteRepairable(loading, `Match Version sees ${versionText(release)} without the package's revision`);
}

/** of 9.9: with the one before, Match invalid-user holds for everybody */
const FIXED_PATCH = 2;
/** Their packages put their revision into the text of the version. */
const SIGNED: readonly Vendor[] = ["debian", "ubuntu"];

/** OpenSSH bug 3122, in 8.2 and 8.3 */
function losesIncludedMatches(release: Release): boolean {
  return !atLeast(release, "8.4");
}
