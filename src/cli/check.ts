/** `check`: would sshd of that release accept the file? */
import { type CheckResult, checkConfig } from "../config/check.ts";
import type { Problem } from "../config/config.ts";
import { cutWords } from "../lint/wording.ts";
import { jsonPieces, pathText, recordsOf } from "../report/json.ts";
import { releaseWords } from "../report/judged.ts";
import { visible } from "../report/text.ts";
import { positionAt } from "../source/source.ts";
import { readingsElsewhere } from "./other-readings.ts";
import { complain, type OutputOptions, refuse, writeAnswer } from "./output.ts";
import { openPresent } from "./sources.ts";
import { judgedOf, type Target, type TargetOptions } from "./target.ts";

export interface CheckCommandOptions extends TargetOptions, OutputOptions {}

interface Checked {
  readonly target: Target;
  readonly result: CheckResult;
}

export async function runCheck(files: readonly string[], options: CheckCommandOptions): Promise<number> {
  const opened = await openPresent(files, options);
  if ("misuse" in opened) return refuse(opened.misuse);
  const checked: Checked[] = [];
  for (const target of opened) {
    if ("error" in target) complain(visible(target.error));
    else checked.push({ target, result: checkConfig(target.config) });
  }
  const text =
    options.format === "json" ? asJson(checked) : checked.map((one) => asText(one, options)).join("");
  const failed = writeAnswer(text, options);
  if (failed !== null) return refuse(failed);
  if (checked.some(({ target }) => target.config.limits.length > 0)) return 3;
  if (checked.length < opened.length) return 2;
  return checked.every(({ result }) => result.accepted) ? 0 : 1;
}

function asText({ target, result }: Checked, options: CheckCommandOptions): string {
  const lines = [
    ...result.errors.map((problem) => problemLine(problem, "error")),
    ...result.warnings.map((problem) => problemLine(problem, "warning")),
    ...result.silent.map((problem) => problemLine(problem, "warning")),
    ...target.config.limits.map((limit) => `${target.name}: not complete: ${limit}`),
  ];
  if (options.quiet !== true) {
    const isUnknown = result.errors.length === 0 && target.config.limits.length > 0;
    const verdict = result.accepted ? "accepted" : isUnknown ? "accepted as far as it was read" : "refused";
    lines.push(`${target.name}: ${verdict} by ${releaseWords(judgedOf(target))}`);
    lines.push(...readingsElsewhere(target).map((reading) => `  ${reading}`));
    if (result.accepted) lines.push(...result.depends.map((fact) => `  not checked here: ${fact}`));
  }
  return lines.map((line) => `${visible(line)}\n`).join("");
}

function problemLine({ place, message }: Problem, kind: string): string {
  const { line, column } = positionAt(place.source, place.start);
  return `${place.source.path}:${line}:${column}: ${kind}: ${cutWords(message)}`;
}

function asJson(checked: readonly Checked[]): Iterable<string> {
  const files = checked.map(({ target, result }) => ({
    path: pathText(target.name),
    openssh: judgedOf(target).openssh,
    opensshSource: target.releaseSource,
    otherReadings: readingsElsewhere(target),
    accepted: result.accepted,
    errors: recordsOf(result.errors, problemJson),
    warnings: recordsOf([...result.warnings, ...result.silent], problemJson),
    depends: result.depends,
  }));
  return jsonPieces({ version: 1, files });
}

function problemJson({ code, place, message, sshdLine, sshdText }: Problem): object {
  const { line, column } = positionAt(place.source, place.start);
  return {
    code,
    file: pathText(place.source.path),
    line,
    column,
    sshdLine,
    message: cutWords(message),
    sshdText,
  };
}
