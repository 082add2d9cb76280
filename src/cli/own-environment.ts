/** What a login of the caller goes by: his account and variables, his files, his terminal. */
import { join } from "node:path";
import type { ClientFiles } from "../forward/client-files.ts";
import type { Talk } from "../forward/host-key.ts";
import type { Environment } from "../forward/reach.ts";
import { ownAccount } from "./own-account.ts";
import { terminalTalk } from "./questions.ts";

export interface OwnEnvironment extends Environment {
  /** No more questions: one that stands is broken off. */
  readonly close: () => void;
}

/**
 * `configFile`: "none", another one than the usual, or undefined. Null: he has no account. The opener lies in another
 * chunk, which a command loads when it needs it.
 */
export function ownEnvironment(
  openClientFiles: (note: Talk["note"]) => ClientFiles,
  configFile: string | undefined,
): OwnEnvironment | null {
  const own = ownAccount();
  if (own === null) return null;
  const { homedir: home, username: name, uid } = own;
  const { close, ...terminal } = terminalTalk();
  const talk = tellingOnce(terminal);
  return {
    caller: { home, name, uid },
    configFile: configFileOf(configFile, home),
    variable: (name) => process.env[name] ?? null,
    files: openClientFiles(talk.note),
    talk,
    close,
  };
}

function configFileOf(named: string | undefined, home: string): Environment["configFile"] {
  if (named === "none") return null;
  return named === undefined
    ? { path: join(home, ".ssh", "config"), chosen: "by default" }
    : { path: named, chosen: "by the user" };
}

/** Each host on the way goes by the same files. */
function tellingOnce(talk: Talk): Talk {
  const told = new Set<string>();
  const note = (text: string): void => {
    if (!told.has(text)) talk.note(text);
    told.add(text);
  };
  return { ...talk, note };
}
