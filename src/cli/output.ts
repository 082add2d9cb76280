/** Where the answer goes and how it looks. */
import { closeSync, openSync, writeFileSync } from "node:fs";
import type { ChalkInstance } from "chalk";
import { concise } from "../report/concise.ts";
import type { AuditReport } from "../report/report.ts";
import { visible, visibleText } from "../report/text.ts";
import { isTerminal, writeStandardError, writeStandardOutput } from "./standard-output.ts";
import { systemReason } from "./system-reason.ts";

export interface OutputOptions {
  readonly format?: string;
  readonly output?: string;
  readonly color?: "auto" | "always" | "never";
  readonly quiet?: boolean;
}

/** pretty on a terminal, concise elsewhere. */
export function chosenFormat({ format, output }: OutputOptions): string {
  if (format !== undefined) return format;
  return output === undefined && isTerminal() ? "pretty" : "concise";
}

/** NO_COLOR wins over FORCE_COLOR, whose 0 and false mean none, an option over both (no-color.org, chalk). */
export async function chosenPaint({ color = "auto", output }: OutputOptions): Promise<ChalkInstance> {
  const { Chalk } = await import("chalk");
  return new Chalk({ level: isColourful(color, output) ? 1 : 0 });
}

function isColourful(color: "auto" | "always" | "never", output: string | undefined): boolean {
  if (color !== "auto") return color === "always";
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
  if (NO_COLOR !== undefined && NO_COLOR !== "") return false;
  if (FORCE_COLOR !== undefined && FORCE_COLOR !== "") return FORCE_COLOR !== "0" && FORCE_COLOR !== "false";
  return output === undefined && isTerminal() && TERM !== "dumb";
}

/** The text, or its pieces. Reporters are loaded when they are asked for. */
export async function renderAudit(report: AuditReport, options: OutputOptions): Promise<Iterable<string>> {
  switch (chosenFormat(options)) {
    case "pretty": {
      const { pretty } = await import("../report/pretty.ts");
      return pretty(report, { paint: await chosenPaint(options), quiet: options.quiet ?? false });
    }
    case "json": {
      const { json } = await import("../report/json.ts");
      return json(report);
    }
    case "sarif": {
      const [{ sarif }, { RULES }] = await Promise.all([
        import("../report/sarif.ts"),
        import("../../rules/index.ts"),
      ]);
      return sarif(report, RULES);
    }
    case "github":
      return (await import("../report/github.ts")).github(report);
    case "junit":
      return (await import("../report/junit.ts")).junit(report);
    case "markdown":
      return (await import("../report/markdown.ts")).markdown(report);
    case "html":
      return (await import("../report/html.ts")).html(report);
    default:
      return concise(report);
  }
}

/** Writes a text, or its pieces as they are made, to standard output or --output; the reason when that fails. */
export function writeAnswer(text: Iterable<string>, options: OutputOptions): string | null {
  return writePieces(encoded(typeof text === "string" ? [text] : text), options);
}

function* encoded(pieces: Iterable<string>): Iterable<Uint8Array> {
  for (const piece of pieces) yield Buffer.from(piece, "utf8");
}

/** As writeAnswer, for bytes of a configuration. */
export function writeBytes(bytes: Uint8Array, options: OutputOptions): string | null {
  return writePieces([bytes], options);
}

function writePieces(pieces: Iterable<Uint8Array>, { output }: OutputOptions): string | null {
  try {
    if (output === undefined) writeStandardOutput(pieces);
    else {
      const file = openSync(output, "w");
      for (const piece of pieces) writeFileSync(file, piece);
      closeSync(file);
    }
    return null;
  } catch (error) {
    // pieces are made between the writes, and what fails there is no matter of the file
    if (!(error instanceof Error && "syscall" in error)) throw error;
    return `${output ?? "standard output"} cannot be written: ${systemReason(error)}`;
  }
}

/** One line on standard error, with our name in front, whatever is in the words of the call or of a server. */
export function complain(text: string): void {
  writeStandardError(`sshd-policy: ${visibleText(text)}\n`);
}

/** Exit code 3 is explained where the format of the answer has no place for it (pretty has one). */
export function complainOfLimits(
  targets: readonly { readonly path: string; readonly limits: readonly string[] }[],
  options: OutputOptions,
): void {
  if (chosenFormat(options) !== "pretty") tellLimits(targets);
}

export function tellLimits(
  targets: readonly { readonly path: string; readonly limits: readonly string[] }[],
): void {
  for (const { path, limits } of targets)
    for (const limit of limits) complain(visible(`${path}: not complete: ${limit}`));
}

/** The release, where the lines of the answer have no place for it. */
export function tellJudged(texts: Iterable<string>, { quiet }: OutputOptions): void {
  if (quiet !== true) for (const text of texts) complain(visible(text));
}

/** Wrong usage, or an answer that cannot be written: the exit code. */
export function refuse(text: string): number {
  complain(text);
  return 2;
}
