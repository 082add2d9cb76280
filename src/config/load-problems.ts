/** What sshd refuses or misreads, as it words it (OpenSSH servconf.c process_server_config_line_depth). */
import type { ValueProblem } from "../../grammar/problem.ts";
import type { DirectiveLine, GrammarProblem } from "../../grammar/tree.ts";
import { type Place, placeOf } from "../source/source.ts";
import { type LoadedText, type Loading, shown } from "./loading.ts";
import { asPrinted } from "./printed.ts";

export function reportUnreadable(loading: Loading, path: string, reason: string, place: Place): void {
  loading.problems.push({
    code: "unreadable",
    weight: "fatal",
    sshdText: asPrinted(`${shown(loading, path)}: ${reason}`),
    message: `sshd cannot read ${shown(loading, path)}: ${reason}`,
    place,
    sshdLine: 0,
  });
}

export const isSilent = (problem: GrammarProblem): boolean => problem.weight === "silent";

/** Up to 7.7 sshd checks the length of all lines before it parses the first. */
export function reportLongLines(loading: Loading, text: LoadedText): void {
  for (const problem of text.tree.problems) {
    if (problem.code === "line-too-long") pushGrammarProblem(loading, text, problem);
  }
}

export function reportGrammar(
  loading: Loading,
  text: LoadedText,
  sshdNumber: number,
  wanted: (problem: GrammarProblem) => boolean,
): boolean {
  const problems = text.problemsByLine.get(sshdNumber);
  // nearly every line
  if (problems === undefined) return false;
  const found = problems.filter(wanted);
  for (const problem of found) pushGrammarProblem(loading, text, problem);
  return found.length > 0;
}

function pushGrammarProblem(loading: Loading, text: LoadedText, problem: GrammarProblem): void {
  const { code, weight, message, span, sshdNumber } = problem;
  loading.problems.push({
    code,
    weight,
    sshdText:
      weight === "silent"
        ? ""
        : asPrinted(
            `${text.source.path} line ${sshdNumber}${code === "line-too-long" ? " " : ": "}${message}`,
          ),
    message,
    place: placeOf(text.source, span),
    sshdLine: sshdNumber,
  });
}

export function pushUnknown(loading: Loading, text: LoadedText, line: DirectiveLine): void {
  pushProblem(loading, text, line, {
    code: "unknown-keyword",
    weight: "counted",
    message: `Bad configuration option: ${line.keyword.value}`,
    span: line.keyword,
    prefix: "colon-line",
    when: "always",
  });
}

export function pushRetired(
  loading: Loading,
  text: LoadedText,
  line: DirectiveLine,
  status: "deprecated" | "unsupported",
): void {
  const word = status === "deprecated" ? "Deprecated" : "Unsupported";
  const { source } = text;
  loading.problems.push({
    code: `${status}-keyword`,
    weight: "warning",
    sshdText: asPrinted(`${source.path} line ${line.sshdNumber}: ${word} option ${line.keyword.value}`),
    message: `${word} option ${line.keyword.value}`,
    place: placeOf(source, line.keyword),
    sshdLine: line.sshdNumber,
  });
}

export const POSITIONS: Readonly<Record<ValueProblem["prefix"], (path: string, line: number) => string>> = {
  line: (path, line) => `${path} line ${line}: `,
  "colon-line": (path, line) => `${path}: line ${line}: `,
  none: () => "",
  "at-end": () => "",
};

export function pushProblem(
  loading: Loading,
  text: LoadedText,
  line: DirectiveLine,
  problem: ValueProblem,
): void {
  const { code, weight, message, prefix, span } = problem;
  const position = weight === "silent" ? "" : POSITIONS[prefix](text.source.path, line.sshdNumber);
  const problems = prefix === "at-end" ? loading.atEnd : loading.problems;
  problems.push({
    code,
    weight,
    sshdText: asPrinted(position + message),
    message,
    place: placeOf(text.source, span),
    sshdLine: line.sshdNumber,
  });
}
