// Builds dist/: cli.js, the bundle it starts and its chunks, index.js for the library, the types and the licences.
// --readable: not minified, for a profile (node --cpu-prof dist/cli.js …).
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { cutParts, namesOf, withLate } from "./late.mjs";
import { sampleImage } from "./sample-image.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = `${root}dist`;
const isReadable = process.argv.includes("--readable");
/** Of esbuild. */
const OUTPUT = { target: "node20.19", legalComments: "none" };
const { version } = JSON.parse(readFileSync(`${root}package.json`, "utf8"));

/** Modules that are loaded on demand from a file of their own, because most runs never need what they bring along. */
const CHUNKS = [
  /^src\/cli\/(apply|confirm|forward|live|probe|probe-inside|recover)\.ts$/,
  /^src\/files\/(?:image|rpm-release|zstd)\.ts$/,
  /^src\/forward\//,
  /^src\/lint\/policy-file\.ts$/,
  /^src\/report\/(exposure-html|exposure-svg|html)\.ts$/,
];

/** The chunk that is in the engine, too. */
const IMAGES = "src/files/image.ts";

const isChunk = (module) => CHUNKS.some((pattern) => pattern.test(module));
const moduleOf = (path, folder) => relative(root, resolve(folder, path));
const nameOf = (module) =>
  module
    .replace(/^src\//, "")
    .replace(/\.ts$/, "")
    .replaceAll("/", "-");

/** `import("x.ts")` of a chunk stays a call at run time; every other dynamic import is bundled and only run on demand. */
const chunks = new Map();
const splitChunks = (folder) => ({
  name: "split-chunks",
  setup({ onResolve }) {
    onResolve({ filter: /^\./ }, ({ kind, path, resolveDir }) => {
      const module = moduleOf(path, resolveDir);
      if (kind !== "dynamic-import" || !isChunk(module)) return undefined;
      chunks.set(nameOf(module), module);
      return { path: `${folder}/${nameOf(module)}.js`, external: true };
    });
  },
});

/** What the commands in the main bundle import on demand is one more function in it, the engine. */
const engine = new Map();
const splitEngine = {
  name: "split-engine",
  setup({ onLoad, onResolve }) {
    // without the object that esbuild would copy all that a module exports into
    onLoad({ filter: /\/src\/cli\/.*\.ts$/ }, ({ path }) => ({
      contents: readFileSync(path, "utf8").replaceAll(/\bimport\("(\.[^"]+)"\)/g, (found, from) =>
        isChunk(moduleOf(from, dirname(path))) ? found : `Promise.resolve(require("${from}"))`,
      ),
      loader: "ts",
    }));
    onResolve({ filter: /\.ts$/ }, ({ kind, path, resolveDir }) => {
      if (kind !== "require-call") return undefined;
      const module = moduleOf(path, resolveDir);
      engine.set(nameOf(module), module);
      return { path: `engine/${nameOf(module)}`, external: true };
    });
  },
};

/**
 * Within the engine nothing is imported on demand: esbuild would make a function of each module that is, and of all that those
 * import, 280 in an audit; so they are one scope, whose modules run one after the other. `import()` of one becomes what names
 * it, so that no object of all that it exports is made, where it can.
 */
const oneScope = {
  name: "one-scope",
  setup({ onLoad }) {
    onLoad({ filter: /\/src\/.*\.ts$/ }, ({ path }) => {
      const source = readFileSync(path, "utf8");
      // of what is read on demand nobody can list the names beforehand
      if (/^import \* as \w+ from "node:/m.test(source))
        throw new Error(`${path}: name what you import of Node.js`);
      const imports = [];
      const made = (found, names, module, use) => {
        if (isChunk(module) && module !== IMAGES) return found;
        imports.push(`import ${names} from "${root}${module}";`);
        return use;
      };
      const named = (found, names, from) => made(found, names, moduleOf(from, dirname(path)), "");
      const whole = (resolved) => (found, from) => {
        const name = `imported${imports.length}`;
        return made(found, `* as ${name}`, moduleOf(from, dirname(path)), resolved(name));
      };
      const contents = source
        .replaceAll(/\bconst (\{[^{}]*\}) = await import\("(\.[^"]+)"\);/g, named)
        .replaceAll(
          /\(await import\("(\.[^"]+)"\)\)/g,
          whole((name) => name),
        )
        .replaceAll(
          /\bimport\("(\.[^"]+)"\)/g,
          whole((name) => `Promise.resolve(${name})`),
        );
      return imports.length === 0
        ? undefined
        : { contents: `${contents}\n${imports.join("\n")}`, loader: "ts" };
    });
  },
};

/** commander wants child_process for subcommands that are programs of their own. We have none, and it costs 3 ms. */
const withoutChildProcess = {
  name: "without-child-process",
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^node:child_process$/ }, ({ importer }) =>
      importer.includes("/node_modules/commander/") ? { path: "nothing", namespace: "nothing" } : undefined,
    );
    onLoad({ filter: /^/, namespace: "nothing" }, () => ({ contents: "module.exports = {}" }));
  },
};

/**
 * Chevrotain makes each parser a prototype, so that V8 keeps its properties in their fast form, and then deletes 90 of them,
 * after each of which V8 does that again: 2 ms. Ours does it at the end (grammar/parser.ts, keepFast).
 */
const fastOnce = {
  name: "fast-once",
  setup({ onLoad }) {
    onLoad({ filter: /@chevrotain\/utils\/.*\/to-fast-properties\.js$/ }, () => ({
      contents: "export function toFastProperties(parser) { return parser; }",
    }));
  },
};

/** Chevrotain copies 150 methods into one prototype, for each of which V8 copies all before: 2 ms. A chain needs no copies. */
const chainedMixins = {
  name: "chained-mixins",
  setup({ onLoad }) {
    onLoad({ filter: /\/chevrotain\/.*\/apply_mixins\.js$/ }, () => ({
      contents: `export function applyMixins(derived, bases) {
        let above = Object.prototype;
        for (const { prototype } of bases) above = Object.setPrototypeOf(prototype, above);
        Object.setPrototypeOf(derived.prototype, above);
      }`,
    }));
  },
};

/** The scanner is our own (grammar/scanner.ts): of chevrotain only the parser is needed, not its lexer and what that brings. */
const withoutLexer = {
  name: "without-lexer",
  setup({ onLoad }) {
    onLoad({ filter: /\/chevrotain\/lib\/src\/api\.js$/ }, () => ({
      contents: `export { EmbeddedActionsParser } from "./parse/parser/parser.js";
        export { createToken, EOF } from "./scan/tokens_public.js";`,
      resolveDir: `${root}node_modules/chevrotain/lib/src`,
    }));
    onLoad({ filter: /\/chevrotain\/.*\/lexer_public\.js$/ }, () => ({
      contents: "export const Lexer = { NA: /NOT_APPLICABLE/ };",
    }));
  },
};

/**
 * Parts of chevrotain that a parser never calls which has no checks of its grammar, no syntax tree of chevrotain's, no recovery
 * and a lookahead of its own (grammar/parser.ts). What they export throws, should they be called all the same.
 */
const NEVER_CALLED =
  /\/chevrotain\/lib\/src\/parse\/(?:grammar\/(?:checks|first|follow|interpreter|llk_lookahead|lookahead|rest)|cst\/cst|cst\/cst_visitor)\.js$/;
const neverCalled = {
  name: "never-called",
  setup({ onLoad }) {
    onLoad({ filter: NEVER_CALLED }, ({ path }) => {
      const names = [...readFileSync(path, "utf8").matchAll(/^export (?:class|const|function|var) (\w+)/gm)];
      const stubs = names.map(([, name]) => `export const ${name} = absent;`);
      const absent = `const absent = () => { throw new Error("${basename(path)} is not in the bundle"); };`;
      return { contents: [absent, ...stubs].join("\n") };
    });
  },
};

/**
 * While it records a grammar, chevrotain lays ten methods of each kind upon the parser, CONSUME to CONSUME9, for rules that
 * take several tokens of one type: ours takes each once, so the first of them are enough.
 */
const fewRecorders = {
  name: "few-recorders",
  setup({ onLoad }) {
    onLoad({ filter: /\/chevrotain\/.*\/gast_recorder\.js$/ }, ({ path }) => {
      const source = readFileSync(path, "utf8");
      const contents = source.replace(/\bi < 10\b/g, "i < 1");
      if (contents === source) throw new Error(`${path}: no ten methods where the build looks for them`);
      return { contents };
    });
  },
};

/** Chevrotain alone uses lodash. */
const smallLodash = {
  name: "small-lodash",
  setup({ onResolve }) {
    onResolve({ filter: /^lodash-es$/ }, () => ({ path: `${root}scripts/small-lodash.mjs` }));
  },
};

/** Of ssh2 only what src/forward/session.ts takes: not its server, agents over HTTP (and Node.js's own http), or making of keys. */
const clientOfSsh2 = {
  name: "client-of-ssh2",
  setup({ onLoad }) {
    onLoad({ filter: /\/ssh2\/lib\/index\.js$/ }, () => ({
      contents: `exports.Client = require("./client.js");
        exports.createAgent = require("./agent.js").createAgent;
        exports.utils = { parseKey: require("./protocol/keyParser.js").parseKey };`,
    }));
    // it signs and verifies something to see whether Ed25519 is there: it is, but where FIPS rules
    onLoad({ filter: /\/ssh2\/lib\/protocol\/constants\.js$/ }, ({ path }) => {
      const source = readFileSync(path, "utf8");
      const contents = source.replace(
        /^const eddsaSupported = \(\(\) => \{$/m,
        "$&\nif (crypto.getFips() === 0) return true;",
      );
      if (contents === source) throw new Error(`${path}: no test of Ed25519 where the build looks for it`);
      return { contents };
    });
  },
};

/** A rule's documentation, a sixth of the bundle, becomes an object when somebody reads it, which no audit does. */
const lateDocs = {
  name: "late-docs",
  setup({ onLoad }) {
    onLoad({ filter: /\/rules\/[\w-]+\.ts$/ }, ({ path }) => {
      if (path !== `${root}rules/${basename(path)}` || basename(path) === "index.ts") return undefined;
      const source = readFileSync(path, "utf8");
      const contents = source.replace(/^ {2}docs: (\{$[\s\S]*?^ {2}\}),$/m, "  get docs() { return $1; },");
      if (contents === source) throw new Error(`${path}: no docs where the build looks for them`);
      return { contents, loader: "ts" };
    });
  },
};

const packages = new Set();
async function bundle(entry, options = {}) {
  const { metafile, outputFiles } = await build({
    absWorkingDir: root,
    // modules are named by their paths, which are the same in every checkout
    preserveSymlinks: true,
    ...(entry === undefined ? {} : { entryPoints: [entry] }),
    bundle: true,
    write: false,
    metafile: true,
    format: "cjs",
    platform: "node",
    ...OUTPUT,
    supported: { "dynamic-import": false },
    minify: !isReadable,
    // ssh2's native parts are optional; without them it falls back to JavaScript
    external: ["cpu-features", "*.node"],
    logLevel: "warning",
    logOverride: { "empty-import-meta": "silent" },
    ...options,
    define: { __VERSION__: JSON.stringify(version), ...options.define },
  });
  for (const input of Object.keys(metafile.inputs)) {
    const name = /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1];
    if (name !== undefined) packages.add(name);
  }
  return outputFiles[0].text;
}

function licences() {
  const texts = [...packages].sort().map((name) => {
    const folder = `${root}node_modules/${name}`;
    const { version: its, license } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file === undefined ? "" : `\n${readFileSync(`${folder}/${file}`, "utf8").trim()}\n`;
    return `${name} ${its}${license === undefined ? "" : ` (${license})`}\n${text}`;
  });
  return texts.join(`\n${"-".repeat(80)}\n\n`);
}

rmSync(dist, { recursive: true, force: true });
mkdirSync(`${dist}/chunks`, { recursive: true });
const plugins = [
  splitChunks("./chunks"),
  withoutChildProcess,
  fastOnce,
  chainedMixins,
  withoutLexer,
  neverCalled,
  fewRecorders,
  smallLodash,
  lateDocs,
];
const commands = await bundle("src/cli/main.ts", { plugins: [splitEngine, ...plugins] });
// esbuild finds them in parallel, in another order each time
const modules = [...engine].sort();
const given = [
  ...modules.map(([, module], index) => `import * as module${index} from "./${module}";`),
  `give({ ${modules.map(([name], index) => `"${name}": () => module${index}`).join(", ")} });`,
].join("\n");
const engineParts = cutParts(
  await bundle(undefined, {
    stdin: { contents: given, resolveDir: root },
    plugins: [oneScope, ...plugins],
    minify: false,
  }),
);

/** The engine is a function, so that runs without it make nothing of it, and it is in the same code cache. */
async function mainText(late, options = {}) {
  const engine = await withLate(engineParts, late, { minify: !isReadable, ...OUTPUT, ...options });
  return `(function(load){
let engine=null;const readEngine=${engine};
const always={"node:fs":load("node:fs"),"node:path":load("node:path")};
const onDemand=(name)=>name.startsWith("node:")?new Proxy({},{get:(_,key)=>load(name)[key]}):load(name);
const require=(name)=>{
if(!name.startsWith("engine/"))return load(name);
if(engine===null)readEngine((modules)=>{engine=modules;},(name)=>always[name]??onDemand(name));
return engine[name.slice(7)]();};
(function(){${commands}
})();})`;
}

/** What the bundle leaves at `out` after these runs, and what its chunks do (run-bundle.cjs). */
function runBundle(runs, { script, out, statuses, input = "" }, chunks = []) {
  const { status, stderr } = spawnSync(
    process.execPath,
    [`${root}scripts/run-bundle.cjs`, script, JSON.stringify(runs), out, ...chunks],
    { stdio: ["pipe", "ignore", "pipe"], encoding: "utf8", input },
  );
  if (!statuses.includes(status)) throw new Error(`runs of ${script} ended with ${status}: ${stderr}`);
  return status;
}

const stock = `${root}fixtures/debian-12/etc/ssh/sshd_config`;
const folder = mkdtempSync(join(tmpdir(), "sshd-policy-build-"));
const image = join(folder, "image.tar");
writeFileSync(image, sampleImage(readFileSync(stock)));
const AUDITS = [
  ["audit", stock],
  ["audit", "--fix", "--diff", "--no-config", stock],
];
const AUDIT_OF_IMAGE = ["audit", "--image", image];
/** Of files with something for each rule. */
const AUDIT_OF_MANY = ["audit", "--openssh", "9.2", ...filesOfRules()];

function filesOfRules() {
  const names = readdirSync(`${root}fixtures/rules`, { recursive: true });
  return names
    .filter((name) => name.endsWith("/root/etc/ssh/sshd_config"))
    .sort()
    .map((name) => `${root}fixtures/rules/${name}`);
}

/** The functions and constants of the engine that the runs of the code caches do not ask for. */
async function lateNames() {
  const all = new Set(namesOf(engineParts));
  const [logged, out] = [join(folder, "logged.js"), join(folder, "asked.json")];
  writeFileSync(logged, await mainText(all, { logged: true }));
  runBundle([...AUDITS, AUDIT_OF_IMAGE], { script: logged, out, statuses: [1] });
  for (const name of JSON.parse(readFileSync(out, "utf8"))) all.delete(name);
  return all;
}

/** A server for forwards (session-server.mjs), which must have been used. `use`: the exit code of the last one. */
async function withServer(use) {
  const server = spawn(process.execPath, [`${root}scripts/session-server.mjs`, folder], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const [line] = await once(server.stdout, "data");
  const status = use(JSON.parse(line));
  server.stdin.end();
  const [code] = await once(server, "exit");
  // without an account it is wrong usage
  if (code !== 0 && status !== 2) throw new Error("no forward of the build's own got through");
}

const main = await mainText(await lateNames());
const hashOf = (text) => createHash("sha256").update(text).digest("hex").slice(0, 8);
const mainName = `chunks/main-${hashOf(main)}.js`;
writeFileSync(`${dist}/${mainName}`, main);
/** Of the chunks with a code cache: half of a forward's start would be V8 compiling ssh2. */
const hashes = {};
const CACHED = /^(?:cli-(?:forward|probe-inside)|forward-(?:forwarder|inside|read-job))$/;
// a chunk may load further ones, which are found while this goes on
for (const [name, module] of chunks) {
  const text = await bundle(module, { plugins: [splitChunks("."), clientOfSsh2] });
  writeFileSync(`${dist}/chunks/${name}.js`, text);
  if (CACHED.test(name)) hashes[`./chunks/${name}.js`] = hashOf(text);
}
const start = await bundle("src/cli/start.ts", {
  define: { __BUNDLE__: JSON.stringify(mainName), __CACHED__: JSON.stringify(hashes) },
});
writeFileSync(`${dist}/cli.js`, `#!/usr/bin/env node\n${start}`);
chmodSync(`${dist}/cli.js`, 0o755);
writeFileSync(`${dist}/index.js`, await bundle("src/index.ts", { plugins: [splitChunks("./chunks")] }));
writeFileSync(`${dist}/package.json`, '{ "type": "commonjs" }\n');
writeFileSync(`${dist}/licences.txt`, licences());
execFileSync(`${root}node_modules/.bin/tsc`, ["-p", `${root}tsconfig.types.json`], {
  stdio: ["ignore", 2, 2],
});
/** What the part of a probe inside a sandbox is told (src/forward/job.ts). */
function jobAt(port) {
  const files = [{ name: "sshd_config", text: "" }];
  const to = { address: "127.0.0.1", port };
  const way = { user: "user", from: "127.0.0.1", to, chroot: "", xauth: "" };
  const connections = [{ ...way, accounts: null, dialled: [], attempts: [] }];
  const none = { keyOptions: "", options: [], listen: [], addresses: [] };
  return { sshd: "/nonexistent", kind: "self", files, connections, ...none };
}

const loaderText = await bundle("src/cli/chunks.ts");
// V8's code caches hold what ran: an audit, and one that would fix something, as most runs need nothing else; of an image; of many files; of forwards
const script = `${dist}/${mainName}`;
const cacheOf = (file, kind) =>
  `${file.slice(0, -".js".length)}${kind}-${process.platform}-${process.arch}-${process.version}.cache`;
runBundle(AUDITS, { script, out: cacheOf(script, ""), statuses: [1] });
runBundle([AUDIT_OF_IMAGE], { script, out: cacheOf(script, "-images"), statuses: [1] });
runBundle([AUDIT_OF_MANY], { script, out: cacheOf(script, "-many"), statuses: [1] });
await withServer(({ port, listen }) => {
  const to = ["-F", "none", "-o", `UserKnownHostsFile=${folder}/known_hosts`, "-o", "IdentityAgent=none"];
  const target = ["-i", `${folder}/id`, "-p", `${port}`, "user@127.0.0.1"];
  const forwards = [
    ["-W", "127.0.0.1:1"],
    ["-L", `127.0.0.1:${listen}:127.0.0.1:1`],
  ].map((forward) => ["forward", ...forward, ...to, ...target]);
  const loader = join(folder, "chunks.cjs");
  writeFileSync(loader, loaderText);
  const caches = Object.fromEntries(
    Object.entries(hashes).map(([chunk, hash]) => [chunk, cacheOf(`${dist}/${chunk}`, `.${hash}`)]),
  );
  const caching = [loader, JSON.stringify(caches)];
  // a probe's part inside that starts no sshd, and leaves this server, whose key is not its own, before it logs in
  const inside = [["probe-inside", folder]];
  const input = `${JSON.stringify(jobAt(port))}\n`;
  runBundle(inside, { script, out: join(folder, "main.cache"), statuses: [0], input }, caching);
  // the second one loses its server
  return runBundle(forwards, { script, out: cacheOf(script, "-forward"), statuses: [1, 2] }, caching);
});
rmSync(folder, { recursive: true });
