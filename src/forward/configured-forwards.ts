/** The forwards that the command line and a configuration ask for: LocalForward, RemoteForward, DynamicForward. */
import type { Directive } from "./client-config.ts";
import type { Expansion } from "./expansion.ts";
import { SshFailure } from "./failure.ts";
import { type Forward, isTooLong, parseDynamic, parseForward } from "./specification.ts";

interface Kind {
  readonly name: string;
  readonly shape: string;
  readonly parse: (text: string) => Forward | null;
}

const SHAPE = "[bind:]port:host:hostport, with a path of a socket on either side";

/** By keyword, in lower case. */
const KINDS: Readonly<Record<string, Kind>> = {
  localforward: { name: "LocalForward", shape: SHAPE, parse: (text) => parseForward(text, "local") },
  remoteforward: {
    name: "RemoteForward",
    shape: `${SHAPE}, or [bind:]port for SOCKS`,
    parse: (text) => parseForward(text, "remote"),
  },
  dynamicforward: {
    name: "DynamicForward",
    shape: "[bind:]port, or the path of a socket",
    parse: (text) => parseDynamic(text, "local"),
  },
};

/**
 * LocalForward and RemoteForward have two arguments or one, where -L and -R have a colon. Variables count before all else,
 * tokens in paths alone, afterwards (readconf.c parse_forward, ssh.c main).
 */
export function forwardsOf(directives: readonly Directive[], expand: Expansion): readonly Forward[] {
  return directives.flatMap((directive): readonly Forward[] => {
    const kind = KINDS[directive.keyword];
    if (kind === undefined) return [];
    const text = directive.args.join(":");
    const forward = kind.parse(expand.variables(text));
    if (forward === null) throw badForward(directive, kind, `wanted is ${kind.shape}`);
    const { listen, target } = forward;
    const [from, to] = [withTokens(listen, expand), withTokens(target, expand)];
    if (isTooLong(from) || isTooLong(to))
      throw badForward(directive, kind, "the path of a socket is too long");
    return [{ ...forward, listen: from, target: to }];
  });
}

function withTokens<End extends Forward["listen"] | Forward["target"]>(end: End, { tokens }: Expansion): End {
  return end.kind === "socket" ? { ...end, path: tokens(end.path) } : end;
}

/** An option of the command line stands for its keyword. */
function badForward({ place, args }: Directive, { name }: Kind, because: string): SshFailure {
  const what = /^-[LRD]$/.test(place) ? place : `${place} ${name}`;
  return new SshFailure("configuration", `${what} ${args.join(":")}: ${because}`);
}
