/** What the part of a probe inside the sandbox is told, one JSON line in, and what it answers, JSON lines out. */
import type { Request } from "../policy/attempt.ts";
import type { Observation } from "../policy/probed.ts";

export interface Job {
  /** absolute path of sshd in the sandbox's root folder */
  readonly sshd: string;
  /** "root": namespaces, sshd runs by chroot in `folder`; "self": the caller's own sshd on loopback */
  readonly kind: "root" | "self";
  /** in front of the key in authorized_keys; empty: none */
  readonly keyOptions: string;
  /** what sshd is given as -o, in order, without addresses */
  readonly options: readonly string[];
  /** the configuration: names inside the configuration folder, contents latin1; the first is the main file */
  readonly files: readonly { readonly name: string; readonly text: string }[];
  /** where the connections go to */
  readonly listen: readonly Listen[];
  /** added to the loopback interface; root only */
  readonly addresses: readonly string[];
  readonly connections: readonly ConnectionJob[];
}

export interface Listen {
  readonly address: string;
  readonly port: number;
}

export interface ConnectionJob {
  readonly user: string;
  readonly from: string;
  readonly to: Listen;
  /** contents of passwd, group, shadow and hosts for this connection; null: the machine's own */
  readonly accounts: AccountTexts | null;
  /** the server's root folder for this connection, "" where it is not changed */
  readonly chroot: string;
  /** the file that X11 forwarding needs */
  readonly xauth: string;
  readonly dialled: readonly string[];
  readonly attempts: readonly AttemptJob[];
}

export interface AccountTexts {
  readonly passwd: string;
  readonly group: string;
  readonly shadow: string;
  readonly hosts: string;
  readonly home: string;
  readonly uid: number;
  readonly gid: number;
}

export interface AttemptJob {
  readonly request: Request;
  /** for open-tcp: the address at which the probe itself listens */
  readonly listenAt: string;
  /** why it must not be tried here; null: it is tried */
  readonly untried: string | null;
}

/** Indexes are those of the job. */
export type Report =
  | { readonly kind: "started"; readonly sshd: string }
  | { readonly kind: "failed"; readonly because: string }
  | { readonly kind: "login"; readonly connection: number; readonly refused: string | null }
  | {
      readonly kind: "attempt";
      readonly connection: number;
      readonly attempt: number;
      readonly observation: Observation;
    };
