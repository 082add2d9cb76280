/** `audit --repo`: what is found in a tree of configuration, and what is left alone. */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { findConfigurations } from "../src/files/repository.ts";
import { makeRoot } from "./auditing.ts";
import { COMMAND, runCli } from "./run-cli.ts";

const CLOSED = "AllowTcpForwarding no\nX11Forwarding no\nPermitRootLogin no\n";

function foundIn(files: Readonly<Record<string, string>>): readonly string[] {
  const root = makeRoot(files);
  return findConfigurations(root).found.map(
    ({ path, template }) => `${path.slice(root.length)}${template === null ? "" : ` (${template})`}`,
  );
}

describe("a tree of configuration", () => {
  it.each([
    [
      "files by their name",
      { "/a/sshd_config": CLOSED, "/b/etc/ssh/sshd_config.bastion": CLOSED },
      ["/a/sshd_config", "/b/etc/ssh/sshd_config.bastion"],
    ],
    [
      "drop-ins",
      { "/etc/ssh/sshd_config.d/10-a.conf": "X11Forwarding no\n" },
      ["/etc/ssh/sshd_config.d/10-a.conf"],
    ],
    [
      "one with a NUL, which sshd takes",
      { "/sshd_config": "Port 22 # \0\nX11Forwarding no\n" },
      ["/sshd_config"],
    ],
    ["an empty main file", { "/sshd_config": "# all defaults\n" }, ["/sshd_config"]],
    [
      "another name by its content",
      { "/hardening/ssh.conf": CLOSED, "/nginx.conf": "server {\n  listen 80;\n}\n" },
      ["/hardening/ssh.conf"],
    ],
    [
      "templates, with their language",
      {
        "/roles/ssh/sshd_config.j2": "Port {{ port }}\nPermitRootLogin no\n",
        "/sshd_config.erb": "<% if x %>\nPermitRootLogin no\n<% end %>\n",
        "/sshd_config": "PermitRootLogin {{ root }}\n",
      },
      ["/roles/ssh/sshd_config.j2 (Jinja)", "/sshd_config (Jinja)", "/sshd_config.erb (ERB)"],
    ],
    [
      "templates by their name alone, and drop-ins among them",
      {
        "/a/sshd_config.j2":
          "{{ header | comment }}\n{% for k in all %}\n{{ k }} {{ all[k] }}\n{% endfor %}\n",
        "/b/sshd_config.erb": "<%- def yes(v)\n  if v\n    'yes'\n  end\nend -%>\n<%= @lines %>\n",
        "/sshd_config.d/1.conf.j2": "AllowTcpForwarding {{ yes }}\n",
        "/sshd_config.d/2.conf.epp": "<%= $line %>\n",
        "/sshd_config-el9.tmpl": "{{ range .Lines }}\n{{ . }}\n{{ end }}\n",
        "/sshd_config.template": "#\t$OpenBSD: sshd_config,v 1.103 $\nPermitRootLogin $ROOT_LOGIN\n",
        "/sshd_config.in": "#\t$OpenBSD: sshd_config,v 1.103 $\nPermitRootLogin no\n",
      },
      [
        "/a/sshd_config.j2 (Jinja)",
        "/b/sshd_config.erb (ERB)",
        "/sshd_config-el9.tmpl (Go)",
        "/sshd_config.d/1.conf.j2 (Jinja)",
        "/sshd_config.d/2.conf.epp (EPP)",
        "/sshd_config.in",
        "/sshd_config.template (shell)",
      ],
    ],
    [
      "a main file whatever it says, and a drop-in of one line that only sshd has",
      {
        "/sshd_config": "AllowTcpForwading no\n",
        "/files/99-hardening.conf": "AllowTcpForwarding yes\n",
        "/ssh_config.d/a.conf": "PasswordAuthentication no\n",
      },
      ["/files/99-hardening.conf", "/sshd_config"],
    ],
    [
      "no documentation, code, client's configuration or other people's folders",
      {
        "/docs/sshd_config.md": CLOSED,
        "/tasks/sshd.yml": "- name: PermitRootLogin no\n",
        "/ssh_config": "Host *\n  ForwardAgent no\n",
        "/node_modules/x/sshd_config": CLOSED,
        "/.git/sshd_config": CLOSED,
        "/sshd.service": "[Service]\nExecStart=/usr/sbin/sshd -D\n",
      },
      [],
    ],
  ])("holds %s", (_, files, expected) => {
    expect(foundIn(files)).toEqual(expected);
  });

  it("is never left by a link", () => {
    const outside = makeRoot({ "/sshd_config": CLOSED });
    const root = makeRoot({ "/real/sshd_config": CLOSED });
    symlinkSync(join(outside, "sshd_config"), join(root, "sshd_config"));
    symlinkSync(outside, join(root, "folder"));
    symlinkSync(root, join(root, "loop"));
    symlinkSync("real/sshd_config", join(root, "sshd_config.link"));
    mkdirSync(join(root, "sshd_config.d"));
    expect(findConfigurations(root).found.map(({ path }) => path.slice(root.length))).toEqual([
      "/real/sshd_config",
      "/sshd_config.link",
    ]);
  });
});

describe.skipIf(process.platform !== "linux")("names that are no UTF-8", () => {
  const ODD = "/caf\xe9/sshd_config \xff\xf0\x9f";
  const makeOdd = (): string => {
    const root = makeRoot({});
    mkdirSync(Buffer.from(`${root}/caf\xe9`, "latin1"));
    writeFileSync(Buffer.from(root + ODD, "latin1"), "AllowTcpForwarding yes\n");
    return root;
  };
  const options = ["--openssh", "9.2", "--rule", "tcp-forwarding", "--format", "concise"];

  it("are found in a tree of configuration", () => {
    const root = makeOdd();
    expect(findConfigurations(root).found.map(({ path }) => path)).toEqual([root + ODD]);
    expect(runCli(["audit", "--repo", root, ...options])).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/:1:20: high: /),
    });
  });

  it("are opened when a shell gives them", () => {
    const root = makeOdd();
    // Node.js gives no such argument to a program
    const command = 'file=$(printf %b "$1"); shift; exec "$@" "$file"';
    const octal = "/caf\\0351/sshd_config \\0377\\0360\\0237";
    const cli = [process.execPath, ...COMMAND, "audit", ...options];
    const { status, stdout } = spawnSync("sh", ["-c", command, "sh", root + octal, ...cli], {
      encoding: "utf8",
    });
    expect({ status, stdout }).toEqual({ status: 1, stdout: expect.stringMatching(/:1:20: high: /) });
  });
});

describe("audit --repo", () => {
  it("audits what is plain, a drop-in through its main file, and names templates", () => {
    const root = makeRoot({
      "/one/sshd_config": "Include sshd_config.d/*.conf\n",
      "/one/sshd_config.d/a.conf": "AllowTcpForwarding yes\n",
      "/two/sshd_config.j2": "Port {{ port }}\n",
    });
    const { code, stdout, stderr } = runCli([
      "audit",
      "--repo",
      root,
      "--openssh",
      "9.2",
      "--rule",
      "tcp-forwarding",
      "--format",
      "concise",
    ]);
    expect(code).toBe(1);
    expect(stdout.replaceAll(root, "")).toBe(
      '/one/sshd_config.d/a.conf:1:20: high: everybody may tunnel TCP and unix sockets through this server: "AllowTcpForwarding yes" allows it [tcp-forwarding]\n',
    );
    expect(stderr.replaceAll(root, "")).toBe(
      "sshd-policy: /two/sshd_config.j2: a template (Jinja), not audited: render it, and audit the result\n",
    );
  });

  it("finds drop-ins of the folder itself, named as it is or .", () => {
    const root = makeRoot({ "/sshd_config.d/a.conf": "PermitTunnel yes\n", "/sshd_config": "" });
    const drop = { code: 1, stdout: expect.stringContaining("a.conf:1:14: medium: ") };
    const options = ["--openssh", "9.2", "--rule", "tunnel-device", "--format", "concise"];
    expect(runCli(["audit", "--repo", ".", ...options], { cwd: root })).toMatchObject(drop);
    expect(runCli(["audit", "--repo", ".", ...options], { cwd: `${root}/sshd_config.d` })).toMatchObject(
      drop,
    );
  });

  it.each(["1", "2"])("never takes the host's own file for a folder without any (--jobs %s)", (jobs) => {
    const call = (root: string, ...more: string[]) =>
      runCli(["audit", "--repo", root, "--format", "json", "--jobs", jobs, ...more]);
    const root = makeRoot({ "/x/sshd_config.j2": "Port {{ port }}\n" });
    for (const folder of [root, makeRoot({})]) {
      const { code, stdout } = call(folder);
      expect({ code, findings: JSON.parse(stdout).summary.findings.high }).toEqual({ code: 0, findings: 0 });
    }
    expect(call(root, "--root", root).code).toBe(2);
    expect(call(`${root}/missing`).code).toBe(2);
  });

  it("names files that hold the lines of one", () => {
    const inside = CLOSED.replaceAll(/^/gm, "    ").trimEnd();
    const root = makeRoot({
      "/user-data.yaml": `#cloud-config\nwrite_files:\n- path: /etc/ssh/sshd_config\n  content: |\n${inside}\n`,
      "/Dockerfile.prod": `FROM x\nRUN cat <<E > /etc/ssh/sshd_config\n${CLOSED}E\n`,
      "/configuration.nix": `services.openssh.extraConfig = ''\n${inside}\n'';\n`,
      "/http/ks.cfg": `%post\ncat > /etc/ssh/sshd_config <<E\n${CLOSED}E\n%end\nreboot now\nlang en\n`,
      "/tasks.yml": "- lineinfile:\n    path: /etc/ssh/sshd_config\n    line: PermitRootLogin no\n",
      "/other.yaml": `client: |\n${inside}\n`,
    });
    const { code, stderr } = runCli(["audit", "--repo", root]);
    const told = stderr.replaceAll(`sshd-policy: ${root}`, "").split("\n").slice(0, -1);
    expect(code).toBe(0);
    expect(told.map((line) => line.replace(/: lines of an sshd_config inside another file.*/, ""))).toEqual([
      "/Dockerfile.prod:3",
      "/configuration.nix:2",
      "/http/ks.cfg:3",
      "/user-data.yaml:5",
    ]);
  });

  it("names links that lead out, and folders that cannot be read", () => {
    const outside = makeRoot({ "/sshd_config": CLOSED });
    const root = makeRoot({ "/closed/sshd_config": CLOSED });
    symlinkSync(join(outside, "sshd_config"), join(root, "sshd_config"));
    const plain = runCli(["audit", "--repo", root, "--rule", "tcp-forwarding"]);
    expect({ ...plain, stderr: plain.stderr.replaceAll(root, "") }).toMatchObject({
      code: 0,
      stderr: "sshd-policy: /sshd_config: a link that leads out of , or nowhere: not audited\n",
    });
    if (process.getuid?.() === 0) return;
    chmodSync(join(root, "closed"), 0);
    const { code, stderr } = runCli(["audit", "--repo", root]);
    chmodSync(join(root, "closed"), 0o755);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining("/closed: a folder that cannot be read\n"),
    });
  });

  it("says when there is nothing, and what does not go together", () => {
    const root = makeRoot({ "/README": "nothing\n" });
    expect(runCli(["audit", "--repo", root])).toMatchObject({
      code: 0,
      stderr: `sshd-policy: ${root}: no sshd_config in it\n`,
    });
    expect(runCli(["audit", "--repo", join(root, "missing")]).code).toBe(2);
    expect(runCli(["audit", "--repo", root, "--root", root]).code).toBe(2);
    expect(runCli(["audit", "--repo", root, "file"]).code).toBe(2);
  });
});
