/** What a tree says of itself: the installed OpenSSH server and its accounts. */
import { describe, expect, test } from "vitest";
import { formatRelease } from "../grammar/release.ts";
import { accountsOf, furtherAccountSources, readAccounts } from "../src/files/accounts.ts";
import { folderTree } from "../src/files/folder.ts";
import { installedRelease, releaseOfBinary } from "../src/files/release.ts";
import { sshdPrograms } from "../src/files/vendor-place.ts";
import type { StartOptions } from "../src/start/sshd-options.ts";
import { startOptions } from "../src/start/start-options.ts";
import { makeRoot } from "./auditing.ts";
import type { ServerTree } from "./sshd/server-tree.ts";

const NO_OPTIONS: StartOptions = { options: [], configFile: null, source: null, limit: null };

const stanza = (name: string, status: string, version: string): string =>
  `Package: ${name}\nStatus: ${status}\nVersion: ${version}\nDescription: x\n Package: openssh-server\n`;

describe("installedRelease", () => {
  test.each([
    [
      "dpkg",
      {
        "/var/lib/dpkg/status": [
          stanza("openssh-client", "install ok installed", "1:9.9p1-1"),
          stanza("openssh-server", "install ok installed", "1:9.2p1-2+deb12u3"),
        ].join("\n"),
      },
      "1:9.2p1-2+deb12u3",
    ],
    [
      "removed, its configuration left",
      { "/var/lib/dpkg/status": stanza("openssh-server", "deinstall ok config-files", "1:9.2p1-2") },
      null,
    ],
    [
      "apk",
      { "/lib/apk/db/installed": "C:x\nP:openssh-server\nV:9.9_p2-r0\n\nP:musl\nV:1.2\n" },
      "9.9_p2-r0",
    ],
    ["apk below /usr", { "/usr/lib/apk/db/installed": "P:openssh-server\nV:10.2_p1-r0\n" }, "10.2_p1-r0"],
    [
      "dpkg's files of images without dpkg",
      { "/var/lib/dpkg/status.d/openssh-server": "Package: openssh-server\nVersion: 1:9.2p1-2+deb12u3\n" },
      "1:9.2p1-2+deb12u3",
    ],
    ["pacman", { "/var/lib/pacman/local/openssh-9.9p2-1/desc": "" }, "9.9p2"],
    ["none", { "/etc/os-release": "ID=x\n" }, null],
  ])("%s", (_, files, expected) => {
    const installed = installedRelease(folderTree(makeRoot(files)));
    expect(installed === null ? null : formatRelease(installed.release)).toBe(expected);
  });
});

test.each([
  ["ID=fedora\n", "9.6p1+fedora"],
  ['NAME=x\nID="rocky"\n', "9.6p1+rhel"],
  ["ID='ubuntu'\n", "9.6p1+ubuntu"],
  ["ID=nobody\n", "9.6p1"],
])("the vendor of a program's release, by os-release(5): %j", (text, expected) => {
  const tree = folderTree(makeRoot({ "/etc/os-release": text, "/usr/sbin/sshd": "\0OpenSSH_9.6p1\0" }));
  const installed = releaseOfBinary(tree, sshdPrograms(tree));
  expect(installed === null ? null : formatRelease(installed.release)).toBe(expected);
});

describe("accounts", () => {
  test("groups: the primary first, gids without a name left out, the first line of a name counts", () => {
    const passwd =
      "alice:x:1000:100::/home/alice:/bin/bash\nbob:x:1001:999::/:\nalice:x:0:0::/:/bin/sh\n# junk\n+::::::\n";
    const group = "users:x:100:\nwheel:x:10:alice,carol\nextra:x:11:alice\n";
    expect(readAccounts([passwd, group])).toEqual([
      {
        name: "alice",
        uid: 1000,
        gid: 100,
        home: "/home/alice",
        shell: "/bin/bash",
        groups: ["users", "wheel", "extra"],
      },
      { name: "bob", uid: 1001, gid: 999, home: "/", shell: "/bin/sh", groups: [] },
    ]);
  });

  test("a tree without passwd has none that are known", () => {
    expect(accountsOf(folderTree(makeRoot({ "/x": "" })))).toBeNull();
  });

  test("sources beyond the files are named", () => {
    const root = makeRoot({
      "/etc/nsswitch.conf":
        "passwd: files systemd sss # ldap\ngroup: files [NOTFOUND=return] ldap\nhosts: dns\n",
    });
    expect(furtherAccountSources(folderTree(root))).toEqual(["sss", "ldap"]);
  });

  test.each<[string, Readonly<Record<string, string>>, readonly string[]]>([
    ["  passwd : files winbind\r\n", {}, ["winbind"]],
    ["passwd: files\ngroup: files\ninitgroups: files sss\n", {}, ["sss"]],
    ["passwd: compat\n", { "/etc/passwd": "root:x:0:0::/:/bin/sh\n+@staff::::::\n" }, ["compat"]],
    ["passwd: compat\npasswd_compat: ldap\n", { "/etc/group": "+:::\n" }, ["compat", "ldap"]],
    ["passwd: files systemd\n", { "/var/lib/systemd/home/ann.identity": "{}" }, ["systemd"]],
    ["passwd: files systemd\n", { "/etc/userdb/ann.user": "{}" }, ["systemd"]],
    ["passwd: files systemd\n", { "/etc/userdb/README": "" }, []],
    ["group: files systemd\n", { "/etc/userdb/ann:wheel.membership": "{}" }, ["systemd"]],
    ["group: files systemd\n", { "/usr/lib/userdb/wheel.group": "{}" }, ["systemd"]],
  ])("%j with %j", (text, files, expected) => {
    const root = makeRoot({ "/etc/nsswitch.conf": text, ...files });
    expect(furtherAccountSources(folderTree(root))).toEqual(expected);
  });
});

const SETTINGS = "if test -f /etc/default/ssh; then\n    . /etc/default/ssh\nfi\n";
const SYSV =
  "\tif start-stop-daemon --start --quiet --oknodo --chuid 0:0 --pidfile /run/sshd.pid --exec /usr/sbin/sshd";

describe("startOptions", () => {
  const unit = (exec: string): string => `[Service]\nEnvironmentFile=-/etc/default/ssh\nExecStart=${exec}\n`;
  const UNIT = "/usr/lib/systemd/system/ssh.service";

  test.each<[string, ServerTree, Omit<StartOptions, "limit">]>([
    [
      "Debian's unit with $SSHD_OPTS",
      {
        [UNIT]: unit("/usr/sbin/sshd -D $SSHD_OPTS"),
        "/etc/default/ssh": 'SSHD_OPTS="-o AllowTcpForwarding=yes -p 2222 -oGatewayPorts=yes"\n',
      },
      {
        options: ["AllowTcpForwarding=yes", "Port=2222", "GatewayPorts=yes"],
        configFile: null,
        source: "/etc/default/ssh",
      },
    ],
    [
      "a drop-in that replaces the command",
      {
        [UNIT]: unit("/usr/sbin/sshd -D"),
        "/etc/systemd/system/ssh.service.d/x.conf":
          "[Service]\nExecStart=\nExecStart=-/usr/sbin/sshd -Df '/etc/ssh/own config'\n",
      },
      { options: [], configFile: "/etc/ssh/own config", source: "/etc/systemd/system/ssh.service.d/x.conf" },
    ],
    [
      "nothing set",
      { [UNIT]: unit("/usr/sbin/sshd -D $SSHD_OPTS"), "/etc/default/ssh": "SSHD_OPTS=\n" },
      NO_OPTIONS,
    ],
    ["no service manager", { "/etc/ssh/sshd_config": "" }, NO_OPTIONS],
    // systemd-analyze verify of 252 agrees with the next five
    [
      "blanks around =, comments that end in a backslash, comments between joined lines",
      {
        [UNIT]:
          "[Service]\n# the options \\\nExecStart = /usr/sbin/sshd -D \\\n  # of this host\n ; only\n  -o GatewayPorts=yes\n",
      },
      { options: ["GatewayPorts=yes"], configFile: null, source: UNIT },
    ],
    [
      "a drop-in of the other name of the unit",
      {
        [UNIT]: unit("/usr/sbin/sshd -D"),
        "/etc/systemd/system/sshd.service": { link: UNIT },
        "/etc/systemd/system/sshd.service.d/x.conf":
          "[Service]\nExecStart=\nExecStart=/usr/sbin/sshd -D -o PermitTunnel=yes\n",
      },
      {
        options: ["PermitTunnel=yes"],
        configFile: null,
        source: "/etc/systemd/system/sshd.service.d/x.conf",
      },
    ],
    [
      "a drop-in of a name that is not the unit's",
      {
        [UNIT]: unit("/usr/sbin/sshd -D"),
        "/etc/systemd/system/sshd.service.d/x.conf":
          "[Service]\nExecStart=\nExecStart=/usr/sbin/sshd -D -o PermitTunnel=yes\n",
      },
      NO_OPTIONS,
    ],
    [
      "a drop-in of all services, CRLF",
      {
        [UNIT]: unit("/usr/sbin/sshd -D"),
        "/etc/systemd/system/service.d/x.conf":
          "[Service]\r\nExecStart=\r\nExecStart=/usr/sbin/sshd -D -o PermitTunnel=yes\r\n",
      },
      { options: ["PermitTunnel=yes"], configFile: null, source: "/etc/systemd/system/service.d/x.conf" },
    ],
    [
      "C escapes",
      { [UNIT]: unit("/usr/sbin/sshd -D -o\\x20AllowTcpForwarding\\075yes \\x2doGatewayPorts=yes") },
      { options: [" AllowTcpForwarding=yes", "GatewayPorts=yes"], configFile: null, source: UNIT },
    ],
    [
      "%% is a %, and % in a variable is one, too",
      {
        [UNIT]: unit("/usr/sbin/sshd -D -oBanner=/a%% $SSHD_OPTS"),
        "/etc/default/ssh": "SSHD_OPTS=-oVersionAddendum=100%\n",
      },
      { options: ["Banner=/a%", "VersionAddendum=100%"], configFile: null, source: "/etc/default/ssh" },
    ],
    [
      "variables that are left as they are written",
      { [UNIT]: unit(":/usr/sbin/sshd -D $SSHD_OPTS"), "/etc/default/ssh": "SSHD_OPTS=-p 23\n" },
      NO_OPTIONS,
    ],
    ["another command behind ;", { [UNIT]: unit("/usr/sbin/sshd -D ; /usr/sbin/sshd -p 23") }, NO_OPTIONS],
    [
      "keys have their case",
      { [UNIT]: "[Service]\nExecStart=/usr/sbin/sshd -D\nEXECSTART=/usr/sbin/sshd -o PermitTunnel=yes\n" },
      NO_OPTIONS,
    ],
    [
      "behind a shell, which puts variables in",
      {
        [UNIT]: unit("/bin/sh -c 'umask 077; exec /usr/sbin/sshd -D $SSHD_OPTS'"),
        "/etc/default/ssh": "SSHD_OPTS='-o GatewayPorts=yes'\n",
      },
      { options: ["GatewayPorts=yes"], configFile: null, source: "/etc/default/ssh" },
    ],
    // systemd.exec(5)
    [
      "a file of the environment wins over a later Environment=",
      {
        [UNIT]: unit("/usr/sbin/sshd -D $SSHD_OPTS"),
        "/etc/default/ssh": "SSHD_OPTS=-oGatewayPorts=yes\n",
        "/etc/systemd/system/ssh.service.d/x.conf":
          "[Service]\nEnvironment=SSHD_OPTS=-oDisableForwarding=yes\n",
      },
      { options: ["GatewayPorts=yes"], configFile: null, source: "/etc/default/ssh" },
    ],
    [
      "a later Environment= wins over an earlier one",
      {
        [UNIT]: `${unit("/usr/sbin/sshd -D $MORE")}Environment=MORE=-oGatewayPorts=no\nEnvironment=MORE=-oGatewayPorts=yes\n`,
      },
      { options: ["GatewayPorts=yes"], configFile: null, source: UNIT },
    ],
    [
      "an empty EnvironmentFile= takes the files back, an empty Environment= the variables",
      {
        [UNIT]: `${unit("/usr/sbin/sshd -D $SSHD_OPTS $MORE")}Environment=MORE=-oDisableForwarding=yes\n`,
        "/etc/default/ssh": "SSHD_OPTS=-oDisableForwarding=yes\n",
        "/etc/systemd/system/ssh.service.d/x.conf": "[Service]\nEnvironmentFile=\nEnvironment=\n",
      },
      NO_OPTIONS,
    ],
    [
      "a file of the environment is no shell script: export is not understood",
      {
        [UNIT]: unit("/usr/sbin/sshd -D $SSHD_OPTS"),
        "/etc/default/ssh": "export SSHD_OPTS=-oDisableForwarding=yes\n",
      },
      NO_OPTIONS,
    ],
    [
      "values on several lines, quoted and joined",
      {
        [UNIT]: unit("/usr/sbin/sshd -D $SSHD_OPTS"),
        "/etc/default/ssh": "; x\nSSHD_OPTS=\"-o GatewayPorts=yes \\\n-o PermitTunnel=yes\" ' -p 22'\n",
      },
      {
        options: ["GatewayPorts=yes", "PermitTunnel=yes", "Port=22"],
        configFile: null,
        source: "/etc/default/ssh",
      },
    ],
    [
      "an sshd for each connection of a socket",
      {
        [UNIT]: unit("/usr/sbin/sshd -D -o DisableForwarding=yes"),
        "/usr/lib/systemd/system/ssh.socket": "[Socket]\nListenStream=22\nAccept=yes\n",
        "/usr/lib/systemd/system/ssh@.service":
          "[Service]\nExecStart=-/usr/sbin/sshd -i -o GatewayPorts=yes\n",
        "/etc/systemd/system/sockets.target.wants/ssh.socket": { link: "/usr/lib/systemd/system/ssh.socket" },
      },
      { options: ["GatewayPorts=yes"], configFile: null, source: "/usr/lib/systemd/system/ssh@.service" },
    ],
    [
      "OpenRC",
      { "/etc/conf.d/sshd": "# x\ncommand_args='-o X11Forwarding=no'\n" },
      { options: ["X11Forwarding=no"], configFile: null, source: "/etc/conf.d/sshd" },
    ],
    [
      "OpenRC's other file",
      { "/etc/conf.d/sshd": 'SSHD_CONFDIR="/srv/ssh"\nSSHD_OPTS="-u0"\n' },
      { options: [], configFile: "/srv/ssh/sshd_config", source: "/etc/conf.d/sshd" },
    ],
    [
      "Red Hat's settings without a unit",
      {
        "/etc/init.d/sshd":
          "SSHD=/usr/sbin/sshd\n[ -f /etc/sysconfig/sshd ] && . /etc/sysconfig/sshd\n$SSHD $OPTIONS && success\n",
        "/etc/sysconfig/sshd": 'OPTIONS="-p 2222"\n',
      },
      { options: ["Port=2222"], configFile: null, source: "/etc/sysconfig/sshd" },
    ],
    [
      "Debian's script, as it is packaged",
      {
        "/etc/init.d/ssh": `${SETTINGS}${SYSV} -- $SSHD_OPTS; then\n:; fi`,
        "/etc/default/ssh": "SSHD_OPTS='-o GatewayPorts=no'\n",
      },
      { options: ["GatewayPorts=no"], configFile: null, source: "/etc/default/ssh" },
    ],
    [
      "options that somebody wrote into the script",
      {
        "/etc/init.d/ssh": `${SETTINGS}EXTRA="-p 22022"\n${SYSV} -- -o PermitTunnel=yes \\\n  $EXTRA $SSHD_OPTS; then\n:; fi`,
        "/etc/default/ssh": "SSHD_OPTS='-o GatewayPorts=no'\n",
      },
      {
        options: ["PermitTunnel=yes", "Port=22022", "GatewayPorts=no"],
        configFile: null,
        source: "/etc/init.d/ssh",
      },
    ],
    [
      "a start line that is a comment",
      {
        "/etc/init.d/ssh":
          "# start-stop-daemon --start --exec /usr/sbin/sshd -- -o PermitTunnel=yes\n/usr/sbin/sshd\n",
      },
      NO_OPTIONS,
    ],
    [
      "FreeBSD",
      { "/etc/rc.conf": 'sshd_enable="YES"\nsshd_flags="-o PermitTunnel=no"\n' },
      { options: ["PermitTunnel=no"], configFile: null, source: "/etc/rc.conf" },
    ],
  ])("%s", (_, files, expected) => {
    expect(startOptions(folderTree(makeRoot(files)))).toEqual({ ...expected, limit: null });
  });

  test.each([
    [
      "/opt/start-ssh --fast",
      `${UNIT} runs /opt/start-ssh, which is not there: options that it gives sshd are not read`,
    ],
    [
      "/usr/sbin/sshd -D -o PermitOpen=%H:22",
      `${UNIT} starts sshd with options that have a % specifier: they are not read`,
    ],
    [
      "/bin/sh -c 'exec /usr/sbin/sshd -D $(cat /etc/ssh/options)'",
      `${UNIT} starts sshd with options that a shell computes: they are not read`,
    ],
    ["/usr/sbin/sshd -D -o VersionAddendum=100%%", null],
    ["/opt/openssh/sbin/sshd-10 -D", null],
    ["/usr/bin/numactl -N 0 /usr/sbin/sshd -D", null],
  ])("what can't be followed is a limit: %s", (command, limit) => {
    expect(startOptions(folderTree(makeRoot({ [UNIT]: unit(command) }))).limit).toBe(limit);
  });
});
