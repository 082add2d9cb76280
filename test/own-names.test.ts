/** Which names of a file get stand-ins (src/cli/own-names.ts); what is said of files by them is compared in fleet.test.ts. */
import { expect, test } from "vitest";
import { withNames, withStandIns } from "../src/cli/own-names.ts";
import { writtenLines } from "../src/cli/written-lines.ts";

const numbered = (count: number): string[] => Array.from({ length: count }, (_, index) => `web${index}`);
const allowing = (count: number): string => `AllowUsers ${numbered(count).join(" ")}\n`;

test.each<[string, readonly string[]]>([
  ["AllowUsers web1 root web2 web1\nMatch Group ops1 User web2", ["web1", "web2", "ops1"]],
  ["PermitOpen web1:22 db:5432 web2:*", ["web1", "web2"]],
  ["Match User web1 User web2,web1", ["web1", "web2"]],
  ["Banner web1", []],
  ["AllowUsers web1\nPermitOpen [web2]:22", []],
  ["AllowUsers web1\nPermitOpen web2/22", []],
  ["AllowUsers web1\nDenyUsers web*", []],
  ["AllowUsers web1\r\nDenyUsers web2", []],
  ['AllowUsers web1\nDenyUsers "web2"', []],
  [allowing(30), numbered(30)],
  [allowing(31), []],
])("%j: %j", (text, names) => {
  const found = withStandIns(text, writtenLines(text));
  expect(found.names).toEqual(names);
  expect(found.text).toHaveLength(text.length);
  expect(names.some((name) => found.text.includes(name))).toBe(false);
  expect(withNames(found.text, names)).toBe(text);
});
