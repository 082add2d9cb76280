/** How to log in, as the directives for one host say it. */
import { join } from "node:path";
import { lowerAscii } from "../../grammar/ascii.ts";
import type { Caller } from "./client-config.ts";
import type { Reader } from "./directives.ts";
import type { Expansion } from "./expansion.ts";

export type LoginMethod = "publickey" | "keyboard-interactive" | "password";

export interface LoginSettings {
  readonly identityFiles: readonly { readonly path: string; readonly chosen: "by the user" | "by default" }[];
  readonly identitiesOnly: boolean;
  /** a socket, or null */
  readonly agent: string | null;
  /** in the order in which they are tried */
  readonly methods: readonly LoginMethod[];
  /** no questions */
  readonly batch: boolean;
  readonly passwordPrompts: number;
}

export function loginSettings(
  read: Reader,
  of: {
    readonly caller: Caller;
    readonly variable: (name: string) => string | null;
    readonly expand: Expansion;
  },
): LoginSettings {
  return {
    identityFiles: identityFiles(read, of),
    identitiesOnly: read.value("IdentitiesOnly") ?? false,
    agent: agentOf(read.value("IdentityAgent"), of),
    methods: methodsOf(read),
    batch: read.value("BatchMode") ?? false,
    passwordPrompts: read.value("NumberOfPasswordPrompts") ?? 3,
  };
}

const DEFAULT_KEYS = ["id_rsa", "id_ecdsa", "id_ed25519"] as const;

function identityFiles(
  read: Reader,
  { caller, expand }: { readonly caller: Caller; readonly expand: Expansion },
): LoginSettings["identityFiles"] {
  if (!read.has("IdentityFile"))
    return DEFAULT_KEYS.map((name) => ({ path: join(caller.home, ".ssh", name), chosen: "by default" }));
  const paths = read
    .all("IdentityFile")
    .flatMap(([path]) => (path === undefined || lowerAscii(path) === "none" ? [] : [expand.path(path)]));
  return [...new Set(paths)].map((path) => ({ path, chosen: "by the user" }));
}

const METHODS = {
  publickey: "PubkeyAuthentication",
  "keyboard-interactive": "KbdInteractiveAuthentication",
  password: "PasswordAuthentication",
} as const satisfies Record<LoginMethod, string>;

/** Those of PreferredAuthentications in its order, or all, without those that are off. */
function methodsOf(read: Reader): readonly LoginMethod[] {
  const known = Object.keys(METHODS) as LoginMethod[];
  const preferred = read.first("PreferredAuthentications")?.split(",") ?? known;
  return preferred
    .flatMap((name) => known.find((method) => method === name) ?? [])
    .filter((method) => read.value(METHODS[method]) !== false);
}

/** `$NAME` alone is a variable, which may be unset (ssh.c main). */
function agentOf(
  text: string | null,
  { variable, expand }: { readonly variable: (name: string) => string | null; readonly expand: Expansion },
): string | null {
  if (text === null || text === "SSH_AUTH_SOCK") return variable("SSH_AUTH_SOCK");
  const name = /^\$([A-Za-z_][A-Za-z0-9_]*)$/.exec(text)?.[1];
  if (name !== undefined) return variable(name);
  return lowerAscii(text) === "none" ? null : expand.path(text);
}
