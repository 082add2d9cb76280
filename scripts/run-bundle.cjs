// Runs dist/'s bundle: run-bundle.cjs BUNDLE RUNS OUT. RUNS: a JSON list of the arguments of runs, one after the other.
// OUT: for V8's code cache of what ran, as src/cli/start.ts reads it, or (.json) for the names of functions that were asked for
// (late.mjs).
const { readFileSync, writeFileSync } = require("node:fs");
const { createRequire } = require("node:module");
const { resolve } = require("node:path");
const { Script } = require("node:vm");

const [, , bundle, runs, out] = process.argv;
const script = new Script(readFileSync(bundle, "latin1"), { filename: bundle });
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
  script.runInThisContext()(createRequire(resolve(bundle, "../../cli.js")));
  // without anything to wait for there is no second end
  setTimeout(() => {}, 1);
};

process.on("beforeExit", next);
process.once("exit", () => {
  writeFileSync(
    out,
    out.endsWith(".json") ? JSON.stringify([...globalThis.asked]) : script.createCachedData(),
  );
});
next();
