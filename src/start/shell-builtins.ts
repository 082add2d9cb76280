/** The commands of a shell's own that start nothing: tests, arguments, variables. */
import { COMPUTED } from "./shell-expand.ts";
import { namesFed } from "./shell-fed.ts";
import { WORKING_FOLDER } from "./shell-files.ts";
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
  ["[", (_, args) => ({ result: inBrackets(args, "]"), ends: false })],
  ["[[", (_, args) => ({ result: inBrackets(args, "]]"), ends: false })],
  ["set", setArguments],
  ["shift", shift],
  ["unset", unset],
  ["read", readLine],
  ["getopts", (reading, [, ...names], standing) => compute(reading, ["OPTARG", ...names], standing)],
  ["mapfile", (reading, args, standing) => compute(reading, ["MAPFILE", ...args], standing)],
  ["readarray", (reading, args, standing) => compute(reading, ["MAPFILE", ...args], standing)],
  ["let", (reading, args, standing) => compute(reading, args.map(nameIn), standing)],
  ["printf", print],
  ["cd", changeFolder],
  ["pushd", changeFolder],
  ["popd", changeFolder],
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

function unset(reading: Reading, args: readonly string[], { certainty }: Standing): Outcome {
  for (const name of args) {
    if (certainty === "yes") reading.variables.delete(name);
    else if (reading.variables.has(name)) setVariable(reading, name, [""], certainty);
  }
  return { result: true, ends: false };
}

/** `printf -v NAME` writes into a variable. */
function print(reading: Reading, [option, name = ""]: readonly string[], standing: Standing): Outcome {
  return option === "-v" ? compute(reading, [name], standing) : UNKNOWN;
}

function changeFolder(reading: Reading, args: readonly string[], { certainty }: Standing): Outcome {
  const to = args.find((word) => !word.startsWith("-")) ?? "";
  const folders = reading.variables.get(WORKING_FOLDER) ?? [COMPUTED];
  const reached = folders.map((from) => (to.startsWith("/") ? to : to === "" ? COMPUTED : `${from}/${to}`));
  setVariable(reading, WORKING_FOLDER, reached, certainty);
  return UNKNOWN;
}

/** Of `let "x = 1"` and the like: what stands before the operator. */
function nameIn(expression: string): string {
  return /^\s*(\w+)/.exec(expression)?.[1] ?? "";
}

/** `find … | while read -r file`: the configurations among the lines. */
function readLine(reading: Reading, args: readonly string[], standing: Standing): Outcome {
  const names = namesFed(reading, standing.fed);
  for (const name of ["REPLY", ...args].filter(isName))
    setVariable(reading, name, [COMPUTED, ...names], standing.certainty);
  return UNKNOWN;
}

function isName(word: string): boolean {
  return /^[A-Za-z_]\w*$/.test(word);
}

function compute(reading: Reading, names: readonly string[], { certainty }: Standing): Outcome {
  for (const name of names.filter(isName)) setVariable(reading, name, [COMPUTED], certainty);
  return UNKNOWN;
}

/** Without it the test is not whole. */
function inBrackets(args: readonly string[], closing: string): boolean | null {
  return args.at(-1) === closing ? tested(args.slice(0, -1)) : null;
}
