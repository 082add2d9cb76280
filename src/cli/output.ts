/** Where the answer goes and how it looks. */
import { writeFileSync } from "node:fs";
import { Chalk, type ChalkInstance } from "chalk";

export interface OutputOptions {
  readonly format?: string;
  readonly output?: string;
  readonly color?: "auto" | "always" | "never";
  readonly quiet?: boolean;
}

/** pretty on a terminal, concise elsewhere. */
export function chosenFormat({ format, output }: OutputOptions): string {
  if (format !== undefined) return format;
  return output === undefined && process.stdout.isTTY ? "pretty" : "concise";
}

/** NO_COLOR wins over FORCE_COLOR, an option over both (no-color.org). */
export function chosenPaint({ color = "auto", output }: OutputOptions): ChalkInstance {
  return new Chalk({ level: isColourful(color, output) ? 1 : 0 });
}

function isColourful(color: "auto" | "always" | "never", output: string | undefined): boolean {
  if (color !== "auto") return color === "always";
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
  if (NO_COLOR !== undefined && NO_COLOR !== "") return false;
  if (FORCE_COLOR !== undefined && FORCE_COLOR !== "" && FORCE_COLOR !== "0") return true;
  return output === undefined && process.stdout.isTTY === true && TERM !== "dumb";
}

/** Writes the answer to standard output or --output; the reason when that fails. */
export function writeAnswer(text: string, { output }: OutputOptions): string | null {
  if (output === undefined) {
    process.stdout.write(text);
    return null;
  }
  try {
    writeFileSync(output, text);
    return null;
  } catch (error) {
    return `${output} cannot be written: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** One line on standard error, with our name in front. */
export function complain(text: string): void {
  process.stderr.write(`sshd-policy: ${text}\n`);
}
