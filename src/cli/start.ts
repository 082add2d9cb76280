/**
 * What `dist/cli.js` is: runs the bundle with V8's code cache, which halves the time to the first answer. The cache is
 * made by the build, or beside the bundle by the first audit on another Node.js, and only there where the folder is
 * the caller's own: whoever can write it can write the bundle, too. Without a cache everything works, slower.
 */
import { closeSync, openSync, readFileSync, readSync, renameSync, statSync, writeFileSync } from "node:fs";
import { Script } from "node:vm";
import { chunkLoader, wrapped } from "./chunks.ts";

/** The bundle's file name, which holds a hash of its content, so that a cache is never used for another bundle. */
declare const __BUNDLE__: string;
/** By chunk that has a cache of its own, a hash of its content. */
declare const __CACHED__: Readonly<Record<string, string>>;

const WRONG_USAGE = 2;

const bundle = `${__dirname}/${__BUNDLE__}`;
const cacheOf = (file: string, kind = ""): string =>
  `${file.slice(0, -".js".length)}${kind}-${process.platform}-${process.arch}-${process.version}.cache`;
const cache = cacheOf(bundle);

/** For the bundle, and then for the cache: new memory, a page at a time, takes longer than the reading itself. */
const memory = Buffer.allocUnsafeSlow(2 * 1024 * 1024);

/** Until the next file is read. */
function read(path: string): Buffer {
  const file = openSync(path, "r");
  try {
    let length = 0;
    for (let more = -1; more !== 0; length += more)
      more = readSync(file, memory, length, memory.length - length, null);
    return length < memory.length ? memory.subarray(0, length) : readFileSync(path);
  } finally {
    closeSync(file);
  }
}

function readCache(path: string): Buffer | undefined {
  try {
    return read(path);
  } catch {
    return undefined;
  }
}

function writeCache(script: Script): void {
  try {
    if (process.getuid?.() !== statSync(__dirname).uid) return;
    const temporary = `${cache}.${process.pid}`;
    writeFileSync(temporary, script.createCachedData(), { flag: "wx" });
    renameSync(temporary, cache);
  } catch {
    // a folder that cannot be written: the next run compiles again
  }
}

/** Of V8's version and flags: V8 refuses for ever what was written behind a change of its flags (v8-flags.ts). */
function versionTag(): number {
  return process.getBuiltinModule("node:v8").cachedDataVersionTag();
}

/** Words of a call with so many FILEs that they need most rules and the search: what else compiles it takes 10 ms. */
const MANY = 30;

/** Made by the build alone: these runs change V8's flags. */
function ownKind(argv: readonly string[]): "-forward" | "-images" | "-many" | null {
  // without the code of audits its heap has less than 8 MB, from which on V8 marks all of it while packets come
  if (argv[2] === "forward" || argv[2] === "probe-inside") return "-forward";
  if (argv.includes("--image")) return "-images";
  return argv[2] === "audit" && argv.length > MANY ? "-many" : null;
}

const kind = ownKind(process.argv);
// the bundle is ASCII, and latin1 is the cheapest decoding of it
const source = read(bundle).toString("latin1");
const cachedData = (kind === null ? undefined : readCache(cacheOf(bundle, kind))) ?? readCache(cache);
const script = new Script(source, { filename: bundle, ...(cachedData === undefined ? {} : { cachedData }) });
if (
  (cachedData === undefined || script.cachedDataRejected === true) &&
  process.argv[2] === "audit" &&
  process.env["NODE_DISABLE_COMPILE_CACHE"] === undefined
) {
  const tag = versionTag();
  process.once("exit", (code) => {
    // of wrong usage it would hold next to nothing, for good
    if (code !== WRONG_USAGE && versionTag() === tag) writeCache(script);
  });
}
/** Their caches are the build's alone. */
function compileChunk(chunk: string): Script | null {
  const hash = __CACHED__[chunk];
  if (hash === undefined) return null;
  const path = `${__dirname}/${chunk}`;
  const text = wrapped(read(path).toString("latin1"));
  const made = readCache(cacheOf(path, `.${hash}`));
  return made === undefined ? null : new Script(text, { filename: path, cachedData: made });
}

script.runInThisContext()(chunkLoader(__dirname, require, compileChunk));
