// Builds dist/: a bundle in CommonJS with chunks loaded on demand, and the types.
// esbuild splits only ESM, and CommonJS starts faster, so the split ESM output is turned into CommonJS file by file.
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { build, transform } from "esbuild";

const TARGET = "node20.19";
const root = new URL("..", import.meta.url).pathname;
const dist = `${root}dist`;
const { version } = JSON.parse(readFileSync(`${root}package.json`, "utf8"));

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });
const bundled = await build({
  absWorkingDir: root,
  entryPoints: { cli: "src/cli/main.ts", index: "src/index.ts" },
  bundle: true,
  splitting: true,
  write: false,
  format: "esm",
  platform: "node",
  target: TARGET,
  outdir: dist,
  chunkNames: "chunks/[name]-[hash]",
  minify: true,
  legalComments: "none",
  define: { __VERSION__: JSON.stringify(version) },
  // ssh2's native parts are optional; without them it falls back to JavaScript
  external: ["cpu-features", "*.node"],
  logLevel: "warning",
});
for (const file of bundled.outputFiles) {
  const { code } = await transform(file.text, {
    format: "cjs",
    platform: "node",
    target: TARGET,
    minify: true,
    supported: { "dynamic-import": false },
  });
  mkdirSync(file.path.slice(0, file.path.lastIndexOf("/")), { recursive: true });
  writeFileSync(file.path, code);
}
writeFileSync(`${dist}/package.json`, '{ "type": "commonjs" }\n');
const cli = readFileSync(`${dist}/cli.js`, "utf8");
writeFileSync(`${dist}/cli.js`, `#!/usr/bin/env node\n${cli.replace(/^#!.*\n/, "")}`);
chmodSync(`${dist}/cli.js`, 0o755);
execFileSync(`${root}node_modules/.bin/tsc`, ["-p", `${root}tsconfig.types.json`], {
  stdio: ["ignore", 2, 2],
});
if (process.argv.includes("--verbose")) {
  for (const name of readdirSync(dist, { recursive: true })) process.stderr.write(`${name}\n`);
}
