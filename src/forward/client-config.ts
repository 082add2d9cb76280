/**
 * ssh_config(5) as text: which lines of the user's own file hold for a host. Nothing in it is ever run: a block under
 * `Match exec` is left out and named. The library parses; the meaning (readconf.c) is here.
 */
import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import SSHConfig from "ssh-config";
import { lowerAscii } from "../../grammar/ascii.ts";
import { matchHostList, matchPattern, matchPatternList, parsePatternList } from "../../grammar/patterns.ts";
import type { ClientFile, ClientFiles } from "./client-files.ts";
import { readClientLine, type TellingLine, tellingLines } from "./client-keywords.ts";
import { isFolder, isMissing, SshFailure, systemWords } from "./failure.ts";

/** One directive that holds: keyword in lower case, its arguments, and where it stands. */
export interface Directive {
  readonly keyword: string;
  readonly args: readonly string[];
  readonly place: string;
}

export interface Caller {
  /** the home directory of the passwd database, as ssh(1) */
  readonly home: string;
  readonly name: string;
  readonly uid: number;
}

/** Whom to connect to, as the command line says it. */
export interface Asked {
  readonly host: string;
  /** directives of the command line and of the destination, which come first and therefore win */
  readonly given: readonly Directive[];
}

export interface Reading {
  readonly directives: readonly Directive[];
  /** what was left out, for people */
  readonly notes: readonly string[];
}

/** OpenSSH follows 16 levels of Include (readconf.c READCONF_MAX_DEPTH). */
const DEEPEST = 16;

type Node = Readonly<Record<string, unknown>>;

/** ssh_config(5) of the user: one that he named is as he wants it, his usual one may be missing, and must be his own. */
export interface ConfigFile {
  readonly path: string;
  readonly chosen: "by the user" | "by default";
}

/** The directives that hold for that host, in order: of each keyword that is no list, the first counts. */
export function readClientConfig(
  { path, chosen }: ConfigFile,
  asked: Asked,
  { caller, files }: { readonly caller: Caller; readonly files: ClientFiles },
): Reading {
  const walk: Walk = { asked, caller, files, directives: [...asked.given], notes: [] };
  readFile(walk, path, { depth: 0, holds: true, chosen });
  return walk;
}

/** What has been read so far. */
interface Walk extends Reading {
  readonly asked: Asked;
  readonly caller: Caller;
  readonly files: ClientFiles;
  readonly directives: Directive[];
  readonly notes: string[];
}

/** How deep an Include is, and whether what it leads to holds. */
interface Level extends Pick<ConfigFile, "chosen"> {
  readonly depth: number;
  readonly holds: boolean;
}

/** Where a part of a file stands. */
interface Block extends Level {
  readonly file: string;
  /** the file's lines that say something, and how many of them were read */
  readonly lines: readonly TellingLine[];
  readonly cursor: { at: number };
  /** what ssh(1) would stop at, at the file's end */
  readonly refused: string[];
}

function readFile(walk: Walk, file: string, level: Level): void {
  if (level.depth > DEEPEST) throw new SshFailure("configuration", `${file}: too many levels of Include`);
  const text = textOf(walk, file, level);
  if (text === null) return;
  const block: Block = { ...level, file, lines: tellingLines(text), cursor: { at: 0 }, refused: [] };
  readNodes(walk, parse(file, text), block);
  if (block.refused.length > 0)
    throw new SshFailure("configuration", `${block.refused.join("; ")}: ssh refuses such a file, too`);
}

/** ssh(1) looks at every line, in blocks that do not hold, too. */
function readNodes(walk: Walk, nodes: readonly Node[], block: Block): void {
  for (const node of nodes) {
    const { param, config } = node;
    if (typeof param !== "string" || param === "") continue;
    const line = block.lines[block.cursor.at++];
    const said = readClientLine(line?.text ?? "", firstOf(walk, "ignoreunknown") ?? null);
    if (said === null) continue;
    const { keyword, args, refused } = said;
    const place = `${block.file}:${line?.number ?? ""}`;
    if (refused !== null) block.refused.push(`${place}: ${refused}`);
    if (keyword === "host" || keyword === "match") {
      const holds = block.holds && holdsFor(walk, { keyword, args, place });
      if (Array.isArray(config)) readNodes(walk, config as readonly Node[], { ...block, holds });
      // the library takes it for a line like others, and what follows for no block
      else if (refused === null) block.refused.push(`${place}: ${keyword} begins no block that can be read`);
    } else if (keyword === "include") {
      for (const found of args.flatMap((pattern) => includedFiles(pattern, walk.caller, place)))
        readFile(walk, found, { depth: block.depth + 1, holds: block.holds, chosen: "by default" });
    } else if (block.holds) walk.directives.push({ keyword, args, place });
  }
}

function firstOf({ directives }: Walk, keyword: string): string | undefined {
  return directives.find((directive) => directive.keyword === keyword)?.args[0];
}

/** Whether a Host or Match line fits what has been asked for. */
function holdsFor(walk: Walk, { keyword, args, place }: Directive): boolean {
  const { asked, caller, notes } = walk;
  if (keyword === "host") return matchPatternList(asked.host, args.map(asItem)) === 1;
  const names = {
    host: firstOf(walk, "hostname")?.replaceAll("%h", asked.host) ?? asked.host,
    originalhost: asked.host,
    user: firstOf(walk, "user") ?? caller.name,
    localuser: caller.name,
  };
  return matches(args, names, (criterion) => notes.push(`${place}: Match ${criterion} is left out`));
}

/** ssh(1) goes on without the user's own file where it cannot be read, but not without one that it includes; folders are empty. */
function textOf(walk: Walk, file: string, { depth, chosen }: Level): string | null {
  const { notes } = walk;
  try {
    return readTrusted(walk, file, chosen);
  } catch (error) {
    if (error instanceof SshFailure) throw error;
    if (depth > 0 && !isFolder(error))
      throw new SshFailure("configuration", `${file} cannot be read: ${systemWords(error)}`);
    notes.push(`${file} is left out: ${systemWords(error)}`);
    return null;
  }
}

/** Null: it is not there, and sets nothing. One that others may have written is refused, as by ssh(1) (readconf.c). */
function readTrusted({ caller, files }: Walk, path: string, chosen: ConfigFile["chosen"]): string | null {
  const file = readIfThere(files, path);
  if (file === null) return null;
  const isOwn = file.uid === 0 || file.uid === caller.uid;
  if (chosen === "by default" && (!isOwn || (file.mode & 0o022) !== 0))
    throw new SshFailure(
      "configuration",
      `${path}: bad owner or permissions: it must belong to you or root, and nobody else may write it`,
    );
  return file.bytes.toString("utf8");
}

function readIfThere(files: ClientFiles, path: string): ClientFile | null {
  try {
    return files.read(path);
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

function parse(file: string, text: string): readonly Node[] {
  try {
    return SSHConfig.parse(text) as unknown as readonly Node[];
  } catch (error) {
    const because = error instanceof Error ? error.message : String(error);
    throw new SshFailure("configuration", `${file} cannot be read: ${because}`);
  }
}

/** readconf.c oInclude, and glob(3) for `*` and `?`. */
function includedFiles(pattern: string, { home }: Caller, place: string): readonly string[] {
  const path = pattern.startsWith("~/")
    ? join(home, pattern.slice(2))
    : pattern.startsWith("/")
      ? pattern
      : join(home, ".ssh", pattern);
  // what is passed over unseen could be what matters
  if (/\[.*\]|^~(?!\/)|\$\{/.test(pattern))
    throw new SshFailure(
      "configuration",
      `${place}: Include ${pattern}: only * and ? are understood here, and ~/`,
    );
  if (!WILD.test(path)) return [path];
  return path.split("/").slice(1).reduce(pathsBelow, [""]).filter(isThere);
}

const WILD = /[*?]/;

/** Names that begin with a dot are found by such patterns alone. */
function pathsBelow(folders: readonly string[], pattern: string): readonly string[] {
  if (!WILD.test(pattern)) return folders.map((folder) => `${folder}/${pattern}`);
  return folders.flatMap((folder) =>
    namesIn(folder === "" ? "/" : folder)
      .filter((name) => name.startsWith(".") === pattern.startsWith(".") && matchPattern(name, pattern))
      .sort()
      .map((name) => `${folder}/${name}`),
  );
}

/** A link that leads nowhere is, too. */
function isThere(path: string): boolean {
  try {
    lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

/** glob(3) passes over a folder that it cannot read. */
function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function asItem(text: string): { readonly negated: boolean; readonly pattern: string } {
  return text.startsWith("!") ? { negated: true, pattern: text.slice(1) } : { negated: false, pattern: text };
}

/** readconf.c match_cfg_line: all criteria must hold, `!` turns one round. */
function matches(
  args: readonly string[],
  names: Readonly<Record<string, string>>,
  leaveOut: (criterion: string) => void,
): boolean {
  let result = true;
  for (let at = 0; at < args.length; at++) {
    const negated = (args[at] ?? "").startsWith("!");
    const criterion = lowerAscii((args[at] ?? "").replace(/^!/, ""));
    if (criterion === "all") continue;
    const name = names[criterion];
    if (name === undefined) {
      leaveOut(criterion);
      return false;
    }
    const list = parsePatternList(args[++at] ?? "");
    const hit = criterion.endsWith("host") ? matchHostList(name, list) : matchPatternList(name, list);
    if ((hit === 1) === negated) result = false;
  }
  return result;
}
