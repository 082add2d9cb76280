/** Keys of files log in at once, of every kind: the server is not asked first whether it takes them. */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { Credential } from "../src/forward/authentication.ts";
import type { Protocol, Sign } from "../src/forward/protocol.ts";
import { signAtOnce } from "../src/forward/sign-at-once.ts";
import { describeUnless } from "./needs.ts";
import { type LoopbackSshd, startSshd, whyNoSshd } from "./sshd/loopback.ts";
import { logIn } from "./sshd/session.ts";

const KINDS = ["rsa 2048", "ecdsa 256", "ecdsa 384", "ecdsa 521", "ed25519 256"];

/** A key of each kind, of which `accepted` are in authorized_keys. */
function makeKeys(sshd: LoopbackSshd, accepted: readonly string[]): readonly Credential[] {
  const lines: string[] = [];
  const credentials = KINDS.map((kind): Credential => {
    const [type = "", bits = ""] = kind.split(" ");
    const path = join(sshd.folder, `${type}-${bits}`);
    execFileSync("ssh-keygen", ["-q", "-t", type, "-b", bits, "-N", "", "-C", "", "-f", path]);
    if (accepted.includes(kind)) lines.push(readFileSync(`${path}.pub`, "utf8"));
    return { kind: "key", name: kind, read: async () => ({ text: readFileSync(path, "utf8") }) };
  });
  writeFileSync(join(sshd.folder, "authorized_keys"), lines.join(""));
  return credentials;
}

/** What sshd says of each try to log in. */
function triesIn(log: string): readonly string[] {
  return [...log.matchAll(/^(Accepted|Partial|Failed|Postponed) (?:publickey|none)/gm)].map(
    ([, word = ""]) => word,
  );
}

describeUnless(whyNoSshd(), "a login with a key", () => {
  it.each(KINDS)("of %s is signed at once, with the name that the server wants", async (kind) => {
    const lines = kind.startsWith("rsa") ? ["PubkeyAcceptedAlgorithms rsa-sha2-256"] : [];
    const sshd = await startSshd({ lines });
    const [key] = makeKeys(sshd, [kind]).filter((one) => "name" in one && one.name === kind);
    const session = await logIn(sshd, { credentials: key === undefined ? [] : [key] });
    session.end();
    await session.closed;
    expect(triesIn(sshd.log()).filter((word) => word !== "Failed")).toEqual(["Accepted"]);
    await sshd.stop();
  });

  it("goes on with the next key, and with the second of two that are asked for", async () => {
    const sshd = await startSshd({ lines: ["AuthenticationMethods publickey,publickey"] });
    const credentials = makeKeys(sshd, ["ecdsa 384", "ed25519 256"]);
    const session = await logIn(sshd, { credentials });
    session.end();
    await session.closed;
    const tries = triesIn(sshd.log());
    expect(tries.filter((word) => word !== "Failed")).toEqual(["Partial", "Accepted"]);
    await sshd.stop();
  });

  it("fails where the server takes none of them", async () => {
    const sshd = await startSshd();
    const failure = await logIn(sshd, { credentials: makeKeys(sshd, []).slice(0, 2) }).catch(
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({
      kind: "authentication",
      message: "permission denied (the server takes publickey; tried: key rsa 2048, key ecdsa 256)",
    });
    await sshd.stop();
  });
});

/** With which arguments the server is asked for a login with this key, and whether that is signed. */
function askedFor(key: object): readonly string[] {
  const asked: string[] = [];
  const authPK = (_user: string, _key: object, algorithm = "", sign?: Sign): void => {
    if (sign === undefined) asked.push(`${algorithm}, asked`);
    else sign(Buffer.from("text"), (signature) => asked.push(`${algorithm}, signed ${signature}`));
  };
  const protocol = { authPK } as unknown as Protocol;
  signAtOnce(protocol);
  protocol.authPK("alice", key as Parameters<Protocol["authPK"]>[1], "rsa-sha2-512");
  return asked;
}

it.each([
  [
    "a private key signs",
    { isPrivateKey: () => true, sign: (_: Buffer, hash: string) => Buffer.from(hash) },
    "signed sha512",
  ],
  [
    "for one that cannot sign the server is asked, as ssh2 does",
    { isPrivateKey: () => true, sign: () => new Error() },
    "asked",
  ],
  [
    "a key of an agent does not sign here",
    { isPrivateKey: () => false, sign: () => Buffer.from("x") },
    "asked",
  ],
  ["nor does one that an agent tells as bytes", Buffer.from("key"), "asked"],
])("at once: %s", (_, key, how) => {
  expect(askedFor(key)).toEqual([`rsa-sha2-512, ${how}`]);
});
