/** Who may import whom, as the table of docs/architecture.md says, and what each folder may touch. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const ROOT = resolve(import.meta.dirname, "..");

/** Area: what it may import of ours and of npm. "x (types)" allows `import type` alone. */
const MAY_IMPORT: ReadonlyMap<string, readonly string[]> = new Map(
  [
    ...readFileSync(join(ROOT, "docs/architecture.md"), "utf8").matchAll(
      /^\| `([^`]+?)\/?` \|[^|]*\| ([^|]+) \|$/gm,
    ),
  ].map(([, area = "", allowed = ""]) => [area, allowed === "-" ? [] : allowed.split(", ")]),
);

/** An area may always import itself, and `src/source` (positions in bytes, which all data carries). */
function mayImport(source: string, target: string, kind: Import["kind"]): boolean {
  const allowed = MAY_IMPORT.get(source) ?? [];
  const name = nameInTable(source, target);
  return (
    source === target ||
    target === "src/source" ||
    allowed[0] === "everything" ||
    allowed.includes(name) ||
    (kind === "types" && allowed.includes(`${name} (types)`))
  );
}

/** Folders of src are named without it there, where no package has that name. */
function nameInTable(source: string, target: string): string {
  return target.startsWith("src/") && source !== "rules" ? target.slice(4) : target;
}

const EFFECTS = [
  "node:fs",
  "node:child_process",
  "node:net",
  "node:tls",
  "node:dns",
  "node:os",
  "node:worker_threads",
];
const EFFECTFUL = ["src/files", "src/host", "src/forward", "src/cli"];

interface Import {
  readonly from: string;
  /** path of a file of ours, or the name of a package */
  readonly to: string;
  readonly kind: "types" | "value";
}

function filesBelow(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
    .sort();
}

const FILES = ["grammar", "src", "rules"].flatMap(filesBelow);
const CODE: ReadonlyMap<string, string> = new Map(
  FILES.map((file) => [file, withoutComments(readFileSync(join(ROOT, file), "utf8"))]),
);

/** Comments at the start of a line, which is where the formatter leaves those that could look like code. */
function withoutComments(code: string): string {
  return code.replace(/^\s*\/\*[\s\S]*?\*\//gm, "").replace(/^\s*\/\/.*$/gm, "");
}

/** Biome's style keeps `import … from "x"` and `export … from "x"` at the start of a line. */
function importsOf(file: string, code: string): Import[] {
  const found: Import[] = [];
  for (const match of code.matchAll(
    /^(?:import|export)\s+(?:(type\s+)?((?:(?!^import|^export|;)[\s\S])*?)\s*from\s+)?"([^"]+)"/gm,
  )) {
    const names = /^\{([\s\S]*)\}$/.exec(match[2] ?? "")?.[1] ?? "";
    const items = names
      .split(",")
      .map((item) => item.trim())
      .filter((item) => item !== "");
    const onlyTypes =
      match[1] !== undefined || (items.length > 0 && items.every((item) => item.startsWith("type ")));
    found.push({ from: file, to: resolveTarget(file, match[3] ?? ""), kind: onlyTypes ? "types" : "value" });
  }
  for (const match of code.matchAll(/\b(?:import|require)\(\s*"([^"]+)"/g)) {
    found.push({ from: file, to: resolveTarget(file, match[1] ?? ""), kind: "value" });
  }
  return found;
}

function resolveTarget(file: string, target: string): string {
  return target.startsWith(".") ? relative(ROOT, resolve(ROOT, dirname(file), target)) : target;
}

const IMPORTS = [...CODE].flatMap(([file, code]) => importsOf(file, code));

/** `src/lint`, `grammar`, `src/index.ts`; a package is its own area. */
function areaOf(path: string): string {
  const [first = "", second = ""] = path.split("/");
  return first === "src" ? `src/${second}` : first;
}

/** A way back to the start in the graph, or null. */
function findCycle(edges: ReadonlyMap<string, ReadonlySet<string>>): readonly string[] | null {
  const done = new Set<string>();
  const walk = (node: string, path: readonly string[]): readonly string[] | null => {
    if (path.includes(node)) return [...path.slice(path.indexOf(node)), node];
    if (done.has(node)) return null;
    for (const next of edges.get(node) ?? []) {
      const cycle = walk(next, [...path, node]);
      if (cycle !== null) return cycle;
    }
    done.add(node);
    return null;
  };
  for (const node of edges.keys()) {
    const cycle = walk(node, []);
    if (cycle !== null) return cycle;
  }
  return null;
}

function graph(pairs: Iterable<readonly [string, string]>): ReadonlyMap<string, ReadonlySet<string>> {
  const edges = new Map<string, Set<string>>();
  for (const [from, to] of pairs) {
    if (from !== to) edges.set(from, (edges.get(from) ?? new Set()).add(to));
  }
  return edges;
}

describe("imports", () => {
  it("are found", () => {
    expect(
      importsOf(
        "src/a/b.ts",
        'import { x } from "../c/d.ts";\nexport {\n  type Y,\n} from "./e.ts";\nawait import("f");',
      ),
    ).toEqual([
      { from: "src/a/b.ts", to: "src/c/d.ts", kind: "value" },
      { from: "src/a/b.ts", to: "src/a/e.ts", kind: "types" },
      { from: "src/a/b.ts", to: "f", kind: "value" },
    ]);
    expect(IMPORTS.length).toBeGreaterThan(FILES.length);
    for (const { from, to } of IMPORTS) {
      if (to.startsWith("src") || to.startsWith("grammar") || to.startsWith("rules"))
        expect(CODE.has(to), `${from} imports ${to}`).toBe(true);
    }
  });

  it("go only where the table allows", () => {
    const wrong = IMPORTS.filter(
      ({ from, to, kind }) => !to.startsWith("node:") && !mayImport(areaOf(from), areaOf(to), kind),
    );
    expect(wrong).toEqual([]);
    expect([...new Set(FILES.map(areaOf))].filter((area) => !MAY_IMPORT.has(area))).toEqual([]);
  });

  it("make use of all that the table allows", () => {
    const used = new Set(
      IMPORTS.flatMap(({ from, to, kind }) => {
        const [source, target] = [areaOf(from), areaOf(to)];
        const name = `${source} ${nameInTable(source, target)}`;
        return kind === "types" ? [`${name} (types)`] : [name, `${name} (types)`];
      }),
    );
    const unused = [...MAY_IMPORT].flatMap(([area, allowed]) =>
      allowed
        .filter((name) => name !== "everything" && !used.has(`${area} ${name}`))
        .map((name) => [area, name]),
    );
    expect(unused).toEqual([]);
  });

  it("of a rule are src/lint/rule.ts only", () => {
    const rules = IMPORTS.filter(({ from }) => from.startsWith("rules/") && from !== "rules/index.ts");
    expect(rules.filter(({ to }) => to !== "src/lint/rule.ts")).toEqual([]);
  });

  it("never name the command line", () => {
    expect(IMPORTS.filter(({ from, to }) => areaOf(to) === "src/cli" && areaOf(from) !== "src/cli")).toEqual(
      [],
    );
  });

  it("of ssh2 stand in one file", () => {
    expect(
      new Set(IMPORTS.filter(({ to, kind }) => to === "ssh2" && kind === "value").map(({ from }) => from))
        .size,
    ).toBeLessThan(2);
  });

  it("make no cycle between files", () => {
    expect(
      findCycle(graph(IMPORTS.filter(({ kind }) => kind === "value").map(({ from, to }) => [from, to]))),
    ).toBeNull();
  });

  it("make no cycle between areas", () => {
    expect(findCycle(graph(IMPORTS.map(({ from, to }) => [areaOf(from), areaOf(to)])))).toBeNull();
    expect(
      findCycle(
        graph([
          ["a", "b"],
          ["b", "c"],
          ["c", "a"],
        ]),
      ),
    ).toEqual(["a", "b", "c", "a"]);
  });
});

describe("effects", () => {
  it("on the machine happen in files, host, forward and cli only", () => {
    const wrong = IMPORTS.filter(
      ({ from, to }) =>
        EFFECTS.includes(to.replace(/^node:fs\/.*/, "node:fs")) && !EFFECTFUL.includes(areaOf(from)),
    );
    expect(wrong).toEqual([]);
  });

  it("like printing, exiting and reading the environment are the command line's", () => {
    const wrong = [...CODE].filter(
      ([file, code]) =>
        areaOf(file) !== "src/cli" &&
        /\bconsole\.|\bprocess\.(env|exit|exitCode|argv|stdout|stderr|stdin|cwd)\b/.test(code),
    );
    expect(wrong.map(([file]) => file)).toEqual([]);
  });
});

describe("names", () => {
  it("say what a file holds", () => {
    const vague = /(^|[-/.])(utils?|helpers?|managers?|common|misc|stuff)([-/.]|$)/;
    const everything = [...FILES, ...filesBelow("test"), ...filesBelow("scripts")];
    expect(everything.filter((file) => vague.test(file))).toEqual([]);
  });

  it("of files in comments and documents are those of files that are there", () => {
    const documents = readdirSync(join(ROOT, "docs")).filter((name) => name.endsWith(".md"));
    const texts = [...FILES, ...filesBelow("test"), ...documents.map((name) => `docs/${name}`)]
      .filter((file) => file !== "test/architecture.test.ts")
      .map((file) => [file, readFileSync(join(ROOT, file), "utf8")] as const);
    const named = texts.flatMap(([file, text]) =>
      [...text.matchAll(/\b(?:src|grammar|rules|test|scripts|bench)\/[\w/-]+(?:\.test)?\.(?:ts|mjs)\b/g)].map(
        ([name]) => ({
          file,
          name,
        }),
      ),
    );
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter(({ name }) => !existsSync(join(ROOT, name)))).toEqual([]);
  });

  it("hide no type errors", () => {
    const hidden = /@ts-(ignore|nocheck|expect-error)|\bas any\b|:\s*any\b|<any>/;
    expect([...CODE].filter(([, code]) => hidden.test(code)).map(([file]) => file)).toEqual([]);
  });
});

describe("configuration text", () => {
  it("is bytes to the grammar: no class or method that knows letters beyond ASCII", () => {
    const unicode =
      /\.trim(Start|End)?\(\)|\.to(Lower|Upper)Case\(\)|\/[a-z]*i[a-z]*\.(test|exec)|(?<!\\)\\[swSW](?![\w(])/;
    const wrong = [...CODE].flatMap(([file, code]) =>
      code
        .split("\n")
        .filter((line) => /^(grammar|src\/(config|edit|policy))\//.test(file) && unicode.test(line))
        .map((line) => `${file}: ${line.trim()}`),
    );
    // the name of a release comes from the command line or a package database, not from a configuration
    const right = ["grammar/release.ts: ", "grammar/ascii.ts: return text.toLowerCase();"];
    expect(wrong.filter((line) => !right.some((start) => line.startsWith(start)))).toEqual([]);
  });
});

describe("docs/dependencies.md", () => {
  it("says of each package why it is there", () => {
    const text = readFileSync(join(ROOT, "docs/dependencies.md"), "utf8");
    const rows = [...text.matchAll(/^\| ([^|]+) \|/gm)].flatMap(([, names = ""]) => names.split(", "));
    const { devDependencies, dependencies = {} } = JSON.parse(
      readFileSync(join(ROOT, "package.json"), "utf8"),
    );
    expect(dependencies).toEqual({});
    expect([...new Set(rows.filter((name) => name !== "package"))].sort()).toEqual(
      Object.keys(devDependencies).sort(),
    );
  });
});
