/** This machine, with what only the command line may know of itself. */
import { realpathSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import type { Machine } from "../host/machine.ts";
import { thisMachine } from "../host/this-machine.ts";
import { shellWord } from "../report/text.ts";
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

const NAME = "sshd-policy";

/** This program as a person types it in another login: by its name where the shell finds it, else by its place. */
export function typedSelf(
  { self }: Machine,
  { PATH = "", SUDO_USER }: NodeJS.ProcessEnv = process.env,
): string {
  const script = realPathOf(self.command.at(-1) ?? "");
  // npx and npm run put folders in front for the program that they start, and for no later login
  const lasting = PATH.split(delimiter).filter(
    (folder) => isAbsolute(folder) && !/node_modules/.test(folder),
  );
  const found = lasting.map((folder) => realPathOf(join(folder, NAME))).find((path) => path !== null);
  const words = found === script && script !== null ? [NAME] : self.command.map(shellWord);
  return [...(SUDO_USER === undefined ? [] : ["sudo"]), ...words].join(" ");
}

function realPathOf(path: string): string | null {
  try {
    return realpathSync(Buffer.from(path, "latin1"), "latin1");
  } catch {
    return null;
  }
}
