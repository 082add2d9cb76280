/** The programs that supervisord starts, as its configuration says (supervisor/options.py). Nothing is run. */
import { MAX_TEXT_BYTES, textOf } from "../files/file-text.ts";
import { globPaths } from "../files/glob.ts";
import { folderOf, joined } from "../files/path.ts";
import type { FileTree } from "../files/tree.ts";
import { iniEntries } from "./python-ini.ts";
import { COMPUTED, type Fields, MAX_VALUE } from "./shell-expand.ts";
import { usedBy, wordsOf } from "./shell-usage.ts";
import { splitWords } from "./shell-words.ts";
import type { Service, Surroundings } from "./supervisors.ts";

/** By its name, one of program, fcgi-program and eventlistener. */
const PROGRAM = /^(?:(?:fcgi-)?program|eventlistener):\s*(.*)$/s;
/** Ours: each has an environment of its own, which may be long. */
const MAX_PROGRAMS = 500;
/** Ours: variables that all of them have. */
const MAX_VARIABLES = 1000;
const IS_OFF = /^(?:no|false|off|0)$/i;

interface Value {
  readonly text: string;
  /** the file that it stands in */
  readonly path: string;
}

/** Of all its files together: by section and key. */
type Settings = ReadonlyMap<string, ReadonlyMap<string, Value>>;

/** Null: there is no configuration that it would read, or a very long one. */
export function supervisordServices(command: Fields, around: Surroundings): readonly Service[] | null {
  const used = usedBy(command);
  const [named] = used === null ? [] : wordsOf(used, "script");
  const main = mainFile(named, around);
  const settings = main === null ? null : settingsOf(main, around);
  if (settings === null) return null;
  const common = environmentIn(settings.get("supervisord"), new Map(), around);
  const programs = [...settings].filter(([section]) => PROGRAM.test(section));
  return programs.length > MAX_PROGRAMS || common.size > MAX_VARIABLES
    ? null
    : programs.flatMap(([section, values]) =>
        serviceIn(values, PROGRAM.exec(section)?.[1] ?? "", { common, around }),
      );
}

/** The first of these that is there; of a pip's or Debian's supervisord in a folder named bin. */
function mainFile(named: string | undefined, { tree, folder }: Surroundings): string | null {
  const near = ["supervisord.conf", "etc/supervisord.conf"].map((name) => joined(folder, name));
  const places =
    named === undefined
      ? [
          ...["/usr/local", "/usr"].flatMap((prefix) => [
            `${prefix}/etc/supervisord.conf`,
            `${prefix}/supervisord.conf`,
          ]),
          ...near,
          "/etc/supervisord.conf",
          "/etc/supervisor/supervisord.conf",
        ]
      : [named.startsWith("/") ? named : joined(folder, named)];
  return places.find((path) => tree.stat(path)?.kind === "file") ?? null;
}

/** What is included includes nothing. Null: one of the files is longer than is read. */
function settingsOf(main: string, around: Surroundings): Settings | null {
  const { tree } = around;
  const settings = new Map<string, Map<string, Value>>();
  const read = new Set<string>();
  let bytes = 0;
  /** False: together they are longer than is read. */
  const readOnce = (path: string): boolean => {
    if (read.has(path)) return true;
    read.add(path);
    bytes += tree.stat(path)?.size ?? 0;
    if (bytes <= MAX_TEXT_BYTES) readInto(settings, path, tree);
    return bytes <= MAX_TEXT_BYTES;
  };
  if (!readOnce(main)) return null;
  const files = settings.get("include")?.get("files");
  const words = files === undefined ? [] : expanded(files, new Map(), around).split(/\s+/);
  for (const word of new Set(words.filter((each) => each !== ""))) {
    const pattern = word.startsWith("/") ? word : joined(folderOf(main), word);
    for (const path of globPaths(tree, pattern) ?? []) if (!readOnce(path)) return null;
  }
  const values = [...settings.values()].flatMap((section) => [...section.values()]);
  return values.some(({ text }) => text.length > MAX_VALUE) ? null : settings;
}

function readInto(settings: Map<string, Map<string, Value>>, path: string, tree: FileTree): void {
  for (const { section, key, value } of iniEntries(textOf(tree, path) ?? "")) {
    const values = settings.get(section) ?? new Map<string, Value>();
    settings.set(section, values.set(key, { text: value, path }));
  }
}

function serviceIn(
  values: ReadonlyMap<string, Value>,
  name: string,
  { common, around }: { readonly common: ReadonlyMap<string, string>; readonly around: Surroundings },
): readonly Service[] {
  const command = values.get("command");
  const textIn = (key: string): string => values.get(key)?.text ?? "";
  if (command === undefined || IS_OFF.test(textIn("autostart"))) return [];
  const isOne = /^1?$/.test(textIn("numprocs"));
  const names = new Map([
    ...[...common].map(([key, value]) => [`ENV_${key}`, value] as const),
    ["program_name", name],
    ...(isOne ? [["process_num", textIn("numprocs_start") || "0"] as const] : []),
  ]);
  const variables = new Map([...common, ...environmentIn(values, names, around)]);
  for (const [key, value] of variables) names.set(`ENV_${key}`, value);
  const directory = values.get("directory");
  return [
    {
      words: splitWords(expanded(command, names, around).replaceAll("\n", " ")),
      path: command.path,
      variables,
      folder: directory === undefined ? null : expanded(directory, names, around),
    },
  ];
}

/** `environment=KEY="value",OTHER=value` */
function environmentIn(
  values: ReadonlyMap<string, Value> | undefined,
  names: ReadonlyMap<string, string>,
  around: Surroundings,
): ReadonlyMap<string, string> {
  const value = values?.get("environment");
  const text = value === undefined ? "" : expanded(value, names, around);
  const pairs = text.matchAll(/(\w+)\s*=\s*("[^"]*"|'[^']*'|[^,\s]*)/g);
  return new Map(
    [...pairs].map(([, key = "", written = ""]) => [key, written.replaceAll(/^["']|["']$/g, "")]),
  );
}

/** Python's `%`: what only running it would tell is COMPUTED. */
function expanded(
  { text, path }: Value,
  names: ReadonlyMap<string, string>,
  { variables }: Surroundings,
): string {
  const expansionOf = (name: string): string => {
    if (name === "here") return folderOf(path);
    const [value = COMPUTED, ...others] = variables.get(name.replace(/^ENV_/, "")) ?? [];
    return names.get(name) ?? (name.startsWith("ENV_") && others.length === 0 ? value : COMPUTED);
  };
  let length = text.length;
  const value = text.replaceAll(
    /%(?:%|\((\w+)\)(0?)(\d*)[sd])/g,
    (_, name: string | undefined, zero: string, width: string) => {
      const own = name === undefined ? "%" : expansionOf(name);
      length += Math.max(own.length, Number(width));
      return length > MAX_VALUE ? "" : own.padStart(Number(width), zero || " ");
    },
  );
  return length > MAX_VALUE ? COMPUTED : value;
}
