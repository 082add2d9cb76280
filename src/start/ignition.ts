/** What Ignition changes at a first boot, as far as configurations in the image itself say it (Fedora CoreOS, Flatcar). Nothing is run. */
import { posix } from "node:path";
import { MAX_TEXT_BYTES, textOf } from "../files/file-text.ts";
import { joined } from "../files/path.ts";
import type { FileTree } from "../files/tree.ts";
import type { Edit } from "./shell-reading.ts";

/** It has run: what it wrote is there. */
const RESULT = "/etc/.ignition-result.json";
const BASE = "base.d";
/** What is asked for where its folder is there, which is nearly nowhere. */
const PLACES = [
  { folder: "/usr/lib/ignition", file: "user.ign" },
  { folder: "/boot/ignition", file: "config.ign" },
  { folder: "/usr/share/oem", file: "config.ign" },
];

const SSHD_UNIT = /^sshd?[@.]/;
/** Other units ask for host keys, or make them. */
const CONFIGURATION = /\/etc\/ssh(?!\/ssh_host|\w)/;

type Json = Readonly<Record<string, unknown>>;

export function ignitionEdits(tree: FileTree): readonly Edit[] {
  const places = PLACES.filter(({ folder }) => tree.stat(folder) !== null);
  if (places.length === 0 || tree.stat(RESULT) !== null) return [];
  const paths = places.flatMap(({ folder, file }) => {
    const base = joined(folder, BASE);
    const more = (tree.list(base) ?? []).filter((name) => name.endsWith(".ign"));
    return [...more.map((name) => joined(base, name)), joined(folder, file)];
  });
  return paths.flatMap((path) => {
    const size = tree.stat(path)?.size ?? 0;
    if (size > MAX_TEXT_BYTES) return [{ path, mayBy: "more than is read" }];
    return editsIn(textOf(tree, path) ?? "{}", path);
  });
}

function editsIn(text: string, path: string): readonly Edit[] {
  const config = parsed(text);
  const { ignition, storage, systemd } = config;
  const { merge, replace } = record(record(ignition)["config"]);
  const isFromElsewhere = items(merge).length > 0 || typeof record(replace)["source"] === "string";
  const named = ["files", "links"].flatMap((key) => items(record(storage)[key]));
  const units = items(record(systemd)["units"]).map(record);
  const meant = units.filter(
    ({ name, contents }) =>
      textsOf(name).some((each) => SSHD_UNIT.test(each)) ||
      textsOf(contents).some((each) => CONFIGURATION.test(each)),
  );
  return [
    ...named
      .flatMap((each) => textsOf(record(each)["path"]))
      .map((file) => ({ path, file: changedAt(file) })),
    ...meant.flatMap(({ name }) => textsOf(name)).map((name) => ({ path, mayBy: `its own ${name}` })),
    ...(isFromElsewhere ? [{ path, mayBy: "what Ignition fetches" }] : []),
  ];
}

/** A link in the place of a folder brings another configuration. */
function changedAt(given: string): string {
  const path = posix.normalize(given).replace(/\/$/, "");
  if (path === "/etc/ssh/sshd_config.d") return `${path}/*.conf`;
  return path === "/etc/ssh" || path === "/etc" ? "/etc/ssh/sshd_config" : path;
}

/** What is no JSON Ignition does not take either. */
function parsed(text: string): Json {
  try {
    return record(JSON.parse(text));
  } catch {
    return {};
  }
}

function record(value: unknown): Json {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function items(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function textsOf(value: unknown): readonly string[] {
  return typeof value === "string" ? [value] : [];
}
