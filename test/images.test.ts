/** Images and tars of roots: the same answers for the same content in every form, and which layer wrote the line. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chownSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";
import { describe as describeTarget } from "../src/cli/describe-target.ts";
import { findingsOf } from "../src/cli/findings.ts";
import { type AuditCommandOptions, prepareAudit } from "../src/cli/prepare-audit.ts";
import { type Image, openImage } from "../src/files/image.ts";
import { json } from "../src/report/json.ts";
import {
  block,
  COMPRESSIONS,
  directoryMembers,
  dockerArchive,
  file,
  folder,
  hardLink,
  type ImageSettings,
  layOut,
  link,
  type Member,
  ociMembers,
  pax,
  sha256,
  taggedMembers,
  tar,
  withChecksum,
  zstdStored,
} from "./images/writing.ts";
import { makeFolder } from "./own-folder.ts";

const work = makeFolder();

let count = 0;
function written(bytes: Buffer, name = "image.tar"): string {
  const path = join(work, `${count++}-${name}`);
  writeFileSync(path, bytes);
  return path;
}

const zstd = (bytes: Buffer): Buffer =>
  spawnSync("zstd", ["-1", "-c"], { input: bytes, maxBuffer: 1e9 }).stdout;
const hasZstd = spawnSync("zstd", ["--version"]).status === 0;

const DPKG = "Package: openssh-server\nStatus: install ok installed\nVersion: 1:9.2p1-2+deb12u3\n";
const BASE: readonly Member[] = [
  folder("etc/"),
  folder("etc/ssh/"),
  folder("etc/ssh/sshd_config.d/"),
  file(
    "etc/ssh/sshd_config",
    "Include /etc/ssh/sshd_config.d/*.conf\nX11Forwarding no\nAllowAgentForwarding no\n",
  ),
  file("etc/ssh/sshd_config.d/10-old.conf", "PermitTunnel yes\n"),
  file("etc/passwd", "root:x:0:0:root:/root:/bin/bash\ngit:x:1000:1000::/srv/git:/bin/sh\n"),
  file("etc/group", "root:x:0:\ngit:x:1000:\n"),
  file("var/lib/dpkg/status", DPKG),
  file("usr/sbin/sshd", Buffer.alloc(300_000, 1)),
];
const SECOND: readonly Member[] = [
  file("etc/ssh/sshd_config.d/.wh.10-old.conf", ""),
  file("etc/ssh/sshd_config.d/20-new.conf", "# by hand\nGatewayPorts yes\n"),
];
const THIRD: readonly Member[] = [
  file(
    "etc/ssh/sshd_config",
    "Include /etc/ssh/sshd_config.d/*.conf\nX11Forwarding yes\nAllowAgentForwarding no\n",
  ),
];
const IMAGE: ImageSettings = {
  layers: [
    { tar: tar(BASE), command: "debootstrap" },
    { tar: tar(SECOND), command: "COPY 20-new.conf" },
    { tar: tar(THIRD), command: "RUN sed -i s/no/yes/" },
  ],
};
/** What the three layers make. */
const ROOT: readonly Member[] = [
  ...BASE.filter(({ name }) => name !== "etc/ssh/sshd_config" && !name.endsWith("10-old.conf")),
  ...SECOND.filter(({ name }) => !name.includes(".wh.")),
  ...THIRD,
];

/** As JSON without what may differ between forms: the name of the target, the layer, and where the release was found. */
async function audited(options: Pick<AuditCommandOptions, "image" | "root">): Promise<string> {
  const prepared = await prepareAudit([], {
    ...options,
    suppressions: true,
    validate: true,
    restart: true,
  });
  if ("misuse" in prepared) throw new Error(prepared.misuse);
  const targets = prepared.opened.map((one) => {
    if (!("target" in one)) throw new Error(JSON.stringify(one));
    const { target, judging } = one;
    return describeTarget(target, target.config, findingsOf(target, target.config, judging), judging);
  });
  const report = JSON.parse([...json({ tool: { name: "", version: "" }, targets, fixed: 0 })].join(""));
  return JSON.stringify(report, (key, value) => (key === "layer" ? undefined : value))
    .replaceAll(/"[^"]*?:?(\/etc\/ssh)/g, '"$1')
    .replaceAll(/found in the (root|image)/g, "found");
}

const FORMS: readonly (readonly [string, () => string])[] = [
  ["tar of the root", () => written(tar(ROOT))],
  ["tar.gz of the root", () => written(gzipSync(tar(ROOT)))],
  [
    "tar whose names begin with ./",
    () => written(tar(ROOT.map((one) => ({ ...one, name: `./${one.name}` })))),
  ],
  ["tar whose names begin with /", () => written(tar(ROOT.map((one) => ({ ...one, name: `/${one.name}` }))))],
  ["docker-archive", () => written(dockerArchive(IMAGE))],
  ["docker-archive with gzip layers", () => written(dockerArchive(IMAGE, gzipSync))],
  ["docker-archive, gzip outside", () => written(gzipSync(dockerArchive(IMAGE)))],
  ["docker-archive, gzip outside and inside", () => written(gzipSync(dockerArchive(IMAGE, gzipSync)))],
  ...Object.keys(COMPRESSIONS).flatMap((kind): [string, () => string][] => [
    [`OCI archive, ${kind}`, () => written(tar(ociMembers([IMAGE], kind)))],
    [`OCI archive, ${kind}, gzip outside`, () => written(gzipSync(tar(ociMembers([IMAGE], kind))))],
    [
      `OCI layout, ${kind}`,
      () => {
        const path = join(work, `layout-${count++}`);
        layOut(path, ociMembers([IMAGE], kind));
        return path;
      },
    ],
  ]),
  ["tar of skopeo's dir:", () => written(tar(directoryMembers(IMAGE, (bytes) => bytes)))],
  [
    "skopeo's dir:",
    () => {
      const path = join(work, `directory-${count++}`);
      layOut(path, directoryMembers(IMAGE, gzipSync));
      return path;
    },
  ],
  ...(hasZstd
    ? ([
        ["tar.zst of the root", () => written(zstd(tar(ROOT)))],
        ["docker-archive with zstd layers", () => written(dockerArchive(IMAGE, zstd))],
        ["docker-archive, zstd outside", () => written(zstd(dockerArchive(IMAGE)))],
      ] as const)
    : []),
];

describe("the same content", () => {
  let expected = "";
  beforeAll(async () => {
    const root = join(work, "root");
    layOut(
      root,
      ROOT.filter(({ flag }) => flag === undefined),
    );
    expected = await audited({ root });
    expect(expected).toContain("gateway-ports");
    expect(expected).toContain("x11-forwarding");
    expect(expected).not.toContain("tunnel-device");
  }, 60_000);

  test.each(FORMS)("as %s", { timeout: 60_000 }, async (_, make) => {
    expect(await audited({ image: [make()] })).toBe(expected);
  });
});

/** The image, looked at for these paths. */
async function open(
  path: string,
  asked: readonly string[] = [],
  platform: string | null = null,
): Promise<Image | string> {
  const image = await openImage(path, {
    platform,
    threads: 1,
    explore: async ({ tree }) => {
      for (const name of asked) tree.read(name);
    },
  });
  return "error" in image ? image.error : image;
}

const MAIN = "/etc/ssh/sshd_config";

/** What a file holds, or why it cannot be read. */
async function textIn(path: string, name: string = MAIN): Promise<string> {
  const image = await open(path, [name]);
  if (typeof image === "string") return `error: ${image}`;
  const content = image.tree.read(name);
  if (content.kind === "file") return Buffer.from(content.bytes).toString("latin1");
  return content.kind === "folder" ? "a folder" : content.code;
}

describe("what an index and a root hold beside an image", () => {
  test("what BuildKit attests of another image is none", async () => {
    const members = ociMembers([IMAGE, { ...IMAGE, architecture: "arm64" }], "plain");
    const index = members.find(
      ({ data }) => String(data).includes('"manifests":[{"mediaType"') && String(data).includes("arm64"),
    );
    const attested = String(index?.data).replace(
      '"platform":{"os":"linux","architecture":"arm64"}',
      '"annotations":{"vnd.docker.reference.type":"attestation-manifest"}',
    );
    const list = { digest: `sha256:${sha256(Buffer.from(attested))}`, size: attested.length };
    const top = file("index.json", JSON.stringify({ schemaVersion: 2, manifests: [list] }));
    const blob = file(`blobs/sha256/${sha256(Buffer.from(attested))}`, attested);
    const others = members.filter(({ name }) => name !== "index.json");
    const image = await open(written(tar([top, blob, ...others])), [MAIN]);
    expect(image).toMatchObject({ platform: "linux/amd64" });
  });

  test("a manifest.json of a program's own is a file of the root", async () => {
    const path = written(tar([file("manifest.json", '{"name": "app"}'), ...ROOT]));
    expect(await textIn(path)).toContain("X11Forwarding yes");
  });
});

describe("layers", () => {
  const lines = (image: Image, path: string, ...texts: readonly string[]) =>
    texts.map((text) => image.writerOf(path, text)?.command);

  test("the one that wrote a line, not the last that wrote the file", async () => {
    for (const path of [
      written(dockerArchive(IMAGE)),
      written(dockerArchive(IMAGE, gzipSync)),
      written(gzipSync(tar(ociMembers([IMAGE], "gzip")))),
    ]) {
      const image = await open(path);
      if (typeof image === "string") throw new Error(image);
      expect(lines(image, MAIN, "AllowAgentForwarding no", "X11Forwarding yes")).toEqual([
        "debootstrap",
        "RUN sed -i s/no/yes/",
      ]);
      expect(lines(image, "/etc/ssh/sshd_config.d/20-new.conf", "GatewayPorts yes")).toEqual([
        "COPY 20-new.conf",
      ]);
    }
  });

  const OLD = file("etc/ssh/sshd_config", "old\n");
  const NEW = file("etc/ssh/sshd_config", "new\n");
  const GONE = file("etc/ssh/.wh.sshd_config", "");
  const LARGE = file("etc/ssh/sshd_config", `${"x".repeat(300_000)}\n`);
  test.each<[string, readonly (readonly Member[])[], string]>([
    ["a later layer wins", [[OLD], [NEW]], "new\n"],
    ["the later of two entries wins", [[OLD, NEW]], "new\n"],
    ["a layer that is named again counts again", [[OLD], [NEW], [OLD]], "old\n"],
    ["a whiteout that is named again counts again", [[GONE], [OLD], [GONE]], "ENOENT"],
    ["a large file of a layer that is named again", [[LARGE], [NEW], [LARGE]], `${"x".repeat(300_000)}\n`],
    ["a whiteout takes away", [[OLD], [file("etc/ssh/.wh.sshd_config", "")]], "ENOENT"],
    ["a whiteout of the folder takes away", [[OLD], [file("etc/.wh.ssh", "")]], "ENOENT"],
    [
      "a whiteout is of lower layers, before the file",
      [[OLD], [file("etc/ssh/.wh.sshd_config", ""), NEW]],
      "new\n",
    ],
    [
      "a whiteout is of lower layers, behind the file",
      [[OLD], [NEW, file("etc/ssh/.wh.sshd_config", "")]],
      "new\n",
    ],
    [
      "an opaque folder hides what is below",
      [[OLD], [folder("etc/ssh/"), file("etc/ssh/.wh..wh..opq", "")]],
      "ENOENT",
    ],
    ["an opaque folder keeps its own layer's", [[OLD], [NEW, file("etc/ssh/.wh..wh..opq", "")]], "new\n"],
    [
      "a whiteout far behind a link of its layer",
      [[OLD], [link("conf", "/etc"), file("conf/ssh/.wh.sshd_config", "")]],
      "ENOENT",
    ],
    ["a folder mentioned again keeps its files", [[OLD], [folder("etc/"), folder("etc/ssh")]], "old\n"],
    ["a file in place of a folder", [[OLD], [file("etc/ssh", "")]], "ENOTDIR"],
    [
      "a hard link",
      [[file("opt/real", "linked\n"), hardLink("etc/ssh/sshd_config", "opt/real")]],
      "linked\n",
    ],
    [
      "a hard link keeps what its other name was",
      [[OLD, hardLink("etc/ssh/copy", "etc/ssh/sshd_config"), link("etc/ssh/sshd_config", "copy")]],
      "old\n",
    ],
    [
      "a hard link into a lower layer",
      [[file("srv/x", "low\n")], [hardLink("etc/ssh/sshd_config", "./srv/x")]],
      "low\n",
    ],
    [
      "an absolute link stays inside",
      [[link("etc/ssh", "/srv/ssh"), file("srv/ssh/sshd_config", "far\n")]],
      "far\n",
    ],
    [
      "a link with .. stays inside",
      [[link("etc/ssh/sshd_config", "../../../../srv/x"), file("srv/x", "up\n")]],
      "up\n",
    ],
    [
      "a chain of links",
      [[link("etc/ssh/sshd_config", "/a/b"), link("a", "/c"), link("c/b", "/d/e/f"), file("d/e/f", "end\n")]],
      "end\n",
    ],
    ["a link that leads to itself", [[link("etc/ssh/sshd_config", "sshd_config")]], "ELOOP"],
    ["links that lead to each other", [[link("etc/ssh", "/x"), link("x", "/etc/ssh")]], "ELOOP"],
    [
      "an entry written through a link beside files of no interest",
      [[OLD, file("opt/a/x", "x"), link("opt/a/ssh", "/etc/ssh"), file("opt/a/ssh/sshd_config", "new\n")]],
      "new\n",
    ],
    [
      "an entry written through a link of a lower layer",
      [[OLD, link("conf", "etc/ssh")], [file("conf/sshd_config", "through\n")]],
      "through\n",
    ],
    [
      "an entry written through a chain of links",
      [[OLD, link("one", "two"), link("two", "/etc")], [file("one/ssh/sshd_config", "through\n")]],
      "through\n",
    ],
    [
      "an entry written through a link to a folder that is not there",
      [
        [link("conf", "/usr/etc/ssh"), link("etc/ssh", "../usr/etc/ssh")],
        [file("conf/sshd_config", "through\n")],
      ],
      "through\n",
    ],
    [
      "an entry written through a link whose folder a later layer whites out",
      [
        [OLD, link("conf", "/srv/ssh")],
        [file("conf/sshd_config", "x"), link("etc/ssh", "/conf")],
        [file("srv/.wh.ssh", "")],
      ],
      "ENOENT",
    ],
    [
      "an entry written through links that lead to each other",
      [[OLD, link("one", "two"), link("two", "one")], [file("one/sshd_config", "x")]],
      "old\n",
    ],
    [
      "a link that a folder replaces",
      [
        [OLD, link("conf", "etc/ssh")],
        [folder("conf"), file("conf/sshd_config", "x")],
      ],
      "old\n",
    ],
    ...[".wh..wh..opq", ".wh.sshd_config"].map((gone): [string, readonly (readonly Member[])[], string] => [
      `a folder in place of a link, with ${gone}: what the link led to stays`,
      [
        [file("srv/x/sshd_config", "kept\n"), link("etc/ssh", "/srv/x")],
        [file(`etc/ssh/${gone}`, ""), folder("etc/ssh"), link("etc/ssh/sshd_config", "/srv/x/sshd_config")],
      ],
      "kept\n",
    ]),
    ["a FIFO", [[{ name: "etc/ssh/sshd_config", flag: "6" }]], "ESPECIAL"],
    ["a device", [[{ name: "etc/ssh/sshd_config", flag: "3" }]], "ESPECIAL"],
    ["a folder by that name", [[folder("etc/ssh/sshd_config/")]], "a folder"],
    ...[pax({ path: "etc/ssh/sshd_config" }), { ...file("x", "etc/ssh/sshd_config\0"), flag: "L" }].map(
      (extension): [string, readonly (readonly Member[])[], string] => [
        `records for all entries lose what stands before them (${extension.flag})`,
        [[OLD], [extension, { ...pax({ comment: "x" }), flag: "g" }, file("short", "new\n")]],
        "old\n",
      ],
    ),
    ["pax: another name", [[pax({ path: "etc/ssh/sshd_config" }), file("short", "pax\n")]], "pax\n"],
    [
      "GNU: a long name",
      [[{ name: "././@LongLink", flag: "L", data: "etc/ssh/sshd_config\0" }, file("cut", "long\n")]],
      "long\n",
    ],
    [
      "GNU: a long link",
      [
        [
          { name: "././@LongLink", flag: "K", data: "/srv/x\0" },
          link("etc/ssh/sshd_config", "cut"),
          file("srv/x", "k\n"),
        ],
      ],
      "k\n",
    ],
    [
      "pax: a sparse file of version 0.1",
      [
        [
          pax({ "GNU.sparse.size": "8", "GNU.sparse.numblocks": "1", "GNU.sparse.map": "2,3" }),
          file("etc/ssh/sshd_config", "abc"),
        ],
      ],
      "\0\0abc\0\0\0",
    ],
    [
      "pax: a sparse file of version 1.0",
      [
        [
          pax({
            "GNU.sparse.major": "1",
            "GNU.sparse.minor": "0",
            "GNU.sparse.name": "etc/ssh/sshd_config",
            "GNU.sparse.realsize": "6",
          }),
          file("GNUSparseFile.0/sshd_config", `${"1\n1\n3\n".padEnd(512, "\0")}abc`),
        ],
      ],
      "\0abc\0\0",
    ],
  ])("%s", { timeout: 30_000 }, async (_, layers, expected) => {
    const first = { tar: tar([folder("etc"), folder("usr")]), command: "" };
    const image = { layers: [first, ...layers.map((members) => ({ tar: tar(members), command: "" }))] };
    for (const compress of [(bytes: Buffer) => bytes, gzipSync])
      expect(await textIn(written(dockerArchive(image, compress)))).toBe(expected);
  });
});

test("an owner above 2,097,151, which GNU tar writes as a binary number", async () => {
  const header = block(file("etc/ssh/sshd_config", ""));
  header.writeBigUInt64BE(0x8000000000000000n + 3_000_000n, 108);
  const image = await open(written(Buffer.concat([withChecksum(header), tar([folder("usr")])])));
  expect(typeof image === "string" ? image : image.tree.stat(MAIN)?.uid).toBe(3_000_000);
});

test.each([
  [1000, 0, true],
  [1000, 1000, false],
])(
  "an owner other than root is told of, but in a folder not where / is his (%i, %i)",
  async (uid, top, isTold) => {
    // a container has the owners of its image, whoever made that
    const members = [{ ...folder("./"), uid: top }, ...ROOT.map((one) => ({ ...one, uid }))];
    expect(await audited({ image: [written(tar(members))] })).toContain("loose-permissions");
    const root = makeFolder();
    layOut(
      root,
      ROOT.filter(({ flag }) => flag === undefined),
    );
    if (process.getuid?.() !== 0) return;
    for (const path of [MAIN, "/etc/ssh"]) chownSync(root + path, uid, uid);
    chownSync(root, top, top);
    expect((await audited({ root })).includes("loose-permissions")).toBe(isTold);
  },
);

/** A layout whose last layer has a digest of SHA-512, and `data` in its place. */
function layoutWithSha512(data: (layer: Buffer) => Buffer): string {
  const layer = zstdStored(tar(THIRD));
  const digest = createHash("sha512").update(layer).digest("hex");
  const members = taggedMembers(IMAGE, "zstd");
  const manifest = members.find(({ data: text }) => String(text).startsWith('{"schemaVersion":2,"config"'));
  const text = String(manifest?.data).replace(`sha256:${sha256(layer)}`, `sha512:${digest}`);
  const index = String(members.find(({ name }) => name === "index.json")?.data);
  const path = join(work, `sha512-${count++}`);
  layOut(path, [
    ...members.filter(({ name }) => !name.endsWith(sha256(layer))),
    { name: `blobs/sha512/${digest}`, data: data(layer) },
    file(`blobs/sha256/${sha256(Buffer.from(text))}`, text),
    file(
      "index.json",
      index.replace(manifest?.name.slice("blobs/sha256/".length) ?? "?", sha256(Buffer.from(text))),
    ),
  ]);
  return path;
}

test("a digest of SHA-512 is one, and damage is told by it", async () => {
  expect(await textIn(layoutWithSha512((layer) => layer))).toContain("X11Forwarding yes");
  const flipped = (layer: Buffer): Buffer =>
    Buffer.from(layer.toString("latin1").replace("X11", "X12"), "latin1");
  expect(await textIn(layoutWithSha512(flipped))).toMatch(/does not have the digest sha512:/);
});

test("a history of more or fewer layers says nothing of any", async () => {
  const [own, none] = ['"created_by":"COPY 20-new.conf"', '"empty_layer":true'];
  const archive = dockerArchive(IMAGE).toString("latin1").replace(own, none.padEnd(own.length));
  const image = await open(written(Buffer.from(archive, "latin1")));
  if (typeof image === "string") throw new Error(image);
  expect(image.writerOf(MAIN, "X11Forwarding yes")).toMatchObject({ index: 2, command: null });
});

/** Names in folders of a docker-archive whose folders have no entries of their own. */
async function listed(layers: readonly (readonly Member[])[], ...folders: readonly string[]) {
  const path = written(dockerArchive({ layers: layers.map((one) => ({ tar: tar(one), command: "" })) }));
  const seen: Record<string, readonly string[] | null> = {};
  await openImage(path, {
    platform: null,
    threads: 1,
    explore: async ({ tree }) => {
      for (const folder of folders) seen[folder] = tree.list(folder);
    },
  });
  return seen;
}

test("a folder without an entry of its own is there, until a layer takes it away", async () => {
  const first = [
    file("etc/passwd", ""),
    file("srv/1/ssh/a.conf", ""),
    file("srv/2/b/x", ""),
    file("opt/f", ""),
  ];
  expect(await listed([first], "/srv", "/srv/1/ssh", "/srv/3")).toEqual({
    "/srv": ["1", "2"],
    "/srv/1/ssh": ["a.conf"],
    "/srv/3": null,
  });
  const second = [file("srv/.wh.2", ""), file("srv/4/c/x", ""), link("srv/5", "6"), file("opt", "")];
  expect(await listed([first, second], "/srv", "/srv/2", "/opt")).toEqual({
    "/srv": ["1", "4", "5"],
    "/srv/2": null,
    "/opt": null,
  });
});

test("zstd is there to test with", () => expect(hasZstd).toBe(true));
