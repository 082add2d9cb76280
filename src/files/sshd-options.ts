/** The options of sshd's command line that win over its file (sshd(8): -o, -p, -f), from the ways in which it is started. */
import { COMPUTED } from "./shell-expand.ts";
import type { SshdStart, Started } from "./shell-reading.ts";

export interface StartOptions {
  /** texts of -o, in order: "AllowTcpForwarding=no"; -p becomes a Port */
  readonly options: readonly string[];
  /** what -f names; null: the usual file */
  readonly configFile: string | null;
  /** the file that holds them, for people; null where nothing was found */
  readonly source: string | null;
  /** why there may be more options than these; null: there are none */
  readonly limit: string | null;
}

export const NO_OPTIONS: StartOptions = { options: [], configFile: null, source: null, limit: null };

/** Flags of sshd that take a value (sshd(8)). */
const WITH_VALUE = "bcCEfghkopu";

export function readOptions(words: readonly string[], source: string): StartOptions {
  const options: string[] = [];
  let configFile: string | null = null;
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? "";
    if (!word.startsWith("-")) continue;
    const at = [...word].findIndex((letter, position) => position > 0 && WITH_VALUE.includes(letter));
    if (at === -1) continue;
    const value = at < word.length - 1 ? word.slice(at + 1) : (words[++index] ?? "");
    if (word[at] === "o") options.push(value);
    if (word[at] === "p") options.push(`Port=${value}`);
    if (word[at] === "f") configFile = value;
  }
  return options.length === 0 && configFile === null
    ? NO_OPTIONS
    : { options, configFile, source, limit: null };
}

/** What a command or script gives sshd; `source` names the command. Null where it starts no sshd. */
export function optionsOf(started: Started, source: string): StartOptions | null {
  const ways = started.starts.map((start) => readStart(start, started, source));
  const last = ways.at(-1);
  if (last === undefined) {
    if (started.unread === null) return null;
    return {
      ...NO_OPTIONS,
      limit: `${source} runs ${started.unread}: options that it gives sshd are not read`,
    };
  }
  const limit = limitOf(started) ?? (new Set(ways.map(meaningOf)).size > 1 ? "depends" : null);
  if (limit === null) return last;
  const where = started.starts.at(-1)?.path ?? source;
  const what =
    limit === "depends" ? "that depend on what it meets: not all of them are" : `${limit}: they are not`;
  return { ...last, limit: `${where} starts sshd with options ${what} read` };
}

function readStart({ words, path, written }: SshdStart, { settings }: Started, source: string): StartOptions {
  const read = readOptions(
    words.filter((word) => !word.includes(COMPUTED)),
    "",
  );
  if (read === NO_OPTIONS) return read;
  const own =
    readOptions(
      written.filter((word) => !/[$`]/.test(word)),
      "",
    ) !== NO_OPTIONS;
  return { ...read, source: (own ? path : settings.at(-1)) ?? source };
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
function meaningOf({ options, configFile }: StartOptions): string {
  const counting = options.filter((option) => !/^[ \t"]*(?:PidFile|HostKey)\b/i.test(option));
  return JSON.stringify([counting, configFile === "/etc/ssh/sshd_config" ? null : configFile]);
}
