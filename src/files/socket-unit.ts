/** Whether systemd listens in sshd's place: an enabled ssh.socket or sshd.socket (systemd.socket(5), Accept=no or yes). */
import { type UnitLine, unitLines } from "./systemd-unit.ts";
import type { FileTree } from "./tree.ts";

export interface SocketUnit {
  /** "ssh.socket" */
  readonly unit: string;
  /** where it listens; address null: on all of the host's */
  readonly listens: readonly { readonly address: string | null; readonly port: number }[];
}

const ENABLED = "/etc/systemd/system/sockets.target.wants";

/** A generator that writes the socket unit from sshd_config leaves nothing to override. */
const GENERATORS = ["/usr/lib", "/lib", "/etc"].map(
  (folder) => `${folder}/systemd/system-generators/sshd-socket-generator`,
);

export function socketUnit(tree: FileTree): SocketUnit | null {
  if (GENERATORS.some((path) => tree.stat(path) !== null)) return null;
  for (const unit of ["ssh.socket", "sshd.socket"]) {
    if (tree.stat(`${ENABLED}/${unit}`, { follow: false }) === null) continue;
    const lines = unitLines(tree, unit);
    if (lines !== null) return { unit, listens: listensOf(lines) };
  }
  return null;
}

/** An empty ListenStream= takes back what came before; a path is a unix socket, which sshd_config knows nothing of. */
function listensOf(lines: readonly UnitLine[]): SocketUnit["listens"] {
  let listens: SocketUnit["listens"][number][] = [];
  for (const { key, value } of lines) {
    if (key !== "ListenStream") continue;
    if (value === "") listens = [];
    const match = /^(?:(.*):)?([0-9]{1,5})$/.exec(value);
    if (match !== null) listens.push({ address: match[1] ?? null, port: Number(match[2]) });
  }
  return listens;
}
