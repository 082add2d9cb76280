import type { Span } from "./tree.ts";

/**
 * What sshd says of one line's arguments. weight as in GrammarProblem; `warning` is printed and accepted. `silent`
 * problems are accepted by `sshd -t` without a word and still break connections.
 */
export interface ValueProblem {
  readonly code: string;
  readonly weight: "fatal" | "counted" | "warning" | "silent";
  /** sshd's own words of that release, without the position in front; ours for silent ones */
  readonly message: string;
  /** how sshd says where: `FILE line N: M`, `FILE: line N: M`, or M alone; "at-end": M alone, after all files are read */
  readonly prefix: "line" | "colon-line" | "none" | "at-end";
  /** the word to blame, or all arguments, or the keyword where there are none */
  readonly span: Span;
  /**
   * When sshd looks at all: "active": where the line takes effect, not while it skims a block that does not match ·
   * "first": where no earlier line has set the keyword in the same set · "active-first": both.
   */
  readonly when: "always" | "active" | "first" | "active-first";
}

/** Whether sshd refuses the file for it. */
export function isRefusal({ weight }: Pick<ValueProblem, "weight">): boolean {
  return weight === "fatal" || weight === "counted";
}
