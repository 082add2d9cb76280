/** Whether to trust a server: known_hosts, StrictHostKeyChecking, and the user's word (OpenSSH sshconnect.c check_host_key). */
import type { ClientFiles } from "./client-files.ts";
import { isMissing, systemWords } from "./failure.ts";
import {
  checkKey,
  fingerprint,
  type KnownHosts,
  keyType,
  knownAlgorithms,
  knownHostsLine,
  lookupName,
  parseKnownHosts,
  type Verdict,
} from "./known-hosts.ts";
import type { HostSettings } from "./settings.ts";

/** How people are asked and told. Texts may hold what a server said. */
export interface Talk {
  /** null: nobody can be asked, or the answer was broken off */
  readonly ask: (text: string, echo: "shown" | "hidden") => Promise<string | null>;
  readonly note: (text: string) => void;
}

/** What a login goes by beside its settings. */
export interface Means {
  readonly files: ClientFiles;
  readonly talk: Talk;
}

export interface HostKeyCheck {
  readonly algorithms: readonly string[];
  readonly check: (key: Buffer) => Promise<string | null>;
}

export function hostKeyCheck(settings: HostSettings, means: Means): HostKeyCheck {
  const files = [...settings.userKnownHosts, ...settings.globalKnownHosts];
  const known = parseKnownHosts(files.flatMap((path) => readIfThere(path, means)));
  const name = settings.keyAlias ?? lookupName(settings.host, settings.port);
  return {
    algorithms: knownAlgorithms(known, name),
    check: (key) => judge(look(known, name, { settings, key }), { ...means, name, key, settings }),
  };
}

/** A key that is known for the host on port 22 is good on other ports, too. */
function look(
  known: KnownHosts,
  name: string,
  { settings, key }: { settings: HostSettings; key: Buffer },
): Verdict {
  const verdict = checkKey(known, name, key);
  if (verdict.kind !== "new" || settings.port === 22 || settings.keyAlias !== null) return verdict;
  const elsewhere = checkKey(known, lookupName(settings.host, 22), key);
  return elsewhere.kind === "known" || elsewhere.kind === "revoked" ? elsewhere : verdict;
}

/** One that cannot be read knows no keys, as for ssh(1) (hostfile.c load_hostkeys). */
function readIfThere(
  path: string,
  { files, talk }: Means,
): readonly { readonly path: string; readonly text: string }[] {
  try {
    return [{ path, text: files.read(path).bytes.toString("latin1") }];
  } catch (error) {
    if (!isMissing(error)) talk.note(`${path} is left out: ${systemWords(error)}`);
    return [];
  }
}

interface Case extends Means {
  readonly name: string;
  readonly key: Buffer;
  readonly settings: HostSettings;
}

/** Null: go on. */
async function judge(verdict: Verdict, of: Case): Promise<string | null> {
  const { name, key, settings } = of;
  const shown = `${keyType(key)} ${fingerprint(key)}`;
  switch (verdict.kind) {
    case "known":
      return null;
    case "revoked":
      return `the host key of ${name} (${shown}) is revoked by ${verdict.place}`;
    case "changed":
      // also where StrictHostKeyChecking is no: ssh(1) goes on then, but forwards nothing (sshconnect.c check_host_key)
      return (
        `the host key of ${name} is not the known one: it shows ${shown}, but ${verdict.places.join(", ")} says ` +
        "otherwise. Somebody may be listening in; or the host has a new key: then take that line out"
      );
    case "authority":
      if (settings.strict === "no") return null;
      return (
        `${verdict.place} trusts the host certificates of an authority for ${name}, and this forwarder cannot check ` +
        `certificates: add the host's own key to known_hosts (it shows ${shown})`
      );
    case "new":
      return judgeNew(shown, of);
  }
}

async function judgeNew(shown: string, of: Case): Promise<string | null> {
  const { name, key, settings, talk } = of;
  const refusal = `the host key of ${name} is not known (${shown}): compare it, and add it to known_hosts`;
  switch (settings.strict) {
    case "yes":
      return refusal;
    case "no":
    case "accept-new":
      return remember(of);
    case "ask": {
      const answer = await talk.ask(
        `The host key of ${name} is not known: ${shown}\nConnect, and remember it (yes, no, or the fingerprint)? `,
        "shown",
      );
      const word = answer?.trim() ?? "";
      return word.toLowerCase() === "yes" || word === fingerprint(key) ? remember(of) : refusal;
    }
  }
}

/** A file that cannot be written is no reason not to connect. */
function remember(of: Case): null {
  const { name, key, settings, files, talk } = of;
  const [path] = settings.userKnownHosts;
  if (path === undefined) return null;
  try {
    files.append(path, endOfLine(path, of) + knownHostsLine(name, key));
    talk.note(`added the host key of ${name} (${fingerprint(key)}) to ${path}`);
  } catch (error) {
    talk.note(`${path} cannot be written: ${systemWords(error)}`);
  }
  return null;
}

function endOfLine(path: string, means: Means): string {
  const text = readIfThere(path, means)[0]?.text ?? "";
  return text === "" || text.endsWith("\n") ? "" : "\n";
}
