/** How sshd runs, its restart and its proof, on booted hosts of every init system. */
import { describe, expect, test } from "vitest";
import { drive } from "./lab/driving.ts";
import { shareHost, whenBootable } from "./lab/sharing.ts";

const EVERYWHERE = [
  { address: "0.0.0.0", port: 22 },
  { address: "::", port: 22 },
];

interface Expected {
  readonly kind: string;
  readonly name: string;
  /** what the proof of a restart and of a reload says first */
  readonly restart: RegExp;
  readonly reload: RegExp;
}

const HOSTS: Readonly<Record<string, Expected>> = {
  bookworm: {
    kind: "systemd",
    name: "ssh.service (systemd)",
    restart: /^systemctl restart ssh\.service: active, new pid \d+, answers on 0\.0\.0\.0:22 and \[::\]:22$/,
    reload:
      /^systemctl reload ssh\.service: active, pid \d+ has read its files again, answers on 0\.0\.0\.0:22 and \[::\]:22$/,
  },
  trixie: {
    kind: "systemd",
    name: "ssh.service (systemd)",
    restart: /^systemctl restart ssh\.service: active, new pid/,
    reload: /^systemctl reload ssh\.service: active, pid/,
  },
  "bookworm-sysv": {
    kind: "sysv",
    name: "/etc/init.d/ssh (SysV)",
    restart: /^\/usr\/sbin\/service ssh restart: active, new pid/,
    reload: /^\/usr\/sbin\/service ssh reload: active, pid/,
  },
  "bookworm-openrc": {
    kind: "openrc",
    name: "ssh (OpenRC)",
    restart: /^rc-service ssh restart: active, new pid/,
    reload: /^rc-service ssh reload: active, pid/,
  },
  "bookworm-runit": {
    kind: "runit",
    name: "/etc/sv/ssh (runit)",
    restart: /^sv -w 10 restart \/etc\/sv\/ssh: active, new pid/,
    reload: /^sv hup \/etc\/sv\/ssh: active, pid/,
  },
};

describe.each(Object.entries(HOSTS))("%s", (base, expected) => {
  whenBootable(base)("sshd as the distribution starts it", () => {
    const host = shareHost(base);

    test("is found with its command line", async () => {
      expect(await drive(host, "service")).toMatchObject({
        kind: expected.kind,
        name: expected.name,
        listens: EVERYWHERE,
        advice: null,
        command: { program: "/usr/sbin/sshd", options: [] },
      });
    });

    test("restarts and reloads, with proof", async () => {
      expect(await drive(host, "restart")).toMatchObject({
        kind: "up",
        text: expect.stringMatching(expected.restart),
      });
      expect(await drive(host, "reload")).toMatchObject({
        kind: "up",
        text: expect.stringMatching(expected.reload),
      });
    });
  });
});

whenBootable("trixie")("a socket that starts one sshd, of Debian 13", () => {
  const host = shareHost("trixie");

  test("is restarted also where a reload is asked for: SIGHUP ends it", async () => {
    await host.must("systemctl disable --now ssh.service; systemctl enable --now ssh.socket");
    expect(await drive(host, "restart")).toMatchObject({ kind: "up" });
    const text = expect.stringMatching(/^systemctl try-restart ssh\.service: active, new pid/);
    expect(await drive(host, "reload")).toMatchObject({ kind: "up", text });
  });
});

whenBootable("bookworm")("other ways to run sshd", () => {
  const host = shareHost("bookworm");

  test("-f and -o, with blanks in a value", async () => {
    await host.must(
      `cp /etc/ssh/sshd_config "/etc/ssh/other config"
       mkdir -p /etc/systemd/system/ssh.service.d
       printf '[Service]\\nEnvironmentFile=\\nExecStart=\\nExecStart=/usr/sbin/sshd -D -f "/etc/ssh/other config" -o "AllowTcpForwarding no"\\n' >/etc/systemd/system/ssh.service.d/x.conf
       systemctl daemon-reload; systemctl restart ssh`,
    );
    expect(await drive(host, "service '/etc/ssh/other config'")).toMatchObject({
      kind: "systemd",
      command: {
        program: "/usr/sbin/sshd",
        options: ["-f", "/etc/ssh/other config", "-o", "AllowTcpForwarding no"],
      },
    });
    expect(await drive(host, "restart '/etc/ssh/other config'")).toMatchObject({ kind: "up" });
    expect(await drive(host, "service")).toMatchObject({ kind: "stopped" });
    await host.must(
      "rm -r /etc/systemd/system/ssh.service.d; systemctl daemon-reload; systemctl restart ssh",
    );
  });

  test("a restart that does not come up", async () => {
    await host.must("cp /etc/ssh/sshd_config /root/kept; echo Nonsense >>/etc/ssh/sshd_config");
    expect(await drive(host, "restart")).toMatchObject({
      kind: "down",
      because: expect.stringMatching(
        /^"systemctl restart ssh\.service" failed \(1\): Job for ssh\.service failed/,
      ),
    });
    await host.must("cp /root/kept /etc/ssh/sshd_config; systemctl reset-failed ssh; systemctl start ssh");
  });

  test("a socket that starts one sshd (Accept=no)", async () => {
    await host.must("systemctl disable --now ssh.service; systemctl enable --now ssh.socket");
    const listens = [{ address: "::", port: 22 }];
    const name = "ssh.service behind ssh.socket (systemd)";
    expect(await drive(host, "service")).toMatchObject({ kind: "systemd-socket", name, listens, pid: null });
    expect(await drive(host, "restart")).toMatchObject({ kind: "up", pid: expect.any(Number) });
    const first = await drive(host, "service");
    expect(first).toMatchObject({ kind: "systemd-socket", name, listens, pid: expect.any(Number) });
    expect(await drive(host, "restart")).toMatchObject({
      kind: "up",
      text: expect.stringContaining("new pid"),
    });
    const reloaded = await drive(host, "reload");
    expect(reloaded, JSON.stringify(reloaded)).toMatchObject({ kind: "up" });
    // where a restart ends sessions a reload is one
    const dropIn = "/etc/systemd/system/ssh.service.d";
    await host.must(
      `mkdir ${dropIn}; printf '[Service]\\nKillMode=mixed\\n' >${dropIn}/x.conf; systemctl daemon-reload`,
    );
    expect(await drive(host, "reload")).toMatchObject({
      kind: "up",
      text: expect.stringMatching(/^systemctl try-reload-or-restart ssh\.service: active/),
    });
    await host.must(`rm -r ${dropIn}; systemctl daemon-reload`);
  });

  test("a socket that starts one sshd a connection (Accept=yes)", async () => {
    await host.must(
      `systemctl stop ssh.socket ssh.service
       sed s/Accept=no/Accept=yes/ /lib/systemd/system/ssh.socket >/etc/systemd/system/ssh.socket
       printf '[Service]\\nExecStart=-/usr/sbin/sshd -i\\nStandardInput=socket\\nRuntimeDirectory=sshd\\nRuntimeDirectoryPreserve=yes\\n' >/etc/systemd/system/ssh@.service
       systemctl daemon-reload; systemctl start ssh.socket`,
    );
    expect(await drive(host, "service")).toMatchObject({ kind: "systemd-instances", pid: null });
    expect(await drive(host, "restart")).toMatchObject({
      kind: "up",
      text: expect.stringContaining("answers on [::]:22"),
    });
    await host.must("systemctl stop ssh.socket; rm /etc/systemd/system/ssh.socket; systemctl daemon-reload");
  });

  test("not running", async () => {
    expect(await drive(host, "service")).toMatchObject({
      kind: "stopped",
      pid: null,
      command: { program: "/usr/sbin/sshd", options: ["-f", "/etc/ssh/none", "-o", "Banner none"] },
    });
    expect(await drive(host, "restart")).toMatchObject({ kind: "up", pid: null });
  });

  test("by hand, beside systemd: unknown, until --restart-command says how", async () => {
    await host.must("systemctl stop ssh.service ssh.socket; mkdir -p /run/sshd; setsid /usr/sbin/sshd");
    expect(await drive(host, "restart")).toMatchObject({
      kind: "down",
      because: expect.stringMatching(/no unit of systemd started it: give its restart command/),
    });
    const command = "kill $(cat /run/sshd.pid); sleep 0.3; setsid /usr/sbin/sshd";
    expect(await drive(host, `restart /etc/ssh/sshd_config '${command}'`)).toMatchObject({ kind: "up" });
    // a command that does nothing is no restart
    expect(await drive(host, "restart /etc/ssh/sshd_config true")).toMatchObject({
      kind: "down",
      because: 'after "/bin/sh -c true" the old sshd is still the one that listens',
    });
    const foreign = JSON.parse(
      await host
        .must(
          `PLATFORM=freebsd node /opt/driver.mjs restart /etc/ssh/sshd_config '${command}'; PLATFORM=darwin node /opt/driver.mjs service`,
        )
        .then((text) => `[${text.replace("\n", ",")}]`),
    );
    expect(foreign).toMatchObject([
      {
        kind: "up",
        text: expect.stringMatching(/cannot be seen here, answers on .*:22 and .*:22$/),
      },
      { kind: "unknown", name: "launchd", advice: expect.stringContaining("'launchctl kickstart") },
    ]);
    await host.must("kill $(cat /run/sshd.pid)");
  });
});
