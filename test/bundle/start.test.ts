/** What a start of the bundle must not load: each of these takes milliseconds (docs/architecture.md, "The release"). */
import { spawnSync } from "node:child_process";
import { appendFileSync, cpSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
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

/** Larger than the memory that bundle and code cache are read into (src/cli/start.ts). */
const LARGE = 2 * 1024 * 1024;

function audited(dist: string): {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: unknown;
} {
  const { stdout, stderr, status } = spawnSync(process.execPath, [join(dist, "cli.js"), "audit", STOCK], {
    encoding: "utf8",
  });
  return { stdout, stderr, status };
}

describe("a start", () => {
  it("reads a bundle and a code cache that are larger than the memory for them", () => {
    const dist = join(work, "large");
    cpSync(join(ROOT, "dist"), dist, { recursive: true });
    const chunks = join(dist, "chunks");
    const inChunks = (kind: RegExp): string =>
      join(chunks, readdirSync(chunks).find((name) => kind.test(name)) ?? "");
    const cache = inChunks(/^main-[0-9a-f]+-(?!images|many|forward).*\.cache$/);
    const whole = statSync(cache).size;
    const bundle = inChunks(/^main-[0-9a-f]+\.js$/);
    writeFileSync(bundle, `//${" ".repeat(LARGE)}\n${readFileSync(bundle, "latin1")}`);
    appendFileSync(cache, Buffer.alloc(LARGE));
    const right = audited(join(ROOT, "dist"));
    expect(right.status).toBe(1);
    // V8 refuses the cache of another text, and the run leaves a good one, which the next one takes
    expect(audited(dist)).toEqual(right);
    expect(statSync(cache).size).toBeGreaterThan(whole / 2);
    expect(statSync(cache).size).toBeLessThan(LARGE);
    expect(audited(dist)).toEqual(right);
  });

  it("waits for a reader of standard output, also where the pipe does not", () => {
    const many = Array.from({ length: 40 }, (_, index) => join(work, `copy-${index}`));
    for (const path of many) cpSync(STOCK, path);
    const command = [process.execPath, join(ROOT, "dist/cli.js"), "audit", "--format", "json", ...many];
    const script = `import os, subprocess, sys, time
read, write = os.pipe()
os.set_blocking(write, False)
child = subprocess.Popen(sys.argv[1:], stdout=write)
os.close(write)
time.sleep(1)
with os.fdopen(read, "rb") as pipe: sys.stdout.buffer.write(pipe.read())
sys.exit(child.wait())`;
    const slow = spawnSync("python3", ["-c", script, ...command], { encoding: "utf8" });
    const [program = "", ...args] = command;
    const { stdout, status } = spawnSync(program, args, { encoding: "utf8", maxBuffer: 1 << 28 });
    expect(stdout.length).toBeGreaterThan(100_000);
    expect(slow.stdout).toBe(stdout);
    expect(slow.status).toBe(status);
  });

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
