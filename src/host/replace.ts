/**
 * Replaces a file's bytes atomically, or not at all: a new file in the same folder with the old one's mode, owner, ACL,
 * extended attributes and label, synced, renamed over it, and the folder synced.
 */

import { randomBytes } from "node:crypto";
import { folderOf } from "../files/path.ts";
import { type HoldingMachine, whileHolding } from "./held-folders.ts";
import { type FileStatus, type Machine, messageOf } from "./machine.ts";

export interface Replacement {
  /** real path on this machine, without links in any part */
  readonly path: string;
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

export type ReplaceResult =
  | { readonly kind: "replaced" }
  | { readonly kind: "refused"; readonly because: string };

/** Where nothing has to be tested or restarted: all files, or none of them. */
export async function replaceFiles(
  machine: Machine,
  replacements: readonly Replacement[],
): Promise<ReplaceResult> {
  return whileHolding(machine, replacements, (held) => replaceHeld(held, replacements));
}

async function replaceHeld(
  machine: HoldingMachine,
  replacements: readonly Replacement[],
): Promise<ReplaceResult> {
  // names that nobody can have prepared: the folder may be somebody else's
  const run = randomBytes(8).toString("hex");
  const staged = replacements.map((replacement) => ({
    ...replacement,
    newTwin: twinPath(replacement.path, "new", run),
    oldTwin: twinPath(replacement.path, "old", run),
  }));
  const swapped: (typeof staged)[number][] = [];
  // one file is new or old by its rename alone; not every file system has hard links
  const ownLinks = staged.length > 1 ? 1 : 0;
  let at = staged[0]?.path ?? "";
  try {
    for (const file of staged) {
      at = file.path;
      refuseIf(whyNotReplaceable(machine, file));
      await makeTwin(machine, file, file.newTwin);
      if (ownLinks > 0) machine.link(file.path, file.oldTwin);
    }
    for (const file of staged) {
      at = file.path;
      // the last look before the swap: whoever edits the file at the same time must not lose that
      refuseIf(whyNotReplaceable(machine, file, { ownLinks }));
      machine.rename(file.newTwin, file.path);
      swapped.push(file);
    }
  } catch (error) {
    const because = error instanceof Refused ? error.message : whyFailed(at, error);
    const stuck = swapped.filter((file) => !isPutBack(machine, file));
    removeTwins(
      machine,
      staged.filter((file) => !stuck.includes(file)),
    );
    const told = stuck.map(({ path, oldTwin }) => `NOT put back is ${path}: its old text is ${oldTwin}`);
    return { kind: "refused", because: [because, ...told].join("; ") };
  }
  removeTwins(machine, staged);
  // a folder that may be written but not read cannot be synced; after a power cut each file is the old or the new one
  for (const { path } of staged) quietly(() => machine.sync(folderOf(path)));
  return { kind: "replaced" };
}

interface Twins {
  readonly path: string;
  readonly newTwin: string;
  readonly oldTwin: string;
}

function isPutBack(machine: Machine, { path, oldTwin }: Twins): boolean {
  return quietly(() => machine.rename(oldTwin, path));
}

/** What could not be written before cannot be removed now; the reason of the first failure is told. */
function removeTwins(machine: Machine, files: readonly Twins[]): void {
  for (const { newTwin, oldTwin } of files) {
    quietly(() => machine.unlink(newTwin));
    quietly(() => machine.unlink(oldTwin));
  }
}

/** Whether it went well. */
function quietly(act: () => void): boolean {
  try {
    act();
    return true;
  } catch {
    return false;
  }
}

class Refused extends Error {}

function refuseIf(because: string | null): void {
  if (because !== null) throw new Refused(because);
}

/** Beside the file; Include patterns that a person writes match neither the dot in front nor the name behind it. */
export function twinPath(path: string, what: "new" | "old", run: string): string {
  const name = path.slice(path.lastIndexOf("/") + 1);
  // 255 bytes is the limit of a name (NAME_MAX); the twins of files with one long beginning differ in their run's part
  return `${folderOf(path)}/.${name.slice(0, 180)}.sshd-policy-${run}-${what}`.replace("//", "/");
}

/** Why this file must not or cannot be replaced by another one; null when it can. */
export function whyNotReplaceable(
  machine: HoldingMachine,
  { path, before }: Pick<Replacement, "path" | "before">,
  { ownLinks }: { readonly ownLinks: number } = { ownLinks: 0 },
): string | null {
  // what is held may have been moved: nobody would look for the file there
  if (!machine.isInPlace(folderOf(path))) return whyMoved(path);
  const status = machine.status(path);
  if (status === null) return `${path} is gone`;
  if (status.kind !== "file") return `${path} is not a regular file`;
  if (status.hardLinks > 1 + ownLinks) {
    const leftover = twinOf(machine, path, status);
    if (leftover !== null && ownLinks === 0)
      return `${path} has a second name, ${leftover}, which an interrupted run left: remove that name`;
    return `${path} has ${status.hardLinks} hard links: replacing it would cut the others off; edit it by hand, or copy it first`;
  }
  return hasBytes(machine, path, before) ? null : `${path} was changed by somebody else meanwhile: run again`;
}

function whyMoved(path: string): string {
  return `${folderOf(path)} is no longer the folder it was: run again`;
}

/** The same inode under a name that a run gave it, of which no journal tells any more. */
function twinOf(machine: Machine, path: string, { inode }: FileStatus): string | null {
  const beside = (machine.list(folderOf(path)) ?? []).map((name) => `${folderOf(path)}/${name}`);
  const twins = beside.filter((name) => name.startsWith(twinPath(path, "old", "").slice(0, -"-old".length)));
  return twins.find((twin) => machine.status(twin)?.inode === inode) ?? null;
}

export function hasBytes(machine: Machine, path: string, bytes: Uint8Array): boolean {
  const now = machine.readFile(path);
  return now !== null && Buffer.compare(now, bytes) === 0;
}

/** The file as it will be, at `twin`, with everything the old one carries, on the disk. */
export async function makeTwin(
  machine: HoldingMachine,
  { path, after }: Pick<Replacement, "path" | "after">,
  twin: string,
): Promise<void> {
  const old = machine.status(path);
  if (old === null) throw new Error(`${path} is gone`);
  await copyAttributes(machine, path, { twin, old });
  machine.write(twin, after);
  machine.setOwnerAndMode(twin, old);
  machine.sync(twin);
}

/** GNU cp keeps what Node.js has no function for: ACLs, extended attributes, the SELinux label. */
async function copyAttributes(
  machine: HoldingMachine,
  path: string,
  { twin, old }: { readonly twin: string; readonly old: FileStatus },
): Promise<void> {
  if (machine.status(twin) !== null) throw new Error(`${twin} is there already: remove it`);
  // whoever owns the folder can put a link there right now: removed first, it is not followed (cp creates with O_EXCL then)
  const safely = ["--remove-destination", "--no-dereference", "-T"];
  const { place, handles } = machine.forProgram(folderOf(path));
  const names = [path, twin].map((name) => `${place}/${name.slice(name.lastIndexOf("/") + 1)}`);
  const argv = ["cp", "--attributes-only", "--preserve=all", ...safely, "--", ...names];
  const { status, stderr, failed } = await machine.run(argv, { handles });
  if (status === 0) return;
  machine.unlink(twin);
  // what keeps anything from being made there is told in the system's words
  machine.create(twin);
  machine.unlink(twin);
  // without GNU cp a plain twin is right only where the file carries nothing but mode and owner
  if (machine.self.platform === "linux" && failed === null)
    throw new Error(
      `its attributes cannot be copied (that needs the cp of GNU coreutils): ${stderr.split("\n", 1)[0] ?? ""}`,
    );
  machine.create(twin);
  machine.setOwnerAndMode(twin, old);
}

/** An error of the operating system in words that say what to do. */
export function whyFailed(path: string, error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "EPERM")
    return `${path} cannot be replaced: it or its folder is immutable (lsattr), or not yours`;
  if (code === "ELOOP") return whyMoved(path);
  if (code === "EACCES") return `${path} cannot be replaced: no permission to write in ${folderOf(path)}`;
  if (code === "EROFS") return `${path} cannot be replaced: the file system is read-only`;
  if (code === "ENOSPC") return `${path} cannot be replaced: no space left`;
  if (code === "EXDEV" || code === "EBUSY")
    return `${path} cannot be replaced: it is mounted there by itself (a container's volume); change it where it comes from`;
  return `${path} cannot be replaced: ${messageOf(error)}`;
}
