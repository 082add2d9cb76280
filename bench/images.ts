/** Images of 1 GB: plain layers by seeking, gzip layers side by side; bodies are holes or text that packs as usual. */
import { closeSync, ftruncateSync, openSync, statSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { block, file, type Member, padded, tar } from "../test/images/writing.ts";
import { NODE_FLOOR, sshdPolicy } from "./commands.ts";
import type { Bench } from "./main.ts";
import { comparePair, cpuOf, median, peakMemory } from "./measure.ts";
import type { Row } from "./table.ts";
import { stockText } from "./texts.ts";

const LAYERS = 4;
/** As in images of servers: most bytes are in few files. */
const FILES = { count: 1100, bytes: 230_000 };

const CONFIGURATION: readonly Member[] = [
  file("etc/passwd", "root:x:0:0:root:/root:/bin/bash\n"),
  file("var/lib/dpkg/status", "Package: openssh-server\nStatus: install ok installed\nVersion: 1:9.2p1-2\n"),
  file("etc/ssh/sshd_config", stockText(3000)),
];

export const images: Bench = async ({ work, runs, scale }) => {
  const times = Math.ceil(runs / 3);
  const plain = sshdPolicy("audit", "--image", plainArchive(join(work, "plain.tar"), scale));
  const floor = comparePair(plain, NODE_FLOOR, runs);
  const layers = Array.from({ length: LAYERS }, (_, index) => gzipLayer(index, scale));
  const gzip = sshdPolicy("audit", "--image", archiveOf(join(work, "gzip.tar"), layers));
  const own = median(Array.from({ length: times }, () => cpuOf(gzip)));
  const peer = layers.reduce((sum, layer, index) => {
    const path = join(work, `${index}.tar.gz`);
    writeFileSync(path, layer);
    return sum + cpuOf({ argv: ["tar", "-tzf", path] });
  }, 0);
  const node = { ours: await peakMemory(plain), theirs: await peakMemory(NODE_FLOOR) };
  const packed = await peakMemory(gzip);
  const rows: Row[] = [
    {
      what: "docker-archive of 1 GB, plain layers",
      peer: "node -e 0",
      ...{ ours: floor.ours, theirs: floor.peer, unit: "ms", target: { ratioAtMost: 2.4 } },
    },
    { what: "peak memory of it", peer: "node -e 0", ...node, unit: "MiB", target: { oursAtMost: 100 } },
    {
      what: "the same with gzip layers",
      peer: "tar -tzf a layer",
      ...{ ours: own, theirs: peer, unit: "ms", target: { ratioAtMost: 0.5 } },
    },
    {
      what: "peak memory of it",
      peer: "node -e 0",
      ...{ ours: packed, theirs: node.theirs, unit: "MiB", target: { oursAtMost: 150 } },
    },
  ];
  return rows;
};

const nameOf = (layer: number): string => `${String(layer).padStart(64, "0")}/layer.tar`;

function closing(): Buffer {
  const names = Array.from({ length: LAYERS }, (_, layer) => nameOf(layer));
  const manifest = [{ Config: "config.json", RepoTags: ["bench:1"], Layers: names }];
  const config = { os: "linux", architecture: "amd64", rootfs: { diff_ids: [] }, history: [] };
  return tar([file("config.json", JSON.stringify(config)), file("manifest.json", JSON.stringify(manifest))]);
}

function sized(name: string, bytes: number): Buffer {
  const header = block(file(name, ""));
  header.write(`${bytes.toString(8).padStart(11, "0")}\0`, 124, "latin1");
  header.fill(0x20, 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return header;
}

/** Headers with holes between them: a file that is large and takes no space. */
function plainArchive(path: string, scale: number): string {
  const handle = openSync(path, "w");
  const body = Math.ceil(FILES.bytes / 512) * 512;
  const count = Math.ceil(FILES.count * scale);
  const configuration = tar(CONFIGURATION);
  const layerBytes = count * (512 + body) + configuration.length;
  let at = 0;
  const put = (bytes: Buffer): void => {
    at += writeSync(handle, bytes, 0, bytes.length, at);
  };
  for (let layer = 0; layer < LAYERS; layer++) {
    put(sized(nameOf(layer), layerBytes));
    for (let index = 0; index < count; index++) {
      put(sized(`usr/lib/${index % 50}/lib-${index}.so`, FILES.bytes));
      at += body;
    }
    put(configuration);
  }
  put(closing());
  ftruncateSync(handle, at);
  closeSync(handle);
  if (scale === 1 && statSync(path).size < 1e9) throw new Error("the archive is smaller than 1 GB");
  return path;
}

function gzipLayer(layer: number, scale: number): Buffer {
  const body = Buffer.from(stockText(FILES.bytes).slice(0, FILES.bytes), "latin1");
  const members = Array.from({ length: Math.ceil(FILES.count * scale) }, (_, index) => {
    const data = Buffer.from(body);
    // no two files alike, and not all of them text
    for (let at = 0; at < data.length; at += 7) data[at] = (at * 31 + index * 17 + layer) & 0xff;
    return file(`usr/lib/${index % 50}/lib-${index}.so`, data);
  });
  return gzipSync(tar([...members, ...CONFIGURATION]), { level: 1 });
}

function archiveOf(path: string, layers: readonly Buffer[]): string {
  const members = layers.flatMap((layer, index) => [sized(nameOf(index), layer.length), padded(layer)]);
  writeFileSync(path, Buffer.concat([...members, closing()]));
  return path;
}
