/** Open sessions and what they forward, on booted hosts before and after sshd became several programs (9.8). */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { drive } from "./lab/driving.ts";
import { makeAccount, SSH } from "./lab/login.ts";
import { shareHost, whenBootable } from "./lab/sharing.ts";

const PYTHONLESS_SERVER = "node -e 'require(\"net\").createServer((s) => s.pipe(s)).listen(process.argv[1])'";

describe.each(["bookworm", "trixie"])("%s", (base) => {
  whenBootable(base)("open sessions", () => {
    const host = shareHost(base);

    beforeAll(async () => {
      await host.must(makeAccount("alice"));
      await host.must(`
        setsid ${PYTHONLESS_SERVER} 7007 >/dev/null 2>&1 &
        setsid ${PYTHONLESS_SERVER} /run/echo.sock >/dev/null 2>&1 &
        sleep 0.5; chmod 666 /run/echo.sock
        eval $(ssh-agent) >/dev/null
        DISPLAY=127.0.0.1:0 ${SSH} -A -Y -tt alice@127.0.0.1 sleep 1000 </dev/null >/dev/null 2>&1 &
        ${SSH} -f -N -L 9001:127.0.0.1:7007 -L 9003:/run/echo.sock -R 9002:127.0.0.1:7007 -R /tmp/back.sock:127.0.0.1:7007 alice@127.0.0.1
        ${SSH} -f -N -L 9004:[::1]:22 root@::1
        node -e 'for (const port of [9001, 9003, 9004]) require("net").connect(port, "127.0.0.1").on("error", () => {})' >/dev/null 2>&1 &
        for i in $(seq 100); do [ $(ss -tnH state established dport = :9001 or dport = :9003 or dport = :9004 | wc -l) = 3 ] && break; sleep 0.1; done; sleep 1`);
    });

    test("are listed with user, terminal and origin, and what each forwards", async () => {
      const sessions = await drive(host, "sessions");
      const local = { address: "127.0.0.1", port: 22 };
      const uses = (...pairs: readonly (readonly [string, unknown])[]): unknown =>
        expect.arrayContaining(
          pairs.map(([capability, where]) => expect.objectContaining({ capability, where })),
        );
      expect(sessions).toHaveLength(3);
      expect(sessions).toContainEqual(
        expect.objectContaining({
          user: "alice",
          terminals: ["pts/0"],
          server: local,
          client: { address: "127.0.0.1", port: expect.any(Number) },
          present: false,
          uses: uses(["x11", "127.0.0.1:6010"], ["agent", expect.stringContaining("/agent")]),
        }),
      );
      expect(sessions).toContainEqual(
        expect.objectContaining({
          user: "alice",
          terminals: [],
          server: local,
          uses: uses(
            ["tcp-local", "127.0.0.1:7007"],
            ["unix-local", "/run/echo.sock"],
            ["tcp-remote", "127.0.0.1:9002"],
            ["unix-remote", "/tmp/back.sock"],
          ),
        }),
      );
      expect(sessions).toContainEqual(
        expect.objectContaining({
          user: "root",
          terminals: [],
          server: { address: "::1", port: 22 },
          uses: [expect.objectContaining({ capability: "tcp-local", where: "[::1]:22" })],
        }),
      );
    });

    test.each([
      ["directly", (call: string) => call],
      [
        "through a cleared environment and another session of the terminal",
        (call: string) => `env -i PATH=$PATH setsid -w ${call}`,
      ],
    ])("the present one is found %s", async (_, wrap) => {
      const inside = await host.must(`${SSH} root@127.0.0.1 '${wrap("node /opt/driver.mjs sessions")}'`);
      const present = (JSON.parse(inside) as { user: string; present: boolean; uses: unknown[] }[]).filter(
        (session) => session.present,
      );
      expect(present).toEqual([expect.objectContaining({ user: "root", uses: [] })]);
    });

    test("the present one is found from a process that outlived its shell, by its SSH_CONNECTION", async () => {
      const inside = await host.must(
        `${SSH} root@127.0.0.1 '(setsid node /opt/driver.mjs sessions >/root/out </dev/null 2>&1 &); for i in $(seq 100); do [ -s /root/out ] && break; sleep 0.1; done; cat /root/out'`,
      );
      expect(inside).toContain('"present":true');
    });

    test("from a console none is present", async () => {
      expect(JSON.stringify(await drive(host, "sessions"))).not.toContain('"present":true');
    });

    afterAll(() => host.run("kill $(pidof ssh-agent)"));
  });
});
