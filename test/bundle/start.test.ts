/** What a start of the bundle must not load: each of these takes milliseconds (docs/architecture.md, "The release"). */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { makeFolder } from "../own-folder.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const STOCK = join(ROOT, "fixtures/debian-12/etc/ssh/sshd_config");
const work = makeFolder();

/** Node's own modules that a run loads beside those of `node -e 0`, sorted. */
function loadedBy(...args: readonly string[]): readonly string[] {
  const preload = join(work, "preload.cjs");
  writeFileSync(
    preload,
    `const before = new Set(process.moduleLoadList);
     process.on("exit", () => {
       const loaded = process.moduleLoadList.filter((name) => !before.has(name));
       require("node:fs").writeSync(2, loaded.join("\\n"));
     });`,
  );
  const { stderr } = spawnSync(process.execPath, ["--require", preload, join(ROOT, "dist/cli.js"), ...args], {
    encoding: "utf8",
  });
  return stderr.split("\n").sort();
}

const STREAMS = "NativeModule internal/streams/readable";
const CHILDREN = "NativeModule child_process";

describe("a start", () => {
  it.each([["audit"], ["check"], ["exposure"], ["effective"]])("of %s loads no streams", (command) => {
    const loaded = loadedBy(command, STOCK);
    expect(loaded).toContain("NativeModule vm");
    expect(loaded).not.toContain(STREAMS);
    expect(loaded).not.toContain(CHILDREN);
  });

  it("of a fix that is shown loads none, one that is written starts cp", () => {
    expect(loadedBy("audit", "--fix", "--diff", STOCK)).not.toContain(STREAMS);
    const file = join(work, "sshd_config");
    writeFileSync(file, "PermitRootLogin no\n");
    expect(loadedBy("audit", "--fix", file)).toContain(CHILDREN);
  });
});
