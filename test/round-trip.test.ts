import { readdirSync, readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseText, printText } from "../grammar/parser.ts";
import { parseRelease, type Release } from "../grammar/release.ts";
import { tokensOf } from "../grammar/tree.ts";
import { loadConfig } from "../src/config/load.ts";
import { decode } from "../src/source/source.ts";
import { testUnless } from "./needs.ts";

const RELEASES = ["7.4", "8.0", "8.6", "8.7", "9.2", "9.8", "9.9p1", "10.6"].map(release);

function release(spec: string): Release {
  const found = parseRelease(spec);
  if (found === null) throw new Error(`no release: ${spec}`);
  return found;
}

/** Bytes that mean something to sshd are common, so that random text reaches every path of the scanner. */
const BYTES = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(..." \t\r\n\f\0\"'#=\\,!*") },
  {
    weight: 2,
    arbitrary: fc.constantFrom("AllowTcpForwarding", "Match", "Include", "User", "no", "ForceCommand"),
  },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 255 }).map((byte) => String.fromCharCode(byte)) },
);
const TEXT = fc.array(BYTES, { maxLength: 60 }).map((parts) => parts.join(""));

/** Offset of the first byte that is not where the tokens say, or -1. */
function firstGap(text: string, of: Release): number {
  const tree = parseText(text, of);
  let at = 0;
  for (const line of tree.lines) {
    if (line.start !== at) return at;
    for (const token of tokensOf(tree, line)) {
      if (token.start !== at || token.text === "" || !text.startsWith(token.text, at)) return at;
      at += token.text.length;
    }
    if (line.end !== at) return at;
  }
  return at === text.length && printText(tree) === text ? -1 : at;
}

function expectRoundTrip(text: string, of: Release): void {
  expect(firstGap(text, of)).toBe(-1);
}

describe("every byte of a file is in exactly one token; printing the tree gives the file back, for any bytes", () => {
  it("on random bytes", () => {
    fc.assert(
      fc.property(TEXT, fc.constantFrom(...RELEASES), (text, of) => expectRoundTrip(text, of)),
      { numRuns: 10_000 },
    );
  });

  const corpus = new URL("../../shared/corpus/", import.meta.url);
  for (const folder of ["files", "templates", "edits"]) {
    const names = listOrNothing(new URL(`${folder}/`, corpus));
    testUnless(names.length === 0 ? "no corpus" : null, `on every file of the corpus's ${folder}`, () => {
      for (const name of names) {
        const text = decode(readFileSync(new URL(`${folder}/${name}`, corpus)));
        for (const of of RELEASES) expectRoundTrip(text, of);
      }
    });
  }
});

function listOrNothing(folder: URL): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

describe("a file reads the same whether its lines were read in other files before or not", () => {
  /** Nothing was read for it yet. */
  const anew = (of: Release): Release => ({ ...of });

  /** The release of each tree is another object. */
  function expectSameTree(text: string, of: Release): void {
    const { release: _, ...known } = parseText(text, of);
    const { release: __, ...fresh } = parseText(text, anew(of));
    expect(known).toEqual(fresh);
  }

  function read(of: Release, content: string): object {
    const bytes = Buffer.from(content, "latin1");
    const tree = {
      read: () => ({ kind: "file", bytes, realPath: "/c" }) as const,
      stat: () => null,
      list: () => null,
    };
    const { directives, problems, later } = loadConfig(tree, "/c", { release: of });
    return { directives, problems, later };
  }

  it("on random lines, many of them the same", () => {
    const line = fc.array(BYTES, { maxLength: 4 }).map((parts) => `${parts.join("").replaceAll("\0", "")}\n`);
    const texts = fc.array(line, { maxLength: 30 }).map((lines) => lines.join(""));
    fc.assert(
      fc.property(texts, fc.nat(3), fc.constantFrom(...RELEASES), (text, cut, of) =>
        expectSameTree(text.slice(0, text.length - cut), of),
      ),
      { numRuns: 2_000 },
    );
  });

  it("what its lines set, too, and what is wrong with them", () => {
    const lines = [
      "Port 22",
      "Port 22x",
      "PermitOpen a:1 b:2 # c",
      "ForceCommand a  b",
      "Ciphers x",
      "Banner",
    ];
    const text = [...lines, "Match User a", ...lines.map((line) => `  ${line}`)].join("\n");
    for (const of of RELEASES) {
      const texts = [text, `# moved\n${text}`, text.replaceAll(" ", "\t")];
      for (const content of texts) expect(read(of, content)).toEqual(read(anew(of), content));
    }
  });

  it("that, too, on random settings in odd spellings, of package versions and with NUL among them", () => {
    const keyword = fc.constantFrom(
      ...["Port", "permitopen", '"Banner"', "ForceCommand", "AcceptEnv", "KeepAlive", "TCPKeepAlive"],
      ...["AllowUsers", "Subsystem", "ListenAddress", "Ciphers", "IPQoS", "Match", 'AllowTcp"Forwarding'],
    );
    const separator = fc.constantFrom(" ", "\t", "=", " = ", "==", '"', "\r", "\f", "", " =  ");
    const word = fc.constantFrom(
      ...["22", "a:1", "all", "no", "none", "User a", "*", "'a b'", '"a b"', '"', "'", "\\ ", "# c", "#"],
      ...["ssh", "sftp /s", "[::1]:22", "", "\r", "\f ", "x\0"],
    );
    const ending = fc.constantFrom("\n", "\n", "\n", "\r\n", " \n", "\f\n", "");
    const line = fc
      .tuple(keyword, separator, fc.array(word, { maxLength: 3 }), fc.constantFrom(" ", "=", ""), ending)
      .map(([name, by, words, between, end]) => `${name}${by}${words.join(between)}${end}`);
    const texts = fc.array(line, { maxLength: 12 }).map((lines) => lines.join(""));
    const releases = [...RELEASES, release("1:8.4p1-5+deb11u3"), release("1:9.6p1-3ubuntu13")];
    fc.assert(
      fc.property(texts, fc.constantFrom(...releases), (text, of) => {
        expectSameTree(text, of);
        expect(read(of, text)).toEqual(read(anew(of), text));
      }),
      { numRuns: 2_000 },
    );
  });

  it("what is kept of long files keeps none of them in memory", () => {
    setFlagsFromString("--expose-gc");
    const collect: () => void = runInNewContext("gc");
    const of = release("9.2");
    const used = (): number => {
      collect();
      return process.memoryUsage().heapUsed;
    };
    const before = used();
    for (let file = 0; file < 64; file++)
      read(of, `Banner /etc/issue.of.the.host.${file}\n#${" ".repeat(2 ** 19)}\n`);
    expect(used() - before).toBeLessThan(16 * 2 ** 20);
  });
});
