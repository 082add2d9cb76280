/** What a call is about: a configuration as it was found, whose it is, and by what it is judged. */
import { isRefusal } from "../../grammar/problem.ts";
import { formatRelease, type Release } from "../../grammar/release.ts";
import type { Config } from "../config/config.ts";
import type { LoadOptions } from "../config/load.ts";
import type { Image } from "../files/image.ts";
import { unprivilegedPortStart } from "../files/port-limit.ts";
import type { Account, FileTree } from "../files/tree.ts";
import type { ExposureOptions } from "../policy/exposure.ts";
import type { Judged } from "../report/judged.ts";
import type { Skipped } from "../report/report.ts";
import type { Alike, Kinds } from "./alike.ts";

export interface TargetOptions {
  readonly root?: string;
  /** a tree of configuration in which the files are looked for (audit) */
  readonly repo?: string;
  /** a folder outside of which nothing is read for FILEs: that of --repo */
  readonly within?: string;
  readonly image?: readonly string[];
  /** of a share of images: how many threads have one */
  readonly imageThreads?: number;
  readonly platform?: string;
  readonly openssh?: string;
  readonly o?: readonly string[];
  readonly asHost?: boolean;
  readonly stdinFilename?: string;
  readonly accounts?: readonly string[];
  /** of an audit of several FILEs: the kinds that it has met so far */
  readonly kinds?: Kinds;
}

export interface Target {
  /** as the user named it, latin1 */
  readonly name: string;
  readonly tree: FileTree;
  /** the main file inside the tree */
  readonly path: string;
  readonly loadOptions: LoadOptions;
  /** of one of many FILEs it is loaded whenever it is asked for */
  readonly config: Config;
  readonly release: Release;
  readonly releaseSource: string;
  /** nobody said which release it is, and none was found */
  readonly releaseAssumed: boolean;
  /** accounts that the target has today, for labels; null where none are known */
  readonly accounts: readonly Account[] | null;
  /** nobody but these may exist; null: anybody may (--accounts open) */
  readonly world: readonly Account[] | null;
  readonly accountsText: string;
  /** why its accounts, or the options that sshd is started with, may not be all there are; empty otherwise */
  readonly limits: readonly string[];
  /** what is taken for granted of how its sshd is started */
  readonly assumptions: readonly string[];
  /** findings of this file alone are shown: a drop-in given as FILE; its path inside the tree after links */
  readonly onlyRealPath: string | null;
  /** a drop-in that no main file includes: what it does not set is unknown */
  readonly fragment: boolean;
  readonly checkCommand: string;
  /** the file that holds sshd's own start options, where some count */
  readonly startSource: string | null;
  /** what `--fix` may write: a folder inside the tree */
  readonly writableFolder: string;
  /** the folder on this machine that is the tree's `/`, without a slash at its end, latin1 */
  readonly rootFolder: string;
  /** the file of this host's own sshd: never written without test and restart */
  readonly live: boolean;
  /** the bytes of standard input, where they are the main file */
  readonly stdin: Uint8Array | null;
  /** the image that it is in, where it is in one */
  readonly image: Image | null;
  /** by what an audit would tell this FILE from others of the run; null where it is told by more than its text */
  readonly alike: Alike | null;
}

/** There is no sshd in a system, so there is nothing to judge; or a file of a repository is only named. */
export interface Absent {
  readonly name: string;
  readonly absent: string;
  readonly skipped?: Skipped;
}

/** A target that cannot be read does not stop the others. */
export interface Unreadable {
  readonly name: string;
  readonly error: string;
}

export type Opened = Target | Unreadable;

/** Wrong usage: nothing is analysed. */
export interface Misuse {
  readonly misuse: string;
}

/** "9.2p1": how the release of a target is shown. */
export function releaseText(target: Target): string {
  return formatRelease(target.release);
}

/** A server's own system, so that its permissions and kernel settings mean something: no checkout's. */
export function isServer({ live, rootFolder, image }: Target): boolean {
  return live || rootFolder !== "" || image !== null;
}

/** By what it is judged, for reports. */
export function judgedOf(target: Target): Judged {
  const { accountsText, releaseSource, startSource } = target;
  const options = startSource === null ? "" : `; with the options of ${startSource}`;
  return {
    openssh: releaseText(target),
    opensshSource: releaseSource,
    accounts: `${accountsText}${options}`,
  };
}

/** A file that sshd refuses opens nothing, and has no values: there is no service. */
export function whyRefused({ config, name }: Pick<Target, "config" | "name">): string | null {
  const problem = config.problems.find(isRefusal);
  return problem === undefined
    ? null
    : `${name}: sshd refuses this configuration: ${problem.sshdText} ("sshd-policy check" names all errors)`;
}

/** Who may exist for this target, and which ports need a privilege there. */
export function worldOf(
  target: Target,
): Required<Pick<ExposureOptions, "accounts" | "unprivilegedPortStart">> {
  return {
    accounts: target.world,
    unprivilegedPortStart: isServer(target) ? unprivilegedPortStart(target.tree) : null,
  };
}
