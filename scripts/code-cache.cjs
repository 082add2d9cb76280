// Writes V8's code cache of dist/'s bundle, as src/cli/start.ts reads it: code-cache.cjs BUNDLE FILE audits FILE twice.
const { readFileSync, writeFileSync } = require("node:fs");
const { createRequire } = require("node:module");
const { Script } = require("node:vm");

const [, , bundle, file] = process.argv;
const script = new Script(readFileSync(bundle, "latin1"), { filename: bundle });
const run = (...args) => {
  process.argv = [process.execPath, bundle, "audit", ...args, file];
  script.runInThisContext()(createRequire(`${bundle}/../../cli.js`));
};

run();
process.once("beforeExit", () => {
  run("--fix", "--diff", "--no-config");
  process.once("exit", () => {
    const name = `${bundle.slice(0, -".js".length)}-${process.platform}-${process.arch}-${process.version}.cache`;
    writeFileSync(name, script.createCachedData());
  });
});
