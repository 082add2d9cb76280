/** `audit --fix --probe` on a booted host: a throw-away sshd forwards with the new files before the fix is kept. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type LabHost, layerHost } from "../lab/hosts.ts";
import { installBundle, LINK_COMMAND } from "../lab/installed.ts";
import { whenBootable } from "../lab/sharing.ts";

whenBootable("bookworm")("audit --fix --probe", () => {
  const host: LabHost = layerHost("bookworm");

  beforeAll(async () => {
    installBundle(host);
    host.write("etc/ssh/sshd_config", "UsePAM yes\nMatch User bob\n  AllowTcpForwarding local\n");
    await host.boot();
    await host.must(LINK_COMMAND);
  });
  afterAll(() => host.remove());

  test("says how many attempts went as predicted, and leaves nothing behind", async () => {
    const ran = await host.run("sshd-policy audit --rule tcp-forwarding --fix --probe --confirm 0");
    expect(ran.stderr).toMatch(
      /^ +a throw-away sshd with these files: [1-9]\d+ attempts to forward, all as predicted$/m,
    );
    expect(ran.code).toBe(0);
    expect(await host.must("ls /tmp | grep -c sshd-policy-probe || true")).toBe("0");
    expect(await host.must("pgrep -c sshd")).toBe("1");
    expect(await host.must("cat /etc/ssh/sshd_config")).toContain("AllowTcpForwarding no\n");
  });
});
