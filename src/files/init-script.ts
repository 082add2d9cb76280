/**
 * What starts sshd where no systemd does: a script in /etc/init.d and its settings (Debian's and Red Hat's SysV scripts,
 * Alpine's and Gentoo's for OpenRC), FreeBSD's rc.conf(5). They are read as text; a script that computes its options is
 * not understood.
 */
import { textOf } from "./file-text.ts";
import { expand, splitWords, variablesOf } from "./shell-words.ts";
import type { FileTree } from "./tree.ts";

export interface InitCommand {
  /** those behind the program's name */
  readonly words: readonly string[];
  /** the file that they stand in, for people */
  readonly source: string;
}

const SCRIPTS = ["/etc/init.d/ssh", "/etc/init.d/sshd"];
/** Each with the variables that are sshd's options, the first that is set. */
const SETTINGS: readonly (readonly [path: string, names: readonly string[]])[] = [
  ["/etc/default/ssh", ["SSHD_OPTS"]],
  ["/etc/conf.d/sshd", ["command_args", "SSHD_OPTS"]],
  ["/etc/sysconfig/sshd", ["OPTIONS"]],
  ["/etc/rc.conf.local", ["sshd_flags"]],
  ["/etc/rc.conf", ["sshd_flags"]],
];
/** Null where nothing says anything. */
export function initCommand(tree: FileTree): InitCommand | null {
  const [path, names] = SETTINGS.find(([file]) => tree.stat(file) !== null) ?? ["", []];
  const settings = variablesOf(textOf(tree, path) ?? "");
  const script = SCRIPTS.find((file) => tree.stat(file) !== null);
  const started = script === undefined ? null : startLine(textOf(tree, script) ?? "", settings);
  if (script !== undefined && started !== null) {
    const isLiteral = started.some((word) => !word.startsWith("$"));
    const words = started.flatMap((word) => expand(word, settings));
    if (isLiteral) return { words, source: script };
  }
  const name = names.find((each) => settings.has(each));
  const words = [...splitWords(settings.get(name ?? "") ?? ""), ...configFile(settings)];
  return words.length === 0 ? null : { words, source: path };
}

/** The words of a script's start line; the script's own variables are put in, its settings' are not yet. */
function startLine(text: string, settings: ReadonlyMap<string, string>): readonly string[] | null {
  const line = text
    .replaceAll("\\\n", " ")
    .split("\n")
    .map(optionsIn)
    .find((found) => found !== null);
  if (line === undefined) return null;
  const own = new Map([...variablesOf(text)].filter(([name]) => !settings.has(name)));
  return splitWords(line).flatMap((word) => (own.has(word.replace(/^\$/, "")) ? expand(word, own) : [word]));
}

/** sshd's own options stand behind `--` (start-stop-daemon(8)). */
function optionsIn(line: string): string | null {
  const program = line.indexOf("start-stop-daemon");
  const start = program === -1 ? -1 : line.indexOf("--start", program);
  if (start === -1 || line.slice(0, program).includes("#")) return null;
  return /\bsshd"?[ \t]+--[ \t]+([^;&|<>]*)/.exec(line.slice(start))?.[1] ?? null;
}

/** OpenRC's script names another file with -f, when its settings do. */
function configFile(settings: ReadonlyMap<string, string>): readonly string[] {
  const folder = settings.get("SSHD_CONFDIR");
  const file = settings.get("cfgfile") ?? settings.get("SSHD_CONFIG");
  if (file !== undefined) return ["-f", file];
  return folder === undefined ? [] : ["-f", `${folder}/sshd_config`];
}
