/** A copy of a configuration that stands on its own (src/fix/standalone.ts) says what the configuration says. */
import { expect, test } from "vitest";
import type { Config } from "../src/config/config.ts";
import { loadConfig } from "../src/config/load.ts";
import { standaloneCopy } from "../src/fix/standalone.ts";
import { MAIN_FILE, release } from "./sshd/reading.ts";
import { memoryTree, type ServerTree } from "./sshd/server-tree.ts";

const FILES: ServerTree = {
  "/etc/ssh/sshd_config.d/10.conf": "Port 2222\nInclude /etc/ssh/more/*\n",
  "/etc/ssh/sshd_config.d/20.conf": "Match User a\nAllowTcpForwarding no",
  "/etc/ssh/more/x": "AllowUsers x\n",
  "/etc/ssh/more/y": "Match Group y\n  PermitOpen y:1\n",
};
const RELEASE = release("9.2");

const said = (config: Config): object => ({
  directives: config.directives.map(({ keyword, values, guards }) => ({
    keyword,
    values,
    guards: guards.map(({ order }) => order),
  })),
  problems: config.problems.map(({ message }) => message),
});

test.each([
  "Port 22\n",
  "Include sshd_config.d/*.conf\nX11Forwarding no\n",
  "Match User b\n  Include sshd_config.d/*.conf\nMatch all\nPort 23\n",
  "Include more/x sshd_config.d/20.conf # both\nInclude nothing/* more/x\nInclude more/y",
  'Include "/etc/ssh/nothing here"\nInclude nothing/*\nPort 24\n',
  "Include\nPort 25\n",
])("%j", (text) => {
  const tree = memoryTree({ ...FILES, [MAIN_FILE]: text });
  const config = loadConfig(tree, MAIN_FILE, { release: RELEASE });
  const copies = standaloneCopy(config, tree, "/copy");
  const [main] = copies;
  const alone = memoryTree(
    Object.fromEntries(copies.map(({ path, bytes }) => [path, Buffer.from(bytes).toString("latin1")])),
  );
  const copied = loadConfig(alone, main?.path ?? "", { release: RELEASE });
  expect(said(copied)).toEqual(said(config));
  expect(copied.files.map(({ realPath }) => realPath)).toEqual(copies.map(({ path }) => path));
});
