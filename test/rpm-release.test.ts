/** The release in rpm's database: one that rpm itself wrote, and databases that nobody should have written. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import initSqlJs from "sql.js/dist/sql-wasm-inline.js";
import { beforeAll, describe, expect, test } from "vitest";
import { formatRelease } from "../grammar/release.ts";
import { folderTree } from "../src/files/folder.ts";
import { rpmRelease } from "../src/files/rpm-release.ts";
import { makeRoot } from "./auditing.ts";
import { describeUnless, whyNoTool } from "./needs.ts";
import { makeFolder } from "./own-folder.ts";
import { runCli } from "./run-cli.ts";

const PATH = "/var/lib/rpm/rpmdb.sqlite";
const TABLES = `CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL);
  CREATE TABLE 'Name' (key 'TEXT' NOT NULL, hnum INTEGER NOT NULL, idx INTEGER NOT NULL);`;

/** A header as rpm stores it, of tags with a string each. */
function header(tags: Readonly<Record<number, string>>): Buffer {
  const entries = Object.entries(tags);
  const index = Buffer.alloc(8 + entries.length * 16);
  const data: Buffer[] = [];
  let length = 0;
  for (const [at, [tag, text]] of entries.entries()) {
    for (const [place, word] of [Number(tag), 6, length, 1].entries())
      index.writeUInt32BE(word, 8 + at * 16 + place * 4);
    data.push(Buffer.from(`${text}\0`));
    length += text.length + 1;
  }
  index.writeUInt32BE(entries.length, 0);
  index.writeUInt32BE(length, 4);
  return Buffer.concat([index, ...data]);
}

const packaged = (name: string, blob: Buffer, number: number): string =>
  `INSERT INTO Packages VALUES (${number}, x'${blob.toString("hex")}');
   INSERT INTO Name VALUES ('${name}', ${number}, 0);`;

const SERVER = header({ 1000: "openssh-server", 1001: "8.7p1", 1002: "38.el9_4.1" });

async function database(sql: string): Promise<Buffer> {
  const { Database } = await initSqlJs();
  const made = new Database(new Uint8Array());
  made.exec(sql);
  const bytes = Buffer.from(made.export());
  made.close();
  return bytes;
}

async function releaseIn(bytes: Buffer): Promise<string | null> {
  const found = await rpmRelease(folderTree(makeRoot({ [PATH]: bytes.toString("latin1") })), PATH);
  return found === null ? null : formatRelease(found.release);
}

describe("rpmRelease", () => {
  test.each([
    ["Red Hat's revision counts", packaged("openssh-server", SERVER, 7), "8.7p1-38.el9_4.1"],
    [
      "another vendor's is told, and is nobody's backport",
      packaged("openssh-server", header({ 1001: "8.4p1", 1002: "150300.3.30.1" }), 1),
      "8.4p1-150300.3.30.1",
    ],
    ["the client alone is no server", packaged("openssh", SERVER, 1), null],
    ["a header that ends early", packaged("openssh-server", SERVER.subarray(0, 50), 1), null],
    ["a header that counts more than there is", packaged("openssh-server", Buffer.alloc(8, 0xff), 1), null],
    ["a version that is none", packaged("openssh-server", header({ 1001: "x", 1002: "1.el9" }), 1), null],
  ])("%s", async (_, rows, expected) => {
    expect(await releaseIn(await database(TABLES + rows))).toBe(expected);
  });

  test("a revision of nobody known belongs to no vendor", async () => {
    const bytes = await database(
      TABLES + packaged("openssh-server", header({ 1001: "8.7p1", 1002: "8.amzn2023" }), 1),
    );
    const tree = folderTree(makeRoot({ [PATH]: bytes.toString("latin1") }));
    expect((await rpmRelease(tree, PATH))?.release).toMatchObject({ vendor: "upstream", major: 8, minor: 7 });
  });

  // SQLite would work on it for ever: a question runs nothing that the database says
  const endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x, x, x FROM n";
  test.each([
    [
      "a view in place of a table",
      `${TABLES} DROP TABLE Name; CREATE VIEW Name (key, hnum, idx) AS ${endless};`,
    ],
    [
      "a column that is computed",
      `CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, x INT, blob BLOB AS (zeroblob(1000000000)));
       CREATE TABLE Name (key, hnum, idx); INSERT INTO Packages (hnum) VALUES (1);
       INSERT INTO Name VALUES ('openssh-server', 1, 0);`,
    ],
  ])("%s is not asked", async (_, sql) => {
    expect(await releaseIn(await database(sql))).toBeNull();
  });

  // 300 children of each page, all of them the next one: 300^7 rows in nine pages
  test("pages that make rows without end", { timeout: 60_000 }, async () => {
    const bytes = await database(
      `${TABLES} CREATE TABLE spare (x); INSERT INTO Name VALUES ('bash', 1, 0);
       INSERT INTO spare VALUES (zeroblob(40000));`,
    );
    const [size, children] = [4096, 300];
    const top = [...Array(bytes.length / size).keys()].find(
      (page) => page > 0 && bytes.subarray(page * size, page * size + size).includes("bash"),
    );
    const pages = [top ?? 0, ...Array.from({ length: 8 }, (_, index) => bytes.length / size - 1 - index)];
    const rows = Buffer.from(bytes.subarray((top ?? 0) * size, (top ?? 0) * size + size));
    for (const [index, page] of pages.entries()) {
      const next = pages[index + 1];
      const written = next === undefined ? rows : Buffer.alloc(size);
      if (next !== undefined) {
        written.writeUInt8(5);
        written.writeUInt16BE(children, 3);
        written.writeUInt16BE(size - children * 5, 5);
        written.writeUInt32BE(next + 1, 8);
        for (let child = 0; child < children; child++) {
          const cell = size - (child + 1) * 5;
          written.writeUInt16BE(cell, 12 + child * 2);
          written.writeUInt32BE(next + 1, cell);
          written.writeUInt8(1, cell + 4);
        }
      }
      written.copy(bytes, page * size);
    }
    expect(await releaseIn(bytes)).toBeNull();
  });

  test("damaged databases: an answer, or none", async () => {
    const bytes = await database(TABLES + packaged("openssh-server", SERVER, 1));
    expect(await releaseIn(Buffer.from("no database"))).toBeNull();
    expect(await releaseIn(bytes.subarray(0, 5000))).toBeNull();
    for (let at = 0; at < bytes.length; at += 1009) {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] ?? 0) ^ 0xff;
      expect([null, "8.7p1-38.el9_4.1"]).toContain(await releaseIn(damaged));
    }
  });
});

const SPEC = `Name: openssh-server
Version: 8.7p1
Release: 38.el9_4.1
Summary: a package for a test
License: BSD
BuildArch: noarch
%description
A package for a test.
%files
`;
describeUnless(whyNoTool("rpm", "rpmbuild"), "what rpm itself wrote", () => {
  const work = makeFolder();
  const tool = (name: string, ...args: readonly string[]): void => {
    const { status, stderr } = spawnSync(name, args, { cwd: work, encoding: "utf8" });
    if (status !== 0) throw new Error(`${name}: ${stderr}`);
  };
  beforeAll(() => {
    writeFileSync(join(work, "server.spec"), SPEC);
    tool("rpmbuild", "-bb", "--quiet", "--define", `_topdir ${work}/build`, "server.spec");
    const folder = join(work, "build/RPMS/noarch");
    const built = readdirSync(folder).map((name) => join(folder, name));
    const place = [
      "--root",
      join(work, "root"),
      "--dbpath",
      "/var/lib/rpm",
      "--define",
      "_db_backend sqlite",
    ];
    mkdirSync(join(work, "root/etc/ssh"), { recursive: true });
    writeFileSync(join(work, "root/etc/ssh/sshd_config"), "AllowTcpForwarding no\n");
    tool("rpm", ...place, "--initdb");
    tool("rpm", ...place, "-i", "--nodeps", ...built);
    tool("tar", "-C", "root", "-cf", "root.tar", ".");
    const fedora = join(work, "fedora/usr/lib/sysimage/rpm/rpmdb.sqlite");
    mkdirSync(dirname(fedora), { recursive: true });
    cpSync(join(work, "root", PATH), fedora);
    cpSync(join(work, "root/etc"), join(work, "fedora/etc"), { recursive: true });
    tool("tar", "-C", "fedora", "-czf", "fedora.tar.gz", ".");
  }, 120_000);

  test.each([
    ["--root", "root", "root"],
    ["--image", "root.tar", "image"],
    ["--image", "fedora.tar.gz", "image"],
  ])("audit %s %s", { timeout: 60_000 }, (option, name, whose) => {
    const { stdout } = runCli(["audit", "--format", "pretty", option, name], { cwd: work });
    expect(stdout).toContain(
      `judged as OpenSSH 8.7p1-38.el9_4.1 (found in the ${whose}, rpm: openssh-server)`,
    );
  });
});
