/**
 * The sshd_config files in a tree of configuration, by name and content: what a repository of Ansible, Puppet, Chef or
 * image sources holds, and what else there speaks of sshd's settings. Symbolic links are followed for files inside the
 * folder alone; nothing outside is opened.
 */

import {
  closeSync,
  constants,
  type Dirent,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  statSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { includedPatterns, isConfiguration, mayBeAboutSshd, settingWithin } from "./configuration-text.ts";
import { MAX_FILE_BYTES } from "./folder.ts";
import { isBelow } from "./path.ts";
import { type Language, TEMPLATE_ENDING, templateOf } from "./template-language.ts";

export interface Discovered {
  /** below the folder that was given, with it in front; latin1, as all paths here: names may be no UTF-8 */
  readonly path: string;
  /** the language of its placeholders; null: a plain configuration */
  readonly template: Language | null;
}

/** What is not judged, though it may say something about sshd. */
export type Passed = { readonly path: string } & (
  | {
      /** lines or settings of an sshd_config inside another file: cloud-init's, ConfigMaps, heredocs, roles' variables */
      readonly kind: "settings";
      readonly line: number;
      readonly keyword: string | null;
    }
  | { readonly kind: "include"; readonly line: number; readonly pattern: string }
  /** a link that leads out of the folder, or nowhere */
  | { readonly kind: "link" }
  | { readonly kind: "too-large" }
  | { readonly kind: "unreadable"; readonly what: "file" | "folder" }
);

export interface Discoveries {
  readonly found: readonly Discovered[];
  readonly passed: readonly Passed[];
}

/** Folders of other people's code, and of version control. */
const SKIPPED = new Set([".git", ".hg", ".svn", "node_modules", ".terraform", ".venv"]);
/** By so much of a text it is judged what it is: no configuration is longer. */
const BEGINNING = 1024 * 1024;

interface Search {
  /** as it was given */
  readonly folder: string;
  /** the same without links */
  readonly top: string;
  readonly found: Discovered[];
  readonly passed: Passed[];
}

/** @throws where the folder itself is not there */
export function findConfigurations(folder: string): Discoveries {
  const search: Search = { folder, top: realPath(folder), found: [], passed: [] };
  const pending = [""];
  for (let current = pending.pop(); current !== undefined; current = pending.pop()) {
    const entries = entriesOf(join(folder, current));
    if (entries === null)
      search.passed.push({ kind: "unreadable", what: "folder", path: join(folder, current) });
    for (const entry of entries ?? []) {
      const inside = join(current, entry.name.toString("latin1"));
      if (!entry.isDirectory()) lookAt(search, inside, entry);
      else if (!SKIPPED.has(entry.name.toString("latin1"))) pending.push(inside);
    }
  }
  const byPath = <T extends { readonly path: string }>(some: readonly T[]): readonly T[] =>
    some.toSorted((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  return { found: byPath(search.found), passed: byPath(search.passed) };
}

function entriesOf(folder: string): readonly Dirent<Buffer>[] | null {
  try {
    return readdirSync(bytesOf(folder), { withFileTypes: true, encoding: "buffer" });
  } catch {
    return null;
  }
}

function bytesOf(path: string): Buffer {
  return Buffer.from(path, "latin1");
}

function realPath(path: string): string {
  return realpathSync.native(bytesOf(path), "buffer").toString("latin1");
}

/** Documentation, programs and what is no text: code about sshd_config is no configuration. */
const OTHER_ENDING =
  /\.(?:md|markdown|rst|adoc|asciidoc|html?|css|scss|less|m?[jt]sx?|cjs|vue|svelte|pyc|go|rs|c|h|cc|cpp|hpp|cs|java|class|kt|scala|swift|php|lua|pl|pm|r|sql|csv|tsv|po|mo|diff|patch|lock|sum|map|log|png|jpe?g|gif|svg|ico|webp|pdf|gz|t[gx]z|xz|zst|bz2|zip|7z|tar|jar|war|rpm|deb|apk|so|o|a|dll|exe|iso|img|qcow2|woff2?|ttf|otf|eot|mp[34])$/i;
const DOCUMENTATION =
  /\/(?:README|INSTALL|CHANGE(?:S|LOG)|NEWS|LICEN[CS]E|COPYING|AUTHORS|NOTICE|OVERVIEW|TODO|HACKING)(?:\.(?!conf$)[\w-]+)?$/i;
/** What writes whole files on other systems, or sets sshd's keywords by itself: never a configuration, whatever it holds. */
const WRITER =
  /(?:\.(?:ya?ml|json|ign|bu|toml|xml|tf|hcl|nix|pp|rb|sls|py|sh|bash|ps1|ks|service)|\/(?:Dockerfile|Containerfile)[^/]*|\.dockerfile)$/i;

/** Names that leave no doubt: sshd_config and its drop-ins. */
const NAMED = /\/sshd_config(?:\.d\/[^/]+\.conf)?$/;
const CALLED_SSHD = /sshd[^/]*$/i;

function lookAt(search: Search, inside: string, entry: Dirent<Buffer>): void {
  const path = join(search.folder, inside);
  // from the root of this machine: its folder may be the one that was given
  const bare = join(resolve(search.folder), inside).replace(TEMPLATE_ENDING, "");
  if (entry.isSymbolicLink() && !isFileInside(search, path, bare)) return;
  if (!NAMED.test(bare) && (OTHER_ENDING.test(bare) || DOCUMENTATION.test(bare))) return;
  const isFile = entry.isFile() || entry.isSymbolicLink();
  const read = isFile ? readText(path) : { failed: "no file" as const };
  if ("text" in read) judge(search, path, bare, read.text);
  // what cannot be read is told by the audit
  else if (NAMED.test(bare)) search.found.push({ path, template: null });
  else if (read.failed === "too-large") search.passed.push({ kind: "too-large", path });
  else if (read.failed === "unreadable") search.passed.push({ kind: "unreadable", what: "file", path });
}

/** Else where it leads is said, as far as there may be something about sshd. */
function isFileInside({ top, passed }: Search, path: string, bare: string): boolean {
  const target = targetOf(path);
  if (target !== null && isBelow(target.path, top)) return target.kind !== "folder";
  const mayMatter = target?.kind === "folder" || CALLED_SSHD.test(bare) || NAMED.test(bare);
  const isConfig = target?.kind === "file" && /\.(?:conf|cfg)$/i.test(bare);
  if (mayMatter || isConfig) passed.push({ kind: "link", path });
  return false;
}

interface Target {
  readonly path: string;
  readonly kind: "file" | "folder";
}

function targetOf(path: string): Target | null {
  try {
    const real = realPath(path);
    return { path: real, kind: statSync(bytesOf(real)).isDirectory() ? "folder" : "file" };
  } catch {
    return null;
  }
}

function judge(search: Search, path: string, bare: string, whole: string): void {
  const isCalledSshd = CALLED_SSHD.test(bare);
  // sshd takes a NUL; elsewhere it tells what is no text
  if (!isCalledSshd && !NAMED.test(bare) && whole.slice(0, 8000).includes("\0")) return;
  if (!isCalledSshd && !NAMED.test(bare) && !mayBeAboutSshd(whole)) return;
  const text = whole.slice(0, BEGINNING);
  const isOne = NAMED.test(bare) || (!WRITER.test(bare) && isConfiguration(text, { isCalledSshd }));
  const template = isOne || isTemplateByName(path, bare) ? templateOf(path, text) : null;
  if (isOne || template !== null) {
    search.found.push({ path, template });
    if (template === null) tellIncludes(search, path, text);
    return;
  }
  const setting = bare.endsWith(".txt") ? null : settingWithin(path.slice(search.folder.length), whole);
  if (setting !== null) search.passed.push({ kind: "settings", path, ...setting });
}

/** Of a template the placeholders may be all that there is. */
function isTemplateByName(path: string, bare: string): boolean {
  return TEMPLATE_ENDING.test(path) && /sshd_config[^/]*$/.test(bare) && !WRITER.test(bare);
}

/** Relative patterns and those below /etc/ssh are looked for beside the file, by the name that it has here. */
function tellIncludes({ top, passed }: Search, path: string, text: string): void {
  const folder = realPath(join(path, ".."));
  for (const { line, pattern } of includedPatterns(text)) {
    const place = resolve(folder, pattern.replace(/^\/etc\/ssh\//, ""));
    if (!isBelow(place, top)) passed.push({ kind: "include", path, line, pattern });
  }
}

/** latin1. Another kind of file may stand there by now: nothing waits for the other end of a pipe. */
function readText(
  path: string,
): { readonly text: string } | { readonly failed: "no file" | "too-large" | "unreadable" } {
  let handle: number | null = null;
  try {
    handle = openSync(bytesOf(path), constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = fstatSync(handle);
    if (!stats.isFile()) return { failed: "no file" };
    if (stats.size > MAX_FILE_BYTES) return { failed: "too-large" };
    const bytes = Buffer.allocUnsafe(stats.size);
    return { text: bytes.toString("latin1", 0, readSync(handle, bytes, 0, stats.size, 0)) };
  } catch {
    return { failed: "unreadable" };
  } finally {
    if (handle !== null) closeSync(handle);
  }
}
