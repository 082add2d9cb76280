/** What a session's process forwards now, read from the sockets that it holds: evidence of use before a cut. */
import type { Machine } from "./machine.ts";
import { type OpenFiles, printEndpoint, type TcpSocket, unixSockets } from "./sockets.ts";

export type UsedCapability =
  | "tcp-local"
  | "tcp-remote"
  | "unix-local"
  | "unix-remote"
  | "tun"
  | "x11"
  | "agent";

export interface Use {
  readonly capability: UsedCapability;
  /** where it leads (tcp-local, unix-local) or listens: "10.0.0.5:5432", "[::1]:9000", a path; "" for tun */
  readonly where: string;
  /** the inode of its socket; "" for tun */
  readonly socket: string;
}

export interface Held {
  readonly pid: number;
  readonly files: OpenFiles;
  /** its own sockets */
  readonly tcp: readonly TcpSocket[];
  /** the names at the other ends of unix sockets, by the inode at this end */
  readonly peers: ReadonlyMap<string, string>;
}

export function readUses(machine: Machine, held: Held): readonly Use[] {
  const tun = held.files.paths.includes("/dev/net/tun");
  return [
    ...tcpUses(held.tcp),
    ...unixUses(machine, held),
    ...(tun ? [{ capability: "tun", where: "", socket: "" } as const] : []),
  ];
}

/** Several connections to one place are one use, and so is a listener on both loopback addresses. */
export function distinctUses(uses: readonly Use[]): readonly Use[] {
  const keyOf = ({ capability, where }: Use): string => {
    const listens = capability === "tcp-remote" || capability === "x11";
    return `${capability} ${listens ? where.slice(where.lastIndexOf(":")) : where}`;
  };
  return [...new Map(uses.toReversed().map((use) => [keyOf(use), use])).values()].toReversed();
}

function tcpUses(tcp: readonly TcpSocket[]): readonly Use[] {
  const listening = tcp.filter(({ state }) => state === "listening");
  const ports = new Set(listening.map(({ local }) => local.port));
  const listeners = listening.map(({ inode, local }): Use => {
    const capability = isDisplay(local.port) ? "x11" : "tcp-remote";
    return { capability, where: printEndpoint(local), socket: inode };
  });
  // what came in through such a listener has its port; all else went out
  const outgoing = tcp.filter(({ state, local }) => state === "established" && !ports.has(local.port));
  return [
    ...listeners,
    ...outgoing.map(
      ({ inode, remote }): Use => ({ capability: "tcp-local", where: printEndpoint(remote), socket: inode }),
    ),
  ];
}

/** Display 10 and later are port 6010 and later (X11DisplayOffset; channels.c x11_create_display_inet, MAX_DISPLAYS). */
function isDisplay(port: number): boolean {
  return port >= 6010 && port < 7000;
}

function unixUses(machine: Machine, { pid, files, peers }: Held): readonly Use[] {
  const own = unixSockets(machine, pid).filter(({ inode }) => files.sockets.has(inode));
  const listening = own.filter(({ state, path }) => state === "listening" && path !== null);
  const listeners = listening.map(({ inode, path }): Use => {
    const capability = isAgent(path ?? "") ? "agent" : "unix-remote";
    return { capability, where: path ?? "", socket: inode };
  });
  const outgoing = own.flatMap(({ inode, path }): Use[] => {
    const peer = peers.get(inode);
    const isOurs = path !== null || peer === undefined || OF_THE_SYSTEM.test(peer);
    return isOurs ? [] : [{ capability: "unix-local", where: peer, socket: inode }];
  });
  return [...listeners, ...outgoing];
}

/** session.c auth_input_request_forwarding; in the home folder from 10.1 on. */
function isAgent(path: string): boolean {
  return /\/ssh-[^/]+\/agent\.\d+$/.test(path) || /\/\.ssh\/agent\//.test(path);
}

/** What PAM, the C library and syslog connect to in any process. */
const OF_THE_SYSTEM =
  /^(?:\/var)?\/run\/(?:systemd|dbus|nscd|samba\/winbindd)\/|^\/var\/lib\/sss\/|^\/dev\/log$/;

/** ss(8) asks the kernel for the peers, which /proc does not tell; without it socket forwards to a path stay unseen. */
export async function unixPeers(machine: Machine): Promise<ReadonlyMap<string, string>> {
  const { stdout } = await machine.run(["ss", "-xanH"], { timeoutMs: 10_000 });
  const ends = stdout.split("\n").flatMap((line) => {
    const match = /^u_str +\S+ +\d+ +\d+ +(.*?) (\d+) +\S+ (\d+) *$/.exec(line);
    return match === null ? [] : [{ path: match[1] ?? "", inode: match[2] ?? "", peer: match[3] ?? "" }];
  });
  return new Map(ends.filter(({ path }) => path !== "*").map(({ path, peer }) => [peer, path]));
}
