/** What a server finds under a path is found inside its own root folder, wherever links of that root lead. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { folderTree } from "../src/files/folder.ts";
import { globPaths } from "../src/files/glob.ts";
import { makeRoot } from "./auditing.ts";

const root = mkdtempSync(join(tmpdir(), "sshd-policy-root-"));
const outside = mkdtempSync(join(tmpdir(), "sshd-policy-outside-"));
afterAll(() => {
  for (const folder of [root, outside]) rmSync(folder, { recursive: true, force: true });
});
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
