/** Random trees: what administrators write, what they write wrongly, and real files with changes. */
import { type Keyword, knownKeywords } from "../../grammar/keywords.ts";
import { atLeast, type Release } from "../../grammar/release.ts";
import { load, MAIN_FILE, verdictOf } from "../sshd/reading.ts";
import { COMMAND_LINE, type ServerTree } from "../sshd/server-tree.ts";
import type { Random } from "./random.ts";
import { randomValue } from "./values.ts";

export interface FuzzCase {
  readonly tree: ServerTree;
  /** texts for `sshd -C`, complete */
  readonly connections: readonly string[];
}

export interface DrawnCase extends FuzzCase {
  /** from which a judge draws what else it needs: a second tree, rules, a policy file */
  readonly draw: number;
}

export interface Generator {
  readonly release: Release;
  /** texts of real files to change; may be empty */
  readonly seeds: readonly string[];
}

const FORWARDING = [
  "AllowTcpForwarding",
  "AllowStreamLocalForwarding",
  "PermitOpen",
  "PermitListen",
  "GatewayPorts",
  "DisableForwarding",
  "PermitTunnel",
  "X11Forwarding",
  "AllowAgentForwarding",
  "StreamLocalBindMask",
  "PermitTTY",
  "ForceCommand",
];
const RETIRED = [
  "Protocol",
  "UseLogin",
  "RSAAuthentication",
  "UsePrivilegeSeparation",
  "KeyRegenerationInterval",
];
const UNKNOWN = ["FooBar", "IgnoreUnknown", "Allow_Tcp_Forwarding", ";x", "\xef\xbb\xbfPort", "Host", "-x"];

/** Names that no useradd makes and directories have, numbers, and what sshd's own syntax is made of. */
const ODD_NAMES = [
  "bob smith",
  "DOM/bob",
  "DOM\\bob",
  "1000",
  "-x",
  "+nis",
  "u@h",
  "x$",
  "\xe9l",
  "%u",
  "[ab]",
  "a#b",
  "domain users",
  "o'neil",
  "UNKNOWN",
];
const USERS = [
  "alice",
  "bob",
  "carol",
  "deploy",
  "guest",
  "root",
  "nosuch",
  "Alice",
  "al",
  "a=b",
  "'alice'",
  "=alice",
  "bob smith",
  "DOM/bob",
];
const GROUPS = [
  "admins",
  "staff",
  "sftponly",
  "forwarders",
  "alice",
  "guest",
  "nosuchgroup",
  "root",
  "domain users",
  "a/b",
];
const NAMES = ["client.example.com", "db.internal", "evil.test", "10.0.0.5", "H.EXAMPLE.COM", "fe80::1%lo"];
const ADDRESSES = [
  "10.0.0.5",
  "10.1.2.3",
  "192.168.1.7",
  "203.0.113.9",
  "2001:db8::1",
  "fe80::1",
  "fe80::1%lo",
  "::1",
];
const MORE_ADDRESSES = ["::ffff:10.0.0.5", "8.0.0.1", "127.0.0.1", "10.1.2.255", "UNKNOWN"];
const NETWORKS = [
  "10.0.0.0/8",
  "192.168.0.0/16",
  "2001:db8::/32",
  "fe80::/10",
  "0.0.0.0/0",
  "::/0",
  "10.66051",
];
const BAD_NETWORKS = [
  "10.1.2.3/8",
  "10.0.0.0/33",
  "10.0.0.0/",
  "10.0.0.0/ 8",
  "[::1]",
  "10.0.0.300",
  "::1/129",
  "10/8",
];
/** Spellings, families and texts that an address list can hold. */
const ODD_ADDRESSES = [
  "*.*",
  "*:*",
  "*%*",
  "fe80::*",
  "*%lo",
  "0x0a.0.0.0/8",
  "10.0.0.0/08",
  "10.0.0.0/+8",
  "::ffff:0:0/96",
  "::/96",
  "2001:DB8::/33",
  "2001:0db8::*",
  "10.0.0.?",
  "0/0",
  "UNKNOWN",
  "fe80::%lo/10",
];
const LOCAL = ["192.0.2.1", "10.0.0.1", "2001:db8::2", "127.0.0.1"];
const LOCAL_PORTS = ["22", "2222", "80", "022", "65535"];

export function generateCase(generator: Generator, random: Random): DrawnCase {
  const connections = random.some(4, 12, () => randomConnection(generator.release, random));
  const useSeed = generator.seeds.length > 0 && random.chance(20);
  const tree = useSeed ? mutatedTree(generator, random) : freshTree(generator.release, random);
  const started = random.chance(12) ? { [COMMAND_LINE]: commandLine(generator.release, random) } : {};
  return { tree: { ...tree, ...started }, connections: [...new Set(connections)], draw: random.int(2 ** 31) };
}

/** Texts of -o: mostly lines as in a file, often with `=`. */
function commandLine(release: Release, random: Random): string {
  const writer = makeWriter(release, random, []);
  const text = (): string => {
    const [keyword, , value] = directive(writer, false);
    // before it reads the file, sshd is as loud as its options say
    if (/loglevel/i.test(keyword)) return "Port=22";
    const whole = `${keyword}${random.pick(["=", "=", " ", " = "])}${value}`;
    const dressed = random.chance(10)
      ? `${whole}${random.pick([" # c", "#c", " ", "\t", " x", '"'])}`
      : whole;
    if (random.chance(2)) return random.pick(["Match all", "Include /etc/ssh/x.conf", "", "#", "x", "=no"]);
    return random.chance(writer.wrong) ? damage(dressed, random) : dressed;
  };
  // an argument ends at a NUL, and the driver's at a line feed
  const texts = random.some(1, 3, () => sound(writer, text)).map((one) => one.replace(/[\0\n]/g, ""));
  return texts.map((one) => `${one}\n`).join("");
}

function randomConnection(release: Release, random: Random): string {
  const items = [
    `user=${random.pick(random.chance(80) ? USERS : ODD_NAMES)}`,
    `host=${random.pick(NAMES)}`,
    `addr=${random.pick(random.chance(80) ? ADDRESSES : MORE_ADDRESSES)}`,
    `laddr=${random.pick(LOCAL)}`,
    `lport=${random.pick(LOCAL_PORTS)}`,
  ];
  if (atLeast(release, "7.7") && random.chance(50)) items.push(`rdomain=${random.pick(["", "vrf1"])}`);
  if (atLeast(release, "9.9") && random.chance(5)) items.push("invalid-user");
  return items.join(",");
}

interface Writer {
  readonly random: Random;
  readonly release: Release;
  readonly keywords: readonly Keyword[];
  readonly byName: ReadonlyMap<string, Keyword>;
  /** percent of lines that are made wrong on purpose */
  readonly wrong: number;
  /** the other files that Includes can name */
  readonly others: readonly string[];
}

function makeWriter(release: Release, random: Random, others: readonly string[]): Writer {
  const keywords = knownKeywords(release).filter(({ form }) => form !== "match" && form !== "include");
  const byName = new Map(keywords.map((keyword) => [keyword.name, keyword]));
  return { random, release, keywords, byName, wrong: random.pick([0, 0, 0, 1, 3, 15]), others };
}

function freshTree(release: Release, random: Random): ServerTree {
  const others = ["d/10-a.conf", "d/9-b.conf", "d/.hidden.conf", "d/Z.conf", "x.conf", "e/[y].conf"].filter(
    () => random.chance(35),
  );
  const writer = makeWriter(release, random, others);
  const files = others.map((name) => [`/etc/ssh/${name}`, randomFile(writer, 6)]);
  const link = { link: random.pick(["../x.conf", "9-b.conf", "/etc/ssh/d/Z.conf", "gone.conf"]) };
  return {
    ...(random.chance(5) ? { "/etc/ssh/d/5-link.conf": link } : {}),
    ...Object.fromEntries([...files, ["/etc/ssh/sshd_config", randomFile(writer, 14)]]),
  };
}

function randomFile(writer: Writer, most: number): string {
  const { random } = writer;
  const newline = random.chance(5) ? "\r\n" : "\n";
  let inMatch = false;
  const lines = random.some(0, most, () => {
    if (random.chance(22)) {
      inMatch = true;
      return sound(writer, () => matchLine(writer));
    }
    if (random.chance(10)) return includeLine(writer);
    if (random.chance(8)) return random.pick(["", "# AllowTcpForwarding no", "   ", "#", "\t# x"]);
    return sound(writer, () => dress(directive(writer, inMatch), random));
  });
  const text = lines.map((line) => (random.chance(writer.wrong) ? damage(line, random) : line)).join(newline);
  return random.chance(85) ? text + newline : text;
}

/** Makes another line while our own reader refuses the first, so that most trees are accepted; not always. */
function sound({ random, release, wrong }: Writer, make: () => string): string {
  let line = make();
  for (let tries = 0; tries < 6 && !random.chance(2 + wrong * 3); tries++) {
    if (verdictOf(load({ [MAIN_FILE]: line }, release)).accepted) break;
    line = make();
  }
  return line;
}

/** Inside a block mostly keywords that may stand there. */
function directive(writer: Writer, inMatch: boolean): readonly [string, string, string] {
  const { random, keywords, byName, wrong } = writer;
  if (random.chance(2)) return [random.pick(RETIRED), " ", "yes"];
  if (random.chance(wrong)) return [random.pick(UNKNOWN), " ", "x"];
  const legal = inMatch && !random.chance(wrong) ? keywords.filter(({ inMatch: may }) => may) : keywords;
  const forwarding = FORWARDING.map((name) => byName.get(name)).filter((keyword) => keyword !== undefined);
  const keyword = random.pick(random.chance(60) ? forwarding : legal);
  return [spell(keyword.name, random), separator(random), randomValue(keyword.form, random)];
}

function spell(name: string, random: Random): string {
  if (random.chance(80)) return name;
  return random.pick([name.toLowerCase(), name.toUpperCase(), `"${name}"`, `=${name}`]);
}

function separator(random: Random): string {
  return random.chance(80) ? " " : random.pick(["\t", "=", " = ", "  ", "= ", " =", "\t=\t"]);
}

function dress([keyword, between, value]: readonly [string, string, string], random: Random): string {
  const indent = random.chance(30) ? random.pick(["  ", "\t", " \t"]) : "";
  const after = random.chance(15) ? random.pick([" ", "\t", " # note", "\r", " #", "\f", " \t\r"]) : "";
  const quoted =
    random.chance(6) && !/["'\\ ]/.test(value) ? random.pick([`"${value}"`, `'${value}'`]) : value;
  return `${indent}${keyword}${between}${quoted}${after}`;
}

function matchLine(writer: Writer): string {
  const { random, release } = writer;
  if (random.chance(8)) return random.pick(["Match all", "Match All # c", "match ALL", "Match all\t"]);
  if (random.chance(writer.wrong)) return `Match ${random.pick(NO_CRITERIA)}`;
  const criteria = random.some(1, random.chance(70) ? 1 : 3, () => criterion(writer));
  if (atLeast(release, "9.9") && random.chance(4)) criteria.push("Invalid-User");
  if (atLeast(release, "10.0") && random.chance(6))
    criteria.push(`Version ${random.pick(["OpenSSH_*", "x", "*"])}`);
  const after = random.chance(10) ? random.pick([" # c", " #c", "  ", "\r"]) : "";
  return `${random.chance(85) ? "Match" : random.pick(["match", "MATCH"])} ${criteria.join(" ")}${after}`;
}

/** Of ssh_config, of other releases, and combinations that no release takes. */
const NO_CRITERIA = [
  "all all",
  "all User alice",
  "User alice all",
  "Exec true",
  "Tagged x",
  "LocalNetwork 10.0.0.0/8",
  "SessionType shell",
  "Final",
  "invalid-user yes",
  "User",
  'User ""',
  "Version x",
  "invalid-user",
  "User alice SessionType shell",
  "Command scp User alice",
  "Address 10.0.0.0/8 LocalNetwork 10.0.0.0/8",
  "User alice !Host x",
  "LocalPort 22,80",
  "LocalPort *",
];

function criterion(writer: Writer): string {
  const { random, release, wrong } = writer;
  const [name, items] = random.pick(CRITERIA);
  if (name === "RDomain" && !atLeast(release, "7.7")) return "User alice";
  const spelled = random.chance(80) ? name : random.pick([name.toLowerCase(), name.toUpperCase()]);
  const value = name === "LocalPort" ? random.pick(LOCAL_PORTS) : patternList(items, random);
  const networks = name === "Address" || name === "LocalAddress";
  const text = networks && random.chance(wrong) ? `${value},${random.pick(BAD_NETWORKS)}` : value;
  const mayQuote = /[ \t]/.test(text) || random.chance(8);
  const quoted = mayQuote && !random.chance(wrong) ? random.pick([`"${text}"`, `'${text}'`]) : text;
  return `${spelled}${random.chance(90) ? " " : random.pick(["=", "  ", "\t", "= ", " ="])}${quoted}`;
}

const CRITERIA: readonly (readonly [string, readonly string[]])[] = [
  ["User", USERS],
  ["User", [...USERS, ...ODD_NAMES]],
  ["Group", GROUPS],
  ["Group", [...GROUPS, ...ODD_NAMES]],
  ["Host", [...NAMES, ...ADDRESSES, "*.*", "*:*", "UNKNOWN", "unk*"]],
  ["Address", [...ADDRESSES, ...NETWORKS, ...NETWORKS, ...ODD_ADDRESSES]],
  ["LocalAddress", [...LOCAL, "192.0.2.0/24", "10.0.0.0/8"]],
  ["LocalPort", LOCAL_PORTS],
  ["RDomain", ["vrf1", "*", "vrf?"]],
];

function patternList(items: readonly string[], random: Random): string {
  const list = random.some(1, 3, () => {
    const item = random.chance(15)
      ? random.pick(["*", "*", "*", "**", "?", "??*", ""])
      : wildcard(random.pick(items), random);
    return random.chance(18) ? `!${item}` : item;
  });
  return list.join(random.chance(97) ? "," : ",,");
}

function wildcard(item: string, random: Random): string {
  if (/^[\d.:a-f]+\//.test(item) || random.chance(80)) return item;
  const at = random.int(item.length + 1);
  return random.pick([
    `${item.slice(0, at)}*`,
    `${item.slice(0, at)}?${item.slice(at + 1)}`,
    `*${item.slice(at)}`,
  ]);
}

/** Of folders with wildcards, by way of others, and what glob(3) of other systems reads otherwise. */
const ODD_PATTERNS = [
  ...["*/*.conf", "[de]/*", "?/9*", "d/../x.conf", "d/./9-b.conf", "/d//Z.conf", "d/", "d/.*", "d/.h*"],
  ...[
    "d/[!0-9]*",
    "d/[^0-9]*",
    "d/{10-a,Z}.conf",
    "d/\\.hidden.conf",
    "d/1[0-]-a.conf",
    "d/[",
    "d/[[:upper:]]*",
  ],
];

function includeLine({ random, others, wrong }: Writer): string {
  const names = random.some(1, 2, () => {
    if (random.chance(wrong))
      return random.pick(['""', "~/x.conf", "/etc/ssh/sshd_config", "/etc/ssh/d", "d/[0"]);
    const name = random.pick([
      ...others,
      "d/*.conf",
      "d/*",
      "none.conf",
      "e/*",
      "?.conf",
      "e/\\[y].conf",
      "d/[0-9]*",
      ...ODD_PATTERNS,
    ]);
    return random.chance(50) ? name : `/etc/ssh/${name}`;
  });
  return `Include ${names.map((name) => (random.chance(10) ? `"${name}"` : name)).join(" ")}`;
}

const JUNK = [
  '"',
  "'",
  "=",
  "#",
  "\\",
  "\0",
  "\r",
  "\f",
  "\v",
  "\xa0",
  "!",
  ",",
  "\t",
  " x",
  '""',
  "==",
  '\\"',
  " # ",
];

/** One small change somewhere in a line. */
function damage(line: string, random: Random): string {
  const at = random.int(line.length + 1);
  const junk = random.pick(JUNK);
  return random.pick([
    line.slice(0, at) + junk + line.slice(at),
    line.slice(0, at) + line.slice(at + 1),
    line.slice(0, at) + junk + line.slice(at + 1),
    line.slice(0, at),
    line + junk,
  ]);
}

/** A real file with some changes. Names that only a resolver knows are left out. */
function mutatedTree({ release, seeds }: Generator, random: Random): ServerTree {
  const writer = makeWriter(release, random, ["x.conf"]);
  const text = changeText(random.pick(seeds), writer, 6)
    .split("\n")
    .filter((line) => !/listenaddress/i.test(line))
    .join("\n");
  const other = { "/etc/ssh/x.conf": randomFile(writer, 4) };
  const [shaped, shapedToo] = [reshape(text, random), reshape(text, random)];
  if (random.chance(80)) return { ...other, [MAIN_FILE]: shaped };
  // as a drop-in before or behind what another file says, or inside a block of it
  const include = `${random.pick(["", "", `${matchLine(writer)}\n`])}Include /etc/ssh/d/*.conf`;
  const main = random.pick([include, `${include}\n${shapedToo}`, `${shapedToo}\n${include}`]);
  return { ...other, "/etc/ssh/d/50-a.conf": shaped, [MAIN_FILE]: main };
}

/** The whole file as other tools leave it: other ends of lines, none at the end, bytes that hide what follows. */
function reshape(text: string, random: Random): string {
  if (random.chance(50)) return text;
  const lines = text.split("\n");
  const at = random.int(lines.length);
  const inComment = (odd: string): string => lines.toSpliced(at, 0, `# ${odd} note`).join("\n");
  return random.pick([
    () => lines.join("\r\n"),
    () => lines.map((line, index) => (index % 3 === 0 ? line : `${line}\r`)).join("\n"),
    () => text.replace(/\n+$/, ""),
    () => `${text.replace(/\n+$/, "")}\n# the end${random.pick(["", "\0", "\\", '"'])}`,
    () => `#\xef\xbb\xbf\n${text}`,
    () => inComment("\0"),
    () => inComment("\"'\xa0"),
    () => lines.map((line) => line.replace(/^(\w+)[ \t]+/, "\t$1\t")).join("\n"),
    () => lines.map((line) => line.replace(/^(\w+)[ \t]+/, '"$1"=')).join("\n"),
    () => lines.map((line) => line.replace(/^#(?=[A-Z]\w+ [\w.:]+$)/, "")).join("\n"),
    () => lines.map((line) => line.toLowerCase()).join("\n"),
  ])();
}

/** The tree after an edit or two in one of its files. */
export function changeTree(tree: ServerTree, release: Release, random: Random): ServerTree {
  const files = Object.keys(tree).filter((path) => path !== COMMAND_LINE);
  const others = files.filter((path) => path !== MAIN_FILE);
  const writer = makeWriter(
    release,
    random,
    others.map((path) => path.replace("/etc/ssh/", "")),
  );
  const path = random.pick([MAIN_FILE, ...files]);
  const text = tree[path];
  if (typeof text !== "string") return tree;
  // most edits decide nothing: a first line and a last block often do
  const line = (): string => sound(writer, () => directive(writer, true).join(""));
  const first = random.chance(60) ? `${line()}\n` : "";
  const last = random.chance(60) ? `\n${sound(writer, () => matchLine(writer))}\n${line()}\n${line()}\n` : "";
  return { ...tree, [path]: first + changeText(text, writer, 3) + last };
}

/** Lines dropped, doubled, moved, damaged or new. */
function changeText(text: string, writer: Writer, most: number): string {
  const { random } = writer;
  const lines = text.split("\n").slice(0, 400);
  for (const _ of random.some(0, most, () => 0)) {
    const at = random.int(lines.length + 1);
    const line = lines[at] ?? "";
    const [from = "", to = ""] = [lines[random.int(lines.length)], line];
    const change = random.int(9);
    if (change === 0) lines.splice(at, 1);
    else if (change === 1) lines.splice(at, 0, from);
    else if (change === 2) lines.splice(at, 1, damage(to, random));
    else if (change === 3) lines.splice(at, 0, matchLine(writer));
    else if (change === 4) lines.splice(at, 0, includeLine(writer));
    else if (change === 5) lines.splice(at, 1, line.replace(/^[ \t]*#[ \t]*/, ""));
    else if (change === 6) lines.splice(0, lines.length, ...lines.map((one) => otherItem(one, random)));
    else lines.splice(at, 0, dress(directive(writer, false), random));
  }
  return lines.join("\n");
}

/** A list of destinations or addresses with one of them wider, narrower or gone. */
function otherItem(line: string, random: Random): string {
  if (!/permit(open|listen)/i.test(line)) return line;
  return random.pick([
    line.replace(/:\d+/, ":*"),
    line.replace(/ [\w.]+:/, " *:"),
    line.replace(/ \*:/, " db.internal:"),
    line.replace(/:\*/, ":22"),
    line.replace(/ [^ ]+$/, ""),
  ]);
}
