/** Writes docs/releases.md from the keyword table and release-facts.ts. With --check: fails where it is stale. */
import { readFileSync, writeFileSync } from "node:fs";
import { isAlgorithmKind } from "../grammar/algorithms.ts";
import { ALIASES, KEYWORDS, RETIRED } from "../grammar/keyword-table.ts";
import { type Keyword, knownKeywords, lookUpKeyword } from "../grammar/keywords.ts";
import { parseRelease, type Release, type Vendor } from "../grammar/release.ts";
import { RELEASE_FACTS } from "./release-facts.ts";

const PAGE = new URL("../docs/releases.md", import.meta.url).pathname;

const RELEASES =
  "7.4 7.5 7.6 7.7 7.8 7.9 8.0 8.1 8.2 8.3 8.4 8.5 8.6 8.7 8.8 8.9 9.0 9.1 9.2 9.3 9.4 9.5 9.6 9.7 9.8 9.9p1 9.9p2 10.0 10.1 10.2 10.3 10.4 10.5 10.6".split(
    " ",
  );

/** A build with everything that can be compiled in, so that no keyword hides. */
const FULL_BUILD: Vendor = "fedora";

function releaseAt(version: string, vendor: Vendor): Release {
  const release = parseRelease(vendor === "upstream" ? version : `${version}+${vendor}`);
  if (release === null) throw new Error(`no release: ${version}`);
  return release;
}

/** Every spelling that some release knows, with the name that the table gives it. */
const spellings: ReadonlyMap<string, string> = new Map(
  [
    ...KEYWORDS.filter(({ vendors }) => vendors === undefined).flatMap(({ name, changes }) => [
      name,
      ...(changes ?? []).flatMap((change) => change.name ?? []),
    ]),
    ...[...ALIASES, ...RETIRED].filter(({ vendors }) => vendors === undefined).map(({ name }) => name),
  ].map((name) => [name.toLowerCase(), name]),
);

const SETS: Readonly<Record<Keyword["sets"], string>> = {
  first: "the first value counts",
  "first-line": "the first line counts, whole",
  append: "all lines add up",
  last: "the last value counts",
  "first-per-name": "the first of each name counts",
  "first-per-key": "the first of each key counts",
  "first-per-part": "the first of each part counts",
  "first-but-none-last": "the first value counts, `none` overwrites",
};

/** What one spelling turned into between two releases; null when it stayed. */
function keywordChange(name: string, before: Release, now: Release): string | null {
  const old = lookUpKeyword(name, before);
  const found = lookUpKeyword(name, now);
  if (found.status !== old.status || found.keyword?.key !== old.keyword?.key)
    return statusChange(name, found);
  const parts: string[] = [];
  if (found.inMatch !== old.inMatch)
    parts.push(found.inMatch ? "allowed in Match" : "no longer allowed in Match");
  if (found.keyword !== null && old.keyword !== null && found.keyword.name === name)
    parts.push(...valueChanges(old.keyword, found.keyword));
  return parts.length === 0 ? null : `\`${name}\`: ${parts.join("; ")}`;
}

function statusChange(name: string, { status, keyword, inMatch }: ReturnType<typeof lookUpKeyword>): string {
  if (status === "unknown") return `\`${name}\` is gone`;
  if (keyword === null) return `\`${name}\` is ${status}`;
  if (keyword.key !== name.toLowerCase()) return `\`${name}\` is another name of \`${keyword.name}\``;
  const byDefault = initial(keyword) === "" ? "" : `, default ${initial(keyword)}`;
  return `\`${name}\` is new${inMatch ? ", allowed in Match" : ""}${byDefault}`;
}

function valueChanges(old: Keyword, now: Keyword): string[] {
  const parts: string[] = [];
  if (old.sets !== now.sets) parts.push(`${SETS[now.sets]}; before, ${SETS[old.sets]}`);
  const [was, is] = [old.defaults?.join(" "), now.defaults?.join(" ")];
  if (was === is) return parts;
  if (is === undefined) parts.push("no default is printed");
  else parts.push(isAlgorithmKind(now.form) ? listChange(was ?? "", is) : `the default is \`${is}\``);
  return parts;
}

/** How a default list of algorithms changed. */
function listChange(was: string, is: string): string {
  const [before, after] = [was.split(","), is.split(",")];
  const quote = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(", ");
  const added = after.filter((name) => !before.includes(name));
  const dropped = before.filter((name) => !after.includes(name));
  const changes = [
    ...(added.length === 0 ? [] : [`gains ${quote(added)}`]),
    ...(dropped.length === 0 ? [] : [`loses ${quote(dropped)}`]),
  ];
  return `the default list ${changes.length === 0 ? "has a new order" : changes.join(" and ")}`;
}

function initial({ form, defaults }: Keyword): string {
  if (isAlgorithmKind(form)) return "a list of its own";
  return defaults === null ? "" : `\`${defaults.join(" ")}\``;
}

function section(version: string, index: number): string[] {
  const facts = RELEASE_FACTS.find(({ release }) => release === version);
  const previous = RELEASES[index - 1];
  const keywords =
    previous === undefined
      ? []
      : [...spellings.values()].flatMap(
          (name) =>
            keywordChange(name, releaseAt(previous, FULL_BUILD), releaseAt(version, FULL_BUILD)) ?? [],
        );
  const blocks = [
    block("Reading the file", facts?.reading ?? []),
    block("Forwarding", facts?.forwarding ?? []),
    block("Keywords", keywords),
  ].flat();
  return blocks.length === 0 ? [] : [`## ${version}`, "", ...blocks];
}

function block(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`${title}:`, "", ...lines.map((line) => `- ${line}`), ""];
}

function keywordTable(): string[] {
  const newest = releaseAt(RELEASES.at(-1) ?? "", FULL_BUILD);
  const since = (key: string): string => {
    const first = RELEASES.find(
      (version) => lookUpKeyword(key, releaseAt(version, FULL_BUILD)).status === "known",
    );
    return first === "7.4" ? "" : (first ?? "");
  };
  return [
    "## All keywords of 10.6",
    "",
    "| keyword | since | in Match | which line counts | default |",
    "|---|---|---|---|---|",
    ...knownKeywords(newest)
      .filter(({ form }) => form !== "match" && form !== "include")
      .map((keyword) => {
        const { name, key, inMatch, sets } = keyword;
        return `| ${name} | ${since(key)} | ${inMatch ? "yes" : ""} | ${SETS[sets]} | ${initial(keyword)} |`;
      }),
  ];
}

function page(): string {
  const intro = [
    "# What changed, release by release",
    "",
    "Generated from the keyword table and scripts/release-facts.ts (`npm run generate`); do not edit.",
    "",
    "What OpenSSH's sshd changed from 7.4 to 10.6 in reading sshd_config and in forwarding. Distributions carry fixes back:",
    "where the package's version is known, `--openssh` takes it. The keyword lists are those of a build with PAM, GSSAPI and",
    'Kerberos; without them `UsePAM`, `GSSAPI…` and `Kerberos…` are "Unsupported option" and without effect.',
    "",
  ];
  const sections = RELEASES.map((version, index) => section(version, index)).reverse();
  return `${[...intro, ...sections.flat(), ...keywordTable()].join("\n")}\n`;
}

const text = page();
if (process.argv.includes("--check")) {
  if (current() !== text) {
    process.stderr.write("docs/releases.md is stale: npm run generate\n");
    process.exitCode = 1;
  }
} else writeFileSync(PAGE, text);

function current(): string | null {
  try {
    return readFileSync(PAGE, "utf8");
  } catch {
    return null;
  }
}
