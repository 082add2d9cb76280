/**
 * What starts sshd where no systemd does: a script in /etc/init.d (Debian's and Red Hat's SysV scripts, Alpine's and
 * Gentoo's for OpenRC), Slackware's rc.sshd, runit's run, FreeBSD's rc.conf(5). They are read as text.
 */
import { textOf } from "../files/file-text.ts";
import type { FileTree } from "../files/tree.ts";
import { startedByScript } from "./shell-script.ts";
import { splitWords, variablesOf } from "./shell-words.ts";
import { NO_OPTIONS, optionsOf, readOptions, type StartOptions, withOthers } from "./sshd-options.ts";

const SCRIPTS = ["/etc/init.d/ssh", "/etc/init.d/sshd", "/etc/rc.d/rc.sshd"];
/** What starts a supervisor, which may start sshds of its own. */
const OF_SUPERVISORS = ["/etc/init.d/supervisor", "/etc/init.d/supervisord"];
/** runit(8) supervises what stands in one of these. */
const RUNS = ["/etc/service", "/etc/runit/runsvdir/default", "/service", "/var/service", "/etc/sv"].flatMap(
  (folder) => ["ssh", "sshd"].map((service) => `${folder}/${service}/run`),
);
/** Each with the variables that are sshd's options, the first that is set. */
const SETTINGS: readonly (readonly [path: string, names: readonly string[]])[] = [
  ["/etc/default/ssh", ["SSHD_OPTS"]],
  ["/etc/conf.d/sshd", ["command_args", "SSHD_OPTS"]],
  ["/etc/sysconfig/sshd", ["OPTIONS"]],
  ["/etc/rc.conf.local", ["sshd_flags"]],
  ["/etc/rc.conf", ["sshd_flags"]],
];

/** Null where nothing says anything. */
export function ofScripts(tree: FileTree): StartOptions | null {
  const scripts = isRunit(tree) ? [...RUNS, ...SCRIPTS] : SCRIPTS;
  const script = scripts.find((path) => tree.stat(path)?.kind === "file");
  const own = script === undefined ? ofSettings(tree) : ofScript(tree, script);
  const [first, ...further] = [...(own === null ? [] : [own]), ...ofSupervisors(tree)];
  return first === undefined ? null : { ...first, ...withOthers(first, further) };
}

function ofSupervisors(tree: FileTree): readonly StartOptions[] {
  return OF_SUPERVISORS.flatMap((path) => {
    const started = startedByScript(path, ["start"], { tree, variables: new Map() });
    const options = started.starts.length === 0 ? null : optionsOf(started, path);
    if (options === null) return [];
    const { others = [], ...first } = options;
    return [first, ...others].map((each) => ({ ...each, source: each.source ?? path }));
  });
}

function isRunit(tree: FileTree): boolean {
  return (tree.stat("/sbin/init", { follow: false })?.target ?? "").includes("runit");
}

function ofScript(tree: FileTree, script: string): StartOptions {
  const started = startedByScript(script, ["start"], { tree, variables: new Map() });
  const limit = `${script} does not say how it starts sshd: options that it gives are not read`;
  return optionsOf(started, script) ?? { ...NO_OPTIONS, limit };
}

/** Settings without the script that reads them. */
function ofSettings(tree: FileTree): StartOptions | null {
  const [path, names] = SETTINGS.find(([file]) => tree.stat(file) !== null) ?? ["", []];
  const settings = variablesOf(textOf(tree, path) ?? "");
  const name = names.find((each) => settings.has(each));
  const words = [...splitWords(settings.get(name ?? "") ?? ""), ...configFile(settings)];
  return words.length === 0 ? null : readOptions(words, path);
}

/** OpenRC's script names another file with -f, when its settings do. */
function configFile(settings: ReadonlyMap<string, string>): readonly string[] {
  const folder = settings.get("SSHD_CONFDIR");
  const file = settings.get("cfgfile") ?? settings.get("SSHD_CONFIG");
  if (file !== undefined) return ["-f", file];
  return folder === undefined ? [] : ["-f", `${folder}/sshd_config`];
}
