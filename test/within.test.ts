/** A tree of which one folder alone is looked at: nothing that is named elsewhere is opened, listed or taken for a main file. */
import { symlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, it } from "vitest";
import { folderTree } from "../src/files/folder.ts";
import { treeWithin } from "../src/files/within.ts";
import { makeRoot } from "./auditing.ts";

const host = folderTree("/");

it.each<readonly [string, (inside: string, outside: string) => string]>([
  ["by its own path", (_, outside) => `${outside}/secret`],
  ["through a link", (inside) => `${inside}/linked`],
  ["through ..", (inside, outside) => `${inside}/own/../../${basename(outside)}/secret`],
])("knows nothing of a folder outside %s", (_, folderIn) => {
  const outside = makeRoot({ "/secret/sshd_config": "Port 22\n" });
  const inside = makeRoot({ "/own/sshd_config": "Port 23\n" });
  symlinkSync(join(outside, "secret"), join(inside, "linked"));
  const folder = folderIn(inside, outside);
  const file = `${folder}/sshd_config`;
  const tree = treeWithin(host, inside);
  expect(host.list(folder)).toEqual(["sshd_config"]);
  expect(tree.list(folder)).toBeNull();
  expect(tree.read(file)).toMatchObject({ kind: "file", bytes: new Uint8Array() });
  expect(tree.stat(file)).toBeNull();
  // an Include that names it has found something, which is empty
  expect(tree.stat(file, { follow: false })).not.toBeNull();
});

it("knows all that lies inside", () => {
  const inside = makeRoot({ "/own/sshd_config": "Port 23\n" });
  const tree = treeWithin(host, inside);
  const file = join(inside, "own/sshd_config");
  expect(tree.list(join(inside, "own"))).toEqual(["sshd_config"]);
  expect(tree.read(file)).toEqual(host.read(file));
  expect(tree.stat(file)).toEqual(host.stat(file));
});
