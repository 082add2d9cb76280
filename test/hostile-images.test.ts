/** Archives that somebody made to do harm, or that are damaged: a clear error or the right answer, in bounds. */
import { spawnSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { openImage } from "../src/files/image.ts";
import {
  block,
  dockerArchive,
  file,
  folder,
  hardLink,
  layOut,
  link,
  type Member,
  ociMembers,
  pax,
  tar,
  withChecksum,
  zstdStored,
} from "./images/writing.ts";
import { makeFolder } from "./own-folder.ts";

const MAIN = "/etc/ssh/sshd_config";
const work = makeFolder();

let count = 0;
function written(...parts: readonly Buffer[]): string {
  const path = join(work, `${count++}.tar`);
  writeFileSync(path, Buffer.concat(parts));
  return path;
}

/** What the main file of an image holds, or the error. */
async function textIn(path: string, platform: string | null = null): Promise<string> {
  const image = await openImage(path, {
    platform,
    threads: 1,
    explore: async ({ tree }) => void tree.read(MAIN),
  });
  if ("error" in image) return `error: ${image.error}`;
  const content = image.tree.read(MAIN);
  if (content.kind === "file") return Buffer.from(content.bytes).toString("latin1");
  return content.kind === "folder" ? "a folder" : content.code;
}

/** Runs it and measures the milliseconds, and by how many MB the process grew at its largest. */
async function measured(
  path: string,
): Promise<{ readonly text: string; readonly ms: number; readonly mb: number }> {
  globalThis.gc?.();
  const before = process.memoryUsage().rss;
  let peak = before;
  const timer = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage().rss);
  }, 20);
  const start = performance.now();
  const text = await textIn(path);
  clearInterval(timer);
  peak = Math.max(peak, process.memoryUsage().rss);
  return { text, ms: performance.now() - start, mb: (peak - before) / 1e6 };
}

const GOOD: readonly Member[] = [folder("etc/"), folder("etc/ssh/"), file("etc/ssh/sshd_config", "good\n")];

describe("no way out", () => {
  test("nothing outside is read, however a link is written", async () => {
    const secret = join(work, "secret");
    writeFileSync(secret, "the host's own\n");
    for (const target of [
      secret,
      `../../..${secret}`,
      `../../../../../../..${secret}`,
      "/proc/self/environ",
    ]) {
      for (const made of [link("etc/ssh/sshd_config", target), hardLink("etc/ssh/sshd_config", target)]) {
        const text = await textIn(written(tar([folder("etc/"), made])));
        expect(text, target).toMatch(
          /^(?:ENOENT|error: the hard link .*, which is not there|error: the entry .* leads out of the archive.*)$/,
        );
      }
    }
  });

  test.each<[string, readonly Member[], RegExp]>([
    ["..", [...GOOD, file("../outside", "x")], /leads out of the archive/],
    ["in the middle", [...GOOD, file("etc/../../x", "x")], /leads out of the archive/],
    ["absolute with ..", [...GOOD, file("/../../etc/ssh/sshd_config", "x")], /leads out of the archive/],
    ["by a pax record", [...GOOD, pax({ path: "../../x" }), file("x", "x")], /leads out of the archive/],
    [
      "a hard link out",
      [...GOOD, hardLink("x", "../../etc/passwd"), hardLink("etc/ssh/y", "../../x")],
      /leads out of the archive/,
    ],
    [".. that stays inside", [...GOOD, file("opt/../etc/./ssh//sshd_config", "inside\n")], /^inside\n$/],
  ])("%s", async (_, members, expected) => {
    expect(await textIn(written(tar(members)))).toMatch(expected);
  });

  test("a layout's blobs are its own", async () => {
    const layout = join(work, "layout");
    layOut(layout, ociMembers([{ layers: [{ tar: tar(GOOD), command: "" }] }], "plain"));
    expect(await textIn(layout)).toBe("good\n");
    const index = (digest: string): void =>
      writeFileSync(join(layout, "index.json"), JSON.stringify({ manifests: [{ digest }] }));
    index("sha256:../../../../etc/passwd");
    expect(await textIn(layout)).toMatch(/is no digest/);
    const digest = "0".repeat(64);
    symlinkSync("/etc/hostname", join(layout, "blobs/sha256", digest));
    index(`sha256:${digest}`);
    expect(await textIn(layout)).toMatch(/it holds no image/);
  });
});

describe("damage", () => {
  const whole = tar([...GOOD, file("etc/passwd", "x".repeat(3000))]);
  test("a tar that is cut short, at any byte", async () => {
    for (let length = 0; length < whole.length - 1024; length += 97) {
      const text = await textIn(written(whole.subarray(0, length)));
      expect(text, `${length} bytes`).toMatch(
        length <= 1024
          ? /^error: /
          : /^(?:error: the archive ends in the middle of an entry|good\n$|ENOENT$)/,
      );
    }
  });

  test.each([
    ["plain", (bytes: Buffer) => bytes],
    ["gzip", (bytes: Buffer) => gzipSync(bytes)],
  ])("a block of zeros ends no archive that goes on: %s", async (_, compress) => {
    const [first, second] = [tar(GOOD), tar([file("etc/ssh/sshd_config", "later\n")])];
    const entries = first.subarray(0, first.length - 1024);
    const blocks = (count: number): Buffer => Buffer.alloc(512 * count);
    const textOf = (...parts: readonly Buffer[]): Promise<string> =>
      textIn(written(compress(Buffer.concat(parts))));
    expect(await textOf(entries, blocks(1), second)).toMatch(/^error: an entry at byte 2560, behind a block/);
    expect(await textOf(entries, blocks(1), Buffer.alloc(512, 1))).toMatch(/^error: no tar header at byte/);
    expect(await textOf(entries, blocks(1))).toBe("good\n");
    expect(await textOf(entries, blocks(2), second)).toBe("good\n");
  });

  test.each([
    ["pax records", pax({ path: "etc/ssh/sshd_config" })],
    ["GNU's long name", { name: "././@LongLink", flag: "L", data: "etc/ssh/sshd_config\0" }],
  ])("an archive that ends behind %s is cut short", async (_, extension) => {
    const bytes = tar([...GOOD, extension]).subarray(0, -1024);
    for (const cut of [bytes, bytes.subarray(0, -100)])
      for (const archive of [cut, gzipSync(cut)])
        expect(await textIn(written(archive))).toMatch(/^error: the archive ends in the middle of an entry/);
  });

  test.each(["", ".", ".."])("a whiteout of '%s' names nothing in its folder", async (name) => {
    const layers = [GOOD, [file(`etc/ssh/.wh.${name}`, "")]].map((members) => ({
      tar: tar(members),
      command: "x",
    }));
    expect(await textIn(written(dockerArchive({ layers })))).toContain(
      `the whiteout ".wh.${name}" in /etc/ssh`,
    );
  });

  test("a plain layer of another size than its manifest says", async () => {
    const other = tar([...GOOD, file("x", "x".repeat(9000))]);
    const members = ociMembers([{ layers: [{ tar: whole, command: "" }] }], "plain");
    const swapped = members.map((each) =>
      Buffer.isBuffer(each.data) && each.data.equals(whole) ? { ...each, data: other } : each,
    );
    expect(await textIn(written(tar(members)))).toBe("good\n");
    expect(await textIn(written(tar(swapped)))).toMatch(
      /^error: layer blobs\/sha256\/\w+: it has \d+ bytes, not the \d+ that its manifest names: it is damaged$/,
    );
  });

  test("a gzip that is cut short never gives an answer", { timeout: 60_000 }, async () => {
    const gzipped = gzipSync(dockerArchive({ layers: [{ tar: whole, command: "" }] }));
    for (let length = 20; length < gzipped.length; length += 13)
      expect(await textIn(written(gzipped.subarray(0, length))), `${length} bytes`).toMatch(/^error: /);
  });

  test("bits that are flipped in gzip layers: an error, or the right answer", {
    timeout: 60_000,
  }, async () => {
    const image = tar(ociMembers([{ layers: [{ tar: whole, command: "" }] }], "gzip"));
    for (let at = 0; at < image.length; at += 37) {
      const damaged = Buffer.from(image);
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8));
      expect(await textIn(written(damaged)), `byte ${at}`).toMatch(/^(?:error: |good\n$)/);
    }
  });

  test("bits that are flipped in the headers of a plain tar are noticed", async () => {
    for (let at = 0; at < 512; at += 3) {
      const damaged = Buffer.from(whole);
      damaged[1024 + at] = (damaged[1024 + at] ?? 0) ^ 4;
      expect(await textIn(written(damaged)), `byte ${at}`).toMatch(/^error: no tar header at byte 1024/);
    }
  });

  test.each<[string, (header: Buffer) => void, RegExp]>([
    [
      "a size that is no number",
      (header) => header.write("zzzzzzzzzzz\0", 124, "latin1"),
      /no number in the tar header/,
    ],
    ["a size of 2^70", (header) => header.fill(0xff, 124, 136).fill(0x80, 124, 125), /a size out of range/],
    ["a size of -1", (header) => header.fill(0xff, 124, 136), /a size out of range/],
    ["a size beyond the end", (header) => header.write("77777777777\0", 124, "latin1"), /cut short/],
  ])("%s", async (_, spoil, expected) => {
    const header = block(file("etc/x", ""));
    spoil(header);
    for (const bytes of [tar(GOOD).subarray(0, -1024), gzipSync(tar(GOOD))].slice(0, 1)) {
      const archive = Buffer.concat([bytes, withChecksum(header), Buffer.alloc(1024)]);
      expect(await textIn(written(archive))).toMatch(expected);
      expect(await textIn(written(gzipSync(archive)))).toMatch(expected);
    }
  });

  test.each<[string, Buffer | string, RegExp]>([
    ["an empty file", "", /no root file system/],
    ["text", "hello\n".repeat(1000), /no tar header at byte 0/],
    ["a few bytes", "Port 22\n", /too short for a tar: no image/],
    ["bzip2", "BZh91AY&SY", /compressed with something else than gzip and zstd/],
    ["a tar without a root", tar([file("readme", "x")]), /no root file system/],
    ["a manifest that is no JSON", tar([file("manifest.json", "{")]), /manifest.json in it is no JSON/],
    ["a manifest of nothing", tar([file("manifest.json", "[]")]), /lists no image/],
    ["a manifest of odd types", tar([file("manifest.json", '[{"Layers":7,"Config":{}}]')]), /has no member/],
    ["a manifest deep as a well", tar([file("manifest.json", "[".repeat(1_000_000))]), /is no JSON/],
    [
      "a layer that is not there",
      tar([
        file("c.json", "{}"),
        file("manifest.json", '[{"Config":"c.json","Layers":["../../etc/passwd"]}]'),
      ]),
      /has no member "\.\.\/\.\.\/etc\/passwd"/,
    ],
    [
      "an extended header of 1 GB",
      Buffer.concat([block({ name: "x", flag: "x" }).fill(0)]).fill(
        withChecksum(Buffer.from(block({ name: "x", flag: "x" })).fill("7777777777 ", 124, 135)),
        0,
        512,
      ),
      /an extended tar header of/,
    ],
  ])("%s", async (_, bytes, expected) => {
    const plain = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes, "latin1");
    expect(await textIn(written(plain))).toMatch(expected);
  });

  test("a FIFO and a folder in place of an image", async () => {
    const fifo = join(work, "fifo");
    spawnSync("mkfifo", [fifo]);
    expect(await textIn(fifo)).toBe("error: it is no regular file");
    const empty = join(work, "empty");
    mkdirSync(empty);
    expect(await textIn(empty)).toMatch(/it is a folder, and no OCI layout/);
    expect(await textIn(join(work, "missing"))).toBe("error: No such file or directory");
  });
});

describe("size", () => {
  /** A file of 10 GB of zeros: its header, and gzip members of 64 MiB of them. */
  function bomb(): Buffer {
    const header = block(file("var/zeros", ""));
    header.write(`${(10 * 2 ** 30).toString(8).padStart(11, "0")}\0`, 124, "latin1");
    const zeros = gzipSync(Buffer.alloc(64 * 1024 * 1024));
    const start = gzipSync(Buffer.concat([tar(GOOD).subarray(0, -1024), withChecksum(header)]));
    return Buffer.concat([start, ...Array.from({ length: 160 }, () => zeros), gzipSync(Buffer.alloc(1024))]);
  }

  test("a bomb of 10 GB is not read any further", { timeout: 120_000 }, async () => {
    const { text, ms, mb } = await measured(written(bomb()));
    expect(text).toMatch(/^error: it makes \d+ bytes of \d+: that is a bomb/);
    expect(mb).toBeLessThan(150);
    expect(ms).toBeLessThan(60_000);
  });

  /** zstd frames of blocks that are one byte, 131,072 times; `window`: RFC 8878, 3.1.1.1.2 */
  const zeros = (window: number, blocks: number): Buffer => {
    const start = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, window]);
    return Buffer.concat([start, ...Array.from({ length: blocks }, () => Buffer.from([2, 0, 16, 0]))]);
  };

  test("a bomb of zstd, four bytes for each 128 KiB of zeros", { timeout: 120_000 }, async () => {
    const { text, ms, mb } = await measured(written(zeros(0x38, 80_000)));
    expect(text).toMatch(/^error: it makes \d+ bytes of \d+: that is a bomb/);
    expect(mb).toBeLessThan(150);
    expect(ms).toBeLessThan(60_000);
  });

  test("a zstd frame that asks for 2 GB of memory, behind one that does not", async () => {
    const good = zstdStored(tar(GOOD).subarray(0, -1024));
    for (const window of [0x90, 0xa8, 0xf8]) {
      const { text, mb } = await measured(written(good, zeros(window, 4)));
      expect(text).toMatch(/^error: its zstd data is damaged or cut short/);
      expect(mb).toBeLessThan(150);
    }
    expect(
      await textIn(
        written(good, Buffer.from("502a4d1803000000616263", "hex"), zstdStored(Buffer.alloc(1024))),
      ),
    ).toBe("good\n");
  });

  test("a bomb inside a layer inside a gzip", { timeout: 120_000 }, async () => {
    const layer = bomb();
    const config = "a".repeat(64);
    const members = [
      { name: "layer/layer.tar", data: layer },
      file(`${config}.json`, "{}"),
      file("manifest.json", JSON.stringify([{ Config: `${config}.json`, Layers: ["layer/layer.tar"] }])),
    ];
    const { text, mb } = await measured(written(gzipSync(tar(members))));
    expect(text).toMatch(/^error: layer layer\/layer.tar: it makes .* that is a bomb/);
    expect(mb).toBeLessThan(150);
  });

  /** Headers alone, with the names that `nameOf` gives. */
  function* headers(count: number, nameOf: (index: number) => string): Generator<Buffer> {
    const template = block(file("", ""));
    const sum = Number.parseInt(template.toString("latin1", 148, 154), 8);
    for (let first = 0; first < count; first += 10_000) {
      const part = Buffer.alloc(512 * 10_000);
      for (let index = 0; index < 10_000; index++) {
        const header = part.subarray(512 * index, 512 * index + 512);
        const name = Buffer.from(nameOf(first + index));
        header.set(template);
        header.set(name);
        const added = name.reduce((total, byte) => total + byte, sum);
        header.write(added.toString(8).padStart(6, "0"), 148, "latin1");
      }
      yield part;
    }
  }

  test("a million files are read, in bounds", { timeout: 300_000 }, async () => {
    const parts = [...headers(1_000_000, (index) => `srv/${index % 1000}/file-${index}`)].map((part) =>
      gzipSync(part, { level: 1 }),
    );
    const path = written(gzipSync(tar(GOOD).subarray(0, -1024)), ...parts, gzipSync(Buffer.alloc(1024)));
    const { text, mb, ms } = await measured(path);
    expect(text).toBe("good\n");
    expect(mb).toBeLessThan(150);
    expect(ms).toBeLessThan(120_000);
  });

  test("files of configuration without end are too many", { timeout: 300_000 }, async () => {
    const parts = [...headers(120_000, (index) => `etc/ssh/sshd_config.d/${index}.conf`)];
    const { text, mb } = await measured(written(tar(GOOD).subarray(0, -1024), ...parts, Buffer.alloc(1024)));
    expect(text).toMatch(/^error: more than 50000 files of configuration/);
    expect(mb).toBeLessThan(150);
  });

  test("more folders than are remembered", { timeout: 300_000 }, async () => {
    const parts = [...headers(300_000, (index) => `d${index}/x`)];
    const { text } = await measured(written(tar(GOOD).subarray(0, -1024), ...parts, Buffer.alloc(1024)));
    expect(text).toMatch(/^error: more than 200000 folders or links/);
  });

  test("a sparse file of 8 GB of nothing", async () => {
    const sparse = [
      pax({
        "GNU.sparse.major": "0",
        "GNU.sparse.minor": "1",
        "GNU.sparse.numblocks": "0",
        "GNU.sparse.size": String(2 ** 33),
      }),
      file("etc/ssh/sshd_config", ""),
    ];
    expect(await textIn(written(tar([folder("etc/"), ...sparse])))).toBe("ETOOBIG");
    expect(await textIn(written(gzipSync(tar([folder("etc/"), ...sparse]))))).toMatch(
      /ETOOBIG|sparse file larger/,
    );
  });

  test("more layers than any engine makes", async () => {
    const layers = Array.from({ length: 1001 }, () => ({ tar: tar(GOOD), command: "x" }));
    expect(await textIn(written(dockerArchive({ layers })))).toContain("it has 1001 layers: more than 1000");
  });

  test("a bomb in many layers, none of which is one", { timeout: 120_000 }, async () => {
    const part = gzipSync(Buffer.alloc(1_000_000_000), { level: 9 });
    const layers = [GOOD, [...GOOD, file("x", "")], [...GOOD, file("y", "")]].map((members) => ({
      tar: Buffer.concat([tar(members).subarray(0, -1024)]),
      command: "x",
    }));
    const bomb = written(dockerArchive({ layers }, (bytes) => Buffer.concat([gzipSync(bytes), part])));
    expect(await textIn(bomb)).toContain("that is a bomb");
  });

  test("a layer that is named a thousand times is read once", { timeout: 60_000 }, async () => {
    const bytes = tar([...GOOD, file("x", Buffer.alloc(50_000_000))]);
    const member = (name: string): Member => link(`${name}/layer.tar`, "../0/layer.tar");
    const names = Array.from({ length: 1000 }, (_, index) => `${index}`);
    const config = { os: "linux", architecture: "amd64", config: {}, rootfs: { type: "layers" } };
    const manifest = [{ Config: "config.json", Layers: names.map((name) => `${name}/layer.tar`) }];
    const archive = tar([
      file("0/layer.tar", gzipSync(bytes, { level: 1 })),
      ...names.slice(1).map(member),
      file("config.json", JSON.stringify(config)),
      file("manifest.json", JSON.stringify(manifest)),
    ]);
    expect(await textIn(written(archive))).toBe("good\n");
  });

  test.each([
    ["128 MiB", 0x88, /^good$/],
    ["144 MiB", 0x89, /asks for more than 128 MiB|zstd data is damaged/],
    ["2 GiB", 0xa8, /asks for more than 128 MiB|zstd data is damaged/],
  ])("a zstd frame that asks for %s of memory", async (_, window, expected) => {
    const blocks = zstdStored(tar([folder("etc"), file("etc/ssh/sshd_config", "good")])).subarray(9);
    const head = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, window]);
    expect(await textIn(written(head, blocks))).toMatch(expected);
  });

  test("a chain of links that leads on and on", async () => {
    const chain = Array.from({ length: 100 }, (_, index) => link(`l${index}`, `/l${index + 1}`));
    const text = await textIn(
      written(tar([...GOOD.slice(0, 2), link("etc/ssh/sshd_config", "/l0"), ...chain])),
    );
    expect(text).toMatch(/ELOOP|lead on and on/);
  });
});
