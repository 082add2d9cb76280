/** The forwards that a configuration asks for: LocalForward, RemoteForward, DynamicForward. */
import type { Directive } from "./client-config.ts";
import { SshFailure } from "./failure.ts";
import { type Forward, parseDynamic, parseForward } from "./specification.ts";

/** LocalForward and RemoteForward have two arguments or one, where -L and -R have a colon. */
export function forwardsOf(directives: readonly Directive[]): readonly Forward[] {
  return directives.flatMap(({ keyword, args, place }) => {
    const text = args.join(":");
    switch (keyword) {
      case "localforward":
        return [parseForward(text, "local") ?? badForward(place, "LocalForward", text)];
      case "remoteforward":
        return [parseForward(text, "remote") ?? badForward(place, "RemoteForward", text)];
      case "dynamicforward":
        return [parseDynamic(text, "local") ?? badForward(place, "DynamicForward", text)];
      default:
        return [];
    }
  });
}

const SHAPES: Readonly<Record<string, string>> = {
  LocalForward: "[bind:]port:host:hostport, with a path of a socket on either side",
  RemoteForward:
    "[bind:]port:host:hostport, with a path of a socket on either side, or [bind:]port for SOCKS",
  DynamicForward: "[bind:]port",
};

function badForward(place: string, keyword: string, text: string): never {
  throw new SshFailure("configuration", `${place} ${keyword} ${text}: wanted is ${SHAPES[keyword]}`);
}
