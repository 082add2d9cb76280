/** An image of Debian's own files, made by umoci and written by skopeo: the same answers as for the root itself. */
import { spawnSync } from "node:child_process";
import { appendFileSync, cpSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { LAB, whyNoHost } from "./lab/hosts.ts";
import { describeUnless, NOT_ROOT, whyNoTool } from "./needs.ts";
import { makeFolder } from "./own-folder.ts";
import { runCli } from "./run-cli.ts";

const BASE = "bookworm";
const PARTS = [
  "etc/ssh",
  "etc/passwd",
  "etc/group",
  "etc/os-release",
  "usr/lib/os-release",
  "var/lib/dpkg/status",
];
const missing = NOT_ROOT ?? whyNoTool("umoci", "skopeo") ?? whyNoHost(BASE);

const work = makeFolder();
function tool(name: string, ...args: readonly string[]): void {
  const { status, stderr } = spawnSync(name, args, { cwd: work, encoding: "utf8" });
  if (status !== 0) throw new Error(`${name} ${args.join(" ")}: ${stderr}`);
}

describeUnless(missing, "images of Debian by umoci and skopeo", () => {
  beforeAll(() => {
    tool("umoci", "init", "--layout", "oci");
    tool("umoci", "new", "--image", "oci:v1");
    tool("umoci", "unpack", "--image", "oci:v1", "first");
    const root = join(work, "first/rootfs");
    for (const part of PARTS) {
      mkdirSync(dirname(join(root, part)), { recursive: true });
      cpSync(join(LAB, BASE, part), join(root, part), { recursive: true, verbatimSymlinks: true });
    }
    tool("umoci", "repack", "--history.created_by", "debootstrap", "--image", "oci:v1", "first");
    tool("umoci", "unpack", "--image", "oci:v1", "second");
    appendFileSync(join(work, "second/rootfs/etc/ssh/sshd_config"), "PermitTunnel yes\n");
    tool("umoci", "repack", "--history.created_by", "RUN echo", "--image", "oci:v1", "second");
    tool("skopeo", "copy", "-q", "oci:oci:v1", "docker-archive:docker.tar:test:v1");
    tool("skopeo", "copy", "-q", "oci:oci:v1", "oci-archive:oci.tar");
    tool("tar", "-C", "second/rootfs", "-czf", "root.tar.gz", ".");
  }, 180_000);

  const audit = (...args: readonly string[]): string =>
    runCli(["audit", "--format", "concise", ...args], { cwd: work }).stdout.replaceAll(
      /^.*?(?=\/etc\/ssh\/)/gm,
      "",
    );

  test("in every form", { timeout: 180_000 }, () => {
    const expected = audit("--root", "second/rootfs");
    expect(expected).toContain("[tunnel-device]");
    expect(expected).toContain("[tcp-forwarding]");
    for (const image of ["oci", "oci.tar", "docker.tar", "root.tar.gz"])
      expect(audit("--image", image), image).toBe(expected);
  });

  test("the layer that wrote the line", { timeout: 60_000 }, () => {
    const { stdout } = runCli(["audit", "--format", "json", "--image", "docker.tar"], { cwd: work });
    const commandOf = (rule: string): string =>
      JSON.parse(stdout).targets[0].findings.find((finding: { rule: string }) => finding.rule === rule).layer
        .command;
    expect(commandOf("tunnel-device")).toBe("RUN echo");
    expect(commandOf("x11-forwarding")).toBe("debootstrap");
  });
});
