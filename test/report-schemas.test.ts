/** JSON and SARIF before their schemas: ours, which the package ships, and OASIS' own. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { runInNewContext } from "node:vm";
import { Ajv } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import { default as formats } from "ajv-formats";
import { describe, expect, test } from "vitest";
import { RULES } from "../rules/index.ts";
import { type Format, render, reportOf } from "./reports.ts";
import { closed } from "./schemas.ts";

const fixture = (path: string): string =>
  readFileSync(new URL(`../fixtures/${path}`, import.meta.url), "latin1");

const FILES: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ["Debian's stock file", { "/sshd_config": fixture("debian-12/etc/ssh/sshd_config") }],
  ["nothing to report", { "/sshd_config": "DisableForwarding yes\nPermitRootLogin no\n" }],
  ["a file that sshd refuses", { "/sshd_config": "Bogus\nMatch User a\n  Port 22\n" }],
  [
    "suppressions, related lines and fixes in two files",
    {
      "/sshd_config":
        "Include sshd_config.d/*.conf\n# sshd-policy: allow x11-forwarding until 2999-01-31 -- lab\nX11Forwarding yes\nAllowTcpForwarding no\nAllowTcpForwarding yes\nMatch User a,b\n  PermitOpen db:5432\n  PermitOpen cache:1\n",
      "/sshd_config.d/a b%#.conf": "Match Group forwarders\n\tAllowTcpForwarding yes\nMatch all\n",
    },
  ],
  [
    "bytes that are no text",
    {
      "/sshd_config":
        "AllowTcpForwarding yes \xff\xfe\nMatch User \x1b[31m\xe2\x80\xae\nX11Forwarding yes\0\n",
    },
  ],
];

interface Schema {
  readonly [key: string]: unknown;
}

/** The OASIS schema, as a package that validates uploads with it carries it in its bundle: one object literal. */
function oasisSchema(): Schema {
  const require = createRequire(import.meta.url);
  const folder = dirname(require.resolve("@datadog/datadog-ci-plugin-sarif/package.json"));
  const bundle = readFileSync(`${folder}/dist/bundle.js`, "utf8");
  const literal = /\nvar sarif_schema_2_1_0_default = (\{.*?\n\});/s.exec(bundle)?.[1];
  const schema: unknown = literal === undefined ? null : runInNewContext(`JSON.stringify(${literal})`);
  if (typeof schema !== "string") throw new Error("the package holds no SARIF schema any more");
  return JSON.parse(schema);
}

describe("sarif", () => {
  const schema = oasisSchema();
  const ajv = new Ajv({ strict: false, allErrors: true });
  formats.default(ajv);
  const valid = ajv.compile(schema);

  test("the schema is the one of SARIF 2.1.0, and refuses what is not", () => {
    expect(schema["title"]).toBe("Static Analysis Results Format (SARIF) Version 2.1.0 JSON Schema");
    expect(valid({ version: "2.1.0", runs: [{ tool: { driver: { name: "x" } }, results: [{}] }] })).toBe(
      false,
    );
    expect(valid({ version: "2.1.0", runs: [{ tool: { driver: {} } }] })).toBe(false);
    expect(valid({ version: "2.1.0", runs: [{ tool: { driver: { name: "x" } } }] })).toBe(true);
  });

  test.each(FILES)("%s", async (_, files) => {
    const log = await parsed(files, "sarif");
    valid(log);
    expect(valid.errors).toBe(null);
  });
});

test("sarif: every rule is there with its texts", async () => {
  const { runs } = (await parsed({ "/sshd_config": "" }, "sarif")) as { runs: [{ tool: SarifTool }] };
  const { rules } = runs[0].tool.driver;
  expect(rules.map(({ id }) => id)).toEqual(RULES.map(({ id }) => id));
  for (const [index, { title, docs }] of RULES.entries()) {
    const told = rules[index];
    expect(told?.shortDescription.text).toBe(title);
    expect(told?.fullDescription.text).toBe(docs.what);
    for (const text of [docs.what, docs.why, docs.who, docs.fix, docs.allowWhen])
      expect(told?.help.markdown).toContain(text);
  }
});

interface SarifTool {
  readonly driver: {
    readonly rules: readonly {
      readonly id: string;
      readonly shortDescription: { readonly text: string };
      readonly fullDescription: { readonly text: string };
      readonly help: { readonly markdown: string };
    }[];
  };
}

describe("json", () => {
  const schema = JSON.parse(readFileSync(new URL("../schemas/audit.json", import.meta.url), "utf8"));
  const valid = new Ajv2020({ allowUnionTypes: true, allErrors: true }).compile(closed(schema));

  test.each(FILES)("%s", async (_, files) => {
    valid(await parsed(files, "json"));
    expect(valid.errors).toBe(null);
  });

  test("an unknown field is seen", async () => {
    const document = await parsed({ "/sshd_config": "" }, "json");
    expect(valid({ ...document, more: 1 })).toBe(false);
  });
});

async function parsed(files: Readonly<Record<string, string>>, format: Format): Promise<Schema> {
  return JSON.parse(await render(await reportOf(files), format));
}
