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
