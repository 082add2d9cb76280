/** YAML nodes to values, with what is wrong at its place. Aliases and tags are not read: nothing is hidden in a policy file. */
import { isMap, isScalar, isSeq, type Node, parseDocument } from "yaml";
import { type Place, positionAt, type Source } from "../source/source.ts";
import { closestWord } from "./closest-word.ts";

export interface YamlProblem {
  readonly message: string;
  readonly place: Place;
}

export interface YamlReading {
  readonly source: Source;
  readonly problems: YamlProblem[];
}

/** The top of a YAML 1.2 document; null where there is none or it cannot be read, with the reason in `problems`. */
export function readYaml(reading: YamlReading): Node | null {
  const { source, problems } = reading;
  try {
    const mark = markLength(source);
    // with logLevel "silent" a second document is no error
    const document = parseDocument(source.text.slice(mark), { version: "1.2", uniqueKeys: true });
    for (const { code, message, pos } of [...document.errors, ...document.warnings]) {
      // the first line says what, the others draw the place
      const [first = ""] = message.split(/ at line \d|\n/, 1);
      const text = code === "MULTIPLE_DOCS" ? SECOND_DOCUMENT : first;
      problems.push({ message: text, place: { source, start: pos[0] + mark, end: pos[1] + mark } });
    }
    return document.contents;
  } catch (error) {
    // too deep for the parser's recursion
    const message = error instanceof Error ? error.message : String(error);
    problems.push({ message, place: { source, start: 0, end: 0 } });
    return null;
  }
}

const SECOND_DOCUMENT = "a second document begins here, which would not count: write all into the first one";

/** Of a byte order mark, as editors on Windows write it. */
function markLength({ text }: Source): number {
  return text.startsWith("\xef\xbb\xbf") ? 3 : 0;
}

export function placeOf({ source }: YamlReading, node: Node): Place {
  const mark = markLength(source);
  const [start = 0, end = start] = node.range ?? [];
  return { source, start: start + mark, end: end + mark };
}

export function complain(reading: YamlReading, node: Node, message: string): null {
  reading.problems.push({ message, place: placeOf(reading, node) });
  return null;
}

/** The values of a mapping by key; a key that is not among `known` is a mistake. */
export function fieldsOf(
  reading: YamlReading,
  node: Node,
  { what, known }: { readonly what: string; readonly known: readonly string[] },
): ReadonlyMap<string, Node> | null {
  if (!isMap<Node, Node | null>(node))
    return complain(reading, node, `${what} must hold "name: value" lines`);
  const fields = new Map<string, Node>();
  for (const { key, value } of node.items) {
    const name = textOf(reading, key, "a name");
    if (name === null) continue;
    if (!known.includes(name)) complain(reading, key, unknownText(name, what, known));
    else if (value === null || isNull(value)) complain(reading, key, `"${name}" has no value`);
    else fields.set(name, value);
  }
  return fields;
}

function unknownText(name: string, what: string, known: readonly string[]): string {
  const near = closestWord(name, known);
  return `${what} has no "${name}": ${near === null ? `known are ${known.join(", ")}` : `did you mean "${near}"?`}`;
}

function isNull(node: Node): boolean {
  return isScalar(node) && node.value === null;
}

/** Numbers are taken as they are written: 22 is "22". */
export function textOf(reading: YamlReading, node: Node, what: string): string | null {
  if (!isScalar(node) || node.value === null) return complain(reading, node, `${what} must be one value`);
  if (node.tag !== undefined) return complain(reading, node, "tags are not read here: write plain text");
  if (typeof node.value === "string") return node.value;
  return node.source ?? String(node.value);
}

/** One value, or a list of them that is not empty. */
export function textsOf(reading: YamlReading, node: Node, what: string): readonly Written[] | null {
  const nodes = isSeq<Node>(node) ? node.items : [node];
  if (nodes.length === 0) return complain(reading, node, `${what} is an empty list`);
  const texts = nodes.map((item) => ({ text: textOf(reading, item, what), node: item }));
  return texts.every((written): written is Written => written.text !== null) ? texts : null;
}

export interface Written {
  readonly text: string;
  readonly node: Node;
}

export function itemsOf(reading: YamlReading, node: Node, what: string): readonly Node[] {
  if (isSeq<Node>(node)) return node.items;
  complain(reading, node, `${what} must be a list: begin each entry with "- "`);
  return [];
}

export function choiceOf<Choice extends string>(
  reading: YamlReading,
  node: Node,
  { what, choices }: { readonly what: string; readonly choices: readonly Choice[] },
): Choice | null {
  const text = textOf(reading, node, what);
  if (text === null) return null;
  const found = choices.find((choice) => choice === text);
  return found ?? complain(reading, node, `${what} is one of ${choices.join(", ")}, not "${text}"`);
}

/** "file:3:5: message", one a problem. */
export function problemText({ message, place }: YamlProblem): string {
  const { line, column } = positionAt(place.source, place.start);
  return `${place.source.path}:${line}:${column}: ${message}`;
}
