/**
 * The sshd_config files in a tree of configuration, by name and content: what a repository of Ansible, Puppet, Chef or
 * image sources holds. Symbolic links are followed for files inside the folder alone; nothing outside is opened.
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
} from "node:fs";
import { join, resolve, sep } from "node:path";
import { lookUpKeyword } from "../../grammar/keywords.ts";
import { NEWEST } from "../../grammar/release.ts";

export interface Discovered {
  /** below the folder that was given, with it in front; latin1, as all paths here: names may be no UTF-8 */
  readonly path: string;
  /** the language of its placeholders; null: a plain configuration */
  readonly template: "Jinja" | "ERB" | "EPP" | "Go" | "shell" | null;
}

export interface Discoveries {
  readonly found: readonly Discovered[];
  /** folders that cannot be read */
  readonly unread: readonly string[];
  /** other files that hold lines of an sshd_config: cloud-init's, ConfigMaps, heredocs */
  readonly holders: readonly Holder[];
  /** links by such a name that lead out of the folder, or nowhere */
  readonly leading: readonly string[];
}

export interface Holder {
  readonly path: string;
  /** the first of its lines that only sshd has a keyword for, from 1 */
  readonly line: number;
}

/** Folders of other people's code, and of version control. */
const SKIPPED = new Set([".git", ".hg", ".svn", "node_modules", ".terraform", ".venv"]);
/** Ours: no configuration is longer, and content is looked at for candidates only. */
const MAX_BYTES = 1024 * 1024;

/** @throws where the folder itself is not there */
export function findConfigurations(folder: string): Discoveries {
  const top = realPath(folder);
  const whole = resolve(folder);
  const found: Discovered[] = [];
  const unread: string[] = [];
  const leading: string[] = [];
  const holders: Holder[] = [];
  const pending = [""];
  for (let current = pending.pop(); current !== undefined; current = pending.pop()) {
    const entries = entriesOf(join(folder, current));
    if (entries === null) unread.push(join(folder, current));
    for (const entry of entries ?? []) {
      const name = entry.name.toString("latin1");
      const inside = join(current, name);
      if (entry.isDirectory()) {
        if (!SKIPPED.has(name)) pending.push(inside);
        continue;
      }
      const path = join(folder, inside);
      const bare = join(whole, inside).replace(TEMPLATE_ENDING, "");
      const mayHold = HOLDER.test(bare);
      if (!mayHold && !isCandidate(bare)) continue;
      if (entry.isSymbolicLink() && !isInside(path, top)) {
        if (NAMED.test(bare) || DROP_INS.test(bare)) leading.push(path);
        continue;
      }
      const discovered = isCandidate(bare) ? discover(path, bare) : null;
      if (discovered !== null) found.push(discovered);
      const line = mayHold && discovered === null ? lineWithin(path) : null;
      if (line !== null) holders.push({ path, line });
    }
  }
  return {
    found: found.sort((a, b) => (a.path < b.path ? -1 : 1)),
    unread: unread.sort(),
    holders: holders.sort((a, b) => (a.path < b.path ? -1 : 1)),
    leading: leading.sort(),
  };
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

function isInside(path: string, top: string): boolean {
  try {
    return realPath(path).startsWith(`${top}${top === sep ? "" : sep}`);
  } catch {
    return false;
  }
}

const TEMPLATE_ENDING = /\.(?:j2|jinja2?|erb|epp|tmpl|tpl|tftpl|in|template)$/;
/** Documentation and code about sshd_config is no configuration. */
const OTHER_ENDING =
  /\.(?:md|rst|adoc|txt|html?|ya?ml|json|toml|xml|py|rb|pp|ts|js|go|rs|c|h|sh|pl|lua|diff|patch|orig|png|svg|gz|lock)$/;

/** Names that leave no doubt: sshd_config and its copies by any suffix, and drop-ins. */
const NAMED = /\/sshd_config(?:\.d\/[^/]+\.conf)?$/;
const DROP_INS = /\/sshd_config\.d$/;
const COPY = /sshd_config[^/]*$/;

/** What writes whole files on other systems: cloud-init and Kubernetes, Terraform, Nix, Puppet, Chef, shells, Kickstart, Docker. */
const HOLDER =
  /(?:\.(?:ya?ml|tf|hcl|nix|pp|rb|sh|ks|cfg)|\/(?:Dockerfile|Containerfile)[^/]*|\.dockerfile|\/user-data)$/i;
/** Of so many keywords that only sshd has, each at the beginning of a line. */
const ENOUGH = 3;

/** The first line of an sshd_config inside another file; null where there is none. */
function lineWithin(path: string): number | null {
  const text = readStart(path) ?? "";
  if (!/sshd|openssh/i.test(text)) return null;
  const lines = text.split("\n").map((line) => wordOf(line)?.toLowerCase() ?? "");
  const telling = new Set(lines.filter((word) => TELLING.test(word)));
  return telling.size < ENOUGH ? null : 1 + lines.findIndex((word) => telling.has(word));
}

/** `bare`: the same path without a template's ending, from the root of this machine: its folder may be the one that was given. */
function discover(path: string, bare: string): Discovered | null {
  const text = readStart(path);
  // sshd takes a NUL, and what cannot be read here is told by the audit: neither may pass for a file that is none
  if (NAMED.test(bare) && (text === null || text.includes("\0"))) return { path, template: null };
  if (text === null || text.includes("\0")) return null;
  const template = templateOf(path, text);
  const isNamed = template !== null && (NAMED.test(bare) || COPY.test(bare));
  return isNamed || isConfiguration(bare, text) ? { path, template } : null;
}

/** By their names: those that say so, and those that leave it to their content. */
function isCandidate(bare: string): boolean {
  const name = bare.slice(bare.lastIndexOf("/") + 1);
  if (OTHER_ENDING.test(name)) return false;
  return /sshd/.test(name) || NAMED.test(bare) || /\.(?:conf|cfg)$/.test(name);
}

function templateOf(path: string, text: string): Discovered["template"] {
  const ending = TEMPLATE_ENDING.exec(path)?.[0] ?? "";
  if (/\{\{|\{%/.test(text)) return /^\.(?:tmpl|tpl)$/.test(ending) ? "Go" : "Jinja";
  if (ending.startsWith(".j")) return "Jinja";
  if (ending === ".epp") return "EPP";
  if (/<%/.test(text) || ending === ".erb") return "ERB";
  return ending !== "" && SHELL_VALUE.test(text) ? "shell" : null;
}

/** `${NAME}` anywhere, `$NAME` as a whole value (envsubst(1)): stock comments have `$OpenBSD: …$`. */
const SHELL_VALUE = /\$\{[A-Za-z_]|^[ \t]*[A-Za-z0-9]+[ \t]+"?\$[A-Za-z_]/m;

/** Keywords that a client's configuration or another program's does not have. */
const TELLING =
  /^(?:allowtcpforwarding|allowstreamlocalforwarding|permitrootlogin|authorizedkeysfile|subsystem|allowusers|denyusers|allowgroups|denygroups|x11forwarding|permitopen|permitlisten|hostkey|usepam|maxauthtries|clientaliveinterval|permitemptypasswords|passwordauthentication|disableforwarding)$/;

/** Of them those that a client's may have after all. */
const SHARED = new Set(["passwordauthentication"]);

/**
 * What is called sshd_config is one, whatever it says; sshd in its name needs half of its lines to be sshd's, another
 * name all of them and a keyword that only sshd has, or nearly all and three of these.
 */
function isConfiguration(bare: string, text: string): boolean {
  if (NAMED.test(bare)) return true;
  const words = text.split("\n").flatMap((line) => wordOf(line) ?? []);
  const known = words.filter((word) => isKeyword(word)).length;
  if (/sshd[^/]*$/.test(bare)) return known > 0 && known * 2 >= words.length;
  const telling = new Set(words.map((word) => word.toLowerCase()).filter((word) => TELLING.test(word)));
  if (telling.size >= ENOUGH) return known * 10 >= words.length * 9;
  return known === words.length && [...telling].some((word) => !SHARED.has(word));
}

/** The keyword of a line, if it has one; a template's code has none. */
function wordOf(line: string): string | null {
  return /^[ \t]*(?:[#{<])/.test(line) ? null : (/^[ \t]*([A-Za-z0-9]+)[ \t=]/.exec(line)?.[1] ?? null);
}

function isKeyword(word: string): boolean {
  const name = word.toLowerCase();
  return name === "match" || name === "include" || lookUpKeyword(word, NEWEST).status !== "unknown";
}

/** latin1; null for what is no regular file, or longer than any configuration. */
function readStart(path: string): string | null {
  let handle: number;
  try {
    handle = openSync(bytesOf(path), constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return null;
  }
  try {
    const stats = fstatSync(handle);
    if (!stats.isFile() || stats.size > MAX_BYTES) return null;
    const bytes = Buffer.alloc(stats.size);
    return bytes.toString("latin1", 0, readSync(handle, bytes, 0, stats.size, 0));
  } catch {
    return null;
  } finally {
    closeSync(handle);
  }
}
