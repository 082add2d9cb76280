/**
 * The configuration as a throw-away sshd reads it: every Include and Match in its place, every forwarding decision
 * kept, and only those lines off that would keep the probe from logging in, run a program or need the machine's own
 * keys and addresses. A line that is off gets a `#` in front, so that line numbers stay.
 */
import { atLeast } from "../../grammar/release.ts";
import { applyEdits, type Edit } from "../edit/edit.ts";
import { positionAt } from "../source/source.ts";
import type { Config, ConfigFile, Directive, IncludeLine } from "./config.ts";

export interface SandboxFiles {
  /** the main file first; names inside the sandbox's own folder, contents latin1 */
  readonly files: readonly { readonly name: string; readonly text: string }[];
  /** texts of -o that the audited service has, without those that are off */
  readonly options: readonly string[];
  /** what differs from the audited configuration */
  readonly changes: readonly SandboxChange[];
}

/** One sentence for people a keyword: "UsePAM is off: PAM runs modules of the machine". */
export interface SandboxChange {
  readonly keyword: string;
  /** file:line of the lines concerned */
  readonly lines: readonly string[];
  readonly because: string;
}

export interface SandboxOptions {
  /** absolute; Include lines name the copies there */
  readonly folder: string;
  /** sshd will run as root: it can change its root folder and check the owners of files */
  readonly asRoot: boolean;
  /** the path of a matched file after links, as Config.files has it */
  readonly realPathOf: (path: string) => string;
}

const OWN_ADDRESSES = "the probe listens on addresses and ports of its own";
const OWN_KEYS = "the probe logs in with a key of its own";
const NOT_RUN = "nothing that the configuration names is run";
const ANY_ALGORITHM = "the probe's client need not know these algorithms";

/** Lines that are off, by keyword (lower case, aliases resolved), with the reason. */
const OFF: Readonly<Record<string, string>> = {
  port: OWN_ADDRESSES,
  listenaddress: OWN_ADDRESSES,
  hostkey: "the probe has a host key of its own",
  hostcertificate: "the probe has a host key of its own",
  hostkeyagent: "the probe has a host key of its own",
  pidfile: "the probe has a folder of its own",
  authorizedkeysfile: OWN_KEYS,
  authorizedkeyscommand: NOT_RUN,
  authorizedkeyscommanduser: NOT_RUN,
  authorizedprincipalscommand: NOT_RUN,
  authorizedprincipalscommanduser: NOT_RUN,
  revokedkeys: OWN_KEYS,
  trustedusercakeys: OWN_KEYS,
  pubkeyauthentication: OWN_KEYS,
  authenticationmethods: OWN_KEYS,
  usepam: "PAM would run modules of this machine",
  securitykeyprovider: NOT_RUN,
  sshdsessionpath: NOT_RUN,
  sshdauthpath: NOT_RUN,
  banner: "the probe reads no file of the machine",
  rdomain: "the probe has no routing domains",
  maxstartups: "the probe's own logins are not limited",
  logingracetime: "the probe's own logins are not limited",
  maxauthtries: "the probe's own logins are not limited",
  persourcepenalties: "the probe's own logins are not limited",
  persourcemaxstartups: "the probe's own logins are not limited",
  loglevel: "sshd has to say why it refuses a login",
  syslogfacility: "the log goes to the probe",
  kexalgorithms: ANY_ALGORITHM,
  gssapikexalgorithms: ANY_ALGORITHM,
  ciphers: ANY_ALGORITHM,
  macs: ANY_ALGORITHM,
  hostkeyalgorithms: ANY_ALGORITHM,
  pubkeyacceptedalgorithms: ANY_ALGORITHM,
  pubkeyacceptedkeytypes: ANY_ALGORITHM,
};

/** What a sshd that is not run by root cannot do. */
const OFF_WITHOUT_ROOT: Readonly<Record<string, string>> = {
  chrootdirectory: "only a sshd that root runs can change the root folder",
  strictmodes: "the probe's folder lies below one that everybody may write",
};

/** A new value in the place of the old one. */
const REPLACED: Readonly<Record<string, (value: string) => string | null>> = {
  // it stays forced, so that its effect on forwarding, none, is seen
  forcecommand: (value) => (value === "none" ? null : "/bin/false"),
  permitrootlogin: (value) => (value === "forced-commands-only" ? "prohibit-password" : null),
};

const REPLACED_BECAUSE: Readonly<Record<string, string>> = {
  forcecommand: `becomes /bin/false: ${NOT_RUN}`,
  permitrootlogin: "forced-commands-only becomes prohibit-password: the probe's key has no command",
};

/** The main file's name in the sandbox. */
export const SANDBOX_MAIN = "sshd_config";

export function sandboxFiles(config: Config, options: SandboxOptions): SandboxFiles {
  const off = options.asRoot ? OFF : { ...OFF, ...OFF_WITHOUT_ROOT };
  const names = new Map<string, string>();
  for (const [index, { realPath }] of config.files.entries())
    if (!names.has(realPath)) names.set(realPath, index === 0 ? SANDBOX_MAIN : `included-${index}.conf`);
  const includes = includeEdits(
    config,
    (path) => names.get(options.realPathOf(path)) ?? null,
    options.folder,
  );
  const edits = new Map<ConfigFile["source"], Map<number, Edit>>();
  const changes = new Map<string, { lines: Set<string>; because: string }>();
  const add = (source: ConfigFile["source"], edit: Edit): void => {
    const known = edits.get(source) ?? new Map<number, Edit>();
    edits.set(source, known.set(edit.start, edit));
  };
  for (const { source, edit } of includes) add(source, edit);
  for (const directive of config.directives) {
    const changed = changeOf(directive, off);
    if (changed === null) continue;
    if (directive.origin === "file") add(directive.place.source, changed.edit);
    const change = changes.get(directive.keyword) ?? { lines: new Set(), because: changed.because };
    changes.set(directive.keyword, change);
    change.lines.add(placeText(directive));
  }
  return {
    files: config.files
      .filter(({ realPath }, index) => config.files.findIndex((file) => file.realPath === realPath) === index)
      .map(({ source, realPath }) => ({
        name: names.get(realPath) ?? SANDBOX_MAIN,
        text: applyEdits(source.text, [...(edits.get(source)?.values() ?? [])]),
      })),
    options: config.directives
      .filter(({ origin, keyword }) => origin === "option" && off[keyword] === undefined)
      .map(optionText),
    changes: [...changes].map(([keyword, { lines, because }]) => ({ keyword, lines: [...lines], because })),
  };
}

function optionText({ keyword, values, place }: Directive): string {
  const replaced = REPLACED[keyword]?.(values?.[0] ?? "") ?? null;
  return replaced === null ? place.source.text : `${keyword}=${replaced}`;
}

function placeText({ origin, place }: Directive): string {
  if (origin === "option") return `-o ${place.source.text}`;
  return `${place.source.path}:${positionAt(place.source, place.start).line}`;
}

function changeOf(
  directive: Directive,
  off: Readonly<Record<string, string>>,
): { readonly edit: Edit; readonly because: string } | null {
  const { keyword, line, values, place } = directive;
  const path = place.source.path;
  const because = off[keyword];
  if (because !== undefined)
    return {
      edit: { path, start: line.start, end: line.start, text: "#" },
      because: `is off: ${because}`,
    };
  const text = REPLACED[keyword]?.(values?.[0] ?? "") ?? null;
  if (text === null) return null;
  const { start, end } = line.rest;
  return { edit: { path, start, end, text }, because: REPLACED_BECAUSE[keyword] ?? "" };
}

/** Include lines name exactly the copies of what they matched, in the same order. */
function includeEdits(
  { includes, files }: Config,
  nameOf: (path: string) => string | null,
  folder: string,
): { source: ConfigFile["source"]; edit: Edit }[] {
  return includes.map((include: IncludeLine) => {
    const copies = include.targets
      .flatMap(({ matched }) => matched)
      .flatMap((path) => nameOf(path) ?? [])
      .map((name) => `${folder}/${name}`);
    const text = `Include ${copies.length === 0 ? `${folder}/nothing-matched` : copies.join(" ")}`;
    const { source, start, end } = include.place;
    // a file that two paths lead to has one copy
    const first = files.find((file) => file.source === source)?.source ?? source;
    return { source: first, edit: { path: source.path, start, end, text } };
  });
}

/** What the throw-away sshd gets as -o, in front of everything else. */
export function ownOptions(
  { release }: Config,
  { folder, hostKey, authorizedKeys, asRoot }: OwnFiles,
): readonly string[] {
  return [
    `HostKey=${hostKey}`,
    `AuthorizedKeysFile=${authorizedKeys}`,
    `PidFile=${folder}/pid`,
    "UsePAM=no",
    "AuthenticationMethods=publickey",
    "LogLevel=VERBOSE",
    "MaxStartups=100",
    ...(asRoot ? [] : ["StrictModes=no"]),
    ...(atLeast(release, "9.8") ? ["PerSourcePenalties=no"] : []),
  ];
}

export interface OwnFiles {
  readonly folder: string;
  readonly hostKey: string;
  readonly authorizedKeys: string;
  readonly asRoot: boolean;
}
