/**
 * Hostile bytes in a configuration, its file names and its suppressions: each report is read as its reader reads it (a
 * terminal, a browser, a forge, GitHub's runner, an XML parser), and holds what we wrote and nothing of the file's.
 */
import * as fc from "fast-check";
import markdownIt from "markdown-it";
import { type DefaultTreeAdapterTypes, defaultTreeAdapter as dom, parse } from "parse5";
import { SaxesParser } from "saxes";
import { describe, expect, test } from "vitest";
import type { AuditReport } from "../src/report/report.ts";
import { makeRoot } from "./auditing.ts";
import { FORMATS, render, reportOf } from "./reports.ts";
import { runCli } from "./run-cli.ts";

const HOSTILE = [
  "<script>alert(1)</script>",
  "<img src=x onerror=alert(1)>",
  "</pre></td></details></style></script><h1>",
  '"><a href="javascript:alert(1)">x</a>',
  "&lt;b&gt;&amp;#64;",
  "]]>",
  "<!-- --!>",
  "<?xml version='1.0'?>",
  "![x](http://evil.example/x.png)",
  "[x](http://evil.example)",
  "[x]: http://evil.example",
  "www.evil.example http://evil.example <http://evil.example>",
  "@everyone #1 GH-1",
  "``` ~~~ `` ` |",
  "| a | b |",
  "# heading",
  "\\",
  "::error file=x::y",
  "::set-output name=a::b",
  "%0A::warning::x%0D%25",
  "##[error]x",
  "\x1b[31m",
  "\x1b]8;;http://evil.example\x07",
  "\x9b31m",
  "\xc2\x9b31m",
  "\xe2\x80\xae",
  "\xef\xbb\xbf",
  "\xe2\x80\xa8",
  "\r",
  "\x08\x08\x08",
  "\0",
  "\xff",
  "{{7*7}}",
] as const;

const piece = fc.oneof(
  fc.constantFrom(...HOSTILE),
  fc.constantFrom(...HOSTILE),
  fc.string({
    unit: fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code)),
    maxLength: 6,
  }),
);
const word = fc
  .array(piece, { minLength: 1, maxLength: 3 })
  .map((parts) => parts.join("").replaceAll(/[\n"]/g, ""));

/** Lines that become findings, quoted ones among them. */
const line = fc.oneof(
  word.map((text) => `Match User "${text}"\n  AllowTcpForwarding yes\n  PermitOpen *:*`),
  word.map((text) => `Match Group "${text}"\n  X11Forwarding yes\n  ForceCommand ${text}`),
  word.map((text) => `PermitOpen "${text}" ${text}`),
  word.map((text) => `${text} yes`),
  word.map((text) => `Include "${text}"`),
  word.map((text) => `AllowTcpForwarding yes # sshd-policy: allow tcp-forwarding -- ${text}`),
  word.map((text) => `# sshd-policy: allow ${text}`),
  word,
);

const hostile = fc.array(line, { minLength: 1, maxLength: 6 }).map((lines) => `${lines.join("\n")}\n`);
const fileName = word
  .map((text) => Buffer.from(text, "latin1").toString("utf8").replaceAll(/[/\0]/g, "").slice(0, 40))
  .map((name) => (/^\.{0,2}$/.test(name) ? "x" : name));

async function everyReport(check: (report: AuditReport) => Promise<void>): Promise<void> {
  await fc.assert(
    fc.asyncProperty(hostile, fileName, async (text, name) => {
      await check(await reportOf({ [`/${name}`]: text }, name));
    }),
    { numRuns: 60, endOnFailure: false },
  );
}

/** What a terminal or an editor obeys, as UTF-8 text. */
const CONTROL =
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;

test("no report holds a control character", async () => {
  await everyReport(async (report) => {
    for (const format of FORMATS) expect(await render(report, format)).not.toMatch(CONTROL);
  });
});

test("github: a line is an annotation of ours, one a finding", async () => {
  await everyReport(async (report) => {
    const lines = (await render(report, "github")).split("\n").slice(0, -1);
    for (const text of lines)
      expect(text).toMatch(/^::(?:error|warning|notice) file=[^:]*,title=[^:,]*::[^\r]*$/);
    const open = report.targets.flatMap(({ findings }) => findings).filter((one) => one.suppressed === null);
    expect(lines).toHaveLength(open.length);
  });
});

test("json and sarif are one document of ASCII", async () => {
  await everyReport(async (report) => {
    for (const format of ["json", "sarif"] as const) {
      const text = await render(report, format);
      expect(text).toMatch(/^[\n -~]*$/);
      expect(() => JSON.parse(text)).not.toThrow();
    }
  });
});

test("junit: a line break in a name begins no line", () => {
  const root = makeRoot({ "/a\n::error::b/sshd_config": "AllowTcpForwarding yes\n" });
  const { stdout } = runCli(["audit", "--format", "junit", "a\n::error::b/sshd_config", "c\n::error::d"], {
    cwd: root,
  });
  expect(stdout).toContain("a\\x0a::error::b/sshd_config");
  expect(stdout).not.toMatch(/^::/m);
});

test("junit: well-formed, with elements of ours", async () => {
  await everyReport(async (report) => {
    const names = new Set<string>();
    const parser = new SaxesParser();
    parser.on("error", (error) => {
      throw error;
    });
    parser.on("opentag", ({ name }) => names.add(name));
    parser.on("processinginstruction", ({ target }) => names.add(target));
    parser.on("comment", () => names.add("a comment"));
    const text = await render(report, "junit");
    parser.write(text).close();
    // a CI log shows the document, too
    expect(text).not.toMatch(/^::/m);
    const ours = ["testsuites", "testsuite", "properties", "property"];
    const cases = ["testcase", "failure", "skipped", "error", "system-out"];
    for (const name of names) expect([...ours, ...cases]).toContain(name);
  });
});

type Element = DefaultTreeAdapterTypes.Element;

/** The elements of a page with the names of their attributes, as a browser builds them. */
function elementsOf(html: string): Element[] {
  const found: Element[] = [];
  const pending: DefaultTreeAdapterTypes.Node[] = [parse(html)];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (dom.isElementNode(node)) found.push(node);
    if ("childNodes" in node) pending.push(...node.childNodes);
  }
  return found;
}

const shapeOf = (elements: readonly Element[]): Set<string> =>
  new Set(
    elements.map(
      ({ tagName, attrs }) =>
        `${tagName} ${attrs
          .map(({ name }) => name)
          .sort()
          .join(" ")}`,
    ),
  );

describe("html", () => {
  const BENIGN =
    "AllowTcpForwarding no\nAllowTcpForwarding yes\nMatch User a\n  AllowTcpForwarding yes\n  PermitOpen db:5432\n  PermitOpen cache:1\nMatch User b\n  X11Forwarding yes # sshd-policy: allow x11-forwarding -- lab\nBogus\n# sshd-policy: allow x\n";
  test("elements and attributes are those of any report, and nothing is loaded", async () => {
    const usual = await render(await reportOf({ "/sshd_config": BENIGN }), "html");
    const known = shapeOf(elementsOf(usual));
    await everyReport(async (report) => {
      const elements = elementsOf(await render(report, "html"));
      for (const shape of shapeOf(elements)) expect([...known]).toContain(shape);
      expect(elements.filter(({ tagName }) => tagName === "script")).toHaveLength(1);
      for (const { attrs } of elements)
        for (const { name } of attrs)
          expect(name).not.toMatch(/^(?:on|href|src|srcset|style|action|formaction)/);
    });
  });
});

test("markdown: no tag, link, image, heading or mention of the file's", async () => {
  const reader = markdownIt({ html: true, linkify: true });
  await everyReport(async (report) => {
    const text = await render(report, "markdown");
    const tokens = reader.parse(text, {});
    const inline = tokens.flatMap(({ children }) => children ?? []);
    const all = [...tokens, ...inline];
    expect(all.filter(({ type }) => /^(?:link|image)/.test(type))).toEqual([]);
    const html = all.filter(({ type }) => type.startsWith("html_")).map(({ content }) => content.trim());
    for (const tag of html)
      expect(tag).toMatch(/^(?:<details><summary>Lines and fixes<\/summary>|<\/details>|<!-- -->)$/);
    // headings are the title and one a target
    expect(tokens.filter(({ type }) => type === "heading_open")).toHaveLength(1 + report.targets.length);
    for (const { type, content } of inline) if (type === "text") expect(content).not.toMatch(/@\w|#\d|www\./);
  });
});
