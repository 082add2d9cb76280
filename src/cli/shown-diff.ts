/** `--diff`: what a fix would change as a patch, and what a patch has no place for on standard error. */

import { lstatSync } from "node:fs";
import { relative, resolve } from "node:path";
import { unifiedDiff } from "../diff/diff.ts";
import type { Edit } from "../edit/edit.ts";
import { isBelow } from "../files/path.ts";
import { dockerfileLine, type ImageFile } from "../report/dockerfile.ts";
import { judgedTexts } from "../report/judged.ts";
import type { AuditReport } from "../report/report.ts";
import { encode } from "../source/source.ts";
import { complainOfUnjudged } from "./audit.ts";
import { exitCode } from "./exit-code.ts";
import { complain, refuse, tellJudged, tellLimits, writeBytes } from "./output.ts";
import { currentFolder } from "./paths.ts";
import type { AuditCommandOptions } from "./prepare-audit.ts";
import { writeStandardError } from "./standard-output.ts";
import type { Target } from "./target.ts";

/** A file with all that the targets of a call change in it. */
export interface FixedFile extends ImageFile {
  readonly shown: string;
  readonly edits: readonly Edit[];
}

/** A link stays as it is, and neither git apply nor patch(1) follows one: the diff is about the file it leads to. */
export function nameToPatch({ rootFolder }: Target, realPath: string, shown: string): string {
  const named = Buffer.from(resolve(currentFolder(), shown), "latin1");
  const isLink = lstatSync(named, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
  return diffName(isLink ? rootFolder + realPath : shown);
}

/** Behind `a/` and `b/`: relative to the current folder where the file lies in it, so that git apply finds it. */
function diffName(shown: string): string {
  const here = currentFolder();
  const name = shown.startsWith("/") && isBelow(shown, here) ? relative(here, shown) : shown;
  return name.replace(/^(\.?\/)+/, "");
}

/** On standard error: standard output is the diff's. */
function tellDockerfile(files: readonly ImageFile[]): void {
  const line = dockerfileLine(files);
  complain(
    line === null
      ? "no line for its Dockerfile can hold this change: apply the diff to a copy of the file, and COPY that"
      : "the same as a line for its Dockerfile:",
  );
  if (line !== null) writeStandardError(`${line}\n`);
}

/** Prints the diff. What it has no place for is said on standard error. */
export function showDiff(
  changed: readonly FixedFile[],
  report: AuditReport,
  { options, stopped }: { readonly options: AuditCommandOptions; readonly stopped: boolean },
): number {
  const { targets } = report;
  complainOfUnjudged(targets);
  tellLimits(targets);
  const diff = unifiedDiff(changed);
  const code = exitCode(report);
  const failed = diff === "" ? null : writeBytes(encode(diff), options);
  if (failed !== null) return refuse(failed);
  tellJudged(judgedTexts(targets), options);
  if (diff !== "" && options.image !== undefined) tellDockerfile(changed);
  if (diff === "" && code === 1 && !stopped)
    complain("nothing to change: what remains is not fixed by --fix; audit names it");
  return diff === "" ? code : Math.max(code, 1);
}
