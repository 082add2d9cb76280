/**
 * The examples in README.md and docs/ are run: in a fenced block of the language `console`, a line after `$ ` is a
 * command and what follows is what a terminal of 80 columns shows; a line `…` stands for any lines.
 * UPDATE_EXAMPLES=1 writes what the commands print into the documents.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { makeFolder } from "../own-folder.ts";

const ROOT = resolve(import.meta.dirname, "../..");
/** Where the reader's checkout lies in the documents. */
const CHECKOUT = "/home/alice/sshd-policy";
/** `sshd-policy` as it is installed. */
const BIN = makeFolder();
symlinkSync(join(ROOT, "dist/cli.js"), join(BIN, "sshd-policy"));
const UPDATE = process.env["UPDATE_EXAMPLES"] === "1";

const DOCUMENTS = ["README.md", ...markdownBelow("docs")];

function markdownBelow(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => join(folder, name))
    .sort();
}

/** `before` is the text up to the output, so that a document can be put together again. */
interface Example {
  readonly before: string;
  readonly command: string;
  readonly output: string;
}

function examplesOf(text: string): { readonly examples: readonly Example[]; readonly after: string } {
  const examples: Example[] = [];
  let rest = 0;
  for (const block of text.matchAll(/^```console\n([\s\S]*?)^```$/gm)) {
    const start = block.index + "```console\n".length;
    for (const part of (block[1] ?? "").matchAll(/^\$ (.*)\n((?:(?!\$ ).*\n)*)/gm)) {
      const output = part[2] ?? "";
      const end = start + part.index + part[0].length;
      examples.push({ before: text.slice(rest, end - output.length), command: part[1] ?? "", output });
      rest = end;
    }
  }
  return { examples, after: text.slice(rest) };
}

function shown(command: string): string {
  // installing is what .ci/run did before
  const line = command.replace(/^npm ci && /, "");
  const { stdout, error } = spawnSync("script", ["-qec", line, "/dev/null"], {
    cwd: ROOT,
    env: { PATH: `${BIN}:${process.env["PATH"] ?? ""}`, HOME: "/nonexistent", TERM: "dumb", COLUMNS: "80" },
    encoding: "utf8",
  });
  if (error !== undefined) throw error;
  return stdout.replaceAll("\r\n", "\n").replaceAll(ROOT, CHECKOUT);
}

/** Others than root see what they can see. */
function isRootOnly(command: string): boolean {
  return command.includes("cli.js probe");
}

function matches(expected: string, printed: string): boolean {
  const pattern = expected.split(/^…\n/m).map((part) => part.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"));
  return new RegExp(`^${pattern.join("(?:.*\\n)*?")}$`).test(printed);
}

describe.each(DOCUMENTS)("%s", (name) => {
  const path = join(ROOT, name);
  const text = readFileSync(path, "utf8");
  const { examples, after } = examplesOf(text);

  it("has links that lead somewhere", () => {
    const dead = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g)]
      .map((match) => join(name, "..", match[1] ?? ""))
      .filter((target) => !existsSync(join(ROOT, target)));
    expect(dead).toEqual([]);
  });

  if (examples.length > 0) {
    it("shows what its commands print", () => {
      const printed = examples.map(({ command }) => shown(command));
      if (UPDATE) {
        const parts = examples.map(({ before, output }, index) => {
          const now = printed[index] ?? "";
          return before + (output !== "…\n" && matches(output, now) ? output : now);
        });
        writeFileSync(path, parts.join("") + after);
        return;
      }
      examples.forEach(({ command, output }, index) => {
        const now = printed[index] ?? "";
        if (isRootOnly(command) && process.getuid?.() !== 0) return;
        if (!matches(output, now)) expect(`$ ${command}\n${now}`).toBe(`$ ${command}\n${output}`);
      });
    });
  }
});

it("the pattern of an example takes any lines for an ellipsis, and nothing else", () => {
  expect(matches("a\n…\nd\n", "a\nb\nc\nd\n")).toBe(true);
  expect(matches("a\n…\nd\n", "a\nd\n")).toBe(true);
  expect(matches("a.\n", "ab\n")).toBe(false);
  expect(matches("a\n…\nd\n", "a\nb\nc\n")).toBe(false);
});

describe("every command and option is told in the documents", () => {
  const told = DOCUMENTS.filter((name) => !name.startsWith("docs/rules/")).map((name) =>
    readFileSync(join(ROOT, name), "utf8"),
  );
  const words = new Set(told.join("\n").match(/(?<![\w-])--?[a-zA-Z0-9][\w-]*/g));
  const help = (...args: readonly string[]): string =>
    spawnSync(process.execPath, [join(ROOT, "dist/cli.js"), ...args, "--help"], { encoding: "utf8" }).stdout;
  const commands = [...help().matchAll(/^ {2}([a-z]+) (?:\[|<)/gm)].map((match) => match[1] ?? "");

  it("which are ten", () => expect(commands.filter((name) => name !== "help")).toHaveLength(10));

  it.each(commands.filter((name) => name !== "help"))("%s", (command) => {
    const options = [...help(command).matchAll(/^ {2}(?:-\w, )?(--?[\w-]+)/gm)].map(
      (match) => match[1] ?? "",
    );
    expect(options).toContain("--help");
    expect(options.filter((option) => !words.has(option))).toEqual([]);
    expect(readFileSync(join(ROOT, "docs/commands.md"), "utf8").includes(`\`${command}`)).toBe(true);
  });
});
