/** What the boot of a system that is not running changes of sshd's configuration, and which sshds its own scripts start. Nothing is run. */

import { joined } from "../files/path.ts";
import type { FileTree } from "../files/tree.ts";
import { cloudInitEdits } from "./cloud-init.ts";
import { ignitionEdits } from "./ignition.ts";
import { type Edit, editsBy, newSpent, type Situation } from "./shell-reading.ts";
import { startedByScript } from "./shell-script.ts";
import { optionsOf, type StartOptions } from "./sshd-options.ts";
import { tmpfilesEdits } from "./tmpfiles.ts";

export interface Boot {
  readonly edits: readonly Edit[];
  /** sshds that it starts beside the service */
  readonly starts: readonly StartOptions[];
}

/** `folder`: that of the main file, which a slash ends. */
export function bootOf(tree: FileTree, folder: string): Boot {
  const local = localScripts(tree);
  return {
    edits: [
      ...tmpfilesEdits(tree, folder),
      ...cloudInitEdits(tree),
      ...ignitionEdits(tree),
      ...extensionEdits(tree),
      ...local.edits,
    ],
    starts: local.starts,
  };
}

/** Those that outlast a boot. */
const EXTENSIONS = ["/var/lib", "/usr/lib", "/usr/local/lib"].map((above) => `${above}/confexts`);

/** What systemd-confext(8) lays over /etc: a folder's files; of an image nobody knows. */
function extensionEdits(tree: FileTree): readonly Edit[] {
  return EXTENSIONS.flatMap((folder) =>
    (tree.list(folder) ?? []).flatMap((name): readonly Edit[] => {
      const path = joined(folder, name);
      if (name.endsWith(".raw")) return [{ path, mayBy: "what systemd-confext(8) lays over /etc" }];
      const own = tree.stat(`${path}/etc/ssh`)?.kind === "folder" ? `${path}/etc/ssh` : null;
      const dropIns = own === null ? [] : (tree.list(`${own}/sshd_config.d`) ?? []);
      const names = [
        ...(own === null ? [] : (tree.list(own) ?? [])),
        ...dropIns.map((each) => `sshd_config.d/${each}`),
      ];
      return names.map((each) => ({ path, file: `/etc/ssh/${each}` }));
    }),
  );
}

const RC_LOCAL = ["/etc/rc.local", "/etc/rc.d/rc.local"];
/** OpenRC's (the service "local"). */
const LOCAL = "/etc/local.d";
const EXECUTABLE = 0o111;

/** The administrator's own, which run at the end of a boot where they may be run. */
function localScripts(tree: FileTree): Boot {
  const more = (tree.list(LOCAL) ?? []).filter((name) => name.endsWith(".start"));
  const paths = [...RC_LOCAL, ...more.map((name) => joined(LOCAL, name))];
  const situation: Situation = { tree, variables: new Map(), spent: newSpent() };
  const scripts = paths.filter((path) => {
    const entry = tree.stat(path);
    return entry?.kind === "file" && (entry.mode & EXECUTABLE) !== 0;
  });
  const read = scripts.map((path) => ({ path, started: startedByScript(path, ["start"], situation) }));
  return {
    edits: read.flatMap(({ path, started }) => editsBy(started, path)),
    // `service ssh restart` starts the one that there is
    starts: read.flatMap(({ path, started }) => {
      const starts = started.starts.filter((start) => start.path === path);
      const options = starts.length === 0 ? null : optionsOf({ ...started, starts }, path);
      if (options === null) return [];
      const { others = [], ...first } = options;
      return [first, ...others].map((each) => ({ ...each, source: each.source ?? path }));
    }),
  };
}
