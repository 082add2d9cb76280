/** What stands for something else in the values of ssh_config(5): "TOKENS", "ENVIRONMENT VARIABLES", and ~. */
import { hostname } from "node:os";
import { lowerAscii } from "../../grammar/ascii.ts";
import type { Caller } from "./client-config.ts";
import { SshFailure } from "./failure.ts";

/** Whom the values are for. */
export interface Expanding {
  readonly caller: Caller;
  /** of the caller's environment */
  readonly variable: (name: string) => string | null;
  readonly host: string;
  /** as the user names it */
  readonly alias: string;
  readonly port: number;
  readonly login: string;
  readonly keyAlias: string | null;
}

/** Each throws an SshFailure ("configuration") for a token or a variable that is not known. */
export interface Expansion {
  /** of a file: ~, tokens and variables at once, so that what a variable holds is no token (misc.c vdollar_percent_expand) */
  readonly path: (text: string) => string;
  /** tokens alone */
  readonly tokens: (text: string) => string;
  /** `${NAME}` alone (misc.c dollar_expand) */
  readonly variables: (text: string) => string;
}

export function makeExpansion(of: Expanding): Expansion {
  const { caller, variable } = of;
  const tokens = tokensFor(of);
  const known = (text: string, whole: string, value: string | null | undefined): string => {
    if (value !== undefined && value !== null) return value;
    throw new SshFailure("configuration", `${text}: ${whole} is not known here`);
  };
  return {
    path: (text) =>
      text
        .replace(/^~(?=\/|$)/, caller.home)
        .replace(/%(.?)|\$\{([^}]*)\}/g, (whole, letter: string | undefined, name: string) =>
          known(text, whole, letter === undefined ? variable(name) : tokens[letter]),
        ),
    tokens: (text) => text.replace(/%(.?)/g, (whole, letter: string) => known(text, whole, tokens[letter])),
    variables: (text) => text.replace(/\$\{([^}]*)\}?/g, (whole, name) => known(text, whole, variable(name))),
  };
}

/** HostName, where %h is the host as the user names it (ssh.c main). Throws an SshFailure ("configuration") for other tokens. */
export function expandHost(text: string, alias: string): string {
  const host = text.replace(/%(.?)/g, (whole, letter: string) => {
    if (letter === "h") return alias;
    if (letter === "%") return "%";
    throw new SshFailure("configuration", `HostName ${text}: ${whole} is not known here`);
  });
  return lowerAscii(host);
}

/** ssh.c DEFAULT_CLIENT_PERCENT_EXPAND_ARGS, without %C, which differs between releases. */
function tokensFor({
  caller,
  host,
  alias,
  port,
  login,
  keyAlias,
}: Expanding): Readonly<Record<string, string>> {
  const machine = hostname();
  return {
    "%": "%",
    L: machine.replace(/\..*/, ""),
    d: caller.home,
    h: host,
    i: String(caller.uid),
    k: keyAlias ?? alias,
    l: machine,
    n: alias,
    p: String(port),
    r: login,
    u: caller.name,
  };
}
