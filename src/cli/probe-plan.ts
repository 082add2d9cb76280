/** From a configuration to the job of a sandbox: which connections, what is tried on them, what it takes. */
import { ownOptions, type SandboxChange, sandboxFiles } from "../config/sandbox.ts";
import { accountsOf } from "../files/accounts.ts";
import type { Account } from "../files/tree.ts";
import type { Job, Listen } from "../forward/job.ts";
import type { ProbePlace } from "../policy/attempt.ts";
import type { Connection } from "../policy/connection.ts";
import { readKeyOptions } from "../policy/login-key.ts";
import { type PlannedConnection, planConnection, type Subject } from "./probe-connection.ts";
import type { Target } from "./target.ts";

export interface ProbePlan {
  readonly job: Job;
  readonly connections: readonly PlannedConnection[];
  readonly changes: readonly SandboxChange[];
}

/** Whose shells and numbers are kept. */
export function knownAccounts(target: Target): readonly Account[] | null {
  return target.accounts ?? (target.live ? accountsOf(target.tree) : null);
}

/** Which sshd is started where: src/cli/probe-ground.ts. */
export interface Ground {
  readonly place: Omit<ProbePlace, "asRoot" | "key">;
  /** of the configuration, as the sshd sees it */
  readonly folder: string;
  /** where it listens, so that all these connections can be made */
  readonly listen: (planned: readonly PlannedConnection[]) => readonly Listen[];
  /** what its loopback must have beside that of every machine */
  readonly addresses: (planned: readonly PlannedConnection[]) => readonly string[];
}

/** `sshd`: absolute path of the program. */
export function planProbe(
  subject: Subject,
  connections: readonly Connection[],
  { sshd, ground }: { readonly sshd: string; readonly ground: Ground },
): ProbePlan {
  const { config, keyOptions } = subject;
  const kind = ground.place.kind === "sandbox" ? "root" : "self";
  const place = { ...ground.place, key: readKeyOptions(keyOptions) };
  const planned = connections.map((connection) => planConnection(subject, connection, place));
  const { changes, files, options } = filesFor(subject, ground.folder, kind);
  return {
    changes,
    connections: planned,
    job: {
      kind,
      sshd,
      keyOptions,
      options: [...ownOptions(config, ownFiles(ground.folder, kind)), ...options],
      files,
      listen: ground.listen(planned),
      addresses: ground.addresses(planned),
      connections: planned.map(({ job }) => job),
    },
  };
}

function ownFiles(folder: string, kind: Job["kind"]): Parameters<typeof ownOptions>[1] {
  return {
    folder,
    hostKey: `${folder}/host_key`,
    authorizedKeys: `${folder}/authorized_keys`,
    asRoot: kind === "root",
  };
}

function filesFor(
  { config, tree }: Subject,
  folder: string,
  kind: Job["kind"],
): ReturnType<typeof sandboxFiles> {
  const realPathOf = (path: string): string => tree.stat(path)?.realPath ?? path;
  return sandboxFiles(config, { folder, asRoot: kind === "root", realPathOf });
}
