/** The package as it is published: what is in it, and that it works where nothing else is. */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { makeFolder } from "../own-folder.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const STOCK = join(ROOT, "fixtures/debian-12/etc/ssh/sshd_config");
const work = makeFolder();
/** A second place to build in, whose name is one that a path is split at where a command is not quoted. */
const checkout = join(work, "a checkout");
const consumer = join(work, "consumer");
let packed = "";

interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(cwd: string, command: string, args: readonly string[]): Ran {
  const env = { PATH: process.env["PATH"] ?? "", HOME: work, npm_config_cache: join(work, "cache") };
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, env, encoding: "utf8" });
  return { status, stdout, stderr };
}

beforeAll(() => {
  // npm pack builds, and other tests use the build of this checkout at the same time
  const left = ["node_modules", "dist", ".git"].map((name) => join(ROOT, name));
  cpSync(ROOT, checkout, { recursive: true, filter: (path) => !left.includes(path) });
  symlinkSync(join(ROOT, "node_modules"), join(checkout, "node_modules"));
  packed = run(checkout, "npm", ["pack", "--pack-destination", work]).stdout;
  mkdirSync(consumer);
  writeFileSync(join(consumer, "package.json"), "{}");
});

/** For `node --require`: what it does with each script that is compiled, as the constructor of vm.Script. */
function spyOnScripts(does: string): string {
  const spy = join(work, "spy.cjs");
  writeFileSync(
    spy,
    `const vm = require("node:vm");
    vm.Script = class extends vm.Script {
      constructor(source, options) {
        super(source, options);
        ${does}
      }
    };`,
  );
  return spy;
}

describe("npm pack", () => {
  it("prints the file name alone, as pre-commit needs it", () => {
    expect(packed).toMatch(/^sshd-policy-\d+\.\d+\.\d+\.tgz\n$/);
  });

  it("holds the release, the documentation and nothing else", () => {
    const listed = run(work, "tar", ["-tzf", packed.trim()]).stdout.trim().split("\n");
    const top = new Set(listed.map((path) => path.split("/")[1]));
    expect([...top].sort()).toEqual([
      "CHANGELOG.md",
      "LICENSE",
      "README.md",
      "dist",
      "docs",
      "package.json",
      "schemas",
    ]);
    const kinds = new Set(
      listed
        .filter((path) => path.startsWith("package/dist/"))
        .map((path) => path.replace(/.*?((\.d)?\.\w+)$/, "$1")),
    );
    expect([...kinds].sort()).toEqual([".cache", ".d.ts", ".js", ".json", ".txt"]);
    expect(
      listed.filter(
        (path) =>
          path.startsWith("package/docs/") && !path.startsWith("package/docs/ci/") && !path.endsWith(".md"),
      ),
    ).toEqual([]);
  });
});

it("the build is the same, file for file, wherever it is made", () => {
  const [here, there] = [join(ROOT, "dist"), join(checkout, "dist")].map((dist) => {
    // V8's caches hold what one run of it did
    const files = readdirSync(dist, { recursive: true, encoding: "utf8" })
      .filter((path) => !path.endsWith(".cache") && statSync(join(dist, path)).isFile())
      .sort();
    return new Map(files.map((path) => [path, readFileSync(join(dist, path), "utf8")]));
  });
  expect([...(there?.keys() ?? [])]).toEqual([...(here?.keys() ?? [])]);
  expect(here?.size).toBeGreaterThan(100);
  expect([...(there ?? [])].filter(([path, text]) => here?.get(path) !== text).map(([path]) => path)).toEqual(
    [],
  );
});

describe("the installed package", () => {
  beforeAll(() => {
    const installed = run(consumer, "npm", [
      "install",
      "--offline",
      "--no-audit",
      "--no-fund",
      join(work, packed.trim()),
    ]);
    expect(installed.stderr.replace(/^npm (warn|notice).*\n/gm, "")).toBe("");
    expect(installed.status).toBe(0);
  });

  it("brings nothing along", () => {
    expect(readdirSync(join(consumer, "node_modules")).filter((name) => !name.startsWith("."))).toEqual([
      "sshd-policy",
    ]);
    const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    expect(manifest).not.toHaveProperty("dependencies");
    for (const event of ["preinstall", "install", "postinstall"])
      expect(manifest.scripts).not.toHaveProperty(event);
  });

  it("audits", () => {
    const audited = run(consumer, "npx", ["--no-install", "sshd-policy", "audit", STOCK]);
    expect(audited.stdout).toContain(
      "AllowTcpForwarding is not set, and sshd's default is yes [tcp-forwarding]",
    );
    expect(audited.status).toBe(1);
  });

  it("audits without V8's code cache, and where its folder cannot be written", () => {
    const copy = join(work, "copy");
    cpSync(join(consumer, "node_modules/sshd-policy"), copy, { recursive: true });
    const chunks = join(copy, "dist/chunks");
    const cli = join(copy, "dist/cli.js");
    // those of runs on images and many files, of forwards and of chunks the build alone makes
    const caches = (): string[] =>
      readdirSync(chunks).filter((name) => /^main-[0-9a-f]+-(?!images|many|forward).*\.cache/.test(name));
    const [cache = ""] = caches();
    const first = run(work, "node", [cli, "audit", STOCK]);
    const whole = statSync(join(chunks, cache)).size;
    // another Node.js, another cache: V8 refuses it, the bundle is compiled, and the next run finds a good one
    writeFileSync(join(chunks, cache), "no cache at all");
    expect(run(work, "node", [cli, "audit", STOCK])).toEqual(first);
    expect(statSync(join(chunks, cache)).size).toBeGreaterThan(whole / 2);
    // a run that changes V8's flags would leave one that no other run can use
    rmSync(join(chunks, cache));
    const large = join(work, "large");
    writeFileSync(large, "# many lines\n".repeat(2000));
    run(work, "node", [cli, "audit", large]);
    expect(caches()).toEqual([]);
    // and one of wrong usage a cache with next to nothing in it
    expect(run(work, "node", [cli, "audit", "--nonsense"]).status).toBe(2);
    expect(caches()).toEqual([]);
    expect(run(work, "node", [cli, "audit", STOCK])).toEqual(first);
    rmSync(join(chunks, cache));
    chmodSync(chunks, 0o555);
    expect(run(work, "node", [cli, "--version"]).stdout).toBe(run(work, "node", [cli, "--version"]).stdout);
    expect(caches().length === 0 || process.getuid?.() === 0).toBe(true);
    chmodSync(chunks, 0o755);
    expect(run(work, "node", [cli, "audit", STOCK])).toEqual(first);
    expect(caches()).toEqual([cache]);
  });

  it("starts an audit, one of an image, one of many files and a forward with a code cache each, which V8 takes", () => {
    const spy = spyOnScripts(
      "console.log(options.cachedData.length, this.cachedDataRejected); process.exit();",
    );
    const dist = join(consumer, "node_modules/sshd-policy/dist");
    const many = Array.from({ length: 30 }, () => STOCK);
    const told = [["audit"], ["audit", "--image"], ["audit", ...many], ["forward"]].map(
      (args) => run(work, "node", ["--require", spy, join(dist, "cli.js"), ...args]).stdout,
    );
    const caches = readdirSync(join(dist, "chunks")).filter((name) => name.includes(".cache"));
    const sizeOf = (kind: RegExp): number =>
      statSync(join(dist, "chunks", caches.find((name) => kind.test(name)) ?? "")).size;
    const sizes = [/^main-[0-9a-f]+-(?!images|many|forward)/, /-images-/, /-many-/, /-forward-/].map(sizeOf);
    expect(told).toEqual(sizes.map((size) => `${size} false\n`));
    expect(new Set(sizes).size).toBe(4);
  });

  it("runs a forward with and without the code caches of its chunks, which V8 takes", () => {
    const spy = spyOnScripts(
      'console.log(require("node:path").basename(options.filename), this.cachedDataRejected);',
    );
    const copy = join(work, "forwarding");
    cpSync(join(consumer, "node_modules/sshd-policy"), copy, { recursive: true });
    const forward = (): { readonly stdout: string; readonly stderr: string } => {
      const args = [
        "--require",
        spy,
        join(copy, "dist/cli.js"),
        "forward",
        "-F",
        "none",
        "-p",
        "1",
        "-D",
        "0",
      ];
      const { stdout, stderr } = run(work, "node", [...args, "127.0.0.1"]);
      return { stdout: stdout.replace(/main-[0-9a-f]+/, "main"), stderr };
    };
    const cached = forward();
    expect(cached.stdout.split("\n").filter((line) => line !== "")).toEqual([
      "main.js false",
      "cli-forward.js false",
      "forward-forwarder.js false",
    ]);
    const chunks = join(copy, "dist/chunks");
    for (const name of readdirSync(chunks))
      if (/^(cli|forward)-.*\.cache$/.test(name)) rmSync(join(chunks, name));
    const uncached = forward();
    expect(uncached).toEqual({ stdout: "main.js false\n", stderr: cached.stderr });
    expect(cached.stderr).toContain("connection refused");
  });

  it("is a library for import and for require", () => {
    const body = `
      const text = Buffer.from("AllowTcpForwarding no\\n\\0x\\xff");
      const { tree, problems } = parse(text);
      console.log(Buffer.from(print(tree)).equals(text), tree.lines.length, problems.length);`;
    writeFileSync(join(consumer, "a.mjs"), `import { parse, print } from "sshd-policy";${body}`);
    writeFileSync(join(consumer, "a.cjs"), `const { parse, print } = require("sshd-policy");${body}`);
    const [imported, required] = ["a.mjs", "a.cjs"].map((file) => run(consumer, "node", [file]));
    expect(imported).toEqual({ status: 0, stdout: "true 2 1\n", stderr: "" });
    expect(required).toEqual(imported);
  });

  it("has types that stand on their own", () => {
    writeFileSync(
      join(consumer, "use.mts"),
      `import { parse, print, type Tree } from "sshd-policy";
       const tree: Tree = parse(new Uint8Array()).tree;
       const bytes: Uint8Array = print(tree);
       // @ts-expect-error: a string is no tree
       print("text");
       export const count: number = bytes.length;`,
    );
    writeFileSync(
      join(consumer, "tsconfig.json"),
      JSON.stringify({
        compilerOptions: {
          strict: true,
          module: "nodenext",
          target: "es2023",
          lib: ["es2023"],
          types: [],
          noEmit: true,
          skipLibCheck: false,
        },
        files: ["use.mts"],
      }),
    );
    const checked = run(consumer, join(ROOT, "node_modules/.bin/tsc"), ["-p", "."]);
    expect(checked).toEqual({ status: 0, stdout: "", stderr: "" });
  });

  it("does not mention chevrotain in its types", () => {
    const reachable = declarations(
      join(consumer, "node_modules/sshd-policy/dist/types/src/index.d.ts"),
      new Map(),
    );
    expect(reachable.size).toBeGreaterThan(3);
    const wrong = [...reachable].filter(([, text]) => /from "(?!\.)|import\("(?!\.)/.test(text));
    expect(wrong.map(([path]) => path)).toEqual([]);
  });
});

/** A declaration file and what it imports, by path. */
function declarations(path: string, found: Map<string, string>): ReadonlyMap<string, string> {
  if (found.has(path)) return found;
  const text = readFileSync(path, "utf8");
  found.set(path, text);
  for (const [, target = ""] of text.matchAll(/(?:from|import\() ?"(\.[^"]+)"/g)) {
    declarations(
      resolve(path, "..", target.replace(/(?<!\.d)\.ts$/, ".d.ts").replace(/\.js$/, ".d.ts")),
      found,
    );
  }
  return found;
}
