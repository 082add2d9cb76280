/** What sshd refuses because of other lines: repeated lines, and settings that do not fit together when it starts. */
import { parseAddress } from "../../grammar/addresses.ts";
import { equalIgnoringCase, lowerAscii } from "../../grammar/ascii.ts";
import { knownKeywords } from "../../grammar/keywords.ts";
import type { ValueProblem } from "../../grammar/problem.ts";
import { atLeast, type Release } from "../../grammar/release.ts";
import type { DirectiveLine } from "../../grammar/tree.ts";
import { spanOf } from "../../grammar/values/arguments.ts";
import type { Directive, Problem } from "./config.ts";
import { effectiveLines, linesOf } from "./keyword-lines.ts";

/** servconf.h MAX_PORTS, MAX_SUBSYSTEMS and, up to 7.6, MAX_ALLOW_USERS and the like */
const MOST_LINES = 256;

/** Lists that have an end up to 7.6, with sshd's name for their items. */
const OLD_LIMITS: Readonly<Record<string, string>> = {
  allowusers: "allow users",
  denyusers: "deny users",
  allowgroups: "allow groups",
  denygroups: "deny groups",
  acceptenv: "allow env",
};

/** `before`: values that earlier lines of the keyword have set in the first pass. Null where they do not matter. */
export function repeatProblem(
  keyword: string,
  line: DirectiveLine,
  values: readonly string[],
  before: readonly string[],
  release: Release,
): ValueProblem | null {
  const message =
    keyword === "authenticationmethods"
      ? before.length > 0
        ? anyBehindMethods(line, release)
        : null
      : repeatMessage(keyword, line, values, before, release);
  if (message === null) return null;
  const when = keyword === "subsystem" ? "active" : "always";
  return { code: "repeated-line", weight: "fatal", message, prefix: "line", span: spanOf(line, null), when };
}

/** Subsystem is set name by name; other keywords are set by any line. `values` as `sshd -T` prints them. */
export function isSetBy(keyword: string, line: DirectiveLine, values: readonly string[]): boolean {
  if (keyword !== "subsystem") return values.length > 0;
  return values.some((value) => value.split(" ", 1)[0] === line.args[0]?.value);
}

/** From 8.7 to 9.6 AuthenticationMethods `any` is refused where methods are set already, even in a block that fails. */
export function anyBehindMethods(line: DirectiveLine, release: Release): string | null {
  if (!atLeast(release, "8.7") || atLeast(release, "9.7")) return null;
  const hasAny = line.args.some(({ value }) => value === "any");
  return hasAny ? `"any" must appear alone in ${line.keyword.value}` : null;
}

function repeatMessage(
  keyword: string,
  line: DirectiveLine,
  values: readonly string[],
  before: readonly string[],
  release: Release,
): string | null {
  if (keyword === "port") return before.length >= MOST_LINES ? "too many ports." : null;
  const item = OLD_LIMITS[keyword];
  if (item !== undefined) {
    const full = before.length + values.length > MOST_LINES && !atLeast(release, "7.7");
    return full ? `too many ${item}.` : null;
  }
  if (keyword !== "subsystem" || atLeast(release, "9.5")) return null;
  if (before.length >= MOST_LINES) return "too many subsystems defined.";
  return isSetBy(keyword, line, before) ? `Subsystem '${line.args[0]?.value}' already defined.` : null;
}

/**
 * The checks after all is read, in sshd's order: ListenAddress against AddressFamily (servconf.c
 * add_one_listen_addr), lists of algorithms that come to nothing (`lists`; assemble_algorithms), then sshd.c main, "Check
 * that options are sensible".
 */
export function startProblems(
  directives: readonly Directive[],
  lists: readonly Problem[],
  release: Release,
): readonly Problem[] {
  const global: GlobalLines = (keyword) =>
    effectiveLines({ directives }, keyword).filter(({ atStart }) => atStart);
  return [
    ...familyProblems(global),
    ...lists.toSorted((a, b) => assembledAt(a) - assembledAt(b)),
    ...commandProblems(global, release),
    ...methodProblems(global, release),
  ];
}

/** The fields of its message, in the order of assemble_algorithms; the names of 8.5 and later, and of earlier releases. */
const ASSEMBLED = [
  ...[
    "ciphers",
    "macs",
    "kex_algorithms",
    "hostkeyalgorithms",
    "hostbased_accepted_algos",
    "hostbased_key_types",
  ],
  ...["pubkey_accepted_algos", "pubkey_key_types", "ca_sign_algorithms"],
];

function assembledAt({ message }: Problem): number {
  return ASSEMBLED.findIndex((field) => message.includes(` ${field}: `));
}

/** Lines of Subsystem in blocks, where there is no global one that they could replace. */
export function crashingLines(directives: readonly Directive[]): readonly Directive[] {
  const lines = linesOf({ directives }, "subsystem").filter(({ values }) => values !== null);
  return lines.some(({ atStart }) => atStart) ? [] : lines;
}

/** Lines of a keyword that the first pass takes. */
type GlobalLines = (keyword: string) => readonly Directive[];

function problemAt(directive: Directive, code: string, message: string): Problem {
  const sshdLine = directive.line.sshdNumber;
  return { code, weight: "fatal", sshdText: message, message, place: directive.place, sshdLine };
}

function familyProblems(global: GlobalLines): readonly Problem[] {
  const family = global("addressfamily")[0]?.values?.[0] ?? "any";
  const unwanted = { inet: 16, inet6: 4 }[family];
  if (unwanted === undefined) return [];
  const isUnwanted = (line: Directive): boolean => parseAddress(hostOf(line))?.bytes.length === unwanted;
  const directive = global("listenaddress").find(isUnwanted);
  if (directive === undefined) return [];
  const text = `bad addr or host: ${hostOf(directive)} (Address family for hostname not supported)`;
  return [problemAt(directive, "address-family-mismatch", text)];
}

/** `[::1]:22`, `1.2.3.4:22` or `1.2.3.4` */
function hostOf({ values }: Directive): string {
  const [value = ""] = values ?? [];
  const bracket = value.indexOf("]");
  return bracket === -1 ? (value.split(":", 1)[0] ?? "") : value.slice(1, bracket);
}

/**
 * From 8.7 to 9.3 sshd looks whether an AuthorizedKeysCommand is set before it takes an AuthorizedPrincipalsCommand, so
 * that the last one in front of it counts (OpenSSH bug 3574, servconf.c parse_command).
 */
export function isLastPrincipalsTaken(release: Release): boolean {
  return atLeast(release, "8.7") && !atLeast(release, "9.4");
}

/** `part`: the lines that apply, in order, of the global part or of the blocks that hold. */
export function withTakenPrincipals(part: readonly Directive[], release: Release): readonly Directive[] {
  if (!isLastPrincipalsTaken(release)) return part;
  const keys = part.findIndex(({ keyword }) => keyword === "authorizedkeyscommand");
  const before = keys === -1 ? part : part.slice(0, keys);
  const taken = before.findLast(({ keyword }) => keyword === "authorizedprincipalscommand");
  return part.filter((line) => line.keyword !== "authorizedprincipalscommand" || line === taken);
}

function commandProblems(global: GlobalLines, release: Release): readonly Problem[] {
  const named = ["AuthorizedKeysCommand", "AuthorizedPrincipalsCommand"];
  const commands = named.flatMap((name) => global(lowerAscii(name))).sort((a, b) => a.order - b.order);
  const taken = withTakenPrincipals(commands, release);
  for (const name of named) {
    const key = lowerAscii(name);
    const command = taken.find(({ keyword }) => keyword === key);
    if (command === undefined || equalIgnoringCase(command.values?.[0] ?? "", "none")) continue;
    if (global(`${key}user`).length > 0) continue;
    return [problemAt(command, "command-without-user", `${name} set without ${name}User`)];
  }
  return [];
}

/** The keyword that turns a method on (auth2.c authmethods); `none` is always on. */
export const METHOD_KEYWORDS: Readonly<Record<string, string>> = {
  publickey: "pubkeyauthentication",
  password: "passwordauthentication",
  "keyboard-interactive": "kbdinteractiveauthentication",
  hostbased: "hostbasedauthentication",
  "gssapi-with-mic": "gssapiauthentication",
  "gssapi-keyex": "gssapiauthentication",
};

/** Each list that needs a disabled method is named; only when no list is left does sshd refuse. */
function methodProblems(global: GlobalLines, release: Release): readonly Problem[] {
  const [line] = global("authenticationmethods");
  if (line === undefined || line.values?.[0] === "any") return [];
  const problems: Problem[] = [];
  for (const list of line.values ?? []) {
    const off = list
      .split(",")
      .map(methodName)
      .find((method) => !isEnabled(method, global, release));
    if (off === undefined) return problems;
    const text = `Disabled method "${off}" in AuthenticationMethods list "${list}"`;
    problems.push({ ...problemAt(line, "disabled-auth-method", text), weight: "warning" });
  }
  const text = "AuthenticationMethods cannot be satisfied by enabled authentication methods";
  return [
    ...problems.map((problem) => ({ ...problem, weight: "fatal" as const })),
    problemAt(line, "no-auth-method", text),
  ];
}

export function methodName(item: string): string {
  return item.split(":", 1)[0] ?? "";
}

function isEnabled(method: string, global: GlobalLines, release: Release): boolean {
  const keyword = METHOD_KEYWORDS[method];
  if (keyword === undefined) return true;
  // Up to 8.6 challenge-response, on by default, turns keyboard-interactive on.
  if (method === "keyboard-interactive" && !atLeast(release, "8.7")) {
    const challenge = global("challengeresponseauthentication")[0]?.values?.[0] ?? "yes";
    if (challenge === "yes") return true;
    return global(keyword)[0]?.values?.[0] === "yes";
  }
  const value = global(keyword)[0]?.values ?? defaultOf(keyword, release);
  return value?.[0] === "yes";
}

function defaultOf(keyword: string, release: Release): readonly string[] | null {
  return knownKeywords(release).find(({ key }) => key === keyword)?.defaults ?? null;
}
