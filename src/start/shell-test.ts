/** The tests of a shell (test(1), `[`, `[[`) as far as literal words decide them. */
import { COMPUTED } from "./shell-expand.ts";

/** Null: it asks for more than literal words (test(1)). */
export function tested(args: readonly string[]): boolean | null {
  const [first = "", operator = "", second = ""] = args;
  if (args.some((word) => word.includes(COMPUTED))) return null;
  if (first === "!" && args.length > 1) {
    const inner = tested(args.slice(1));
    return inner === null ? null : !inner;
  }
  if (args.length === 1) return first !== "";
  if (args.length === 2) return first === "-n" ? operator !== "" : first === "-z" ? operator === "" : null;
  if (args.length !== 3 || /[*?[]/.test(second)) return null;
  return operator === "=" || operator === "=="
    ? first === second
    : operator === "!="
      ? first !== second
      : null;
}
