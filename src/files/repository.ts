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
import { join, sep } from "node:path";
import { lookUpKeyword } from "../../grammar/keywords.ts";
import { NEWEST } from "../../grammar/release.ts";

export interface Discovered {
  /** below the folder that was given, with it in front; latin1, as all paths here: names may be no UTF-8 */
  readonly path: string;
  /** the language of its placeholders; null: a plain configuration */
  readonly template: "Jinja" | "ERB" | "shell" | null;
}

/** Folders of other people's code, and of version control. */
const SKIPPED = new Set([".git", ".hg", ".svn", "node_modules", ".terraform", ".venv"]);
/** Ours: no configuration is longer, and content is looked at for candidates only. */
const MAX_BYTES = 1024 * 1024;

/** @throws where the folder cannot be read */
export function findConfigurations(folder: string): readonly Discovered[] {
  const top = realPath(folder);
  const found: Discovered[] = [];
  const pending = [folder];
  for (let current = pending.pop(); current !== undefined; current = pending.pop()) {
    for (const entry of entriesOf(current)) {
      const name = entry.name.toString("latin1");
      const path = join(current, name);
      if (entry.isDirectory()) {
        if (!SKIPPED.has(name)) pending.push(path);
      } else if (isCandidate(path) && isInside(path, top)) {
        const discovered = discover(path);
        if (discovered !== null) found.push(discovered);
      }
    }
  }
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function entriesOf(folder: string): readonly Dirent<Buffer>[] {
  try {
    return readdirSync(bytesOf(folder), { withFileTypes: true, encoding: "buffer" });
  } catch {
    return [];
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

/** sshd_config and its copies by any suffix, drop-ins, and files whose name leaves it to their content. */
function isCandidate(path: string): boolean {
  const name = path.slice(path.lastIndexOf("/") + 1).replace(TEMPLATE_ENDING, "");
  if (OTHER_ENDING.test(name)) return false;
  return (
    /sshd/.test(name) ||
    /\/sshd_config\.d\/[^/]+\.conf$/.test(path.replace(TEMPLATE_ENDING, "")) ||
    /\.(?:conf|cfg)$/.test(name)
  );
}

function discover(path: string): Discovered | null {
  const text = readStart(path);
  // sshd takes a NUL, and what cannot be read here is told by the audit: neither may pass for a file that is none
  if (IS_MAIN.test(path) && (text === null || text.includes("\0"))) return { path, template: null };
  if (text === null || text.includes("\0")) return null;
  return isConfiguration(path, text) ? { path, template: templateOf(path, text) } : null;
}

function templateOf(path: string, text: string): Discovered["template"] {
  if (/\{\{|\{%/.test(text) || /\.(?:j2|jinja2?)$/.test(path)) return "Jinja";
  if (/<%/.test(text) || /\.(?:erb|epp)$/.test(path)) return "ERB";
  return /\$\{[A-Za-z_]/.test(text) && TEMPLATE_ENDING.test(path) ? "shell" : null;
}

const IS_MAIN = /\/sshd_config(?:\.d\/[^/]+\.conf)?$/;

/** Keywords that a client's configuration or another program's does not have. */
const TELLING =
  /^(?:allowtcpforwarding|allowstreamlocalforwarding|permitrootlogin|authorizedkeysfile|subsystem|allowusers|denyusers|allowgroups|denygroups|x11forwarding|permitopen|permitlisten|hostkey|usepam|maxauthtries|clientaliveinterval|permitemptypasswords|passwordauthentication|disableforwarding)$/;

/**
 * A name that says so needs half of its lines to be sshd's (an empty file counts); another name needs three keywords that
 * only sshd has, and nearly all lines.
 */
function isConfiguration(path: string, text: string): boolean {
  const words = text.split("\n").flatMap((line) => {
    const word = /^[ \t]*([A-Za-z0-9]+)[ \t=]/.exec(line)?.[1];
    return word === undefined || /^[ \t]*(?:#|\{|<)/.test(line) ? [] : [word];
  });
  const known = words.filter((word) => isKeyword(word)).length;
  if (IS_MAIN.test(path)) return words.length === 0 || known * 2 >= words.length;
  if (/sshd/.test(path.slice(path.lastIndexOf("/") + 1))) return known > 0 && known * 2 >= words.length;
  const telling = new Set(words.map((word) => word.toLowerCase()).filter((word) => TELLING.test(word)));
  return telling.size >= 3 && known * 10 >= words.length * 9;
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
