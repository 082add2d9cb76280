/** The logins that sshd serves now, and what each forwards. A restart does not end them: they keep the old policy. */
import { titleOf } from "./daemon.ts";
import type { Machine } from "./machine.ts";
import { ancestors, isTrusted, listProcesses, type Process, startTime, textOf } from "./processes.ts";
import { type Endpoint, openFiles, type TcpSocket, tcpSockets } from "./sockets.ts";
import { distinctUses, readUses, type Use, unixPeers } from "./uses.ts";

export interface Session {
  /** the process that serves the user: ending it ends the session */
  readonly pid: number;
  /** with the pid it names the session for good; ticks since the boot */
  readonly started: number;
  /** the name that was logged in with, which Match User reads */
  readonly user: string;
  /** "pts/0"; empty: no terminal */
  readonly terminals: readonly string[];
  readonly since: Date;
  /** null: its socket was not found */
  readonly client: Endpoint | null;
  /** the address and port that the client came to; null with the client */
  readonly server: Endpoint | null;
  readonly uses: readonly Use[];
}

export async function openSessions(machine: Machine): Promise<readonly Session[]> {
  const all = listProcesses(machine);
  const peers = await unixPeers(machine);
  return all.flatMap((process) => {
    const login = readLogin(process, all);
    if (login === null || !isServed(machine, process, all)) return [];
    const files = openFiles(machine, process.pid);
    const table = tcpSockets(machine, process.pid);
    const tcp = table.filter(({ inode }) => files.sockets.has(inode));
    const connection = clientConnection(table, tcp);
    return [
      {
        pid: process.pid,
        started: process.started,
        ...login,
        since: new Date(startTime(machine, process)),
        client: connection?.remote ?? null,
        server: connection?.local ?? null,
        uses: distinctUses(
          readUses(machine, { pid: process.pid, files, tcp, peers }).filter(
            ({ socket }) => socket !== connection?.inode,
          ),
        ),
      },
    ];
  });
}

/** An accepted connection has the port of a listening socket; the process itself does not hold that one. */
function clientConnection(table: readonly TcpSocket[], own: readonly TcpSocket[]): TcpSocket | undefined {
  const listening = table.filter(({ state }) => state === "listening");
  const others = new Set(listening.filter((socket) => !own.includes(socket)).map(({ local }) => local.port));
  for (const socket of own) if (socket.state === "listening") others.delete(socket.local.port);
  return own.find(({ state, local }) => state === "established" && others.has(local.port));
}

type Login = Pick<Session, "user" | "terminals">;

/**
 * "alice@pts/0", "alice@notty", "alice" (a login without a session channel; session.c session_proctitle). The monitor is
 * "alice [priv]"; root's login has no other process (sshd.c privsep_postauth).
 */
function readLogin(process: Process, all: readonly Process[]): Login | null {
  const title = titleOf(process);
  if (title === null || process.words.length !== 1) return null;
  const match = /^(.+?)(?:@([^@ ]+)| (\[.*))?$/.exec(title);
  const [, user = "", terminals = "notty", mark = ""] = match ?? [];
  // a child of the session that serves files has a title, too (session.c do_child)
  const isChild = terminals === "internal-sftp";
  if (match === null || isChild || user.startsWith("[") || user.startsWith("/")) return null;
  if (mark !== "" && (mark !== "[priv]" || all.some(({ parent }) => parent === process.pid))) return null;
  return { user, terminals: terminals === "notty" ? [] : terminals.split(",") };
}

/** Served for root's monitor, or by it: any account can write such a title over its own processes. */
function isServed(machine: Machine, process: Process, all: readonly Process[]): boolean {
  const monitor = all.find(({ pid }) => pid === process.parent);
  const line = monitor === undefined || titleOf(monitor) === null ? [process] : [process, monitor];
  return line.some((one) => isTrusted(machine, one));
}

export type Origin =
  | { readonly kind: "session"; readonly session: Session }
  /** it came over SSH, by a session that is not open any more */
  | { readonly kind: "ended" }
  /** it did not come over SSH: a console, a timer */
  | { readonly kind: "console" };

/**
 * Where a process comes from: an ancestor of it serves a session, or (tmux, screen, whatever outlived its shell) was
 * started with a session's SSH_CONNECTION. sudo clears the environment, but not that of its ancestors.
 */
export function originOf(machine: Machine, sessions: readonly Session[], pid: number): Origin {
  const line = ancestors(listProcesses(machine), pid);
  const connections = line.flatMap((process) => connectionOf(machine, process) ?? []);
  const session =
    sessions.find((open) => line.some((process) => process.pid === open.pid)) ??
    sessions.find(({ client }) => connections.includes(printed(client)));
  if (session !== undefined) return { kind: "session", session };
  return { kind: connections.length === 0 ? "console" : "ended" };
}

/** "198.51.100.7 50022" of "SSH_CONNECTION=198.51.100.7 50022 192.0.2.1 22" (ssh(1), ENVIRONMENT). */
function connectionOf(machine: Machine, { pid }: Process): string | null {
  const environment = textOf(machine, `/proc/${pid}/environ`) ?? "";
  return /(?:^|\0)SSH_CONNECTION=(\S+ \d+) /.exec(environment)?.[1] ?? null;
}

function printed(client: Endpoint | null): string {
  return client === null ? "" : `${client.address} ${client.port}`;
}
