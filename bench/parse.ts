/** Lossless reading, warm, beside other parsers on the same number of bytes of their own language. */
import { createRequire } from "node:module";
import { join } from "node:path";
import { parseTree } from "jsonc-parser";
import postcss from "postcss";
import SshConfig from "ssh-config";
import { Parser } from "yaml";
import type { Bench } from "./main.ts";
import { throughput } from "./measure.ts";
import { stockText } from "./texts.ts";

const BYTES = 2_000_000;

function repeated(text: string, bytes: number): string {
  return text.repeat(Math.ceil(bytes / text.length));
}

export const parse: Bench = ({ runs, scale }) => {
  const size = Math.round(BYTES * scale);
  const library = createRequire(import.meta.url)(join(import.meta.dirname, "../dist/index.js"));
  const configuration = Buffer.from(stockText(size), "latin1");
  const json = `[${repeated('{"keyword":"AllowTcpForwarding","value":"no","line":88},', size).slice(0, -1)}]`;
  const css = repeated(".forwarding { allow-tcp: no; permit-open: none; }\n", size);
  const yaml = repeated("- keyword: AllowTcpForwarding\n  value: no\n", size);
  const ssh = repeated("Host db\n  HostName db.example\n  LocalForward 5432 localhost:5432\n", size);
  const ours = throughput(configuration.length, () => library.parse(configuration), runs * 2);
  const peers: readonly (readonly [string, string, (text: string) => unknown])[] = [
    ["jsonc-parser", json, (text) => parseTree(text)],
    ["postcss", css, (text) => postcss.parse(text)],
    ["ssh-config", ssh, (text) => SshConfig.parse(text)],
    ["yaml's CST", yaml, (text) => [...new Parser().parse(text)]],
  ];
  return peers.map(([peer, text, work], index) => ({
    what: "lossless parse of 2 MB, warm",
    peer,
    ours,
    theirs: throughput(text.length, () => work(text), runs),
    unit: "MB/s",
    target: index === 0 ? { oursAtLeast: 15 } : { none: true },
  }));
};
