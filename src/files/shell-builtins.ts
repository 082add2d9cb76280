/** The commands of a shell's own that start nothing: tests, arguments, variables. */
import { COMPUTED } from "./shell-expand.ts";
import type { Outcome } from "./shell-flow.ts";
import { type Reading, type Standing, setArgs, setVariable } from "./shell-reading.ts";
import { tested } from "./shell-test.ts";

export type Builtin = (reading: Reading, args: readonly string[], standing: Standing) => Outcome;

export const UNKNOWN: Outcome = { result: null, ends: false };

export const PLAIN_BUILTINS: readonly (readonly [string, Builtin])[] = [
  [":", () => ({ result: true, ends: false })],
  ["true", () => ({ result: true, ends: false })],
  ["false", () => ({ result: false, ends: false })],
  ["exit", () => ({ result: null, ends: true })],
  ["return", () => ({ result: null, ends: true })],
  ["test", (_, args) => ({ result: tested(args), ends: false })],
  ["[", (_, args) => ({ result: tested(args.slice(0, -1)), ends: false })],
  ["[[", (_, args) => ({ result: tested(args.slice(0, -1)), ends: false })],
  ["set", setArguments],
  ["shift", shift],
  ["read", read],
];

/** `set -e` sets options, `set -- a b` arguments. */
function setArguments(reading: Reading, args: readonly string[], { certainty }: Standing): Outcome {
  const end = args.indexOf("--");
  if (end !== -1 || (args.length > 0 && !/^[-+]/.test(args[0] ?? ""))) {
    setArgs(reading, [args.slice(end + 1)], certainty);
  }
  return { result: true, ends: false };
}

function shift(reading: Reading, [count = "1"]: readonly string[], { certainty }: Standing): Outcome {
  setArgs(
    reading,
    reading.args.map((args) => args.slice(Number(count) || 1)),
    certainty,
  );
  return { result: null, ends: false };
}

function read(reading: Reading, args: readonly string[], { certainty }: Standing): Outcome {
  for (const name of args) if (/^\w+$/.test(name)) setVariable(reading, name, [COMPUTED], certainty);
  return UNKNOWN;
}
