import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { knownKeywords, lookUpKeyword } from "../grammar/keywords.ts";
import { parseRelease, type Release } from "../grammar/release.ts";

function release(text: string): Release {
  const found = parseRelease(text);
  if (found === null) throw new Error(text);
  return found;
}

/** What servconf.c of every tag says, taken from it by scripts/openssh-keywords.ts: [tag, bare build, full build]. */
interface TagTables {
  readonly tags: readonly string[];
  readonly keywords: Readonly<Record<string, readonly (readonly [string, string, string])[]>>;
}

const tables: TagTables = JSON.parse(readFileSync("fixtures/openssh/keywords.json", "utf8"));

function expectedAt(name: string, tag: string, column: 1 | 2): string {
  const reached = tables.tags.slice(0, tables.tags.indexOf(tag) + 1);
  const entry = (tables.keywords[name] ?? []).filter(([from]) => reached.includes(from)).at(-1);
  return entry?.[column] ?? "unknown";
}

function found(name: string, at: Release): string {
  const { status, inMatch } = lookUpKeyword(name, at);
  return status === "unknown" ? status : `${status}/${inMatch ? "match" : "global"}`;
}

describe("the keyword table agrees with the keyword tables of the tags", () => {
  const names = Object.keys(tables.keywords);

  test.each(tables.tags)("%s, a build without PAM, GSSAPI and Kerberos", (tag) => {
    const at = release(tag);
    const differences = names
      .map((name) => [name, found(name, at), expectedAt(name, tag, 1)])
      .filter(([, ours, theirs]) => ours !== theirs);
    expect(differences).toEqual([]);
  });

  test.each(tables.tags)("%s, a build with them", (tag) => {
    const at = release(`${tag}+fedora`);
    const differences = names
      .map((name) => [name, found(name, at), expectedAt(name, tag, 2)])
      .filter(([, ours, theirs]) => ours !== theirs);
    expect(differences).toEqual([]);
  });

  test("every keyword of the table is in some tag, vendors' and 10.6's apart", () => {
    const beyond = ["agentsocketpath", "warnweakcrypto"];
    const unknown = tables.tags
      .flatMap((tag) => knownKeywords(release(tag)))
      .filter(({ key }) => !names.includes(key) && !beyond.includes(key));
    expect(unknown).toEqual([]);
  });
});

describe("vendors", () => {
  test.each([
    ["GSSAPIKeyExchange", "9.2+debian", "known/global"],
    ["GSSAPIKeyExchange", "10.0+debian", "known/global"],
    ["GSSAPIKeyExchange", "10.6+debian", "unknown"],
    ["GSSAPIKeyExchange", "9.2", "unknown"],
    ["GSSAPICleanupCreds", "9.2+debian", "known/global"],
    ["GSSAPICleanupCreds", "10.6+debian", "unknown"],
    ["GSSAPIAuthentication", "9.2+debian", "known/match"],
    ["GSSAPIAuthentication", "10.6+debian", "unsupported/match"],
    ["GSSAPIAuthentication", "10.4", "unknown"],
    ["UsePAM", "9.2", "unsupported/global"],
    ["UsePAM", "9.2+debian", "known/global"],
    ["DebianBanner", "8.4+ubuntu", "known/global"],
    ["DebianBanner", "8.4+rhel", "unknown"],
    ["X11MaxDisplays", "8.4+fedora", "known/match"],
    ["AgentSocketPath", "10.6+debian", "known/match"],
    ["AgentSocketPath", "10.5", "unknown"],
    ["allowTCPforwarding", "9.2", "known/match"],
    ["Allow_TcpForwarding", "9.2", "unknown"],
  ])("%s on %s is %s", (name, version, expected) => {
    expect(found(name, release(version))).toBe(expected);
  });

  test("aliases lead to the keyword they set", () => {
    expect(lookUpKeyword("SKeyAuthentication", release("7.7")).keyword?.key).toBe(
      "challengeresponseauthentication",
    );
    expect(lookUpKeyword("SKeyAuthentication", release("9.2")).keyword?.key).toBe(
      "kbdinteractiveauthentication",
    );
    expect(lookUpKeyword("PubkeyAcceptedKeyTypes", release("9.2")).keyword?.name).toBe(
      "PubkeyAcceptedAlgorithms",
    );
    expect(lookUpKeyword("PubkeyAcceptedKeyTypes", release("8.4")).keyword?.name).toBe(
      "PubkeyAcceptedKeyTypes",
    );
  });
});
