/** `audit --fix` as an administrator runs it: on booted hosts of every init system, judged by logins and live forwards. */
import { beforeAll, expect, test } from "vitest";
import {
  CASES,
  fingerprint,
  installProgram,
  PROGRAM,
  prepareHost,
  setUp,
  tryLogins,
  type Way,
} from "./fixing.ts";
import { shareHost, whenBootable } from "./sharing.ts";

const BOTH = ["alice", "deploy"];

export function testFixes(way: Way): void {
  whenBootable(way.base)(`audit --fix on ${way.base}, ${way.how}`, () => {
    const host = shareHost(way.base, installProgram);
    beforeAll(() => prepareHost(host, way));

    test.each(CASES.map((one) => [one.title, one] as const))("%s", async (title, one) => {
      await setUp(host, way, one);
      expect(await tryLogins(host)).toEqual({ logins: BOTH, forwards: one.open });
      const before = await fingerprint(host);

      const fixed = await host.run(`${PROGRAM} audit --fix`);
      expect(fixed.stderr).toMatch(/^restart {2}.*: active, /m);
      expect(fixed.code).toBe(one.kept.length === 0 ? 0 : 1);
      expect(await tryLogins(host)).toEqual({ logins: BOTH, forwards: one.kept });
      const after = await fingerprint(host);
      const hashes = (text: string): string[] =>
        text.split("\n").filter((line) => /^[0-9a-f]{64} /.test(line));
      const changed = hashes(after).filter((line) => !before.includes(line));
      expect(changed.map((line) => line.replace(/^\S+ +\./, "/etc/ssh"))).toEqual(
        one.changed.map((path) => path.replace("$MAIN", way.main)),
      );
      expect(after.replaceAll(/^[0-9a-f]{64} .*\n?/gm, "")).toBe(
        before.replaceAll(/^[0-9a-f]{64} .*\n?/gm, ""),
      );
      if (title.includes("CR LF"))
        expect(await host.must(`grep -vc "$(printf '\\r')$" ${way.main} || true`)).toBe("0");

      const pid = await host.must("pgrep -o -x sshd || true");
      const again = await host.run(`${PROGRAM} audit --fix`);
      expect(again.code).toBe(fixed.code);
      expect(again.stderr).not.toContain("restart");
      expect(await fingerprint(host)).toBe(after);
      expect(await host.must("pgrep -o -x sshd || true")).toBe(pid);
    });
  });
}
