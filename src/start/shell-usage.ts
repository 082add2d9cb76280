/** Reads a program's words by its row of the table, as getopt_long(3) would: what becomes of each. */
import { nameOf } from "./shell-programs.ts";
import { type Role, type Usage, usageOf } from "./shell-table.ts";

export interface Act {
  readonly role: Role;
  readonly word: string;
}

export interface Used {
  /** the program's own, as its options make it */
  readonly usage: Usage;
  readonly acts: readonly Act[];
  /** options that are there, without dashes; with a value "i=inplace", too */
  readonly options: ReadonlySet<string>;
  /** the words of another program; null: there is none */
  readonly command: readonly string[] | null;
  /** NAME=VALUE before it */
  readonly assignments: readonly string[];
}

/** They take all words behind them: no option of the program follows. */
const ENDING: ReadonlySet<Role> = new Set<Role>(["command", "script", "text", "subcommand"]);

interface Reader {
  readonly base: Usage;
  readonly roles: ReadonlyMap<string, Role>;
  readonly args: readonly string[];
  at: number;
  readonly options: Set<string>;
  readonly values: Act[];
  readonly operands: string[];
  readonly assignments: string[];
}

/** Null: the program is not known. */
export function usedBy([program = "", ...args]: readonly string[]): Used | null {
  const usage = usageOf(nameOf(program));
  return usage === null ? null : readUsage(usage, args);
}

function readUsage(base: Usage, args: readonly string[]): Used {
  const reader: Reader = {
    base,
    roles: new Map(
      Object.entries(base.values ?? {}).flatMap(([role, names]) =>
        names.split(" ").map((name) => [name, role as Role] as const),
      ),
    ),
    args,
    at: 0,
    options: new Set(),
    values: [],
    operands: [],
    assignments: [],
  };
  if (base.bundled === true && /^[A-Za-z]/.test(args[0] ?? "")) readBundle(reader);
  while (reader.at < args.length) readWord(reader);
  return resultOf(reader);
}

function readWord(reader: Reader): void {
  const { args, base, options } = reader;
  const word = args[reader.at++] ?? "";
  if (word === "--") {
    while (reader.at < args.length) readOperand(reader, args[reader.at++] ?? "");
  } else if (word === "-") options.add(word);
  else if (word.startsWith("-")) readOption(reader, word);
  else if (word.startsWith("+") && base.shell === undefined && base.language === "shell")
    readLetters(reader, word.slice(1));
  else readOperand(reader, word);
}

function readOperand(reader: Reader, word: string): void {
  const { roles, values, operands, assignments, base } = reader;
  const [, key = "", value = ""] = /^(\w+=)(.*)$/s.exec(word) ?? [];
  const role = roles.get(key);
  const own = roleAt(usageNow(reader), operands.length);
  if (role !== undefined) values.push({ role, word: value });
  else if (key !== "" && base.assigns === true && own === "command") assignments.push(word);
  else operands.push(word);
  if (operands.at(-1) !== word || !(ENDING.has(own) || isEarly(word, own, base))) return;
  takeRest(reader);
}

/** sshd in the place of a user or a time: what should stand there is a variable that is not set. */
function isEarly(word: string, role: Role, { operands }: Usage): boolean {
  return role === "read" && operands === "command" && /\/sshd$/.test(word);
}

/** tar(1): `xfC archive folder`, each letter's value behind those of the letters before it. */
function readBundle(reader: Reader): void {
  const [letters = ""] = reader.args;
  reader.at = 1;
  for (const letter of letters) {
    reader.options.add(letter);
    const role = reader.roles.get(letter);
    if (role !== undefined) take(reader, letter, role);
  }
}

/** Long options may have one dash, as in Go, and may be cut where two dashes say that they are long. */
function readOption(reader: Reader, word: string): void {
  const { roles, options, base } = reader;
  const [, dashes = "", written = "", , joined] = /^(--?)([^=]*)(=(.*))?$/s.exec(word) ?? [];
  const known = [...roles.keys(), ...Object.keys(base.when ?? {}).flatMap((names) => names.split(" "))];
  const name =
    known.includes(written) || dashes === "-"
      ? written
      : (known.find((each) => written.length > 2 && each.startsWith(written)) ?? written);
  if (dashes === "-" && (written.length < 2 || !known.includes(written))) {
    readLetters(reader, word.slice(1));
    return;
  }
  const role = roles.get(name);
  options.add(name);
  if (joined !== undefined) options.add(`${name}=${joined}`);
  if (role === undefined) return;
  if (joined === undefined) take(reader, name, role);
  else reader.values.push({ role, word: joined });
}

function readLetters(reader: Reader, letters: string): void {
  const { roles, options, base } = reader;
  for (let index = 0; index < letters.length; index++) {
    const letter = letters[index] ?? "";
    const role = roles.get(letter);
    options.add(letter);
    if (base.joined?.includes(letter) === true) return;
    if (role === undefined) continue;
    take(reader, letter, role, letters.slice(index + 1));
    return;
  }
}

function take(reader: Reader, name: string, role: Role, joined = ""): void {
  const word = joined === "" ? (reader.args[reader.at++] ?? "") : joined;
  reader.options.add(`${name}=${word}`);
  reader.values.push({ role, word });
  if (role === "split") takeRest(reader);
}

function takeRest(reader: Reader): void {
  // a call of push() with all of them would need a place of the stack for each
  while (reader.at < reader.args.length) reader.operands.push(reader.args[reader.at++] ?? "");
}

/** As the options up to here make it. */
function usageNow({ base, options }: Reader): Usage {
  const other = Object.entries(base.when ?? {}).filter(([names]) =>
    names.split(" ").some((name) => options.has(name)),
  );
  return Object.assign({}, base, ...other.map(([, different]) => different));
}

function roleAt({ first = [], operands = "read" }: Usage, index: number): Role {
  return first[index] ?? operands;
}

function resultOf(reader: Reader): Used {
  const { operands, values, options, assignments } = reader;
  const usage = usageNow(reader);
  const roles = operands.map((word, index) => {
    const role = roleAt(usage, index);
    return isEarly(word, role, usage) ? "command" : role;
  });
  const { last } = usage;
  if (last !== undefined && last !== null && !values.some(({ role }) => role === last) && roles.length > 0)
    roles[roles.length - 1] = last;
  const at = roles.findIndex((role) => role === "command" || role === "subcommand");
  const own = at === -1 ? operands : operands.slice(0, at);
  const acts = [...values, ...own.map((word, index) => ({ role: roles[index] ?? "read", word }))];
  const rest = at === -1 ? [] : operands.slice(at);
  if (roles[at] === "subcommand") return ofSubcommand(usage, rest, acts);
  const { shell = null } = usage;
  const command = usage.operands !== "command" ? null : shell === null ? rest : [shell, ...rest];
  return { usage, acts, options, command, assignments };
}

function ofSubcommand(
  { subcommands = {} }: Usage,
  [name = "", ...args]: readonly string[],
  before: readonly Act[],
): Used {
  const found = Object.entries(subcommands).find(([names]) => names.split(" ").includes(name));
  const used = readUsage(found?.[1] ?? {}, args);
  return { ...used, acts: [...before, ...used.acts] };
}

export function wordsOf({ acts }: Used, wanted: Role): readonly string[] {
  return acts.filter(({ role }) => role === wanted).map(({ word }) => word);
}
