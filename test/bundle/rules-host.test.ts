/**
 * The rules about a running server, on a booted host: what they say of it is what its sshd does. A finding about a key
 * is compared with what a login with that key gets.
 */
import { beforeAll, describe, expect, test } from "vitest";
import type { LabHost } from "../lab/hosts.ts";
import { installBundle, LINK_COMMAND } from "../lab/installed.ts";
import { makeAccount, SSH } from "../lab/login.ts";
import { shareHost, whenBootable } from "../lab/sharing.ts";

const MAIN = "/etc/ssh/sshd_config";

/** The lines of one rule's findings on the host's own configuration. */
async function found(host: LabHost, rule: string): Promise<string[]> {
  const { stdout, stderr } = await host.run(
    `sshd-policy audit --quiet --rule ${rule} --format concise --fail-on error`,
  );
  expect(stderr).toBe("");
  return stdout.split("\n").filter((line) => line !== "");
}

whenBootable("bookworm")("on a host with systemd", () => {
  const host = shareHost("bookworm", installBundle);
  beforeAll(async () => {
    await host.must(`${LINK_COMMAND}; printf 'UsePAM yes\\n' >${MAIN}; systemctl restart ssh`);
    await host.must(makeAccount("git"));
  });

  /** ssh.service alone, or ssh.socket in its place; `Accept=yes` starts an sshd for every connection. */
  const startBy = (how: "service" | "socket" | "connection"): Promise<string> =>
    host.must(
      how === "service"
        ? "systemctl disable --now ssh.socket; rm -f /etc/systemd/system/ssh.socket; systemctl daemon-reload; systemctl enable ssh.service; systemctl restart ssh.service"
        : `systemctl disable --now ssh.service
           ${how === "connection" ? "sed s/Accept=no/Accept=yes/ /lib/systemd/system/ssh.socket >/etc/systemd/system/ssh.socket" : "true"}
           printf '[Service]\\nExecStart=-/usr/sbin/sshd -i\\nStandardInput=socket\\nRuntimeDirectory=sshd\\nRuntimeDirectoryPreserve=yes\\n' >/etc/systemd/system/ssh@.service
           systemctl daemon-reload; systemctl enable --now ssh.socket`,
    );
  const write = (text: string): Promise<string> => host.must(`printf '${text}' >${MAIN}`);
  /** Whether a login may forward now. */
  const forwards = async (): Promise<boolean> =>
    (await host.run(`timeout 20 ${SSH} -W 127.0.0.1:22 git@127.0.0.1 </dev/null | grep -q ^SSH-`)).code === 0;

  describe("stale-daemon", () => {
    test("an edited file that sshd has not read is a finding until a restart", async () => {
      await startBy("service");
      expect(await found(host, "stale-daemon")).toEqual([]);
      await host.must("sleep 2");
      await write("UsePAM yes\\nAllowTcpForwarding no\\n");
      const [line, ...more] = await found(host, "stale-daemon");
      expect(line).toMatch(/^\/etc\/ssh\/sshd_config:1:1: medium: the running sshd \(pid \d+\) has not read/);
      expect(more).toEqual([]);
      // as lxcfs shows them in a container, whose sshd counts from the boot of the machine below
      await host.must(
        `echo 5.00 5.00 >/run/uptime; sed "s/^btime .*/btime $(($(date +%s) - 5))/" /proc/stat >/run/stat
         for name in uptime stat; do mount --bind /run/$name /proc/$name; done`,
      );
      expect(await found(host, "stale-daemon")).toEqual([line]);
      await host.must("umount /proc/uptime /proc/stat");
      expect(await forwards()).toBe(true);
      await host.must("systemctl restart ssh");
      expect(await found(host, "stale-daemon")).toEqual([]);
      expect(await forwards()).toBe(false);
    });

    test("a reload reads it, too", async () => {
      await host.must("sleep 2");
      await write("UsePAM yes\\n");
      expect(await found(host, "stale-daemon")).toHaveLength(1);
      await host.must("systemctl reload ssh; sleep 1");
      expect(await found(host, "stale-daemon")).toEqual([]);
      expect(await forwards()).toBe(true);
    });

    test("an sshd for every connection reads the file anew: no finding, also while somebody is logged in", async () => {
      await startBy("connection");
      await host.must(`setsid ${SSH} -f git@127.0.0.1 'sleep 60' </dev/null >/dev/null 2>&1; sleep 2`);
      await write("UsePAM yes\\nAllowTcpForwarding no\\n");
      expect(await found(host, "stale-daemon")).toEqual([]);
      expect(await forwards()).toBe(false);
      await host.must("pkill -f 'sleep 6[0]'");
      await write("UsePAM yes\\n");
      await startBy("service");
    });
  });

  describe("socket-unit-overrides-port", () => {
    const ADDRESSES = ["127.0.0.1:22", "127.0.0.2:22", "[::1]:22", "127.0.0.1:2222", "[::1]:2222"];
    /** Where this host answers; the connection also starts the sshd behind the socket. */
    const answers = async (): Promise<string[]> => {
      const tried = ADDRESSES.map((address) => {
        const place = address.replace(/^\[?(.*?)\]?:(\d+)$/, "/dev/tcp/$1/$2");
        return `(exec 3<>${place} && head -c 4 <&3 | grep -q SSH- && echo '${address}') 2>/dev/null`;
      });
      return (await host.must(`${tried.join("; ")}; true`)).split("\n").filter((line) => line !== "");
    };

    test.each([
      ["Port 2222", ["port 22"]],
      ["ListenAddress 127.0.0.2", ["port 22"]],
      ["ListenAddress 0.0.0.0", ["port 22, and answers on IPv6, too"]],
      ["AddressFamily inet", ["port 22, and answers on IPv6, too"]],
      ["Port 22", []],
      ["ListenAddress 0.0.0.0\\nListenAddress ::", []],
    ])("%s", async (text, expected) => {
      await host.must(
        "systemctl disable --now ssh.socket ssh.service 2>/dev/null; systemctl reset-failed; true",
      );
      await write(`${text}\\n`);
      await host.must("systemctl start ssh.service; sleep 0.3");
      const alone = await answers();
      await host.must("systemctl stop ssh.service; systemctl enable --now ssh.socket 2>/dev/null");
      const behindSocket = await answers();
      // what the finding claims: the socket answers elsewhere than sshd alone would
      expect(behindSocket).toEqual(["127.0.0.1:22", "127.0.0.2:22", "[::1]:22"]);
      expect(JSON.stringify(alone) !== JSON.stringify(behindSocket)).toBe(expected.length > 0);
      const said = await found(host, "socket-unit-overrides-port");
      expect(said.map((line) => / on (port 22.*) \[/.exec(line)?.[1])).toEqual(expected);
    });
  });

  describe("authorized-keys-options", () => {
    const CASES: readonly (readonly [string, string | null])[] = [
      ['command="true"', "a forced command does not stop"],
      ['command="true",restrict', null],
      ["restrict,port-forwarding", "port-forwarding takes that back"],
      ["port-forwarding,restrict", null],
      ['restrict,permitopen="127.0.0.1:22"', "has no effect: the key may not forward at all"],
      ['no-port-forwarding,permitlisten="9002"', "has no effect: the key may not forward at all"],
      ['command="true",permitopen="127.0.0.1:22"', "may open listening ports"],
      ['command="true",permitopen="127.0.0.1:22",permitlisten="9002"', null],
      ['command="true",permitopen="none"', null],
    ];
    beforeAll(async () => {
      await write("UsePAM yes\\n");
      await startBy("service");
    });

    test.each(CASES)("%s", async (options, expected) => {
      await host.must(
        `echo '${options} '"$(cat /root/.ssh/id.pub)" >/home/git/.ssh/authorized_keys
         chown git /home/git/.ssh/authorized_keys`,
      );
      const [said, ...more] = await found(host, "authorized-keys-options");
      expect(more).toEqual([]);
      if (expected === null) expect(said).toBe(undefined);
      else expect(said).toContain(expected);
      const remote = await host.run(
        `timeout 2 ${SSH} -N -o ExitOnForwardFailure=yes -R 9003:127.0.0.1:22 git@127.0.0.1 </dev/null`,
      );
      const granted = { outward: await forwards(), inward: remote.code === 124 };
      expect(granted).toEqual(grantedBy(options));
    });

    /** What sshd grants a key with these options, as the finding, or its absence, says. */
    function grantedBy(options: string): { outward: boolean; inward: boolean } {
      const isRefused = options.includes('"none"');
      const isOpen =
        !/(?:^|,)(?:restrict(?!,port-forwarding)|no-port-forwarding)/.test(options) && !isRefused;
      return { outward: isOpen, inward: isOpen && !options.includes("permitlisten") };
    }
  });
});
