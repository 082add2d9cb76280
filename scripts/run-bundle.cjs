// Runs dist/'s bundle: run-bundle.cjs BUNDLE RUNS OUT [LOADER CHUNKS]. RUNS: a JSON list of the arguments of runs, one after the
// other. OUT: for V8's code cache of what ran, as src/cli/start.ts reads it, or (.json) for the names of functions that were
// asked for (late.mjs). LOADER: src/cli/chunks.ts; CHUNKS: a JSON object of where the caches of chunks go to.
const { readFileSync, writeFileSync } = require("node:fs");
const { createRequire } = require("node:module");
const { resolve } = require("node:path");
const { Script } = require("node:vm");

const [, , bundle, runs, out, loader, chunks = "{}"] = process.argv;
const script = new Script(readFileSync(bundle, "latin1"), { filename: bundle });
const load = createRequire(resolve(bundle, "../../cli.js"));
const made = new Map();
const caches = JSON.parse(chunks);
const { chunkLoader, wrapped } =
  loader === undefined ? { chunkLoader: (_, plain) => plain } : require(loader);
const loadChunk = chunkLoader(resolve(bundle, "../.."), load, (chunk) => {
  if (caches[chunk] === undefined) return null;
  const filename = load.resolve(chunk);
  const compiled = new Script(wrapped(readFileSync(filename, "latin1")), { filename });
  made.set(caches[chunk], compiled);
  return compiled;
});
const left = JSON.parse(runs);
globalThis.asked = new Set();
// V8 refuses code that was made with other flags than those of its start
require("node:v8").setFlagsFromString = () => {};
// a run is not the last
process.exit = () => {};
const next = () => {
  const args = left.shift();
  if (args === undefined) return;
  process.argv = [process.execPath, bundle, ...args];
  script.runInThisContext()(loadChunk);
  // without anything to wait for there is no second end
  setTimeout(() => {}, 1);
};

process.on("beforeExit", next);
process.once("exit", () => {
  writeFileSync(
    out,
    out.endsWith(".json") ? JSON.stringify([...globalThis.asked]) : script.createCachedData(),
  );
  for (const [path, compiled] of made) writeFileSync(path, compiled.createCachedData());
});
next();
