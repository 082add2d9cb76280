/** Arguments that are no UTF-8, which Node.js decodes with loss: a file may have any name without NUL and slash. */
import { readFileSync } from "node:fs";
import { argumentOf } from "./paths.ts";

/** The same arguments; those in which bytes were lost are read again where the system shows them (proc(5), Linux alone). */
export function withBytes(argv: readonly string[]): readonly string[] {
  let raw: readonly string[];
  try {
    raw = readFileSync("/proc/self/cmdline", "latin1").split("\0").slice(0, -1);
  } catch {
    return argv;
  }
  // before ours stand node, its options and the script
  const skipped = raw.length - argv.length;
  return argv.map((argument, at) => {
    const bytes = Buffer.from(raw[at + skipped] ?? "", "latin1");
    return bytes.toString("utf8") === argument ? argumentOf(bytes) : argument;
  });
}
