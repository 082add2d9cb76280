/** This machine, with what only the command line may know of itself. */
import type { Machine } from "../host/machine.ts";
import { thisMachine } from "../host/this-machine.ts";
import { decode } from "../source/source.ts";

export function ownMachine(): Machine {
  const { SUDO_USER, SSH_CONNECTION, USER, LOGNAME } = process.env;
  const user =
    SUDO_USER === undefined
      ? (USER ?? LOGNAME ?? `user ${process.getuid?.() ?? "unknown"}`)
      : `${SUDO_USER} by sudo`;
  const address = SSH_CONNECTION?.split(" ", 1)[0];
  return thisMachine({
    pid: process.pid,
    uid: process.getuid?.() ?? -1,
    platform: process.platform,
    command: [process.execPath, ...process.execArgv, process.argv[1] ?? ""].map((word) =>
      decode(Buffer.from(word, "utf8")),
    ),
    caller: address === undefined ? user : `${user}, from ${address}`,
  });
}
