/** `audit --fix --probe` on a booted host: a throw-away sshd forwards with the new files before the fix is kept. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type LabHost, layerHost } from "../lab/hosts.ts";
import { installBundle, LINK_COMMAND } from "../lab/installed.ts";
import { whenBootable } from "../lab/sharing.ts";

whenBootable("bookworm")("audit --fix --probe", () => {
  const host: LabHost = layerHost("bookworm");
  const CONFIG = "UsePAM yes\nMatch User bob\n  AllowTcpForwarding local\n";
  const FIX = "sshd-policy audit --rule tcp-forwarding --fix --probe --confirm 0";
  const configure = (text: string): Promise<string> =>
    host.must(`printf '${text.replaceAll("\n", "\\n")}' >/etc/ssh/sshd_config; systemctl restart ssh`);

  beforeAll(async () => {
    installBundle(host);
    host.write("etc/ssh/sshd_config", CONFIG);
    await host.boot();
    await host.must(LINK_COMMAND);
  });
  afterAll(() => host.remove());

  test("says how many attempts went as predicted, and leaves nothing behind", async () => {
    const ran = await host.run(FIX);
    expect(ran.stderr).toMatch(
      /^ +a throw-away sshd with these files: [1-9]\d+ attempts to forward, all as predicted$/m,
    );
    expect(ran.code).toBe(0);
    expect(await host.must("ls /tmp | grep -c sshd-policy-probe || true")).toBe("0");
    expect(await host.must("pgrep -c sshd")).toBe("1");
    expect(await host.must("cat /etc/ssh/sshd_config")).toContain("AllowTcpForwarding no\n");
  });

  test("says that nothing was tried, and why, where nobody gets in", async () => {
    await configure(`DenyUsers *\n${CONFIG}`);
    const ran = await host.run(FIX);
    expect(ran.code).toBe(0);
    expect(ran.stderr).toMatch(
      /^ +a throw-away sshd with these files: no forward was tried\n +not seen: no login, as foreseen: DenyUsers /m,
    );
    expect(ran.stderr).not.toContain("as predicted");
  });

  test("undoes the fix where that sshd does otherwise", async () => {
    await configure(CONFIG);
    // the service's sshd goes by the file, the probe's (with -e) does not
    const other = 'case " $* " in *" -e "*) exec /usr/sbin/sshd.own -o AllowTcpForwarding=yes "$@"; esac';
    await host.must(
      `cd /usr/sbin; mv sshd sshd.own; printf '%s\\n' '#!/bin/sh' '${other}' 'exec /usr/sbin/sshd.own "$@"' >sshd; chmod 755 sshd`,
    );
    const ran = await host.run(FIX);
    await host.must("mv /usr/sbin/sshd.own /usr/sbin/sshd");
    expect(ran.stderr).toMatch(
      /a throw-away sshd does otherwise: tcp-local .*: predicted refused, seen open/,
    );
    expect(ran.code).toBe(4);
    expect(`${await host.must("cat /etc/ssh/sshd_config")}\n`).toBe(CONFIG);
  });
});
