/** A tar in a file, most of whose headers one loop passes over (skim.ts), and as a stream, all of whose headers are walked: the same. */
import { closeSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openRange, partOf, walkChunks, walkRange } from "../src/files/archive-bytes.ts";
import type { Visitor } from "../src/files/tar.ts";
import { ArchiveError } from "../src/files/tar-header.ts";
import { makeRandom, type Random } from "./fuzz/random.ts";
import { file, folder, hardLink, link, type Member, pax, tar, withChecksum } from "./images/writing.ts";

let work = "";
beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), "sshd-policy-walk-"));
});
afterAll(() => rmSync(work, { recursive: true, force: true }));

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

function inFile(bytes: Buffer): readonly string[] {
  const path = join(work, "archive.tar");
  // what stands beside it belongs to others
  writeFileSync(path, Buffer.concat([Buffer.alloc(512, 0x61), bytes, Buffer.alloc(2048, 0x62)]));
  const { visitor, notes } = noting();
  const range = openRange(Buffer.from(path));
  try {
    walkRange(partOf(range, 512, bytes.length), visitor);
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
