/** Words of ExecStart= as systemd gives them to a program; a booted systemd is the judge. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { unitWords } from "../src/start/systemd-words.ts";
import { layerHost } from "./lab/hosts.ts";
import { whenBootable } from "./lab/sharing.ts";

const WORDS: readonly (readonly [text: string, words: readonly string[]])[] = [
  ["-D\\x20-e", ["-D -e"]],
  ["-o\\x20AllowTcpForwarding\\x3dyes", ["-o AllowTcpForwarding=yes"]],
  ["\\x2do \\x41llowTcpForwarding=yes", ["-o", "AllowTcpForwarding=yes"]],
  ['-o "AllowTcpForwarding\\syes"', ["-o", "AllowTcpForwarding yes"]],
  ["-o 'AllowTcpForwarding\\tyes'", ["-o", "AllowTcpForwarding\tyes"]],
  ["\\055o AllowTcpForwarding\\075yes", ["-o", "AllowTcpForwarding=yes"]],
  ["\\u00e9 \\U0001F600 \\xe9", ["\xc3\xa9", "\xf0\x9f\x98\x80", "\xe9"]],
  ["a\\\\b \\\"c\\\" \\'d\\' e\\nf", ["a\\b", '"c"', "'d'", "e\nf"]],
  ['a"b c"d \'e"f\' "g\'h"', ["ab cd", 'e"f', "g'h"]],
  ["\"\" '' x", ["", "", "x"]],
  ["\\q \\x4 \\08", ["\\q", "\\x4", "\\08"]],
  ["a; \\; b", ["a;", ";", "b"]],
];

describe("words of a unit", () => {
  test.each(WORDS)("%s", (text, words) => {
    expect(unitWords(text)).toEqual({ words, isBroken: false });
  });

  test("what stands behind ; is another command", () => {
    expect(unitWords("/usr/sbin/sshd -D ; /bin/true -o PermitTunnel=yes").words).toEqual([
      "/usr/sbin/sshd",
      "-D",
    ]);
  });
});

whenBootable("bookworm")("as systemd does", () => {
  const host = layerHost("bookworm");
  beforeAll(async () => {
    host.write(
      "/usr/local/bin/say",
      '#!/bin/sh\nfor word; do printf "%s\\037" "$word"; done >"/run/said"\n',
      0o755,
    );
    for (const [index, [text]] of WORDS.entries())
      host.write(
        `/etc/systemd/system/say${index}.service`,
        `[Service]\nType=oneshot\nExecStart=/usr/local/bin/say ${text}\n`,
      );
    await host.boot();
  });
  afterAll(() => host.remove());

  test.each(WORDS.map(([text, words], index) => [text, words, index] as const))(
    "%s",
    async (_, words, index) => {
      const said = await host.must(
        `rm -f /run/said; systemctl start say${index} && od -An -tx1 -v /run/said`,
      );
      const bytes = Buffer.from(said.replaceAll(/\s/g, ""), "hex").toString("latin1");
      expect(bytes.split("\x1f").slice(0, -1)).toEqual(words);
    },
  );
});
