/** Who is cut off: what the search says of all connections beside the plain reading of each, over a small alphabet of lines. */
import { expect, it } from "vitest";
import { checkConfig } from "../src/config/check.ts";
import type { Config } from "../src/config/config.ts";
import { loadConfig } from "../src/config/load.ts";
import type { Connection } from "../src/policy/connection.ts";
import { readerOf } from "../src/policy/reader.ts";
import { startReasoning } from "../src/policy/reasoning.ts";
import { endedIn, everywhere } from "../src/policy/regions.ts";
import { STRANGER } from "../src/policy/samples.ts";
import { contains } from "../src/policy/search.ts";
import { configOf, releaseOf } from "./configurations.ts";
import { memoryTree } from "./sshd/server-tree.ts";

const BLOCKS = ["", "Match User alice\n", "Match User !bob,*\n", "Match Group staff Address 10.0.0.0/8\n"];
const PEOPLE = ["alice", "bob", "carol"].flatMap((user) =>
  ["10.0.0.1", "10.1.2.3", "192.0.2.7"].flatMap((addr) =>
    [["staff"], []].map((groups) => ({ ...STRANGER, user, groups, addr, host: addr })),
  ),
);

/** Lines of which sshd takes some only when it reads the file for a connection. */
const LINES: Readonly<Record<string, readonly string[]>> = {
  "8.3": [
    "Match Address !10.0.0.0/8,10.1.2.3/8,10.1.2.3\nPermitTTY no\n",
    "Match User bob LocalAddress 192.0.2.1/24\n",
    "Match User alice Address 192.0.2.*,!192.0.2.7,192.0.2.0/33,!10.1.2.3\n",
  ],
  "8.6": [
    "AuthenticationMethods publickey\n",
    "AuthenticationMethods nonsense\n",
    "AuthorizedPrincipalsCommand x\n",
    "AuthorizedPrincipalsCommand none\n",
  ],
  "9.2": [
    "AuthenticationMethods publickey\n",
    "AuthenticationMethods any\n",
    "CASignatureAlgorithms !ssh-rsa\n",
    "CASignatureAlgorithms ssh-ed25519\n",
  ],
  "9.5": ["Subsystem a\n", "Subsystem a /x\n", "Subsystem b\n", "Subsystem b /y\n"],
};

function sequences<Item>(items: readonly Item[], length: number): Item[][] {
  return length === 0
    ? [[]]
    : sequences(items, length - 1).flatMap((start) => items.map((item) => [...start, item]));
}

it.each([
  ...Object.entries(LINES).map(([release, lines]) => ({ release, start: "", lines })),
  // sshd does not crash where one stands outside all blocks
  { release: "9.5", start: "Subsystem c /z\n", lines: LINES["9.5"] ?? [] },
])(
  "agrees with the plain reading, connection by connection: $release, $start",
  ({ release, start, lines }) => {
    const pieces = BLOCKS.flatMap((block) => lines.map((line) => block + line));
    let [ended, served] = [0, 0];
    for (const text of sequences(pieces, 2).map((parts) => start + parts.join(""))) {
      const config = configOf(text, release);
      if (!checkConfig(config).accepted) continue;
      const cutOff = endedOf(config, text);
      ended += cutOff;
      served += PEOPLE.length - cutOff;
    }
    expect(Math.min(ended, served)).toBeGreaterThan(100);
  },
);

/** How many of the people, each told by the search as by the plain reading. */
function endedOf(config: Config, text: string): number {
  const reasoning = startReasoning(config);
  const parts = endedIn(reasoning, everywhere(reasoning));
  const isEnded = (connection: Connection): boolean =>
    readerOf(config).read(connection, "permittty") === null;
  for (const connection of PEOPLE) {
    const told = parts.filter(({ scope }) => contains(reasoning.searcher, scope, connection)).length;
    expect({ text, connection, told }).toEqual({ text, connection, told: Number(isEnded(connection)) });
  }
  for (const { witness } of parts)
    expect([text, witness, witness !== null && isEnded(witness)]).toEqual([text, witness, true]);
  return PEOPLE.filter(isEnded).length;
}

// sshd-semantics 4.10: outside a block the file's Match lines are lost, inside they are read where it holds
it.each([
  ["outside all blocks, where 8.3 loses its Match lines", "", 0],
  ["inside a block", "Match User alice\n", 2],
  ["inside a block that holds for nobody", "Match User !alice\n", 0],
])("a bad address in a file that is included %s", (_, block, ended) => {
  const config = configOf(
    {
      "/etc/ssh/sshd_config": `${block}Include /etc/ssh/part\n`,
      "/etc/ssh/part": "Match Address !10.0.0.0/8,10.0.0.0/33\nPermitTTY no\n",
    },
    "8.3",
  );
  expect(endedOf(config, block)).toBe(ended);
});

// seen on 8.4, where a second line is looked at only when the file is read for a connection
it("options of sshd's command line are read once, and end nobody later", () => {
  const tree = memoryTree({ "/etc/ssh/sshd_config": "Match User bob\nAuthenticationMethods publickey\n" });
  const commandLine = ["AuthenticationMethods=publickey", "AuthenticationMethods=nonsense"];
  const config = loadConfig(tree, "/etc/ssh/sshd_config", { release: releaseOf("8.4"), commandLine });
  expect(checkConfig(config).accepted).toBe(true);
  expect(endedOf(config, "options")).toBe(0);
});
