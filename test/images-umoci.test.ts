/** Random layers as umoci lays them over each other (`umoci raw unpack`): files, folders, links, whiteouts, odd spellings. */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { folderTree } from "../src/files/folder.ts";
import { openImage } from "../src/files/image.ts";
import type { FileTree } from "../src/files/tree.ts";
import { makeRandom, type Random } from "./fuzz/random.ts";
import {
  dockerArchive,
  file,
  folder,
  hardLink,
  type Layer,
  layOut,
  link,
  type Member,
  pax,
  taggedMembers,
  tar,
} from "./images/writing.ts";
import { describeUnless, NOT_ROOT, whyNoTool } from "./needs.ts";
import { makeFolder } from "./own-folder.ts";

const missing = NOT_ROOT ?? whyNoTool("umoci");

const SEED = 20261126;
const IMAGES = 60;

const FILES = [
  "/etc/ssh/sshd_config",
  "/etc/ssh/sshd_config.d/a.conf",
  "/etc/ssh/sshd_config.d/b.conf",
  "/etc/passwd",
  "/usr/etc/ssh/sshd_config",
  "/usr/lib/systemd/system/ssh.service",
  "/srv/conf/x.conf",
  "/opt/ssh/sshd_config",
  "/etc/os-release",
];
const FOLDERS = ["/etc/ssh", "/etc/ssh/sshd_config.d", "/srv/conf"];
const PLACES = [...FILES, ...FOLDERS, "/usr/etc", "/usr/lib", "/lib", "/etc", "/srv", "/opt", "/conf"].map(
  (path) => path.slice(1),
);
const TARGETS = ["/etc", "/etc/ssh", "/srv/conf", "../srv/conf", "ssh", "/opt/ssh", "../../opt/ssh"];
const MORE_TARGETS = ["/etc/passwd", "x.conf", "../usr/etc/ssh", "/conf", "."];
const NAMES = ["etc/passwd", "etc/ssh/sshd_config", "srv/conf/x.conf", "opt/ssh/sshd_config"];

const BASE: readonly Member[] = [
  ...["etc/", "etc/ssh/", "etc/ssh/sshd_config.d/", "usr/", "usr/lib/", "srv/", "srv/conf/", "opt/"].map(
    folder,
  ),
  folder("opt/ssh"),
  ...[...NAMES, "etc/ssh/sshd_config.d/a.conf"].map((name) => file(name, `base ${name}\n`)),
];

function drawMembers(random: Random, text: string): readonly Member[] {
  const name = random.pick(PLACES);
  const spelled = random.pick([name, `./${name}`, `/${name}`, name.replace("/", "//")]);
  const at = name.lastIndexOf("/") + 1;
  return random.pick<readonly Member[]>([
    [file(spelled, text)],
    [file(spelled, text)],
    [file(spelled, "")],
    [folder(spelled)],
    [folder(`${spelled}/`)],
    [link(spelled, random.pick([...TARGETS, ...MORE_TARGETS]))],
    [hardLink(spelled, random.pick(["", "./", "/"]) + random.pick(NAMES))],
    [file(`${name.slice(0, at)}.wh.${name.slice(at)}`, "")],
    [file(`${name}/.wh..wh..opq`, "")],
    [pax({ path: name }), file("short", text)],
    [{ name: "././@LongLink", flag: "L", data: `${name}\0` }, file("cut", text)],
  ]);
}

function drawLayers(random: Random): readonly Layer[] {
  let number = 0;
  const layers = random.some(1, 4, () =>
    random.some(1, 6, () => drawMembers(random, `text ${++number}\n`)).flat(),
  );
  return [BASE, ...layers].map((members, index) => ({ tar: tar(members), command: `step ${index}` }));
}

type Seen = Readonly<Record<string, unknown>>;

function look(tree: FileTree): Seen {
  const files = FILES.map((path) => {
    const content = tree.read(path);
    const text = content.kind === "file" ? Buffer.from(content.bytes).toString("latin1") : content;
    return [path, typeof text === "string" ? text : text.kind === "folder" ? "a folder" : text.code];
  });
  return Object.fromEntries([...files, ...FOLDERS.map((path) => [`${path}/`, tree.list(path)])]);
}

/** The error without the layer's name, which differs. */
async function ours(path: string): Promise<Seen | string> {
  let seen: Seen = {};
  const image = await openImage(path, {
    platform: null,
    threads: 1,
    explore: async ({ tree }) => {
      seen = look(tree);
    },
  });
  return "error" in image ? image.error.replace(/layer \S+: /, "") : seen;
}

/** Null: it refuses the layers. */
function ofUmoci(work: string, layers: readonly Layer[]): Seen | null {
  layOut(join(work, "oci"), taggedMembers({ layers }, "plain"));
  const { status } = spawnSync("umoci", [
    "raw",
    "unpack",
    "--image",
    join(work, "oci:v1"),
    join(work, "root"),
  ]);
  return status === 0 ? look(folderTree(join(work, "root"))) : null;
}

describeUnless(missing, "layers by umoci", () => {
  test(`${IMAGES} random images, in three forms each (seed ${SEED})`, { timeout: 300_000 }, async () => {
    let [same, refused] = [0, 0];
    for (let number = 0; number < IMAGES; number++) {
      const layers = drawLayers(makeRandom(SEED + number));
      const work = makeFolder();
      const expected = ofUmoci(work, layers);
      writeFileSync(join(work, "gzip-layers.tar"), dockerArchive({ layers }, gzipSync));
      writeFileSync(join(work, "gzip-outside.tar"), gzipSync(dockerArchive({ layers })));
      const found = await ours(join(work, "oci"));
      for (const form of ["gzip-layers.tar", "gzip-outside.tar"])
        expect([number, await ours(join(work, form))]).toEqual([number, found]);
      if (typeof found === "string") refused += 1;
      else if (expected !== null) {
        expect([number, found]).toEqual([number, expected]);
        same += 1;
      }
    }
    expect(same).toBeGreaterThan(IMAGES / 3);
    expect(refused).toBeLessThan(IMAGES / 2);
  });
});

const CONFIG = "etc/ssh/sshd_config";
const long = (flag: "L" | "K", name: string): Member => ({ name: "././@LongLink", flag, data: `${name}\0` });
const named = (name: string, flag: string): Member => ({ ...file(name, "new\n"), flag });
const inCells = (records: Readonly<Record<string, string>>): Member =>
  pax({ "GNU.sparse.size": "8", "GNU.sparse.map": "4,4", ...records });

/** Other tools than Go's archive/tar, which container engines use, read some of these in another way. */
const AMBIGUOUS: readonly (readonly [string, readonly Member[]])[] = [
  ["pax records twice: the last header's", [pax({ path: CONFIG }), pax({ mtime: "1" }), file("a", "new\n")]],
  ["pax records twice", [pax({ path: "a" }), pax({ path: CONFIG }), file("b", "new\n")]],
  ["a pax name, then GNU's", [pax({ path: "a" }), long("L", CONFIG), file("b", "new\n")]],
  ["GNU's name, then a pax name", [long("L", CONFIG), pax({ path: "a" }), file("b", "new\n")]],
  ["GNU's name twice", [long("L", "a"), long("L", CONFIG), file("b", "new\n")]],
  ["an empty name of GNU", [long("L", ""), file(CONFIG, "new\n")]],
  ["GNU's target, then a pax one", [long("K", "/etc/passwd"), pax({ linkpath: "/x" }), link(CONFIG, "y")]],
  ["a pax target, then GNU's", [pax({ linkpath: "/x" }), long("K", "/etc/passwd"), link(CONFIG, "y")]],
  ["an empty pax name", [pax({ path: "" }), file(CONFIG, "new\n")]],
  ["an empty pax target", [pax({ linkpath: "" }), link(CONFIG, "/etc/passwd")]],
  ["an empty pax size", [pax({ size: "" }), file(CONFIG, "new\n")]],
  ["a pax name with a NUL", [pax({ path: `${CONFIG}\0x` }), file("a", "new\n")]],
  ["pax without a keyword", [pax({ "": CONFIG }), file("a", "new\n")]],
  ["the name of a sparse file that is none", [pax({ "GNU.sparse.name": CONFIG }), file("a", "new\n")]],
  ["the size of a sparse file that is none", [pax({ "GNU.sparse.size": "2" }), file(CONFIG, "new\n")]],
  [
    "a sparse file of a version that nobody knows",
    [pax({ "GNU.sparse.major": "2", "GNU.sparse.name": CONFIG }), file("a", "new\n")],
  ],
  ["a sparse file", [inCells({ "GNU.sparse.numblocks": "1" }), file(CONFIG, "new\n")]],
  ["a sparse file with another count", [inCells({ "GNU.sparse.numblocks": "2" }), file(CONFIG, "new\n")]],
  ["a sparse file without a count", [inCells({}), file(CONFIG, "new\n")]],
  ["a file whose name ends with a slash", [named(`${CONFIG}/`, "0")]],
  ["the same as V7 had folders", [{ name: `${CONFIG}/`, flag: "\0" }]],
  ["a file of V7", [named(CONFIG, "\0")]],
  ["a whiteout behind a link of its layer", [link("conf", "/opt/ssh"), file("conf/.wh.sshd_config", "")]],
  ["all taken away behind such a link", [link("conf", "/opt/ssh"), file("conf/.wh..wh..opq", "")]],
  [
    "but what the layer has itself",
    [link("conf", "opt/ssh"), file("opt/ssh/sshd_config", "new\n"), file("conf/.wh..wh..opq", "")],
  ],
  ["a whiteout of nothing", [file("etc/ssh/.wh.", "")]],
  ["a whiteout of its folder", [file("etc/ssh/.wh..", "")]],
  ["a whiteout of the folder above", [file("etc/ssh/.wh...", "")]],
];

describeUnless(missing, "what tools read in different ways is read as umoci does, or refused", () => {
  test.each(AMBIGUOUS)("%s", async (_, members) => {
    const work = makeFolder();
    const expected = ofUmoci(work, [
      { tar: tar(BASE), command: "base" },
      { tar: tar(members), command: "ambiguous" },
    ]);
    const found = await ours(join(work, "oci"));
    if (expected === null) expect(found).toEqual(expect.any(String));
    else expect(found).toEqual(expected);
  });
});
