/** The report of one target: its findings with their edits, in the order of the lines. */
import { lowerAscii } from "../../grammar/ascii.ts";
import { planChanges } from "../config/change.ts";
import type { Config } from "../config/config.ts";
import type { Image } from "../files/image.ts";
import type { LayerOrigin } from "../files/image-manifest.ts";
import { folderOf } from "../files/path.ts";
import { byPlace } from "../lint/audit.ts";
import { switchedOff } from "../lint/intent.ts";
import type { Finding } from "../lint/rule.ts";
import { networkAssumptions } from "../policy/assumptions.ts";
import type { ReportedEdit, TargetReport } from "../report/report.ts";
import { positionAt } from "../source/source.ts";
import type { Found } from "./findings.ts";
import { readingsElsewhere } from "./other-readings.ts";
import type { Judging } from "./prepare-audit.ts";
import { type Absent, judgedOf, type Target, type Unreadable } from "./target.ts";

export function describe(
  target: Target,
  config: Config,
  { judged, limits, answers }: Found,
  { failOn, intent }: Judging,
): TargetReport {
  const inOrder = byPlace(config);
  return {
    failOn,
    policyFile: intent === null ? null : { path: intent.path, off: switchedOff(intent) },
    path: target.name,
    ...judgedOf(target),
    otherReadings: readingsElsewhere(target),
    assumptions: [...networkAssumptions(config), ...target.assumptions],
    complete: limits.length === 0,
    limits,
    checkCommand: target.checkCommand,
    error: null,
    absent: null,
    skipped: null,
    answers,
    findings: judged
      .map(({ finding, suppressed }) => {
        const edits = editsOf(config, finding);
        const shown = atInsertion(config, finding, edits);
        return { finding: shown, edits, suppressed, layer: layerOf(target, config, shown) };
      })
      .sort((a, b) => inOrder(a.finding, b.finding)),
  };
}

/** The layer of an image since which it is so: that wrote the line, gave owner and mode, or took away what was set. */
function layerOf(
  { image }: Target,
  config: Config,
  { place, permissionsOf, fix }: Finding,
): LayerOrigin | null {
  const file = config.files.find(({ source }) => source === place.source);
  if (image === null || file === undefined) return null;
  if (permissionsOf !== null) return image.permitterOf(permissionsOf);
  const taker = takerOf(image, config, fix);
  if (taker !== null) return taker;
  const { text, lineStarts } = place.source;
  const { line } = positionAt(place.source, place.start);
  const end = (lineStarts[line] ?? text.length + 1) - 1;
  return image.writerOf(file.realPath, text.slice(lineStarts[line - 1] ?? 0, end));
}

/** Where a default decides what a fix would set: the layer that took away the line that set it. */
function takerOf(image: Image, { files, directives }: Config, fix: Finding["fix"]): LayerOrigin | null {
  const wanted = (fix?.changes ?? []).flatMap((change) =>
    change.kind === "set-global" ? [change.keyword] : [],
  );
  const isSet = directives.some(({ keyword, guards }) => guards.length === 0 && wanted.includes(keyword));
  if (isSet || wanted.length === 0) return null;
  const paths = files.map(({ realPath }) => realPath);
  return image.takerOf({ files: paths, folder: folderOf(paths[0] ?? "/") }, (line) => {
    const [, keyword = ""] = /^[ \t]*"?([A-Za-z0-9]+)/.exec(line) ?? [];
    return wanted.includes(lowerAscii(keyword));
  });
}

/** A finding without a line of its own points at where its fix inserts. */
function atInsertion(config: Config, finding: Finding, edits: readonly ReportedEdit[] | null): Finding {
  const { start, end } = finding.place;
  const [edit] = edits ?? [];
  if (start !== 0 || end !== 0 || edit === undefined) return finding;
  const source = config.files.find((file) => file.source.path === edit.path)?.source;
  return source === undefined
    ? finding
    : { ...finding, place: { source, start: edit.start, end: edit.start } };
}

/** The fix of one finding alone, as edits with the paths that people see. */
function editsOf(config: Config, { fix }: Finding): readonly ReportedEdit[] | null {
  if (fix === null) return null;
  const shown = new Map(config.files.map(({ realPath, source }) => [realPath, source.path]));
  return planChanges(config, fix.changes).edits.map((edit) => ({
    ...edit,
    path: shown.get(edit.path) ?? edit.path,
  }));
}

/** A target that cannot be read, or a system without sshd. */
export function withoutFindings(opened: Unreadable | Absent): TargetReport {
  const nothing: Omit<TargetReport, "path" | "complete" | "error" | "absent" | "skipped"> = {
    failOn: "low",
    policyFile: null,
    openssh: "",
    opensshSource: "",
    otherReadings: [],
    accounts: "",
    assumptions: [],
    checkCommand: "",
    limits: [],
    findings: [],
    answers: [],
  };
  const path = opened.name;
  if (!("absent" in opened))
    return { path, complete: false, error: opened.error, absent: null, skipped: null, ...nothing };
  const { absent, skipped = null } = opened;
  return { path, complete: true, error: null, absent, skipped, ...nothing };
}
