/** The options of sshd's command line that win over its file (sshd(8): -o, -p, -f), from the ways in which it is started. */
import { COMPUTED } from "./shell-expand.ts";
import { STANDARD_FOLDER } from "./shell-programs.ts";
import type { Edit, SshdStart, Started } from "./shell-reading.ts";

export interface StartOptions {
  /** texts of -o, in order: "AllowTcpForwarding=no"; -p becomes a Port */
  readonly options: readonly string[];
  /** what -f names; null: the usual file */
  readonly configFile: string | null;
  /** the file that holds them, for people; null where nothing was found */
  readonly source: string | null;
  /** why there may be more options than these; null: there are none */
  readonly limit: string | null;
  /** further sshds that the tree starts, with a file or options of their own; absent: none, as far as is known */
  readonly others?: readonly StartOptions[];
  /** what is taken for granted of where it is started; absent: nothing */
  readonly assumed?: string;
  /** the program, where it does not lie among the system's */
  readonly ownSshd?: string;
}

/** As a part of StartOptions. */
export function ownSshd(program: string): Pick<StartOptions, "ownSshd"> {
  return program.startsWith("/") && !STANDARD_FOLDER.test(program) ? { ownSshd: program } : {};
}

export const NO_OPTIONS: StartOptions = { options: [], configFile: null, source: null, limit: null };

/** Flags of sshd that take a value (sshd(8)). */
const WITH_VALUE = "bcCEfghkopu";

/**
 * A value that nobody knows is left out, and takes no other word for itself. One that is missing or empty is, most
 * likely, that of a variable which is set where sshd starts: with what is written here it would not.
 */
export function readOptions(words: readonly string[], source: string): StartOptions {
  const options: string[] = [];
  let configFile: string | null = null;
  let isMissing = false;
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? "";
    const at = flagWithValue(word);
    if (at === -1) continue;
    const flag = word[at] ?? "";
    let value = word.slice(at + 1);
    if (value === "" && words[index + 1]?.startsWith("-") === false) value = words[++index] ?? "";
    if (value === "" && "opf".includes(flag)) isMissing = true;
    if (value === "" || value.includes(COMPUTED)) continue;
    if (flag === "o") options.push(value);
    if (flag === "p") options.push(`Port=${value}`);
    if (flag === "f") configFile = value;
  }
  if (options.length === 0 && configFile === null && !isMissing) return NO_OPTIONS;
  const limit = `${source} starts sshd with an option whose value is missing or empty: it is not read`;
  return { options, configFile, source, limit: isMissing ? limit : null };
}

/** Where in a word the flag is whose value follows; -1: there is none, or what stands before it is not known. */
function flagWithValue(word: string): number {
  if (!word.startsWith("-")) return -1;
  const at = [...word].findIndex((letter, position) => position > 0 && WITH_VALUE.includes(letter));
  return word.slice(0, at + 1).includes(COMPUTED) ? -1 : at;
}

/** What a command or script gives sshd; `source` names the command. Null where it starts no sshd. */
export function optionsOf(started: Started, source: string): StartOptions | null {
  const [first = [], ...further] = sshdsOf(started.starts);
  const options = optionsOfOne({ ...started, starts: first }, source);
  const others = further.flatMap((starts) => {
    const other = optionsOfOne({ ...started, starts }, source);
    return other === null ? [] : [{ ...other, source: other.source ?? starts[0]?.path ?? source }];
  });
  return options === null ? null : { ...options, ...withOthers(options, others) };
}

/** Several that start for certain are several sshds; where one may start in the place of another they are ways to start one. */
function sshdsOf(starts: readonly SshdStart[]): readonly (readonly SshdStart[])[] {
  const services = [...new Set(starts.map(({ service }) => service))];
  return services.flatMap((service) => {
    const own = starts.filter((start) => start.service === service);
    return own.every(({ isCertain }) => isCertain) ? own.map((start) => [start]) : [own];
  });
}

/** Those that differ from the first, and from each other. */
export function withOthers(
  first: StartOptions,
  further: readonly StartOptions[],
): Pick<StartOptions, "others"> {
  const keyOf = (options: StartOptions): string => `${meaningOf(options)} ${options.limit ?? ""}`;
  const byMeaning = new Map([[keyOf(first), first]]);
  for (const options of further) if (!byMeaning.has(keyOf(options))) byMeaning.set(keyOf(options), options);
  const others = [...byMeaning.values()].slice(1);
  return others.length === 0 ? {} : { others };
}

function optionsOfOne(started: Started, source: string): StartOptions | null {
  const ways = started.starts.map((start) => readStart(start, started, source));
  const way = ways.at(-1);
  if (way === undefined) {
    if (started.unread === null) return null;
    return {
      ...NO_OPTIONS,
      limit: `${source} runs ${started.unread}: options that it gives sshd are not read`,
    };
  }
  const last: StartOptions = { ...way, ...ownSshd(started.starts.at(-1)?.program ?? "") };
  const edited = editedBefore(started, last, source);
  if (edited !== null) return { ...last, limit: edited };
  const limit = limitOf(started) ?? (new Set(ways.map(meaningOf)).size > 1 ? "depends" : null);
  if (limit === null) return { ...last, limit: ways.find((each) => each.limit !== null)?.limit ?? null };
  const where = started.starts.at(-1)?.path ?? source;
  const what =
    limit === "depends" ? "that depend on what it meets: not all of them are" : `${limit}: they are not`;
  return { ...last, limit: `${where} starts sshd with options ${what} read` };
}

/** What is read is then not what sshd reads. */
export function editedBefore(
  { edits }: Pick<Started, "edits">,
  { configFile }: StartOptions,
  source: string,
): string | null {
  const main = configFile ?? "/etc/ssh/sshd_config";
  const folder = main.slice(0, main.lastIndexOf("/") + 1);
  // where a relative name begins, or a computed one lies, nobody knows
  const wholeOf = (file: string): string =>
    file.startsWith("/") ? file : folder + file.replace(/^(?:[^/]*\0[^/]*|\.)\//, "");
  const edit = edits.find(
    (each) =>
      "mayBy" in each ||
      wholeOf(each.file) === main ||
      wholeOf(each.file).startsWith(`${folder}sshd_config.d/`),
  );
  return edit === undefined
    ? null
    : `${edit.path ?? source} ${wordsFor(edit, main)} before sshd reads it: what is judged is the file as it lies there`;
}

function wordsFor(edit: Edit, main: string): string {
  return "mayBy" in edit
    ? `runs ${edit.mayBy}, which may change ${main}`
    : `changes ${edit.file.replaceAll(COMPUTED, "$(…)")}`;
}

function readStart({ words, path, written }: SshdStart, { settings }: Started, source: string): StartOptions {
  const isOwn = readOptions(written, "") !== NO_OPTIONS;
  return readOptions(words, (isOwn ? path : settings.at(-1)) ?? source);
}

function limitOf({ starts, settingsUnknown, isCut }: Started): string | null {
  if (starts.some(({ words }) => words.some((word) => word.includes(COMPUTED))))
    return "that a shell computes";
  if (isCut) return "from scripts that are too long to follow";
  return settingsUnknown && starts.some(({ written }) => written.some((word) => /\$[\w{@*]/.test(word)))
    ? "from a file that cannot be found or is too long"
    : null;
}

/** Ways that differ in this only are the same for an audit. */
export function meaningOf({ options, configFile }: StartOptions): string {
  const counting = options.filter((option) => !/^[ \t"]*(?:PidFile|HostKey)\b/i.test(option));
  return JSON.stringify([counting, configFile === "/etc/ssh/sshd_config" ? null : configFile]);
}
