/** Folders for the tests of one file, gone when they are over. */
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

const top = mkdtempSync(join(tmpdir(), "sshd-policy-test-"));
// other accounts may pass, as through /tmp
chmodSync(top, 0o711);
afterAll(() => rmSync(top, { recursive: true, force: true }));

/** Empty, and the caller's own. */
export function makeFolder(): string {
  return mkdtempSync(`${top}/`);
}
