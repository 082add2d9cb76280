/**
 * Whoever may write inside a root can put a link in place of one of its folders between any two calls of ours, and take
 * it away again. Nothing outside the root is ever read or listed.
 */
import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, it, vi } from "vitest";
import { folderTree } from "../src/files/folder.ts";
import { describeUnless, NOT_LINUX } from "./needs.ts";
import { makeFolder } from "./own-folder.ts";

const attack = vi.hoisted(() => ({ before: (): void => {} }));
vi.mock("node:fs", async (original) => {
  const fs = await original<typeof import("node:fs")>();
  const names = ["openSync", "lstatSync", "readdirSync", "readlinkSync", "fstatSync", "readSync"] as const;
  const watched = names.map((name) => [
    name,
    (...args: readonly unknown[]): unknown => {
      attack.before();
      return Reflect.apply(fs[name], fs, args);
    },
  ]);
  return { ...fs, ...Object.fromEntries(watched) };
});

const top = makeFolder();
const [root, outside] = [join(top, "root"), join(top, "outside")];
beforeEach(() => {
  rmSync(root, { recursive: true, force: true });
  rmSync(outside, { recursive: true, force: true });
  for (const [folder, text] of [
    [join(root, "etc/ssh"), "inside"],
    [join(outside, "ssh"), "outside, for root alone"],
  ] as const) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "sshd_config"), text);
    writeFileSync(join(folder, text.slice(0, 7)), text);
  }
});

/** Calls number `from` to `to` find a link out of the root in place of its folder. */
function swap({ from, to }: { readonly from: number; readonly to: number }): () => number {
  const [folder, own] = [join(root, "etc"), join(root, "own")];
  let calls = 0;
  const put = (): void => {
    renameSync(folder, own);
    symlinkSync(outside, folder);
  };
  const takeAway = (): void => {
    unlinkSync(folder);
    renameSync(own, folder);
  };
  attack.before = () => {
    const at = calls++;
    attack.before = () => {};
    if (at === from) put();
    if (at === to) takeAway();
    attack.before = next;
  };
  const next = attack.before;
  return () => {
    attack.before = () => {};
    if (existsSync(own)) takeAway();
    return calls;
  };
}

const seen = (): string => {
  const tree = folderTree(root);
  tree.stat("/etc/ssh");
  const content = tree.read("/etc/ssh/sshd_config");
  const text = content.kind === "file" ? Buffer.from(content.bytes).toString() : "";
  const size = tree.stat("/etc/ssh/sshd_config")?.size ?? 0;
  return [text, ...(tree.list("/etc/ssh") ?? []), size === 23 ? "outside" : ""].join(" ");
};

describeUnless(NOT_LINUX, "a folder of a root that becomes a link out of it", () => {
  it("shows nothing that lies there, whenever it happens", () => {
    const count = swap({ from: -1, to: -1 });
    expect(seen()).toContain("inside inside sshd_config");
    const calls = count();
    expect(calls).toBeGreaterThan(8);
    const shown: string[] = [];
    for (let from = 0; from < calls; from++)
      for (const length of [1, 2, 3, calls]) {
        const end = swap({ from, to: from + length });
        const what = seen();
        end();
        if (what.includes("outside")) shown.push(`${from} to ${from + length}: ${what}`);
      }
    expect(shown).toEqual([]);
  });
});
