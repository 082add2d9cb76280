// Of a bundle in one scope: its functions that few runs call, made when the first of them is asked for. V8 makes an object, and
// reads another one from its code cache, for each function of a scope, called or not: 0.55 µs each.
import { Script } from "node:vm";
import { transform } from "esbuild";

/** Names that the bundle's scope does not have. */
const TABLE = "$late";
const MAKE = "$makeLate";

/** Functions on the outermost level, as esbuild prints them with line breaks. */
const BEGINS = /^(?:async )?function\*? ([\w$]+)\(/;
const ENDS = "}";

/** The lines of a bundle; those of a function are one, which has a name. No text of ours over several lines has such lines. */
export function cutFunctions(text) {
  if (text.includes(TABLE) || text.includes(MAKE))
    throw new Error(`${TABLE} and ${MAKE} are names of the bundle`);
  const lines = text.split("\n");
  const parts = [];
  for (let at = 0; at < lines.length; at++) {
    const name = BEGINS.exec(lines[at])?.[1];
    const end = name === undefined ? -1 : lines.indexOf(ENDS, at);
    const piece = lines.slice(at, end + 1).join("\n");
    if (end !== -1 && isFunction(piece)) parts.push({ name, text: piece });
    else parts.push({ name: null, text: lines[at] });
    if (end !== -1 && parts.at(-1).name !== null) at = end;
  }
  return parts;
}

/** A text over several lines may have a line that looks like an end. */
function isFunction(text) {
  try {
    return new Script(`(${text})`) instanceof Script;
  } catch {
    return false;
  }
}

/**
 * The bundle, minified, with functions of these names made late: each use of such a name becomes one of a property of the table,
 * which esbuild does where the name is nobody else's. `logged`: globalThis.asked takes the names that a run asks for.
 */
export async function withLate(parts, late, { logged = false, ...options } = {}) {
  const names = [...late];
  const keys = new Map(names.map((name, index) => [name, `_${index.toString(36)}`]));
  const isLate = ({ name }) => name !== null && late.has(name);
  const table = parts.filter(isLate).map(({ name, text }) => `${keys.get(name)}: ${text}`);
  const made = logged
    ? `new Proxy(${MAKE}(), { get: (table, key) => (globalThis.asked.add(${JSON.stringify(names)}[parseInt(key.slice(1), 36)]), table[key]) })`
    : `new Proxy({}, { get: (_, key) => (${TABLE} = ${MAKE}())[key] })`;
  const lines = [
    "module.exports = function(module, exports, require) {",
    '"use strict";',
    `let ${TABLE} = ${made};`,
    ...parts.filter((part) => !isLate(part)).map(({ text }) => text),
    `function ${MAKE}() { return { ${table.join(",\n")} }; }`,
    "}",
  ];
  const { code } = await transform(lines.join("\n"), {
    ...options,
    define: Object.fromEntries(names.map((name) => [name, `${TABLE}.${keys.get(name)}`])),
  });
  return code
    .trim()
    .replace(/^module\.exports ?= ?/, "")
    .replace(/;$/, "");
}
