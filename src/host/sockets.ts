/** The sockets that a process holds (proc(5): /proc/PID/fd and /proc/PID/net). */
import { printIPv6 } from "../../grammar/print-address.ts";
import type { Machine } from "./machine.ts";
import { linkOf, listOf, textOf } from "./processes.ts";

export interface Endpoint {
  /** "127.0.0.1", "::1" */
  readonly address: string;
  readonly port: number;
}

export function printEndpoint({ address, port }: Endpoint): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

export function isAmong(endpoints: readonly Endpoint[], { address, port }: Endpoint): boolean {
  return endpoints.some((one) => one.address === address && one.port === port);
}

export interface TcpSocket {
  readonly inode: string;
  readonly state: "listening" | "established" | "other";
  readonly local: Endpoint;
  readonly remote: Endpoint;
}

export interface UnixSocket {
  readonly inode: string;
  readonly state: "listening" | "other";
  /** null: it has no name */
  readonly path: string | null;
}

export interface OpenFiles {
  /** inodes of its sockets */
  readonly sockets: ReadonlySet<string>;
  /** names of everything else */
  readonly paths: readonly string[];
}

export function openFiles(machine: Machine, pid: number): OpenFiles {
  const sockets = new Set<string>();
  const paths: string[] = [];
  for (const name of listOf(machine, `/proc/${pid}/fd`)) {
    const target = linkOf(machine, `/proc/${pid}/fd/${name}`) ?? "";
    const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
    if (inode === undefined) paths.push(target);
    else sockets.add(inode);
  }
  return { sockets, paths };
}

/** The TCP sockets in the network namespace of a process, of which it need not hold any. */
export function tcpSockets(machine: Machine, pid: number): readonly TcpSocket[] {
  return ["tcp", "tcp6"].flatMap((table) =>
    (textOf(machine, `/proc/${pid}/net/${table}`) ?? "").split("\n").slice(1).flatMap(readTcpLine),
  );
}

export function unixSockets(machine: Machine, pid: number): readonly UnixSocket[] {
  const lines = (textOf(machine, `/proc/${pid}/net/unix`) ?? "").split("\n").slice(1);
  return lines.flatMap((line) => {
    // Num RefCount Protocol Flags Type St Inode Path; 10000 is __SO_ACCEPTCON
    const match = /^\S+ \S+ \S+ (\S+) \S+ \S+ +(\d+)(?: (.*))?$/.exec(line);
    if (match === null) return [];
    const state = match[1] === "00010000" ? "listening" : "other";
    return [{ inode: match[2] ?? "", state, path: match[3] ?? null } as const];
  });
}

/** net/tcp_states.h; a connection that is being made, or closed on one side, is held, too. */
const STATES: Readonly<Record<string, TcpSocket["state"]>> = {
  "01": "established",
  "02": "established",
  "08": "established",
  "0A": "listening",
};

function readTcpLine(line: string): readonly TcpSocket[] {
  const [, local, remote, state = "", , , , , , inode] = line.trim().split(/ +/);
  if (local === undefined || remote === undefined || inode === undefined) return [];
  return [
    { inode, state: STATES[state] ?? "other", local: readEndpoint(local), remote: readEndpoint(remote) },
  ];
}

/** "0100007F:0016": 32-bit words as this machine's processor orders their bytes. */
function readEndpoint(text: string): Endpoint {
  const [hex = "", port = ""] = text.split(":");
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) => {
    const inOrder = [0, 2, 4, 6].map((at) => Number.parseInt(word.slice(at, at + 2), 16));
    return LITTLE_ENDIAN ? inOrder.reverse() : inOrder;
  });
  return { address: printAddress(bytes), port: Number.parseInt(port, 16) };
}

const LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** An IPv4 address in an IPv6 socket is shown as what it is. */
function printAddress(bytes: readonly number[]): string {
  const mapped =
    bytes.length === 16 && bytes.slice(0, 12).join() === "0,0,0,0,0,0,0,0,0,0,255,255" && bytes.slice(12);
  if (mapped !== false) return mapped.join(".");
  if (bytes.length !== 16) return bytes.join(".");
  return printIPv6(
    bytes.flatMap((byte, index) => (index % 2 === 0 ? [(byte << 8) | (bytes[index + 1] ?? 0)] : [])),
  );
}
