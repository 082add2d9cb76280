/** Loads `dist/chunks/`: a chunk that has a code cache as a script, all others, and modules, as Node.js does. */
import type { Script } from "node:vm";

type Load = (name: string) => unknown;

/**
 * `compile` gives a chunk ("./chunks/NAME.js", as seen from `dist/`) as a script that makes a function of `require`, `module` and
 * the folder, or null where it has no cache.
 */
export function chunkLoader(dist: string, require: Load, compile: (chunk: string) => Script | null): Load {
  const loaded = new Map<string, { exports: unknown }>();
  const load: Load = (name) => {
    const known = loaded.get(name);
    if (known !== undefined) return known.exports;
    const script = name.startsWith("./chunks/") ? compile(name) : null;
    if (script === null) return require(name);
    const module = { exports: {} };
    loaded.set(name, module);
    // what a chunk loads it names as its neighbour
    const neighbour: Load = (other) => load(other.replace(/^\.\//, "./chunks/"));
    script.runInThisContext()(neighbour, module, `${dist}/chunks`);
    return module.exports;
  };
  return load;
}

/** The text of a chunk as such a function. */
export function wrapped(text: string): string {
  return `(function(require,module,__dirname){var exports=module.exports;${text}\n})`;
}
