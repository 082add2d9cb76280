/** The commands that are measured, and the peers that may be missing on a machine. */
import { spawnSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "./measure.ts";

const ROOT = join(import.meta.dirname, "..");

export const STOCK_FILE: string = join(ROOT, "fixtures/debian-12/etc/ssh/sshd_config");

/** Every release of sshd-policy is a Node.js program, so this is the floor. */
export const NODE_FLOOR: Command = { argv: [process.execPath, "-e", "0"] };

/** `sshd-policy ARGS` as it is installed: the bundle. */
export function sshdPolicy(...args: readonly string[]): Command {
  return { argv: [process.execPath, join(ROOT, "dist/cli.js"), ...args] };
}

const SSHD = "/usr/sbin/sshd";

/** `sshd -T -f FILE` with a throw-away host key; null where there is no sshd, or not as root. */
export function sshdTest(work: string, file: string, ...args: readonly string[]): Command | null {
  if (!existsSync(SSHD) || process.getuid?.() !== 0) return null;
  const key = join(work, "host-key");
  if (!existsSync(key)) spawnSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key]);
  return { argv: [SSHD, "-T", "-h", key, "-f", file, ...args] };
}

/** augtool reading one tree with the sshd lens alone; null where it is not installed (Debian: augeas-tools). */
export function augtool(work: string, root: string, pattern: string): Command | null {
  if (!existsSync("/usr/bin/augtool")) return null;
  const commands = join(work, "augtool-commands");
  writeFileSync(
    commands,
    `set /augeas/load/Sshd/lens Sshd.lns\nset /augeas/load/Sshd/incl ${pattern}\nload\nprint /files//AllowTcpForwarding\n`,
  );
  return { argv: ["/usr/bin/augtool", "--noautoload", "--root", root, "--file", commands] };
}
