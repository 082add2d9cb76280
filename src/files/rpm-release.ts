/** The openssh-server of rpm's database (rpm 4.16 and later: SQLite, lib/backend/sqlite.c). No program is run. */
import initSqlJs from "sql.js/dist/sql-wasm-inline.js";
import { parseRelease, type Release } from "../../grammar/release.ts";
import type { InstalledRelease } from "./release.ts";
import type { FileTree } from "./tree.ts";

/** 1 for ordinary tables with ordinary columns, as rpm makes them: asking those runs nothing that somebody wrote. */
const IS_PLAIN = `SELECT
  (SELECT count(*) FROM sqlite_schema
    WHERE name IN ('Name', 'Packages') AND type = 'table' AND sql LIKE 'CREATE TABLE%') = 2
  AND NOT EXISTS (SELECT 1 FROM pragma_table_xinfo('Name') WHERE hidden
    UNION ALL SELECT 1 FROM pragma_table_xinfo('Packages') WHERE hidden)`;
/** Ours: pages that are the children of several others make rows without end, also of a small file. */
const MOST_NAMES = 100_000;
const NUMBER = `SELECT max(hnum) FROM (SELECT key, hnum FROM Name LIMIT ${MOST_NAMES}) WHERE key = 'openssh-server'`;
/** by its rowid, so that no row is looked through */
const SERVER = `SELECT blob FROM Packages WHERE rowid = ?`;

/** Null where the database is damaged, or names no server. */
export async function rpmRelease(tree: FileTree, path: string): Promise<InstalledRelease | null> {
  const content = tree.read(path);
  if (content.kind !== "file") return null;
  const header = await serverHeader(content.bytes);
  const version = header === null ? null : packageVersion(header);
  const release = version === null ? null : releaseOf(version);
  return release === null || version === null
    ? null
    : { release, source: `rpm: openssh-server ${version.version}-${version.revision}` };
}

async function serverHeader(database: Uint8Array): Promise<Uint8Array | null> {
  const { Database } = await initSqlJs();
  try {
    const opened = new Database(database);
    try {
      if (opened.exec(IS_PLAIN)[0]?.values[0]?.[0] !== 1) return null;
      const number = opened.exec(NUMBER)[0]?.values[0]?.[0] ?? null;
      const found = opened.exec(SERVER, [number])[0]?.values[0]?.[0];
      return found instanceof Uint8Array ? found : null;
    } finally {
      opened.close();
    }
  } catch {
    // what is no database of SQLite, or a damaged one: SQLite says so by throwing
    return null;
  }
}

interface PackageVersion {
  /** "8.7p1" */
  readonly version: string;
  /** "38.el9_4.1" */
  readonly revision: string;
}

/** Of rpm's tags (include/rpm/rpmtag.h). */
const VERSION_TAG = 1001;
const RELEASE_TAG = 1002;
const STRING = 6;

/** A header without its lead: two counts, an index of 16 bytes an entry, the data (rpm's manual, "Package header"). */
function packageVersion(blob: Uint8Array): PackageVersion | null {
  const bytes = Buffer.from(blob.buffer, blob.byteOffset, blob.byteLength);
  const entries = bytes.length < 8 ? 0 : bytes.readUInt32BE(0);
  const data = 8 + entries * 16;
  if (data > bytes.length) return null;
  const found = new Map<number, string>();
  for (let at = 8; at < data; at += 16) {
    const start = data + bytes.readUInt32BE(at + 8);
    const end = bytes.indexOf(0, start);
    if (bytes.readUInt32BE(at + 4) === STRING && end !== -1)
      found.set(bytes.readUInt32BE(at), bytes.toString("latin1", start, end));
  }
  const [version, revision] = [found.get(VERSION_TAG), found.get(RELEASE_TAG)];
  return version === undefined || revision === undefined ? null : { version, revision };
}

/** Backports are known for revisions of Red Hat's and Fedora's alone; others count by their version. */
function releaseOf({ version, revision }: PackageVersion): Release | null {
  const whole = `${version}-${revision}`;
  if (/\.(?:el|fc)\d/.test(revision)) return parseRelease(whole);
  const upstream = parseRelease(version);
  return upstream === null ? null : { ...upstream, packageVersion: whole };
}
