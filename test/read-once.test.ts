/** Several readings of one configuration look at each of its files once, and see the same. */
import { expect, it } from "vitest";
import { readOnce } from "../src/files/read-once.ts";
import type { FileTree } from "../src/files/tree.ts";

it("a tree in which nothing is looked at twice answers as the tree does", () => {
  const asked: string[] = [];
  const note = <T>(what: string, answer: T): T => {
    asked.push(what);
    return answer;
  };
  const entry = { kind: "file", size: 1, mode: 0o644, uid: 0, gid: 0, modifiedMs: 0, target: null } as const;
  const tree: FileTree = {
    read: (path) =>
      note(`read ${path}`, { kind: "file", bytes: Buffer.from(`${asked.length}`), realPath: path }),
    list: (path) => note(`list ${path}`, path === "/none" ? null : [path]),
    stat: (path, options) => {
      const how = options?.follow === false ? "kept" : "followed";
      return note(`${how} ${path}`, path === "/none" ? null : { ...entry, realPath: `${path} ${how}` });
    },
  };
  const once = readOnce(tree);
  const seen = () =>
    ["/a", "/b", "/none"].map((path) => [
      once.read(path),
      once.list(path),
      once.stat(path),
      once.stat(path, { follow: true }),
      once.stat(path, { follow: false }),
    ]);
  const first = seen();
  expect(asked.length).toBe(12);
  expect(seen()).toEqual(first);
  expect(asked.length).toBe(12);
  expect(first[0]?.[2]).toEqual({ ...entry, realPath: "/a followed" });
  expect(first[0]?.[4]).toEqual({ ...entry, realPath: "/a kept" });
  expect(first[2]).toEqual([expect.anything(), null, null, null, null]);
});
