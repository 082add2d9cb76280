/** Whether systemd listens in sshd's place: an enabled ssh.socket or sshd.socket (systemd.socket(5), Accept=no or yes). */

import type { FileTree } from "../files/tree.ts";
import { findUnit, type UnitLine, type Units, unitsOf } from "./systemd-unit.ts";

export interface SocketUnit {
  /** "ssh.socket" */
  readonly unit: string;
  readonly listens: readonly SocketListen[];
}

export interface SocketListen {
  /** null: all of the host's, of these families */
  readonly address: string | null;
  readonly port: number;
  /** `[::]` and a port alone answer on IPv4, too, unless BindIPv6Only= says otherwise (systemd.socket(5)) */
  readonly families: readonly ("inet" | "inet6")[];
}

/** A vendor's image may enable it below /usr. */
const ENABLED = ["/etc", "/run", "/usr/lib"].map((folder) => `${folder}/systemd/system/sockets.target.wants`);

/** A generator that writes the socket unit from sshd_config leaves nothing to override. */
const GENERATORS = ["/usr/lib", "/lib", "/etc"].map(
  (folder) => `${folder}/systemd/system-generators/sshd-socket-generator`,
);

export function socketUnit(tree: FileTree): SocketUnit | null {
  if (GENERATORS.some((path) => tree.stat(path) !== null)) return null;
  const enabled = enabledSocket(unitsOf(tree));
  return enabled === null ? null : { unit: enabled.unit, listens: listensOf(enabled.lines) };
}

export function enabledSocket(units: Units): {
  readonly unit: string;
  /** by which specifiers know it */
  readonly name: string;
  readonly lines: readonly UnitLine[];
} | null {
  for (const unit of ["ssh.socket", "sshd.socket"]) {
    if (ENABLED.every((folder) => units.tree.stat(`${folder}/${unit}`, { follow: false }) === null)) continue;
    const found = findUnit(units, unit);
    if (found !== null) return { unit, ...found };
  }
  return null;
}

/** An empty ListenStream= takes back what came before; a path is a unix socket, which sshd_config knows nothing of. */
function listensOf(lines: readonly UnitLine[]): SocketUnit["listens"] {
  const isOnlyIpv6 = lines.findLast(({ key }) => key === "BindIPv6Only")?.value === "ipv6-only";
  let listens: SocketListen[] = [];
  for (const { key, value } of lines) {
    if (key !== "ListenStream") continue;
    if (value === "") listens = [];
    const match = /^(?:(.*):)?([0-9]{1,5})$/.exec(value);
    if (match !== null) listens.push(listenOf(match[1] ?? "[::]", Number(match[2]), isOnlyIpv6));
  }
  return listens;
}

function listenOf(address: string, port: number, isOnlyIpv6: boolean): SocketListen {
  if (address === "[::]")
    return { address: null, port, families: isOnlyIpv6 ? ["inet6"] : ["inet", "inet6"] };
  if (address === "0.0.0.0") return { address: null, port, families: ["inet"] };
  return { address, port, families: [address.startsWith("[") ? "inet6" : "inet"] };
}
