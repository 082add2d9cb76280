/** What a text of a repository is, by its content: an sshd_config, a template of one, or something else that sets its keywords. */
import { lowerAscii } from "../../grammar/ascii.ts";
import { lookUpKeyword } from "../../grammar/keywords.ts";
import { NEWEST } from "../../grammar/release.ts";
import { readDirective } from "../../grammar/scanner.ts";
import { endOfLine } from "../source/source.ts";

/** Keywords that neither a client's configuration nor another program's has. */
const OWN: readonly string[] = [
  "AllowAgentForwarding",
  "AllowGroups",
  "AllowStreamLocalForwarding",
  "AllowTcpForwarding",
  "AllowUsers",
  "AuthorizedKeysCommand",
  "AuthorizedKeysFile",
  "AuthorizedPrincipalsFile",
  "ChrootDirectory",
  "ClientAliveCountMax",
  "ClientAliveInterval",
  "DenyGroups",
  "DenyUsers",
  "DisableForwarding",
  "ForceCommand",
  "LoginGraceTime",
  "MaxAuthTries",
  "MaxSessions",
  "MaxStartups",
  "PermitEmptyPasswords",
  "PermitListen",
  "PermitOpen",
  "PermitRootLogin",
  "PermitTTY",
  "PermitTunnel",
  "PermitUserEnvironment",
  "PermitUserRC",
  "TrustedUserCAKeys",
  "UsePAM",
  "X11Forwarding",
];
/** A client's, too. */
const SHARED: readonly string[] = ["GatewayPorts", "PasswordAuthentication"];
/** sshd's at the beginning of a line; elsewhere they are anybody's words. */
const AT_LINE_START: readonly string[] = ["HostKey", "Subsystem"];

const SHARED_WORDS: ReadonlySet<string> = new Set(SHARED.map((name) => name.toLowerCase()));
const TELLING: ReadonlySet<string> = new Set(
  [...OWN, ...SHARED, ...AT_LINE_START].map((name) => name.toLowerCase()),
);
/** Of so many keywords that only sshd has, each at the beginning of a line. */
const ENOUGH = 3;

const ANY = new RegExp(setting([...OWN, ...SHARED, ...AT_LINE_START, "sshd_config"]), "i");

/** Whether it is worth a closer look. */
export function mayBeAboutSshd(text: string): boolean {
  return ANY.test(text);
}

/** `AllowTcpForwarding`, and `allow_tcp_forwarding` as variables of roles have it. */
function setting(names: readonly string[]): string {
  const parts = /(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g;
  return names.map((name) => name.replaceAll(parts, "[_-]?")).join("|");
}

/**
 * With `sshd` in its name half of its lines must be sshd's, with another name all of them and a keyword that only sshd
 * has, or nearly all and three of these.
 */
export function isConfiguration(text: string, { isCalledSshd }: { readonly isCalledSshd: boolean }): boolean {
  const lines = text.split("\n").flatMap((line) => settingOf(line) ?? []);
  const words = lines.map(({ word }) => word.toLowerCase());
  // a list of keywords alone sets nothing
  const known = lines.filter(({ word, hasValue }) => hasValue && isKeyword(word)).length;
  if (isCalledSshd) return known > 0 && known * 2 >= lines.length;
  const telling = new Set(words.filter((word) => TELLING.has(word)));
  if (telling.size >= ENOUGH) return known * 10 >= lines.length * 9;
  return known === lines.length && [...telling].some((word) => !SHARED_WORDS.has(word));
}

/** What stands where a line has its keyword; null for empty lines, comments and a template's code. */
function settingOf(line: string): { readonly word: string; readonly hasValue: boolean } | null {
  const [, word = "#", value = ""] =
    /^(?:\xef\xbb\xbf)?[ \t]*([^ \t=\r]+)(?:[ \t=]*([^ \t=\r]))?/.exec(line) ?? [];
  const isCode = /^(?:[#{<}>]|%\{|%$|%(?:if|for|else|elif|end)|\[[[%])/.test(word);
  return isCode ? null : { word, hasValue: value !== "" };
}

function isKeyword(word: string): boolean {
  const name = word.toLowerCase();
  return name === "match" || name === "include" || lookUpKeyword(word, NEWEST).status !== "unknown";
}

export interface Setting {
  /** from 1 */
  readonly line: number;
  /** as it is written; null where what is written is encoded */
  readonly keyword: string | null;
}

/**
 * A keyword of sshd with a value, anywhere but in a comment: lines of an sshd_config in a here-document or ConfigMap,
 * settings of a role or module, a line that a tool edits. Null where there is none.
 */
export function settingWithin(path: string, text: string): Setting | null {
  if (!/ssh/i.test(path + text)) return null;
  const isAboutSshd = /sshd|openssh-server/i.test(path + text) && !isClients(path, text);
  const settings = new RegExp(isAboutSshd ? SETTINGS : OWN_SETTINGS);
  for (let match = settings.exec(text); match !== null; match = settings.exec(text)) {
    const { before = "", keyword = "" } = match.groups ?? {};
    const at = match.index + before.length;
    const start = text.lastIndexOf("\n", at - 1) + 1;
    if (!COMMENT.test(text.slice(start, at))) return { line: lineAt(text, at), keyword };
    // each line is looked at once, however often a comment names keywords
    settings.lastIndex = endOfLine(text, at);
  }
  const encoded = ENCODED.test(text) ? text.indexOf("sshd_config") : -1;
  return encoded === -1 ? null : { line: lineAt(text, encoded), keyword: null };
}

/** An ssh_config: what it shares with sshd's is its own, in a role of sshd's, too. */
function isClients(path: string, text: string): boolean {
  if (/(?:^|\/)ssh_config(?:\.d\/[^/]*|[^/]*)$/.test(path)) return true;
  return /(?:\.conf|config)[^/]*$/.test(path) && /^[ \t]*Host[ \t=]/m.test(text);
}

function lineAt(text: string, at: number): number {
  return text.slice(0, at).split("\n").length;
}

const COMMENT = /^[ \t]*(?:#(?!cloud-config)|\/\/|;|\*|<!--)/;
/** cloud-init's `encoding: b64`, Ignition's `data:;base64,…`. */
const ENCODED = /(?<!arch=)\b(?:gz\+)?b(?:ase)?64\b|"compression"/;

/** Options of authorized_keys and of certificates have a hyphen where sshd's keywords have none. */
const OF_KEYS = "(?:x11-forwarding|force-command)\\b";

/** In JSON a line begins with `\n`, in Ignition's data URLs with `%0A`, and `%20` is a blank there. */
const SETTINGS = settings([...OWN, ...SHARED]);
const OWN_SETTINGS = settings(OWN);

function settings(names: readonly string[]): RegExp {
  const value = `(?!(?:is|to|in|and|or|was|has|should|must|can|the|with|for|if)\\b)[\\w{<$%@.*/!~^"'[-]`;
  return new RegExp(
    `(?<before>^|[^A-Za-z0-9]|\\\\n|%0A|-o)(?!${OF_KEYS})(?<keyword>${setting(names)})["']?\\]?(?:[ \\t]*(?:=>|[:=,>])[ \\t]*|\\\\?[ \\t]+|%20)["']?${value}`,
    "gim",
  );
}

export interface IncludeOutside {
  readonly line: number;
  readonly pattern: string;
}

/** The patterns of its Include lines, as sshd reads them: `Inc"lude" /etc/x # /y` has one. */
export function includedPatterns(text: string): readonly IncludeOutside[] {
  return text.split("\n").flatMap((line, index) => {
    if (!/include|"/i.test(line)) return [];
    const directive = readDirective(line, NEWEST);
    if (directive === null || lowerAscii(directive.keyword.value) !== "include") return [];
    return directive.args.map(({ value }) => ({ line: index + 1, pattern: value }));
  });
}
