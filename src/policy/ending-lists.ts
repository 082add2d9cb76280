/**
 * Lists of PermitOpen and PermitListen that `sshd -t` accepts and that end connections (OpenSSH servconf.c
 * process_permitopen_list, from 9.8 on monitor_wrap.c server_process_permitopen_list): sshd reads them when it starts to
 * serve a connection, and those that count for the user once more before the login, where it cannot read /etc/services.
 */
import { servicePremise } from "../../grammar/ports.ts";
import { onceFor } from "../../grammar/remember.ts";
import type { Config, Directive } from "../config/config.ts";
import { effectiveLines } from "../config/keyword-lines.ts";
import { writtenPort } from "./capabilities.ts";

export const LISTS: readonly { readonly keyword: string; readonly name: string }[] = [
  { keyword: "permitopen", name: "PermitOpen" },
  { keyword: "permitlisten", name: "PermitListen" },
];

/** Lines that end the connections they count for, each with the item that does it. Lists may be long, and are asked about for each connection. */
export const endingItems: (config: Config) => ReadonlyMap<Directive, string> = onceFor((config) => {
  const found = new Map<Directive, string>();
  for (const { keyword } of LISTS)
    for (const line of effectiveLines(config, keyword)) {
      const values = line.values ?? [];
      const item = misplacedItem(values) ?? values.find(namesService);
      if (item !== undefined) found.set(line, item);
    }
  return found;
});

/** `any` and `none` are words of their own only where they stand alone; else they are hosts without a port. */
function misplacedItem(values: readonly string[]): string | null {
  const [first = "any"] = values;
  return values.length > 1 && (first === "any" || first === "none") ? first : null;
}

function namesService(item: string): boolean {
  const port = writtenPort(item);
  return port !== null && port !== "*" && servicePremise(port) !== null;
}

/** The same of the global list, which is read before a user is named: it ends all connections, whatever blocks say. */
export function endingAll(config: Config, keyword: string): string | null {
  const line = effectiveLines(config, keyword).find(({ atStart }) => atStart);
  return misplacedItem(line?.values ?? []);
}
