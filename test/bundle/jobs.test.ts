/** `audit --jobs`: the bundle runs itself in worker threads. */
import { describe, expect, it } from "vitest";
import { makeRoot } from "../auditing.ts";
import { runCli } from "../run-cli.ts";

const CLOSED = "AllowTcpForwarding no\nX11Forwarding no\nPermitRootLogin no\n";

describe("audit --jobs", () => {
  it("says the same in several threads", () => {
    const files = Object.fromEntries(
      Array.from({ length: 12 }, (_, index) => [
        `/host${index}/sshd_config`,
        index % 3 === 0 ? "Include sshd_config.d/*.conf\n" : CLOSED,
      ]),
    );
    const root = makeRoot({
      ...files,
      "/host0/sshd_config.d/a.conf": "AllowTcpForwarding yes\n",
      "/host1/sshd_config.j2": "Port {{ port }}\n",
    });
    const command = ["audit", "--repo", root, "--openssh", "9.2", "--format", "json"];
    const alone = runCli(command);
    expect(JSON.parse(alone.stdout).targets).toHaveLength(13);
    expect(runCli([...command, "--jobs", "3"])).toEqual(alone);
    const named = Object.keys(files).map((path) => `${root}${path}`);
    const several = ["audit", "--openssh", "9.2", "--format", "concise", "--jobs", "4", ...named];
    expect(runCli(several)).toEqual(runCli(several.filter((word) => word !== "--jobs" && word !== "4")));
    expect(runCli(["audit", "--jobs", "0", root]).code).toBe(2);
  });

  it.each(["pretty", "concise", "json", "sarif", "github", "junit", "markdown", "html"])(
    "tells the files in the order in which they are named: %s",
    (format) => {
      const root = makeRoot({
        "/a/one": "AllowTcpForwarding yes\n",
        "/a/two": CLOSED,
        "/b/one": "PermitTunnel yes\n",
        "/c/sshd_config": "Include sshd_config.d/*.conf\n",
        "/c/sshd_config.d/x.conf": "X11Forwarding yes\n",
      });
      const names = [
        "b/one",
        "a/two",
        "c/sshd_config.d/x.conf",
        "b/none",
        "a/one",
        "b/one",
        "c/sshd_config",
        "a/two",
      ];
      const command = ["audit", "--openssh", "9.2", "--format", format, ...names];
      const alone = runCli(command, { cwd: root });
      expect(alone.code).toBe(2);
      for (const jobs of ["2", "3", "8"])
        expect(runCli([...command, "--jobs", jobs], { cwd: root }), jobs).toEqual(alone);
    },
  );
});
