/** What a server finds under a path is found inside its own root folder, wherever links of that root lead. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { folderTree } from "../src/files/folder.ts";
import { globPaths } from "../src/files/glob.ts";
import { makeRoot } from "./auditing.ts";
import { NOT_LINUX, NOT_ROOT, testUnless } from "./needs.ts";
import { makeFolder } from "./own-folder.ts";

const root = makeFolder();
const outside = makeFolder();
for (const folder of ["usr/bin", "opt/X11"]) mkdirSync(join(root, folder), { recursive: true });
for (const file of [join(root, "opt/X11/xauth"), join(outside, "xauth")]) writeFileSync(file, "");
const link = (name: string, target: string): void => symlinkSync(target, join(root, name));
link("usr/bin/absolute", "/opt/X11/xauth");
link("usr/bin/relative", "../../opt/X11/xauth");
link("usr/bin/folder", "/opt/../opt/X11/.");
link("usr/bin/above", "../../../../../../opt/X11/xauth");
link("usr/bin/of-the-host", join(outside, "xauth"));
link("usr/bin/climbing", `../../../../../../../..${outside}/xauth`);
link("usr/bin/round", "round");
link("bin", "usr/bin");

it.each([
  ["/opt/X11/xauth", true],
  ["/usr/bin/absolute", true],
  ["/usr/bin/relative", true],
  ["/usr/bin/folder/xauth", true],
  ["/bin/above", true],
  ["/../../opt/X11/xauth", true],
  ["/usr/bin/of-the-host", false],
  ["/usr/bin/climbing", false],
  ["/usr/bin/round", false],
  ["/opt/X11/xauth/below", false],
  ["/usr/bin/nothing", false],
  ["/opt/X11/", true],
  ["/opt/X11/xauth/", false],
  ["/opt/X11/xauth/.", false],
  ["/usr/bin/relative/", false],
])("%s: %s", (path, there) => {
  expect(folderTree(root).stat(path) !== null).toBe(there);
});

testUnless(
  NOT_LINUX ?? NOT_ROOT,
  "the root of another process is its own, not the one that its link names",
  async () => {
    const place = makeFolder();
    const script = `mount -t tmpfs none ${place} && mkdir ${place}/etc && echo theirs >${place}/etc/config && echo ready && exec sleep 60`;
    const other = spawn("unshare", ["--mount", "--propagation", "private", "sh", "-c", script]);
    try {
      await once(other.stdout, "data");
      const theirs = `/proc/${other.pid}/root${place}`;
      for (const [tree, path] of [
        [folderTree("/"), `${theirs}/etc/config`],
        [folderTree(theirs), "/etc/config"],
        [folderTree(`/proc/${other.pid}/root`), `${place}/etc/config`],
      ] as const) {
        const content = tree.read(path);
        expect(content.kind === "file" && String(content.bytes)).toBe("theirs\n");
        expect(content.kind === "file" && content.realPath).toBe(path);
      }
      expect(folderTree(theirs).list("/etc")).toEqual(["config"]);
    } finally {
      other.kill();
    }
  },
);

it("wildcards through links to their own folder end", { timeout: 60_000 }, () => {
  const tree = folderTree(makeRoot({ "/x/a": { link: "." }, "/x/b": { link: "." }, "/x/z.conf": "" }));
  expect(globPaths(tree, "/x/*/*/z.conf")).toEqual([
    "/x/a/a/z.conf",
    "/x/a/b/z.conf",
    "/x/b/a/z.conf",
    "/x/b/b/z.conf",
  ]);
  // 2^30 paths
  expect(globPaths(tree, `/x/${"*/".repeat(30)}z.conf`)).toBeNull();
});
