// Of a bundle in one scope: its functions and constants that few runs ask for, made when the first of them is. V8 makes an object,
// and reads another one from its code cache, for each function of a scope, called or not: 0.55 µs each; and constants are
// tables, sets and regular expressions, which are made whole. Constants that are a number or a short word are written where
// they are used: a scope with fewer names is read sooner.
import { runInNewContext, Script } from "node:vm";
import { transform } from "esbuild";

/** Names that the bundle's scope does not have. */
const TABLE = "$late";
const MAKE = "$makeLate";

/** Functions on the outermost level, as esbuild prints them with line breaks. */
const FUNCTION = /^(?:async )?function\*? ([\w$]+)\(/;
/** Constants of ours: by their names nothing else than a value, whenever it is worked out. */
const CONSTANT = /^var ([A-Z][A-Z0-9_]*) = /;
/** All that a module exports, as esbuild makes it where somebody wants an object of that. */
const EXPORTS = /^var (\w+_exports\d*) = \{\};$/;
const MODULE = /^\/\/ (\S+)$/;
const OURS = /^(?:grammar|rules|src)\//;
/** What differs from one time to the next. */
const CHANGING = /\bprocess\b|\bDate\b/;
const WORD = /^"[\w ./:@-]{0,20}"$/;
const SUM = /^[\d. *+-]+$/;

/** The lines of a bundle that is not minified; those of a function or of a constant are one, which has a name. */
export function cutParts(text) {
  if (text.includes(TABLE) || text.includes(MAKE))
    throw new Error(`${TABLE} and ${MAKE} are names of the bundle`);
  const lines = text.split("\n");
  const parts = [];
  let isOurs = false;
  for (let at = 0; at < lines.length; ) {
    const module = MODULE.exec(lines[at])?.[1];
    if (module !== undefined) isOurs = OURS.test(module);
    const part =
      functionAt(lines, at) ??
      exportsAt(lines, at) ??
      (isOurs ? constantAt(lines, at) : null) ??
      plainLine(lines[at]);
    parts.push(part);
    at += part.text.split("\n").length;
  }
  return parts;
}

const plainLine = (text) => ({ kind: "line", name: null, text });

function functionAt(lines, at) {
  const name = FUNCTION.exec(lines[at])?.[1];
  if (name === undefined) return null;
  const text = lines.slice(at, lines.indexOf("}", at) + 1).join("\n");
  // a text over several lines may have a line that looks like an end
  return isScript(`(${text})`) ? { kind: "function", name, text } : null;
}

function exportsAt(lines, at) {
  const name = EXPORTS.exec(lines[at])?.[1];
  if (name === undefined || lines[at + 1] !== `__export(${name}, {`) return null;
  const text = lines.slice(at, lines.indexOf("});", at) + 1).join("\n");
  return isScript(text) ? { kind: "constant", name, text } : null;
}

function constantAt(lines, at) {
  const name = CONSTANT.exec(lines[at])?.[1];
  if (name === undefined) return null;
  const end = lines.findIndex(
    (line, index) => index >= at && line.endsWith(";") && isScript(lines.slice(at, index + 1).join("\n")),
  );
  const text = lines.slice(at, end + 1).join("\n");
  return CHANGING.test(text) ? null : { kind: "constant", name, text };
}

function isScript(text) {
  try {
    return new Script(text) instanceof Script;
  } catch {
    return false;
  }
}

/** What is written of a constant wherever it is used; null for one that is more than a number or a short word. */
function writtenOut({ kind, text }) {
  const value = kind === "constant" ? text.slice(text.indexOf("=") + 2, -1) : "";
  if (WORD.test(value)) return value;
  return SUM.test(value) ? JSON.stringify(runInNewContext(value)) : null;
}

/** What can be made late. */
export function namesOf(parts) {
  return parts.flatMap((part) => (part.name === null || writtenOut(part) !== null ? [] : part.name));
}

/**
 * The bundle, minified, with what has these names made late: each use of such a name elsewhere becomes one of a property of
 * the table, which esbuild does where the name is nobody else's. `logged`: nothing is made before it is asked for, and
 * globalThis.asked takes the names that a run asks for.
 */
export async function withLate(parts, late, { logged = false, ...options } = {}) {
  const names = [...late];
  const keys = new Map(names.map((name, index) => [name, `_${index.toString(36)}`]));
  const written = new Map(
    parts.flatMap((part) => (writtenOut(part) === null ? [] : [[part.name, writtenOut(part)]])),
  );
  const isLate = ({ name }) => name !== null && late.has(name);
  const made = parts.filter(isLate);
  const lines = [
    "module.exports = function(give, require) {",
    '"use strict";',
    ...(logged ? loggedTable(made, names, keys) : table(made, keys)),
    ...parts.filter((part) => !isLate(part) && !written.has(part.name)).map(({ text }) => text),
    "}",
  ];
  const { code } = await transform(lines.join("\n"), {
    ...options,
    define: {
      ...Object.fromEntries(names.map((name) => [name, `${TABLE}.${keys.get(name)}`])),
      ...Object.fromEntries(written),
    },
  });
  return code
    .trim()
    .replace(/^module\.exports ?= ?/, "")
    .replace(/;$/, "");
}

/** All of them are in one function, where they find each other by their names. */
function table(made, keys) {
  const uses = made.map(({ name }) => `${keys.get(name)}: ${name}`);
  return [
    `let ${TABLE} = new Proxy({}, { get: (_, key) => (${TABLE} = ${MAKE}())[key] });`,
    `function ${MAKE}() {`,
    ...made.map(({ text }) => text),
    `return { ${uses.join(",\n")} };`,
    "}",
  ];
}

function loggedTable(made, names, keys) {
  const makers = made.map(({ kind, name, text }) =>
    kind === "function"
      ? `${keys.get(name)}: ${text}`
      : `get ${keys.get(name)}() { ${text} Object.defineProperty(this, "${keys.get(name)}", { value: ${name} }); return ${name}; }`,
  );
  return [
    `const ${TABLE} = new Proxy({ ${makers.join(",\n")} }, { get: (table, key) => (globalThis.asked.add(${JSON.stringify(names)}[parseInt(key.slice(1), 36)]), table[key]) });`,
  ];
}
