/** The keywords that ssh(1) takes in ssh_config(5), and what makes it refuse a file (readconf.c, keywords and parse_token). */
import { lowerAscii } from "../../grammar/ascii.ts";
import { matchPatternList, parsePatternList } from "../../grammar/patterns.ts";
import { delimitWord, delimitWords, splitWords } from "../../grammar/words.ts";
import { knownKeyword, refusedArguments } from "./client-values.ts";

/** Of all releases up to 10.2, deprecated and unsupported ones included, and those of Debian's and Red Hat's patches. */
const KEYWORDS: ReadonlySet<string> = new Set(
  `addkeystoagent addressfamily afstokenpassing batchmode bindaddress bindinterface canonicaldomains canonicalizefallbacklocal
  canonicalizehostname canonicalizemaxdots canonicalizepermittedcnames casignaturealgorithms certificatefile
  challengeresponseauthentication channeltimeout checkhostip cipher ciphers clearallforwardings compression compressionlevel
  connectionattempts connecttimeout controlmaster controlpath controlpersist dsaauthentication dynamicforward
  enableescapecommandline enablesshkeysign escapechar exitonforwardfailure fallbacktorsh fingerprinthash
  forkafterauthentication forwardagent forwardx11 forwardx11timeout forwardx11trusted gatewayports globalknownhostsfile
  globalknownhostsfile2 gssapiauthentication gssapiclientidentity gssapidelegatecredentials gssapikexalgorithms
  gssapikeyexchange gssapirenewalforcesrekey gssapiserveridentity gssapitrustdns hashknownhosts host hostbasedacceptedalgorithms
  hostbasedalgorithms hostbasedauthentication hostbasedkeytypes hostkeyalgorithms hostkeyalias hostname identitiesonly
  identityagent identityfile identityfile2 ignoreunknown include ipqos kbdinteractiveauthentication kbdinteractivedevices
  keepalive kerberosauthentication kerberostgtpassing kexalgorithms knownhostscommand localcommand localforward loglevel
  logverbose macs match nohostauthenticationforlocalhost numberofpasswordprompts obscurekeystroketiming passwordauthentication
  permitlocalcommand permitremoteopen pkcs11provider port preferredauthentications protocol protocolkeepalives proxycommand
  proxyjump proxyusefdpass pubkeyacceptedalgorithms pubkeyacceptedkeytypes pubkeyauthentication refuseconnection rekeylimit
  remotecommand remoteforward requesttty requiredrsasize revokedhostkeys rhostsauthentication rhostsrsaauthentication
  rsaauthentication rsaminsize securitykeyprovider sendenv serveralivecountmax serveraliveinterval sessiontype setenv
  setuptimeout skeyauthentication smartcarddevice stdinnull streamlocalbindmask streamlocalbindunlink stricthostkeychecking
  syslogfacility tag tcpkeepalive tisauthentication tunnel tunneldevice updatehostkeys useprivilegedport user userknownhostsfile
  userknownhostsfile2 useroaming usersh verifyhostkeydns versionaddendum visualhostkey warnweakcrypto xauthlocation`.split(
    /\s+/,
  ),
);

/** Other names of keywords (readconf.c, keywords: "alias"). */
const ALIASES: Readonly<Record<string, string>> = {
  challengeresponseauthentication: "kbdinteractiveauthentication",
  skeyauthentication: "kbdinteractiveauthentication",
  tisauthentication: "kbdinteractiveauthentication",
  dsaauthentication: "pubkeyauthentication",
  identityfile2: "identityfile",
};

/** A line that says something: its keyword, in lower case, and its arguments, or why ssh(1) stops at it, in its words. */
export interface ClientLine {
  readonly keyword: string;
  readonly args: readonly string[];
  readonly refused: string | null;
}

/** What the rest of the line is, whatever it holds (readconf.c, parse_command and oProxyJump). */
const COMMANDS: ReadonlySet<string> = new Set([
  "proxycommand",
  "knownhostscommand",
  "localcommand",
  "remotecommand",
]);

/** `ignored` is the value of IgnoreUnknown. Null: the line says nothing. */
export function readClientLine(line: string, ignored: string | null): ClientLine | null {
  const end = line.replace(/[ \t\r\n\f]+$/, "").length;
  const first = delimitWord(line, line.length - line.replace(/^[ \t\r\f]+/, "").length, end);
  // strdelim gives an empty word where the line begins with a separator
  const word = first?.word.value === "" && first.next !== null ? delimitWord(line, first.next, end) : first;
  if (word === null) return null;
  const { value } = word.word;
  if (value === "" || value.startsWith("#")) return null;
  const keyword = ALIASES[lowerAscii(value)] ?? lowerAscii(value);
  const from = word.next ?? end;
  if (from >= end) return { keyword, args: [], refused: `no argument after keyword "${keyword}"` };
  const args = argumentsOf(keyword, line, { from, end });
  return {
    keyword,
    args: args ?? [],
    refused: args === null ? "invalid quotes" : refusedLine(keyword, args, ignored),
  };
}

/** Null: a quote is not closed (misc.c argv_split). */
function argumentsOf(
  keyword: string,
  line: string,
  { from, end }: { readonly from: number; readonly end: number },
): readonly string[] | null {
  if (keyword === "match") return criteriaOf(line, from, end);
  const { words, closed } = splitWords(line, from, end);
  if (!closed) return null;
  const rest = line.slice(from, end).replace(/^[ \t=]+/, "");
  if (keyword === "proxyjump") return [withoutComment(rest)];
  return COMMANDS.has(keyword) ? [rest] : words.map(({ value }) => value);
}

/** readconf.c parse_jump */
export function withoutComment(jumps: string): string {
  return jumps.replace(/#[\s\S]*$/, "").replace(/[ \t\r\n\f\v]+$/, "");
}

/** By strdelim, up to 9.8, whose first empty word ends the line (readconf.c match_cfg_line). */
function criteriaOf(line: string, from: number, end: number): readonly string[] {
  const words = delimitWords(line, from, end, { comments: true }).words.map(({ value }) => value);
  const empty = words.indexOf("");
  return empty === -1 ? words : words.slice(0, empty);
}

/** Null: it does not stop. */
function refusedLine(keyword: string, args: readonly string[], ignored: string | null): string | null {
  const known = knownKeyword(keyword);
  if (known !== undefined) return args.length === 0 ? "Missing argument" : refusedArguments(known, args);
  if (args.length === 0) return `no argument after keyword "${keyword}"`;
  if (KEYWORDS.has(keyword)) return null;
  const isIgnored =
    ignored !== null && matchPatternList(keyword, parsePatternList(lowerAscii(ignored))) === 1;
  return isIgnored ? null : `Bad configuration option: ${keyword}`;
}

/** `number`: from 1 */
export interface TellingLine {
  readonly number: number;
  readonly text: string;
}

/** The lines that say something. */
export function tellingLines(text: string): readonly TellingLine[] {
  return text
    .split("\n")
    .flatMap((line, index) => (/^[ \t\r\f]*(?:#|$)/.test(line) ? [] : [{ number: index + 1, text: line }]));
}
