/** What a boot changes of sshd's configuration in a root: systemd-tmpfiles, which is the judge where it is there, and cloud-init. */
import { spawnSync } from "node:child_process";
import { chmodSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { folderTree } from "../src/files/folder.ts";
import type { FileTree } from "../src/files/tree.ts";
import { bootOptions, startOptions } from "../src/start/start-options.ts";
import { makeRoot } from "./auditing.ts";
import { timed } from "./cpu-time.ts";
import { LAB } from "./lab/hosts.ts";
import { testUnless, whyNoFile } from "./needs.ts";
import type { ServerTree } from "./sshd/server-tree.ts";

const MAIN = "/etc/ssh/sshd_config";
const ROOT: ServerTree = {
  [MAIN]: "X11Forwarding no\n",
  "/etc/ssh/sshd_config.d/a.conf": "PermitTunnel no\n",
  "/usr/share/factory/etc/ssh/sshd_config": "PermitTunnel yes\n",
  "/usr/share/factory/etc/ssh/sshd_config.d/b.conf": "PermitTunnel yes\n",
  "/srv/b.conf": "PermitTunnel yes\n",
};
const limitOf = (files: ServerTree): string | null =>
  bootOptions(folderTree(makeRoot({ ...ROOT, ...files }))).limit;

describe("systemd-tmpfiles", () => {
  const isThere = spawnSync("systemd-tmpfiles", ["--version"]).status === 0;

  /** Main file and drop-ins with their content. */
  function seen(root: string): string {
    const ssh = join(root, "etc/ssh");
    const paths = readdirSync(ssh, { recursive: true }).map((path) => join(ssh, String(path)));
    const contentOf = (path: string): string => {
      const entry = statSync(path, { throwIfNoEntry: false });
      if (entry === undefined) return readlinkSync(path);
      return entry.isFile() ? readFileSync(path, "utf8") : "";
    };
    return JSON.stringify(paths.sort().map((path) => [path, contentOf(path)]));
  }

  test.each<[string, boolean]>([
    ["d /etc/ssh/sshd_config.d 0755 root root", false],
    ["z /etc/ssh/sshd_config 0600", false],
    ["L$ /etc/ssh/ssh_config.d/20-x.conf - - - - /usr/lib/x", false],
    ["f^ /etc/ssh/sshd_config 0600 - - - ssh.config", false],
    ["f /etc/ssh/sshd_config.d/b.conf - - - - PermitTunnel yes", true],
    ["f! /etc/ssh/sshd_config.d/b.conf - - - - PermitTunnel yes", true],
    ["f /etc/ssh/sshd_config.d/a.conf - - - - PermitTunnel yes", false],
    ["f+ /etc/ssh/sshd_config.d/a.conf - - - - PermitTunnel yes", true],
    ["f /etc/ssh/sshd_config.d/a.conf", false],
    ["w /etc/ssh/sshd_config - - - - PermitTunnel yes", true],
    ["w+ /etc/ssh/sshd_config.d/*.conf - - - - PermitTunnel yes", true],
    ["w /etc/ssh/sshd_config.d/none.conf - - - - PermitTunnel yes", false],
    ["L /etc/ssh/sshd_config.d/b.conf - - - - /srv/b.conf", true],
    ["L /etc/ssh/sshd_config - - - - /srv/b.conf", false],
    ["L+ /etc/ssh/sshd_config - - - - /srv/b.conf", true],
    ["C /etc/ssh/sshd_config.d/b.conf - - - - /srv/b.conf", true],
    ["C /etc/ssh/sshd_config.d/b.conf - - - - /not/there", false],
    ["C /etc/ssh/sshd_config.d/b.conf", true],
    ["C /etc/ssh/sshd_config", false],
    ["r /etc/ssh/sshd_config.d/*.conf", true],
    ["R! /etc/ssh/sshd_config.d", true],
    ["r /etc/ssh/sshd_config.d/*.bak", false],
    ["D /etc/ssh/sshd_config.d 0755", true],
    ["D! /etc/ssh 0755", true],
    ["D /etc/other.d 0755", false],
    ['"w" "/etc/ssh/sshd_config" - - - - "x"', true],
    ["# w /etc/ssh/sshd_config - - - - x", false],
    ["w /etc/motd - - - - x", false],
  ])("%s", (line, changes) => {
    const files = { "/usr/lib/tmpfiles.d/x.conf": `d /run/sshd 0755\n${line}\n` };
    const root = makeRoot({ ...ROOT, ...files });
    const limit = bootOptions(folderTree(root)).limit;
    expect(limit !== null).toBe(changes);
    if (changes) expect(limit).toMatch(/^\/usr\/lib\/tmpfiles\.d\/x\.conf changes \/etc\/ssh\/sshd_config/);
    if (!isThere) return;
    const before = seen(root);
    spawnSync("systemd-tmpfiles", [`--root=${root}`, "--boot", "--remove", "--create"]);
    expect(seen(root) !== before).toBe(changes);
  });

  test("a file in /etc hides that of the vendor, and a link to /dev/null does", () => {
    const vendor = { "/usr/lib/tmpfiles.d/x.conf": `w ${MAIN} - - - - x\n` };
    expect(limitOf(vendor)).toContain("x.conf changes");
    expect(limitOf({ ...vendor, "/etc/tmpfiles.d/x.conf": "" })).toBeNull();
    expect(limitOf({ ...vendor, "/etc/tmpfiles.d/x.conf": { link: "/dev/null" } })).toBeNull();
  });

  test.each([
    ["many lines", "w /etc/ssh/*/*\n".repeat(3_000_000)],
    ["a long path", `w /etc/ssh/${"a".repeat(30_000_000)}\n`],
    ["slashes", `w /etc/ssh${"/".repeat(900_000)}x\n`],
    ["many patterns", Array.from({ length: 40_000 }, (_, index) => `w /etc/ssh/*/*${index}\n`).join("")],
  ])("%s end within seconds", (_, text) => {
    const { result, cpuSeconds } = timed(() => limitOf({ "/etc/tmpfiles.d/x.conf": text }));
    expect(result ?? "").toMatch(/^$|x\.conf runs more than is read, which may change/);
    expect(cpuSeconds).toBeLessThan(15);
  });

  test("on a live host it was done already", () => {
    const root = makeRoot({ ...ROOT, "/etc/tmpfiles.d/x.conf": `w ${MAIN} - - - - x\n` });
    expect(startOptions(folderTree(root)).limit).toBeNull();
  });
});

describe("cloud-init", () => {
  const CFG = "/etc/cloud/cloud.cfg.d/99.cfg";
  const OWN = "/etc/ssh/sshd_config.d/50-cloud-init.conf";

  test.each<[string, string | null]>([
    ["ssh_pwauth: true\n", OWN],
    ["ssh_pwauth: '1'\n", OWN],
    ["ssh_pwauth:   false\n", null],
    ["ssh_pwauth: 0\n", null],
    ["ssh_pwauth: unchanged\n", null],
    ["#ssh_pwauth: true\ndisable_root: true\nssh_deletekeys: true\n", null],
    [`write_files:\n- content: |\n    PermitTunnel yes\n  path: ${MAIN}\n`, MAIN],
    [`write_files:\n  - path: "/etc/ssh/sshd_config.d/x.conf"\n`, "/etc/ssh/sshd_config.d/x.conf"],
    [`write_files: [{content: x, path: ${MAIN}}]\n`, MAIN],
    [`write_files:\n- path: /etc/motd\nother:\n  path: ${MAIN}\n`, null],
    [`runcmd:\n  - sed -i s/no/yes/ ${MAIN}\n  - systemctl restart ssh\n`, MAIN],
    [`runcmd:\n- [sed, -i, "s/no/yes/", ${MAIN}]\n`, MAIN],
    [`bootcmd:\n - - sed\n   - -i\n   - s/no/yes/\n   - ${MAIN}\n`, MAIN],
    [`runcmd:\n- |\n  cd /etc/ssh\n  echo PermitTunnel yes >> sshd_config\n`, MAIN],
    [`runcmd:\n- "echo 'PermitTunnel yes' > ${MAIN}"\n`, MAIN],
    [`runcmd:\n- grep -q x ${MAIN}\n- systemctl reload ssh\n`, null],
    [`packages: [openssh-server]\nusers:\n- default\n`, null],
  ])("%j", (text, file) => {
    for (const [path, head] of [
      [CFG, ""],
      ["/var/lib/cloud/seed/nocloud/user-data", "#cloud-config\n"],
    ] as const) {
      const limit = limitOf({ [path]: head + text });
      if (file === null) expect(limit).toBeNull();
      else expect(limit).toContain(`${path} changes ${file} before sshd reads it`);
    }
  });

  test("a script that an image brings as its user data", () => {
    const path = "/var/lib/cloud/seed/nocloud-net/user-data";
    expect(limitOf({ [path]: `#!/bin/sh\necho x >>${MAIN}\n` })).toContain(`${path} changes ${MAIN}`);
  });

  test.each<[string, boolean]>([
    ["#include\nhttps://host/x\n", true],
    ['Content-Type: multipart/mixed; boundary="x"\n\n--x\n', true],
    ["\x1f\x8b", true],
    ["#cloud-config-archive\n", true],
    ["#cloud-config\n", false],
    ["#cloud-config", false],
    ["\n## template: jinja\n#cloud-config\npackages: [git]\n", false],
    ["#!/bin/sh\n", false],
    ["\n", false],
    ["", false],
  ])("user data of another kind is a limit: %j %s", (text, isLimit) => {
    const limit = limitOf({ "/var/lib/cloud/seed/nocloud/user-data": text }) ?? "";
    expect(limit.includes("user data of another kind than #cloud-config")).toBe(isLimit);
  });

  test("many commands, and long files, end within seconds and are a limit", () => {
    const script = { "/x.sh": "a\n".repeat(4000) };
    const many = timed(() => limitOf({ ...script, [CFG]: `runcmd:\n${"- sh /x.sh\n".repeat(20_000)}` }));
    expect(many.result).toContain(`${CFG} runs more than is followed, which may change ${MAIN}`);
    const long = timed(() => limitOf({ [CFG]: `runcmd:\n${"- a\n".repeat(1_000_000)}` }));
    expect(long.result).toContain("more than is read");
    expect(many.cpuSeconds + long.cpuSeconds).toBeLessThan(15);
  });

  test("the last ssh_pwauth counts, and what is written already changes nothing", () => {
    const first = { "/etc/cloud/cloud.cfg": "ssh_pwauth: true\n" };
    expect(limitOf(first)).toContain("/etc/cloud/cloud.cfg changes");
    expect(limitOf({ ...first, [CFG]: "ssh_pwauth: false\n" })).toBeNull();
    expect(limitOf({ ...first, [OWN]: "PasswordAuthentication yes\n" })).toBeNull();
    expect(limitOf({ ...first, "/etc/cloud/cloud-init.disabled": "" })).toBeNull();
  });
});

describe("Ignition", () => {
  const USER = "/usr/lib/ignition/user.ign";
  const storage = (files: object): string =>
    JSON.stringify({ ignition: { version: "3.4.0" }, storage: files });

  test.each<[string, string, string | null]>([
    [USER, storage({ files: [{ path: MAIN, contents: { source: "data:,x" } }] }), `changes ${MAIN}`],
    [
      USER,
      storage({ links: [{ path: "/etc/ssh/sshd_config.d/a.conf", target: "/x" }] }),
      "changes /etc/ssh/sshd_config.d/a.conf",
    ],
    [USER, storage({ files: [{ path: "/etc//ssh/../ssh/sshd_config" }] }), `changes ${MAIN}`],
    [USER, storage({ links: [{ path: "/etc/ssh", target: "/x" }] }), `changes ${MAIN}`],
    [
      USER,
      storage({ links: [{ path: "/etc/ssh/sshd_config.d/", target: "/x" }] }),
      "changes /etc/ssh/sshd_config.d/*.conf",
    ],
    [
      USER,
      JSON.stringify({
        systemd: { units: [{ name: "a.service", contents: `ExecStart=sed -i s/no/yes/ ${MAIN}` }] },
      }),
      "runs its own a.service",
    ],
    ["/usr/lib/ignition/base.d/10.ign", storage({ files: [{ path: MAIN }] }), `changes ${MAIN}`],
    [USER, storage({ files: [{ path: "/etc/motd" }] }), null],
    [
      USER,
      JSON.stringify({ systemd: { units: [{ name: "sshd.service", contents: "x" }] } }),
      "runs its own sshd.service",
    ],
    [USER, JSON.stringify({ systemd: { units: [{ name: "app.service" }] } }), null],
    [
      USER,
      JSON.stringify({
        systemd: { units: [{ name: "keys.service", contents: "ExecStart=x /etc/ssh/ssh_host_rsa_key" }] },
      }),
      null,
    ],
    [
      USER,
      JSON.stringify({ ignition: { config: { merge: [{ source: "https://host/x" }] } } }),
      "runs what Ignition fetches",
    ],
    [USER, "{", null],
    [
      USER,
      JSON.stringify({ storage: { files: 1, links: [null, { path: 1 }] }, systemd: [], ignition: null }),
      null,
    ],
  ])("%s %s", (path, text, said) => {
    const limit = limitOf({ [path]: text });
    if (said === null) expect(limit).toBeNull();
    else expect(limit).toContain(`${path} ${said}`);
    expect(limitOf({ [path]: text, "/etc/.ignition-result.json": "{}" })).toBeNull();
  });
});

describe("systemd-confext", () => {
  test.each<[string, string | null]>([
    ["/var/lib/confexts/a/etc/ssh/sshd_config", `changes ${MAIN}`],
    ["/usr/lib/confexts/a/etc/ssh/sshd_config.d/b.conf", "changes /etc/ssh/sshd_config.d/b.conf"],
    ["/var/lib/confexts/a.raw", "runs what systemd-confext(8) lays over /etc"],
    ["/var/lib/confexts/a/etc/ssh/moduli", null],
    ["/var/lib/confexts/a/etc/motd", null],
    ["/var/lib/confexts/README", null],
  ])("%s", (path, said) => {
    const limit = limitOf({ [path]: "x\n" });
    if (said === null) expect(limit).toBeNull();
    else expect(limit).toContain(`${path.replace(/\/etc\/.*/, "")} ${said}`);
  });
});

describe("what administrators wrote themselves", () => {
  const executable = (files: ServerTree, path: string): FileTree => {
    const root = makeRoot({ ...ROOT, ...files });
    chmodSync(join(root, path), 0o755);
    return folderTree(root);
  };

  test.each(["/etc/rc.local", "/etc/rc.d/rc.local", "/etc/local.d/a.start"])("%s", (path) => {
    const text = `#!/bin/sh\nsed -i s/no/yes/ ${MAIN}\nservice ssh restart\n`;
    expect(bootOptions(executable({ [path]: text }, path)).limit).toContain(`${path} changes ${MAIN}`);
    expect(limitOf({ [path]: text })).toBeNull();
    const other = `#!/bin/sh -e\n/usr/sbin/sshd -f /srv/b.conf -o PermitTunnel=yes\nexit 0\n`;
    expect(bootOptions(executable({ [path]: other }, path))).toMatchObject({
      limit: null,
      others: [{ configFile: "/srv/b.conf", options: ["PermitTunnel=yes"], source: path }],
    });
  });

  const ETC = "/etc/systemd/system";
  const SSH = { "/usr/lib/systemd/system/ssh.service": "[Service]\nExecStart=/usr/sbin/sshd -D\n" };
  test.each<[string, string, string | null]>([
    ["multi-user.target.wants", `ExecStart=/bin/sed -i s/no/yes/ ${MAIN}`, `changes ${MAIN}`],
    ["ssh.service.requires", "ExecStart=/usr/local/bin/first-boot", "changes /etc/ssh/sshd_config.d/a.conf"],
    [
      "default.target.upholds",
      `ExecStart=/bin/true\nExecStartPost=/bin/cp /srv/b.conf ${MAIN}`,
      `changes ${MAIN}`,
    ],
    ["multi-user.target.wants", `ExecStart=/bin/cat ${MAIN}`, null],
  ])("a unit of another name in %s: %s", (folder, line, said) => {
    const unit = {
      ...SSH,
      [`${ETC}/app.service`]: `[Service]\nType=oneshot\n${line}\n`,
      "/usr/local/bin/first-boot": "#!/bin/sh\necho x >>/etc/ssh/sshd_config.d/a.conf\n",
    };
    const files = { ...unit, [`${ETC}/${folder}/app.service`]: { link: "../app.service" } };
    if (said === null) expect(limitOf(files)).toBeNull();
    else expect(limitOf(files)).toContain(said);
    expect(limitOf(unit)).toBeNull();
  });

  test("a unit of another name starts another sshd", () => {
    const files = {
      ...SSH,
      [`${ETC}/jump.service`]: "[Service]\nExecStart=/opt/jump/start -D\n",
      [`${ETC}/default.target.wants/jump.service`]: { link: "../jump.service" },
      "/opt/jump/start": '#!/bin/sh\nexec /usr/sbin/sshd -f /srv/b.conf "$@"\n',
    };
    expect(startOptions(folderTree(makeRoot({ ...ROOT, ...files })))).toMatchObject({
      configFile: null,
      others: [{ configFile: "/srv/b.conf", source: "/opt/jump/start" }],
    });
  });
});

describe.each(["bookworm", "trixie", "bullseye"])("%s as it is installed", (name) => {
  const root = join(LAB, name);
  testUnless(whyNoFile(root), "changes nothing", () => {
    expect(bootOptions(folderTree(root)).limit).toBeNull();
  });
});
