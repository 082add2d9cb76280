/** What clients can do no longer behind a fix, in their own options. */
import type { Release } from "../../grammar/release.ts";
import { remember } from "../../grammar/remember.ts";
import { keywordOf } from "../config/change.ts";
import { CAPABILITIES, type Capability } from "../policy/connection.ts";
import { isClosedBy } from "./openings.ts";
import type { Finding } from "./rule.ts";

/** The first rows that fit say it: larger sets come first. */
const LOST: readonly (readonly [readonly Capability[], string])[] = [
  [
    ["tcp-local", "tcp-remote", "unix-local", "unix-remote"],
    "ssh -L, -D, -W and -R, jumps through this host (ssh -J), and forwards of unix sockets",
  ],
  [["tcp-local", "tcp-remote"], "ssh -L, -D, -W and -R, and jumps through this host (ssh -J)"],
  [
    ["tcp-local", "unix-local"],
    "ssh -L, -D and -W, jumps through this host (ssh -J), and ssh -L to unix sockets",
  ],
  [["tcp-local"], "ssh -L, -D, -W and jumps through this host (ssh -J)"],
  [["tcp-remote", "unix-remote"], "ssh -R: ports and unix sockets that listen on this server"],
  [["tcp-remote"], "ssh -R: ports that listen on this server"],
  [
    ["unix-local", "unix-remote"],
    "ssh -L and -R of unix sockets, as remote container engines and GnuPG agents use them",
  ],
  [["unix-local"], "ssh -L of unix sockets, as remote container engines use them"],
  [["unix-remote"], "ssh -R of unix sockets, as GnuPG agents use them"],
  [
    ["agent"],
    "ssh -A: logins from this server to the next with the client's keys (ssh -J needs no agent here)",
  ],
  [["x11"], "ssh -X and -Y: windows of programs on this server"],
  [["tun"], "ssh -w: the tunnel device and what is routed through it"],
];

const ONLY_HERE = "ports that ssh -R opens: only this server itself reaches them then";

/**
 * Of the forwarding that the finding is about, what its fix takes away; of all forwarding where it is about none in
 * particular. Null where nothing that is known by name goes. Sessions, sftp and scp go on in any case.
 */
export function whatBreaks(release: Release, { fix, affected }: Finding): string | null {
  if (fix === null) return null;
  const open = affected.length === 0 ? CAPABILITIES : new Set(affected.map(({ capability }) => capability));
  const changes = fix.changes.map((change) => `${keywordOf(change)} ${change.value}`);
  return lostBy([[...open].join(), ...changes].join("\n"), release);
}

/** Most files of a run ask the same: what is open, and below it a line for each change. */
const lostBy = remember((question, release): string | null => {
  const [first = "", ...lines] = question.split("\n");
  const open = CAPABILITIES.filter((capability) => first.split(",").includes(capability));
  const changes = lines.map((line) => [line.slice(0, line.indexOf(" ")), line.slice(line.indexOf(" ") + 1)]);
  const lost = new Set(
    open.filter((capability) =>
      changes.some(([keyword = "", value = ""]) =>
        isClosedBy(release, capability, { keyword, values: value.split(" ") }),
      ),
    ),
  );
  const said = LOST.flatMap(([capabilities, text]) => {
    if (!capabilities.every((one) => lost.has(one))) return [];
    for (const one of capabilities) lost.delete(one);
    return [text];
  });
  const isNarrowed = changes.some(([keyword, value]) => keyword === "gatewayports" && value === "no");
  const all = isNarrowed ? [...said, ONLY_HERE] : said;
  return all.length === 0 ? null : all.join("; ");
});
