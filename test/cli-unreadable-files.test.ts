/** What the user may not read, and sshd may: it runs as root. */
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseRelease } from "../grammar/release.ts";
import { makeFolders } from "../src/cli/folders.ts";
import { loadConfig } from "../src/config/load.ts";
import { folderTree } from "../src/files/folder.ts";
import type { FileContent, FileTree } from "../src/files/tree.ts";
import { makeRoot } from "./auditing.ts";
import { runCli } from "./run-cli.ts";

const DENIED: FileContent = { kind: "unreadable", code: "EACCES", reason: "Permission denied" };

/** As a user sees it who is not root: root may look into everything, and tests may run as root. */
function denying(tree: FileTree, folder: string, kind: "list" | "search"): FileTree {
  const isBelow = (path: string): boolean => path.startsWith(`${folder}/`);
  return {
    read: (path) => (isBelow(path) ? DENIED : tree.read(path)),
    list: (path) => (path === folder && kind === "list" ? null : tree.list(path)),
    stat: (path, options) => (isBelow(path) ? null : tree.stat(path, options)),
  };
}

function limitsOf(tree: FileTree) {
  const release = parseRelease("9.6");
  if (release === null) throw new Error();
  const { limits, problems } = loadConfig(tree, "/etc/ssh/sshd_config", { release });
  return { limits, problems: problems.map(({ code }) => code) };
}

describe("an Include of what this user may not read is not complete", () => {
  const MAIN = { "/etc/ssh/sshd_config": "Include /etc/ssh/sshd_config.d/*.conf\nAllowTcpForwarding no\n" };
  const DROP_IN = { "/etc/ssh/sshd_config.d/a.conf": "AllowTcpForwarding yes\n" };

  test.each([
    ["list", "/etc/ssh/sshd_config.d"],
    ["search", "/etc/ssh/sshd_config.d/a.conf"],
  ] as const)("a folder without the right to %s", (kind, named) => {
    const tree = folderTree(makeRoot({ ...MAIN, ...DROP_IN }));
    expect(limitsOf(denying(tree, "/etc/ssh/sshd_config.d", kind))).toEqual({
      limits: [`${named} cannot be read by this user, and sshd reads it as root`],
      problems: [],
    });
  });

  test("a file that is named", () => {
    const tree = folderTree(makeRoot({ "/etc/ssh/sshd_config": "Include /srv/x\n", "/srv/x": "Port 1\n" }));
    expect(limitsOf(denying(tree, "/srv", "search")).limits).toHaveLength(1);
  });

  test("what is not there is no limit", () => {
    expect(limitsOf(folderTree(makeRoot(MAIN)))).toEqual({ limits: [], problems: [] });
  });

  test.each(["list", "search"] as const)(
    "nor is a folder without the right to %s taken for absent",
    (kind) => {
      const folder = "/etc/ssh/sshd_config.d";
      const tree = folderTree(makeRoot({ ...MAIN, ...DROP_IN }));
      const { isAbsent } = makeFolders(denying(tree, kind === "list" ? folder : "/etc/ssh", kind));
      expect([isAbsent(folder), makeFolders(tree).isAbsent("/etc/ssh/other.d")]).toEqual([false, true]);
    },
  );

  const STOCK = "Include /etc/ssh/sshd_config.d/*.conf\n";
  test("also for real: audit and check say so", () => {
    const root = makeRoot({ "/sshd_config": STOCK, "/sshd_config.d/a.conf": "" });
    // one that is alike has no such folder
    const other = makeRoot({ "/sshd_config": STOCK });
    chmodSync(join(root, "sshd_config.d"), 0);
    const ran = ["audit", "check"].map((command) =>
      runCli([command, join(root, "sshd_config")], { asUser: true }),
    );
    const both = runCli(["audit", join(other, "sshd_config"), join(root, "sshd_config")], { asUser: true });
    chmodSync(join(root, "sshd_config.d"), 0o755);
    expect(ran.map(({ code }) => code)).toEqual([3, 3]);
    expect(both.code).toBe(3);
    expect(ran[1]?.stdout).toContain("accepted as far as it was read");
  });
});
