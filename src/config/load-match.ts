/** A Match line: the block that it opens, and whether the first pass enters it. */
import { type MatchCriterion, readMatch } from "../../grammar/match.ts";
import { ENDS_IN_STARS, matchPatternList } from "../../grammar/patterns.ts";
import { type Release, type Vendor, versionText } from "../../grammar/release.ts";
import { GREEDY_STARS, INVALID_USER_FITS_ALL, isReadWith, LOST_MATCHES } from "../../grammar/release-bugs.ts";
import type { DirectiveLine } from "../../grammar/tree.ts";
import { placeOf, type Source } from "../source/source.ts";
import type { Criterion, MatchBlock } from "./config.ts";
import { contentSpan, valueSpan } from "./line-spans.ts";
import { pushProblem } from "./load-problems.ts";
import { type FileState, type Loading, noteBug } from "./loading.ts";

export function readMatchLine(loading: Loading, state: FileState, line: DirectiveLine): void {
  const { source } = state.text;
  const { outer, activeOutside, includedBy } = state.context;
  const reading = readMatch(line, loading.release);
  for (const problem of reading.problems) pushProblem(loading, state.text, line, problem);
  const criteria = (reading.criteria ?? []).map((criterion) => placed(criterion, source));
  const isIncluded = includedBy !== null && outer.length === 0;
  if (isIncluded) noteBug(loading, LOST_MATCHES);
  noteDoubts(loading, criteria);
  const block: MatchBlock = {
    criteria,
    line,
    place: placeOf(source, contentSpan(line, valueSpan(line))),
    outer,
    static:
      reading.criteria !== null && criteria.every((criterion) => holdsAtStart(criterion, loading.release)),
    lost: isIncluded && isReadWith(LOST_MATCHES, loading.release),
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
  if (criterion.attribute === "invalid-user") return isReadWith(INVALID_USER_FITS_ALL, release);
  if (criterion.attribute !== "version") return false;
  return matchPatternList(versionText(release), criterion.items, release) === 1;
}

/** What packages of one release take differently, where the package does not say how. */
function noteDoubts(loading: Loading, criteria: readonly Criterion[]): void {
  const { release } = loading;
  const has = (attribute: Criterion["attribute"]): boolean =>
    criteria.some((criterion) => criterion.attribute === attribute);
  if (has("invalid-user")) noteBug(loading, INVALID_USER_FITS_ALL);
  if (criteria.some(endsInStars)) noteBug(loading, GREEDY_STARS);
  if (has("version") && release.packageVersion === null && SIGNED.includes(release.vendor))
    loading.limits.add(
      `Match Version is read with ${versionText(release)}, without the revision of the package, which is not known`,
    );
}

function endsInStars(criterion: Criterion): boolean {
  return "text" in criterion && ENDS_IN_STARS.test(criterion.text);
}
/** Their packages put their revision into the text of the version. */
const SIGNED: readonly Vendor[] = ["debian", "ubuntu"];
