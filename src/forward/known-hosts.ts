/** known_hosts (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"; OpenSSH hostfile.c): is this the key of that host? */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { lowerAscii } from "../../grammar/ascii.ts";
import { matchHostList, parsePatternList } from "../../grammar/patterns.ts";

/** One line that names keys. */
interface Entry {
  readonly marker: "none" | "cert-authority" | "revoked";
  readonly hosts: string;
  readonly type: string;
  /** base64 */
  readonly key: string;
  readonly place: string;
}

export interface KnownHosts {
  readonly entries: readonly Entry[];
}

export type Verdict =
  | { readonly kind: "known" }
  /** no line names the host */
  | { readonly kind: "new" }
  /** other keys of the host are known, at these places */
  | { readonly kind: "changed"; readonly places: readonly string[] }
  | { readonly kind: "revoked"; readonly place: string }
  /** only an authority is known, whose certificates we cannot check */
  | { readonly kind: "authority"; readonly place: string };

const LINE =
  /^[ \t]*(?:(@cert-authority|@revoked)[ \t]+)?([^ \t@#][^ \t]*)[ \t]+([a-z][^ \t]*)[ \t]+([A-Za-z0-9+/=]+)/;

/** Lines that are no entry are passed over, as in ssh(1). */
export function parseKnownHosts(
  files: readonly { readonly path: string; readonly text: string }[],
): KnownHosts {
  const entries = files.flatMap(({ path, text }) =>
    text.split(/\r?\n/).flatMap((line, index): Entry[] => {
      const [whole, marker, hosts = "", type = "", key = ""] = LINE.exec(line) ?? [];
      if (whole === undefined || !isKeyOf(type, key)) return [];
      const place = `${path}:${index + 1}`;
      return [{ marker: markerOf(marker), hosts, type, key, place }];
    }),
  );
  return { entries };
}

/** hostfile.c hostfile_read_key, misc.c uudecode: what is no key of that type is none, and base64 has one spelling. */
function isKeyOf(type: string, key: string): boolean {
  const bytes = Buffer.from(key, "base64");
  return keyType(bytes) === type && bytes.toString("base64") === key;
}

function markerOf(text: string | undefined): Entry["marker"] {
  if (text === "@cert-authority") return "cert-authority";
  return text === "@revoked" ? "revoked" : "none";
}

/** The name under which a host is looked up: `[host]:port` away from port 22 (sshconnect.c). */
export function lookupName(host: string, port: number): string {
  return port === 22 ? lowerAscii(host) : `[${lowerAscii(host)}]:${port}`;
}

function names({ hosts }: Entry, name: string): boolean {
  if (!hosts.startsWith("|")) return matchHostList(name, parsePatternList(hosts)) === 1;
  const [, version, salt = "", hash = ""] = hosts.split("|");
  if (version !== "1") return false;
  const expected = createHmac("sha1", Buffer.from(salt, "base64")).update(name).digest();
  const found = Buffer.from(hash, "base64");
  return found.length === expected.length && timingSafeEqual(found, expected);
}

/** `key` as on the wire. A revoked key is refused for every host that its line names. */
export function checkKey({ entries }: KnownHosts, name: string, key: Buffer): Verdict {
  const ours = entries.filter((entry) => names(entry, name));
  const text = key.toString("base64");
  const same = (entry: Entry): boolean => entry.key === text;
  const revoked = ours.find((entry) => entry.marker === "revoked" && same(entry));
  if (revoked !== undefined) return { kind: "revoked", place: revoked.place };
  const plain = ours.filter(({ marker }) => marker === "none");
  if (plain.some(same)) return { kind: "known" };
  if (plain.length > 0) return { kind: "changed", places: plain.map(({ place }) => place) };
  const authority = ours.find(({ marker }) => marker === "cert-authority");
  return authority === undefined ? { kind: "new" } : { kind: "authority", place: authority.place };
}

/** Host key algorithms to ask for first: those of keys that we hold (sshconnect2.c order_hostkeyalgs). */
export function knownAlgorithms({ entries }: KnownHosts, name: string): readonly string[] {
  const types = entries
    .filter((entry) => entry.marker === "none" && names(entry, name))
    .map(({ type }) => type);
  return types.flatMap((type) => (type === "ssh-rsa" ? ["rsa-sha2-512", "rsa-sha2-256"] : [type]));
}

/** As ssh-keygen -l prints it. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;
}

/** The type is the first string of the key (RFC 4253, section 6.6). */
export function keyType(key: Buffer): string {
  const length = key.length < 4 ? 0 : key.readUInt32BE(0);
  return key.toString("latin1", 4, 4 + Math.min(length, 64));
}

export function knownHostsLine(name: string, key: Buffer): string {
  return `${name} ${keyType(key)} ${key.toString("base64")}\n`;
}
