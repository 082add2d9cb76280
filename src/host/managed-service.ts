/** What a service manager says of an sshd: how it is restarted, reloaded and asked for. */
import type { Daemon } from "./daemon.ts";
import type { Endpoint } from "./sockets.ts";

export const MANAGER_KINDS = [
  "systemd",
  "systemd-socket",
  "systemd-instances",
  "openrc",
  "runit",
  "sysv",
  "foreground",
  "given",
  "stopped",
  "unknown",
] as const;

export type ManagerKind = (typeof MANAGER_KINDS)[number];

/** argv of a command. */
export type Command = readonly string[];

/** As a person types it: the text of /bin/sh -c is one word. */
export function typedCommand({ kind }: Pick<Managed, "kind">, command: Command): string {
  return kind === "given" ? (command.at(-1) ?? "") : command.join(" ");
}

export interface Service {
  readonly kind: ManagerKind;
  /** "ssh.service (systemd)": for people */
  readonly name: string;
  /** the listening sshd; null where none runs now */
  readonly daemon: Daemon | null;
  /** where connections are accepted, by the daemon or by systemd for it */
  readonly listens: readonly Endpoint[];
  /** further sshds that listen with the same configuration, which nothing here restarts */
  readonly others: readonly Daemon[];
  /** null: nothing is to be run, or (unknown) nothing is known */
  readonly restart: Command | null;
  readonly reload: Command | null;
  /** exit code 0 while the service is active; null: only the process tells */
  readonly status: Command | null;
  /** what the owner must do or know; null: nothing */
  readonly advice: string | null;
  /** a restart ends the sessions that share its cgroup, instead of the listening process alone */
  readonly killsSessions: boolean;
}

/** A service without the processes that belong to it. */
export type Managed = Omit<Service, "daemon" | "others">;

export function managed(facts: Partial<Managed> & Pick<Managed, "kind" | "name">): Managed {
  const nothing = {
    restart: null,
    reload: null,
    status: null,
    advice: null,
    listens: [],
    killsSessions: false,
  };
  return { ...nothing, ...facts };
}

export const ASK = "give its restart command with --restart-command";

export const STOPPED: Managed = managed({
  kind: "stopped",
  name: "sshd",
  advice: "no sshd that reads these files is running: they count from its next start",
});
