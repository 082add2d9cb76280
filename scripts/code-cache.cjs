// Writes V8's code cache of dist/'s bundle, as src/cli/start.ts reads it: code-cache.cjs BUNDLE CACHE RUNS
// RUNS: a JSON list of the arguments of runs, one after the other, whose functions are in it.
const { readFileSync, writeFileSync } = require("node:fs");
const { createRequire } = require("node:module");
const { resolve } = require("node:path");
const { Script } = require("node:vm");

const [, , bundle, cache, runs] = process.argv;
const script = new Script(readFileSync(bundle, "latin1"), { filename: bundle });
const left = JSON.parse(runs);
// V8 refuses code that was made with other flags than those of its start
require("node:v8").setFlagsFromString = () => {};
const next = () => {
  const args = left.shift();
  if (args === undefined) return;
  process.argv = [process.execPath, bundle, ...args];
  script.runInThisContext()(createRequire(resolve(bundle, "../../cli.js")));
  // without anything to wait for there is no second end
  setTimeout(() => {}, 1);
};

process.on("beforeExit", next);
process.once("exit", () => writeFileSync(cache, script.createCachedData()));
next();
