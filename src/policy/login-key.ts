/**
 * What the options of the login's key leave of a grant: they only ever narrow it (sshd(8), AUTHORIZED_KEYS FILE FORMAT;
 * OpenSSH auth-options.c sshauthopt_parse; semantics 7.4).
 */
import { lowerAscii } from "../../grammar/ascii.ts";

export interface LoginKey {
  readonly portForwarding: boolean;
  readonly agentForwarding: boolean;
  readonly x11Forwarding: boolean;
  /** permitopen items, which a destination must fit, too; null: any */
  readonly permitOpen: readonly string[] | null;
  /** the same for permitlisten, `host:port` */
  readonly permitListen: readonly string[] | null;
}

/** A key without options. */
export const PLAIN_KEY: LoginKey = {
  portForwarding: true,
  agentForwarding: true,
  x11Forwarding: true,
  permitOpen: null,
  permitListen: null,
};

const SWITCHES: Readonly<Record<string, Partial<LoginKey>>> = {
  restrict: { portForwarding: false, agentForwarding: false, x11Forwarding: false },
  "port-forwarding": { portForwarding: true },
  "no-port-forwarding": { portForwarding: false },
  "agent-forwarding": { agentForwarding: true },
  "no-agent-forwarding": { agentForwarding: false },
  "x11-forwarding": { x11Forwarding: true },
  "no-x11-forwarding": { x11Forwarding: false },
};

/** In their order: `port-forwarding,restrict` is restricted. Options that say nothing of forwarding are passed over. */
export function readKeyOptions(text: string): LoginKey {
  let key = PLAIN_KEY;
  for (const [, name = "", value = ""] of text.matchAll(/([A-Za-z0-9-]+)(?:="((?:[^"\\]|\\.)*)")?/g)) {
    const option = lowerAscii(name);
    key = { ...key, ...SWITCHES[option] };
    if (option === "permitopen") key = { ...key, permitOpen: [...(key.permitOpen ?? []), value] };
    // a port alone stands for any host
    const listen = value.includes(":") ? value : `*:${value}`;
    if (option === "permitlisten") key = { ...key, permitListen: [...(key.permitListen ?? []), listen] };
  }
  return key;
}

/** Names without a value, and those of them that "no-" may stand before (OpenSSH auth-options.c, sshauthopt_parse). */
const FLAG =
  /^(?:restrict|cert-authority|(?:no-)?(?:port-forwarding|agent-forwarding|x11-forwarding|pty|user-rc|touch-required|verify-required))/i;
const WITH_VALUE =
  /^(command|principals|from|expiry-time|environment|permitopen|permitlisten|tunnel)=("(?:[^"\\]|\\.)*")?/i;

/** Why sshd lets nobody in with a key that has these options, in words; null: it reads them. */
export function whyNoKeyOptions(text: string): string | null {
  for (let rest = text; rest !== ""; ) {
    const [flag] = FLAG.exec(rest) ?? [];
    const [whole, name, value] = WITH_VALUE.exec(rest) ?? [];
    const taken = flag ?? whole;
    if (taken === undefined) return `sshd knows no key option "${/^[^,= ]*/.exec(rest)?.[0]}"`;
    if (flag === undefined) {
      const because = whyNoValue(lowerAscii(name ?? ""), value);
      if (because !== null) return because;
    }
    rest = rest.slice(taken.length);
    if (rest === "") return null;
    if (!rest.startsWith(",")) return `a comma is missing before "${rest}"`;
    rest = rest.slice(1);
  }
  return null;
}

function whyNoValue(name: string, value: string | undefined): string | null {
  if (value === undefined) return `the value of ${name} must stand in double quotes`;
  const bare = value.slice(1, -1);
  if (name !== "permitopen" && name !== "permitlisten") return null;
  const isPort = name === "permitlisten" && !bare.includes(":");
  const port = /^(?:\[[^\]]*\]|[^:]*):(.*)$/.exec(isPort ? `*:${bare}` : bare)?.[1] ?? "";
  // the machine knows ports by name, too (misc.c, a2port)
  const isThere =
    port === "*" || (/^\d+$/.test(port) ? isPortNumber(Number(port)) : /^[A-Za-z0-9_-]+$/.test(port));
  return isThere ? null : `${name}="${bare}" is no host:port`;
}

function isPortNumber(port: number): boolean {
  return port > 0 && port < 65536;
}
