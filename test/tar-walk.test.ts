/** A tar in a file, most of whose headers one loop passes over (skim.ts), and as a stream, all of whose headers are walked: the same. */
import { closeSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test, vi } from "vitest";
import { openRange, partOf, walkChunks, walkRange } from "../src/files/archive-bytes.ts";
import { openKeeper, scanRange } from "../src/files/layer.ts";
import { plainHeaders } from "../src/files/plain-header.ts";
import type { Visitor } from "../src/files/tar.ts";
import { ArchiveError, hasData, readHeader, textAt } from "../src/files/tar-header.ts";
import { openWanted } from "../src/files/wanted.ts";
import { makeRandom, type Random } from "./fuzz/random.ts";
import {
  block,
  file,
  folder,
  hardLink,
  link,
  type Member,
  pax,
  tar,
  withChecksum,
} from "./images/writing.ts";
import { makeFolder } from "./own-folder.ts";

const work = makeFolder();

const WANTED = ["/etc", "/etc/ssh"];

/** Interested in the files of these folders and in all that is no file; notes what it is told of that. */
function noting(): { readonly visitor: Visitor; readonly notes: string[] } {
  const notes: string[] = [];
  const visitor: Visitor = {
    concerns: (path, kind) => kind !== "file" || WANTED.includes(dirname(path)) || /\/\.[^/]*$/.test(path),
    passesBeside: (path) => !WANTED.includes(dirname(path)),
    enter: ({ path, kind, length, target }) => {
      notes.push(`${kind} ${path} ${length} ${target}`);
      return kind === "file" && length < 100_000 ? "read" : "pass";
    },
    data: (_, bytes) => notes.push(bytes.toString("latin1")),
  };
  return { visitor, notes };
}

function ended(error: unknown): string {
  if (error instanceof ArchiveError) return error.message;
  throw error;
}

function inFile(bytes: Buffer, walk: typeof walkRange = walkRange): readonly string[] {
  const path = join(work, "archive.tar");
  // what stands beside it belongs to others
  writeFileSync(path, Buffer.concat([Buffer.alloc(512, 0x61), bytes, Buffer.alloc(2048, 0x62)]));
  const { visitor, notes } = noting();
  const range = openRange(Buffer.from(path));
  try {
    walk(partOf(range, 512, bytes.length), visitor);
  } catch (error) {
    notes.push(ended(error));
  } finally {
    closeSync(range.handle);
  }
  return notes;
}

async function asStream(bytes: Buffer): Promise<readonly string[]> {
  const { visitor, notes } = noting();
  async function* chunks() {
    yield bytes;
  }
  try {
    await walkChunks(chunks(), visitor, async () => {});
  } catch (error) {
    notes.push(ended(error));
  }
  return notes;
}

const FOLDERS = [
  "",
  "usr/",
  "usr/lib/",
  "./usr/lib/",
  "usr/lib//",
  "opt/.hidden/",
  "etc/",
  "etc/ssh/",
  "etc/ssl/",
  "./etc/",
];
const NAMES = ["a", "b.so", ".wh.a", ".wh..wh..opq", "ssh", "x".repeat(70), "\xff"];

function anyMember(random: Random): readonly Member[] {
  const name = random.pick(FOLDERS) + random.pick(NAMES);
  const data = "#".repeat(random.chance(4) ? 70_000 : random.pick([0, 1, 511, 512, 513, 3000]));
  return random.pick([
    () => [file(name, data)],
    () => [file(name, data)],
    () => [file(name, data)],
    () => [folder(`${name}/`)],
    () => [link(name, random.pick(["/etc", "../x", "ssh"]))],
    () => [hardLink(name, "usr/lib/a")],
    () => [pax({ path: `${random.pick(FOLDERS)}long` }), file(name, data)],
    () => [{ name, flag: random.pick(["\0", "3", "6", "7", "9", "V"]) }],
  ])();
}

/** A few bytes changed, in headers more often than in between; sometimes the end is cut off. */
function damaged(bytes: Buffer, random: Random): Buffer {
  const copy = Buffer.from(bytes);
  const changes = random.pick([0, 1, 1, 3, 6]);
  for (let index = 0; index < changes; index++) {
    const block = random.int(copy.length / 512) * 512;
    const place = random.pick([random.int(512), 124 + random.int(12), 135, 156, 345]);
    if (random.chance(40)) copy.write("etc\0", block + 345, "latin1");
    else copy[block + place] = random.pick([0, 0x20, 0x30, 0x31, 0x37, 0x38, 0x61, 0x80, 0xff]);
    // a header that says something else, and is whole
    if (random.chance(60)) withChecksum(copy.subarray(block, block + 512));
  }
  return random.int(8) === 0 ? copy.subarray(0, random.int(copy.length)) : copy;
}

test("the same entries, data and errors", { timeout: 240_000 }, async () => {
  const told = new Set<string>();
  for (let seed = 1; seed <= 1000; seed++) {
    const random = makeRandom(seed);
    const members = Array.from({ length: 1 + random.int(12) }, () => anyMember(random)).flat();
    const bytes = damaged(tar(members), random);
    const expected = await asStream(bytes);
    expect(inFile(bytes), `seed ${seed}`).toEqual(expected);
    told.add(expected.at(-1)?.replaceAll(/\d+/g, "N") ?? "");
  }
  // not all alike
  expect(told.size).toBeGreaterThan(20);
});

test("WebAssembly is there to test with", () => expect(plainHeaders()).not.toBeNull());

test("thousands of folders in a thousand places: none is taken for one that was passed", async () => {
  const random = makeRandom(7);
  const letter = (): string => String.fromCharCode(0x61 + random.int(26));
  // as long as the wanted one and beginning like it, or in it: some have its place
  const likeWanted = Array.from({ length: 6000 }, (_, index) =>
    index % 2 === 0
      ? `e${letter()}${letter()}/${letter()}${letter()}${letter()}/`
      : `etc/ssh/${letter()}${letter()}${letter()}/`,
  );
  const members = likeWanted.flatMap((name, index) => [
    file(`${name}passed-${index}`, ""),
    ...(index % 10 === 0
      ? [file(`etc/ssh/wanted-${index}`, "x"), file("usr/lib/a", ""), file("usr/lib/.dotted", "")]
      : []),
  ]);
  const bytes = tar(members);
  const expected = await asStream(bytes);
  expect(inFile(bytes)).toEqual(expected);
  expect(expected.filter((note) => note.startsWith("file /etc/ssh/wanted-")).length).toBe(600);
});

test("what one walk passed is another's to see", () => {
  const bytes = tar(["usr/a", "etc/ssh/a", "etc/ssh/b"].map((name) => file(name, "")));
  const nobody: Visitor = {
    concerns: () => false,
    passesBeside: () => true,
    enter: () => "pass",
    data: () => {},
  };
  inFile(bytes, (range) => walkRange(range, nobody));
  expect(inFile(bytes).filter((note) => note.startsWith("file ")).length).toBe(2);
});

test("a whiteout, which says nothing of its folder, passes none", () => {
  const names = ["srv/app/a", "etc/ssh/.wh.gone", "etc/ssh/sshd_config"];
  writeFileSync(join(work, "layer.tar"), tar(names.map((name) => file(name, ""))));
  const range = openRange(Buffer.from(join(work, "layer.tar")));
  const keeper = openKeeper({ bytes: 0 });
  const { entries } = scanRange(range, { wanted: openWanted(), keeper, kind: "layer", layer: 0 });
  closeSync(range.handle);
  const paths = entries.flatMap((each) => ("entry" in each ? [each.entry.path] : []));
  expect(paths).toEqual(["/etc/ssh/sshd_config"]);
});

test("a header with any one byte changed: what WebAssembly says of it is what the walk reads", () => {
  const headers = plainHeaders();
  if (headers === null) throw new Error("no WebAssembly");
  const { look, memory } = headers;
  const header = block(file("usr/lib/libc.so", "#".repeat(0o1234567)));
  const wrong: string[] = [];
  const plain = { whole: 0, repaired: 0 };
  for (const kind of ["whole", "repaired"] as const) {
    for (let place = 0; place < 512 * 256; place++) {
      header.copy(memory);
      memory[place >> 8] = place & 0xff;
      if (kind === "repaired") withChecksum(memory.subarray(0, 512));
      const blocks = Math.abs(look(0));
      if (blocks === 0) continue;
      plain[kind] += 1;
      if (blocks !== blocksOf(memory)) wrong.push(`${kind}: ${place & 0xff} at ${place >> 8}`);
    }
  }
  expect(wrong).toEqual([]);
  // each place has the header's own byte once; a checksum may be written in several ways
  expect(plain.whole).toBeGreaterThanOrEqual(512);
  expect(plain.repaired).toBeGreaterThan(100_000);
});

/** By the walk's own reading; -1 for a header that it refuses, or whose name is in two fields. */
function blocksOf(bytes: Buffer): number {
  try {
    const header = readHeader({ bytes, start: 0, length: 512, at: 0 });
    if (header === null || header.name !== textAt(bytes, 0, 100)) return -1;
    return 1 + (hasData(header.flag) ? Math.ceil(header.size / 512) : 0);
  } catch (error) {
    ended(error);
    return -1;
  }
}

test("without WebAssembly (node --jitless) all headers are walked", async () => {
  vi.stubGlobal("WebAssembly", undefined);
  vi.resetModules();
  const { walkRange: walkAll } = await import("../src/files/archive-bytes.ts");
  const { plainHeaders: none } = await import("../src/files/plain-header.ts");
  expect(none()).toBeNull();
  const bytes = tar([
    folder("usr/"),
    file("usr/a", "1"),
    file("etc/ssh/sshd_config", "2"),
    file("usr/b", "3"),
  ]);
  expect(inFile(bytes, walkAll)).toEqual(await asStream(bytes));
  vi.unstubAllGlobals();
});
