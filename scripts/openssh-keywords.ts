/**
 * Reads the keyword tables of OpenSSH's tags out of a clone and prints them as JSON, for fixtures/openssh/keywords.json:
 * npx tsx scripts/openssh-keywords.ts CLONE/.git > fixtures/openssh/keywords.json
 */
import { execFileSync } from "node:child_process";

const TAGS =
  "7.4p1 7.5p1 7.6p1 7.7p1 7.8p1 7.9p1 8.0p1 8.1p1 8.2p1 8.3p1 8.4p1 8.5p1 8.6p1 8.7p1 8.8p1 8.9p1 9.0p1 9.1p1 9.2p1 9.3p2 9.4p1 9.5p1 9.6p1 9.7p1 9.8p1 9.9p1 9.9p2 10.0p2 10.1p1 10.2p1 10.3p1 10.4p1 10.5p1".split(
    " ",
  );
const FEATURES = ["USE_PAM", "GSSAPI", "KRB5"];

const gitDir = process.argv[2];
if (gitDir === undefined) throw new Error("usage: openssh-keywords.ts GIT-DIR");

/** The lines between `start` and `end` that the preprocessor would keep. */
function preprocess(text: string, defined: readonly string[]): string {
  const kept: string[] = [];
  const live: boolean[] = [];
  for (const line of text.replace(/\\\n/g, " ").split("\n")) {
    const directive = /^\s*#\s*(ifdef|ifndef|if|else|endif)\b\s*(\w*)/.exec(line);
    if (directive === null) {
      if (live.every(Boolean)) kept.push(line);
    } else if (directive[1] === "ifdef" || directive[1] === "if")
      live.push(defined.includes(directive[2] ?? ""));
    else if (directive[1] === "ifndef") live.push(!defined.includes(directive[2] ?? ""));
    else if (directive[1] === "else") live.push(!(live.pop() ?? true));
    else live.pop();
  }
  return kept.join("\n");
}

const STATUS: Readonly<Record<string, string>> = {
  sDeprecated: "deprecated",
  sIgnore: "ignored",
  sUnsupported: "unsupported",
};

function show(tag: string, file: string): string {
  const ref = `V_${tag.replace(".", "_").replace("p", "_P")}:${file}`;
  return execFileSync("git", ["--git-dir", gitDir ?? "", "show", ref], {
    encoding: "latin1",
    maxBuffer: 1 << 24,
  });
}

/** `known/match`, `deprecated/global` …, by lower-case name. */
function keywordsOf(tag: string, defined: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const add = (name: string, status: string, flags: string): void => {
    if (!found.has(name.toLowerCase()))
      found.set(name.toLowerCase(), `${status}/${flags === "SSHCFG_ALL" ? "match" : "global"}`);
  };
  const source = show(tag, "servconf.c");
  const table = source.slice(source.indexOf("} keywords[] = {"), source.indexOf("sBadOption, 0 }"));
  for (const match of preprocess(table, defined).matchAll(/\{\s*"(\w+)",\s*(\w+),\s*(\w+)\s*\}/g)) {
    add(match[1] ?? "", STATUS[match[2] ?? ""] ?? "known", match[3] ?? "");
  }
  if (!table.includes("SSHD_CONFIG_ENTRIES")) return found;
  const header = preprocess(show(tag, "servconf.h"), defined);
  for (const match of header.matchAll(/SSHCONF_(\w+)\(([^)]*)\)/g)) {
    const fields = (match[2] ?? "").split(",").map((field) => field.trim());
    const kind = match[1] ?? "";
    const name =
      fields[
        { INT: 1, INTFLAG: 1, STRING: 1, STRARRAY: 2, UNSUPPORTED_INT: 1, UNSUPPORTED_STRING: 1 }[kind] ?? 0
      ];
    const flags = fields.find((field) => /^SSHCFG_(ALL|GLOBAL)$/.test(field));
    if (name === undefined || flags === undefined) continue;
    if (kind.startsWith("UNSUPPORTED")) add(name, "unsupported", flags);
    else if (kind === "DEPRECATE")
      add(name, fields[2] === "SSHCONF_IGNORE" ? "ignored" : "deprecated", flags);
    else add(name, "known", flags);
  }
  return found;
}

const histories: Record<string, [string, string, string][]> = {};
for (const tag of TAGS) {
  const plain = keywordsOf(tag, []);
  const full = keywordsOf(tag, FEATURES);
  for (const name of new Set([...Object.keys(histories), ...plain.keys(), ...full.keys()])) {
    const history = histories[name] ?? [];
    histories[name] = history;
    const [, lastPlain, lastFull] = history.at(-1) ?? ["", "unknown", "unknown"];
    const now = [plain.get(name) ?? "unknown", full.get(name) ?? "unknown"] as const;
    if (now[0] !== lastPlain || now[1] !== lastFull) history.push([tag, ...now]);
  }
}
const lines = Object.entries(histories)
  .sort(([a], [b]) => (a < b ? -1 : 1))
  .map(([name, history]) => `    ${JSON.stringify(name)}: ${JSON.stringify(history)}`);
process.stdout.write(
  `{\n  "tags": ${JSON.stringify(TAGS)},\n  "keywords": {\n${lines.join(",\n")}\n  }\n}\n`,
);
