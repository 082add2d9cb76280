/**
 * What cloud-init changes of sshd's configuration at a first boot, as far as the image's own /etc/cloud says it: what a
 * cloud adds is known only there. Of its YAML only what such files hold is read. Nothing is run.
 */
import { MAX_TEXT_BYTES, textOf } from "../files/file-text.ts";
import type { FileTree } from "../files/tree.ts";
import { type Edit, editsBy, newSpent, type Situation } from "./shell-reading.ts";
import { startedBy, startedByScript } from "./shell-script.ts";
import { splitWords } from "./shell-words.ts";

const FOLDER = "/etc/cloud";
/** A cloud's own data, where the image brings it. */
const SEEDS = ["nocloud", "nocloud-net"].map((name) => `/var/lib/cloud/seed/${name}/user-data`);
const OWN_DROP_IN = "/etc/ssh/sshd_config.d/50-cloud-init.conf";

export function cloudInitEdits(tree: FileTree): readonly Edit[] {
  const isThere = [FOLDER, "/var/lib/cloud"].some((folder) => tree.stat(folder) !== null);
  if (!isThere || tree.stat(`${FOLDER}/cloud-init.disabled`) !== null) return [];
  const more = (tree.list(`${FOLDER}/cloud.cfg.d`) ?? []).filter((name) => name.endsWith(".cfg"));
  const paths = [`${FOLDER}/cloud.cfg`, ...more.map((name) => `${FOLDER}/cloud.cfg.d/${name}`), ...SEEDS];
  const unread = paths.filter((path) => (tree.stat(path)?.size ?? 0) > MAX_TEXT_BYTES);
  const files = paths.map((path) => ({
    path,
    text: unread.includes(path) ? "" : (textOf(tree, path) ?? ""),
  }));
  const situation: Situation = { tree, variables: new Map(), spent: newSpent() };
  const written = files.flatMap(({ path, text }) => [
    ...filesIn(blockOf(text, "write_files")).map((file) => ({ file, path })),
    ...["bootcmd", "runcmd"].flatMap((key) => editsIn(situation, path, blockOf(text, key))),
    ...(text.startsWith("#!") ? editsBy(startedByScript(path, [], situation), path) : []),
  ]);
  const perhaps = [
    ...unread.map((path) => ({ path, mayBy: "more than is read" })),
    ...SEEDS.filter((path) => !unread.includes(path) && isOtherKind(tree, path)).map((path) => ({
      path,
      mayBy: "user data of another kind than #cloud-config",
    })),
  ];
  return [...passwordEdits(tree, files), ...written, ...perhaps];
}

/** Several parts, what is included from elsewhere, compressed data (cloudinit/user_data.py). */
function isOtherKind(tree: FileTree, path: string): boolean {
  const size = tree.stat(path)?.size ?? 0;
  return (
    size > 0 && !/^\s*(?:$|#!|(?:##\s*template:.*\n)?#cloud-config\s)/.test(`${textOf(tree, path) ?? "?"}\n`)
  );
}

/** The last `ssh_pwauth` counts; one that closes what is open is not told of. */
function passwordEdits(
  tree: FileTree,
  files: readonly { readonly path: string; readonly text: string }[],
): readonly Edit[] {
  const last = files.findLast(({ text }) => /^ssh_pwauth:/m.test(text));
  const isOn = /^ssh_pwauth:[ \t]*["']?(?:true|yes|on|1)\b/im.test(last?.text ?? "");
  if (last === undefined || !isOn) return [];
  return /^PasswordAuthentication yes$/m.test(textOf(tree, OWN_DROP_IN) ?? "")
    ? []
    : [{ file: OWN_DROP_IN, path: last.path }];
}

/** The lines of a key of the document, without those of the next; with what stands beside the key. */
function blockOf(text: string, key: string): readonly string[] {
  const lines = text.split("\n");
  const at = lines.findIndex((line) => line.startsWith(`${key}:`));
  if (at === -1) return [];
  const end = lines.findIndex((line, index) => index > at && /^[^\s#-]/.test(line));
  const [first = "", ...rest] = lines.slice(at, end === -1 ? undefined : end);
  return [first.slice(key.length + 1), ...rest.filter((line) => !/^\s*#/.test(line))];
}

function filesIn(lines: readonly string[]): readonly string[] {
  const named = lines.join("\n").matchAll(/(?:^|[\s,{])path:[ \t]*(?:"([^"]*)"|'([^']*)'|([^\s,}]*))/g);
  return [...named].map(([, double, single, plain]) => double ?? single ?? plain ?? "");
}

function editsIn(situation: Situation, path: string, lines: readonly string[]): readonly Edit[] {
  return commandsIn(lines).flatMap((command) => editsBy(startedBy(command, situation), path));
}

/** `- [sed, -i, x]`, `- sed -i x`, `- |` with a script below it. */
function commandsIn(lines: readonly string[]): readonly (readonly string[])[] {
  const items: string[][] = [];
  const indent = lines.find((line) => /^\s*- /.test(line))?.search(/\S/) ?? 0;
  for (const line of lines)
    if (line.search(/\S/) === indent && line.startsWith("- ", indent)) items.push([line.slice(indent + 2)]);
    else items.at(-1)?.push(line);
  return items.map(commandOf);
}

function commandOf([first = "", ...rest]: readonly string[]): readonly string[] {
  const text = first.trim();
  if (text.startsWith("[")) return listed([text, ...rest].join(" "));
  if (text.startsWith("- "))
    return [text, ...rest].flatMap((line) => splitWords(line.trim().replace(/^- /, "")).join(" "));
  const scalar = /^[|>][-+\d]*$/.test(text) ? rest.join("\n") : [unquoted(text), ...rest].join(" ");
  return ["sh", "-c", scalar];
}

function listed(text: string): readonly string[] {
  const words = text.replace(/^\[|\][^\]]*$/g, "").match(/"[^"]*"|'[^']*'|[^,"'\s][^,]*/g) ?? [];
  return words.map((word) => unquoted(word.trim()));
}

function unquoted(text: string): string {
  const [, quote = "", inner = ""] = /^(["'])(.*)\1$/s.exec(text) ?? [];
  if (quote === "") return text;
  return quote === '"' ? inner.replaceAll(/\\(["\\])/g, "$1") : inner.replaceAll("''", "'");
}
