/** The keywords that ssh(1) takes in ssh_config(5), and what makes it refuse a file (readconf.c, keywords and parse_token). */
import { lowerAscii } from "../../grammar/ascii.ts";
import { matchPatternList, parsePatternList } from "../../grammar/patterns.ts";

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

/** The keyword of a line, in lower case: quotes around it do not count, unless it begins a block. */
export function keywordOf(text: string): string {
  const keyword = lowerAscii(text.replace(/^"(?!(?:host|match)"$)(.*)"$/i, "$1"));
  return ALIASES[keyword] ?? keyword;
}

/** Why ssh(1) stops at a line, in its words; null: it does not. `ignored` is the value of IgnoreUnknown. */
export function refusedLine(keyword: string, args: readonly string[], ignored: string | null): string | null {
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
