// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are systemd's variables
/** What units with their drop-ins and environment files give sshd; a booted systemd is the judge. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { folderTree } from "../src/files/folder.ts";
import type { FileTree } from "../src/files/tree.ts";
import { socketUnit } from "../src/start/socket-unit.ts";
import { readOptions } from "../src/start/sshd-options.ts";
import { startOptions } from "../src/start/start-options.ts";
import { makeRoot } from "./auditing.ts";
import { layerHost } from "./lab/hosts.ts";
import { whenBootable } from "./lab/sharing.ts";
import type { ServerTree } from "./sshd/server-tree.ts";

const VENDOR = "/usr/lib/systemd/system";
const ETC = "/etc/systemd/system";
const SSHD = "/usr/local/bin/sshd";

const service = (...lines: readonly string[]): string => `[Service]\nType=oneshot\n${lines.join("\n")}\n`;
const start = (words: string): string => service(`ExecStart=${SSHD} ${words}`);
const unit = (...lines: readonly string[]): ServerTree => ({ [`${VENDOR}/ssh.service`]: service(...lines) });
const withFile = (text: string, words = "-D $OPTS"): ServerTree => ({
  ...unit("EnvironmentFile=-/etc/default/ssh", `ExecStart=${SSHD} ${words}`),
  "/etc/default/ssh": text,
});
const withOptions = (assignment: string, words = "-D $OPTS"): ServerTree =>
  unit(`Environment=${assignment}`, `ExecStart=${SSHD} ${words}`);
const vendor = start("-D -o PermitTunnel=no");

const CASES: Readonly<Record<string, ServerTree>> = {
  "the administrator's file instead of the vendor's": {
    [`${VENDOR}/ssh.service`]: vendor,
    [`${ETC}/ssh.service`]: start("-D -o PermitTunnel=yes"),
  },
  "masked by a link": {
    [`${VENDOR}/ssh.service`]: vendor,
    [`${ETC}/ssh.service`]: { link: "/dev/null" },
  },
  "masked by an empty file": { [`${VENDOR}/ssh.service`]: vendor, [`${ETC}/ssh.service`]: "" },
  "a drop-in of an alias": {
    [`${VENDOR}/ssh.service`]: vendor,
    [`${ETC}/sshd.service`]: { link: `${VENDOR}/ssh.service` },
    [`${ETC}/sshd.service.d/a.conf`]: `[Service]\nExecStart=\nExecStart=${SSHD} -o PermitTunnel=yes\n`,
  },
  "a drop-in of an alias of a unit that the administrator copied": {
    [`${VENDOR}/ssh.service`]: vendor,
    [`${ETC}/ssh.service`]: vendor,
    [`${ETC}/sshd.service`]: { link: `${VENDOR}/ssh.service` },
    [`${ETC}/sshd.service.d/a.conf`]: `[Service]\nExecStart=\nExecStart=${SSHD} -o PermitTunnel=yes\n`,
  },
  "a drop-in hidden by a link": {
    ...unit("Environment=OPTS=-oPermitTunnel=no", `ExecStart=${SSHD} $OPTS`),
    [`${VENDOR}/ssh.service.d/a.conf`]: "[Service]\nEnvironment=OPTS=-oPermitTunnel=yes\n",
    [`${ETC}/ssh.service.d/a.conf`]: { link: "/dev/null" },
  },
  "a drop-in of all services": {
    ...unit("Environment=OPTS=-oPermitTunnel=no", `ExecStart=${SSHD} $OPTS`),
    [`${ETC}/ssh.service.d/b.conf`]: "[Service]\nEnvironment=OPTS=-oPermitTunnel=yes\n",
    [`${ETC}/ssh.service.d/c`]: "[Service]\nEnvironment=OPTS=-oX11Forwarding=no\n",
  },
  "sections that are not read": {
    [`${VENDOR}/ssh.service`]: `${vendor}[X-Old]\nExecStart=\nExecStart=${SSHD} -o PermitTunnel=yes\n[Install]\nExecStart=${SSHD} -o X11Forwarding=no\n`,
  },
  "sections without blanks": {
    [`${VENDOR}/ssh.service`]: `  [Service]  \n  Type = oneshot\n\tExecStart\t=\t${SSHD} -o PermitTunnel=yes  \n`,
  },
  "joined lines": unit(`ExecStart=${SSHD} -D \\`, "# a comment -o X11Forwarding=no", "  -o PermitTunnel=yes"),
  "a blank behind the backslash": unit(
    `ExecStart=${SSHD} -D -o Banner=\\ `,
    "Environment=OPTS=-oPermitTunnel=yes",
  ),
  "two backslashes": unit(`ExecStart=${SSHD} -o Banner=a\\\\`, "Environment=x=y"),
  "an empty line behind the backslash": unit(`ExecStart=${SSHD} -D \\`, "", "  -o PermitTunnel=yes"),
  "carriage returns": { [`${VENDOR}/ssh.service`]: vendor.replaceAll("\n", "\r\n") },
  "a carriage return within": unit(`ExecStart=${SSHD} -D\r-o PermitTunnel=yes`),
  "quotes without an end": unit(
    `ExecStart=${SSHD} -o PermitTunnel=yes`,
    `ExecStart=${SSHD} -o "PermitTunnel=no`,
  ),
  "quotes without an end before it": unit(
    "ExecStartPre=/bin/echo 'a",
    `ExecStart=${SSHD} -D -o PermitTunnel=yes`,
  ),
  "quotes without an end behind it": unit(
    `ExecStart=${SSHD} -D -o PermitTunnel=yes`,
    "ExecStopPost=/bin/echo 'a",
  ),
  "quotes without an end in what reloads it": unit(
    `ExecStart=${SSHD} -D -o PermitTunnel=yes`,
    "ExecReload=/bin/echo 'a",
  ),
  "quotes without an end that may fail": unit(
    `ExecStart=${SSHD} -o PermitTunnel=yes`,
    `ExecStart=-${SSHD} -o "PermitTunnel=no`,
  ),
  "an assignment without an end": unit(
    "Environment=OPTS=-oPermitTunnel=yes",
    'Environment="OPTS=-oPermitTunnel=no',
    `ExecStart=${SSHD} $OPTS`,
  ),
  "another name for it": unit(`ExecStart=@${SSHD} sshd: -o PermitTunnel=yes`),
  "variables as written": unit("Environment=A=-oPermitTunnel=yes", `ExecStart=:${SSHD} $A -o Banner=\${A}`),
  "variables inside words": withOptions("A=x", "-o Banner=$A -o Banner=${A} -o Banner=$$A -o Banner=$A$A"),
  "a word of two variables": withOptions("A=-oPermitTunnel=yes", "-D $A$B"),
  "a name that is none": withOptions("A=-oPermitTunnel=yes", "-D $A-oX11Forwarding=no -e"),
  "quotes in a variable": withFile('OPTS="-o \'Banner a\' -o \\"Banner b\\""\n'),
  "quotes without an end in a variable": withFile('OPTS=-o "PermitTunnel yes\n'),
  "an apostrophe without an end in a variable": withFile('OPTS="-o \'PermitTunnel yes"\n'),
  "backslashes in a variable": withFile("OPTS=\"-o Banner=a\\\\\\\\ b -o 'Banner=c\\\\\\\\'d'\"\n"),
  "lines in a variable": withFile('OPTS="-D\n-o PermitTunnel=yes\n"\n'),
  "carriage returns in a file": withFile("OPTS=-o PermitTunnel=yes\r\nMORE=x\r\n"),
  "a carriage return in a file": withFile("OPTS=-D\rOPTS=-o PermitTunnel=yes\n"),
  "export is no word of it": withFile("OPTS=-oPermitTunnel=no\nexport OPTS=-oPermitTunnel=yes\n"),
  "a value in parts": withFile("OPTS='-o PermitTunnel='\"yes\" # no comment\n"),
  "joined values": withFile("OPTS=-o \\\n  PermitTunnel=yes\n"),
  "files win": {
    ...unit(
      "EnvironmentFile=/etc/default/ssh",
      "Environment=OPTS=-oPermitTunnel=no",
      `ExecStart=${SSHD} $OPTS`,
    ),
    "/etc/default/ssh": "OPTS=-oPermitTunnel=yes\n",
  },
  "taken back": unit(
    "Environment=OPTS=-oPermitTunnel=yes MORE=-oX11Forwarding=no LESS=-oBanner=x",
    "UnsetEnvironment=OPTS=-oPermitTunnel=no MORE=-oX11Forwarding=no LESS",
    `ExecStart=${SSHD} $OPTS $MORE $LESS`,
  ),
  "an alias of a unit of any name": {
    [`${ETC}/my-ssh.service`]: start("-D -o PermitTunnel=yes -o Banner=%n"),
    [`${ETC}/ssh.service`]: { link: `${ETC}/my-ssh.service` },
    [`${ETC}/my-ssh.service.d/a.conf`]: `[Service]\nExecStart=\nExecStart=${SSHD} -o PermitTunnel=no -o Banner=%n\n`,
  },
  "a third name": {
    [`${VENDOR}/ssh.service`]: vendor,
    [`${ETC}/third-ssh.service`]: { link: `${VENDOR}/ssh.service` },
    [`${ETC}/third-ssh.service.d/a.conf`]: `[Service]\nExecStart=\nExecStart=${SSHD} -o PermitTunnel=yes\n`,
  },
  "a name by way of another": {
    [`${ETC}/my-ssh.service`]: start("-o PermitTunnel=yes"),
    [`${ETC}/third-ssh.service`]: { link: "my-ssh.service" },
    [`${ETC}/ssh.service`]: { link: "third-ssh.service" },
    [`${ETC}/third-ssh.service.d/a.conf`]: `[Service]\nExecStart=\nExecStart=${SSHD} -o PermitTunnel=no\n`,
  },
  "a link to a file elsewhere": {
    "/opt/ssh/my-ssh.service": start("-o PermitTunnel=yes -o Banner=%n"),
    [`${ETC}/ssh.service`]: { link: "/opt/ssh/my-ssh.service" },
  },
  "an instance of a template": {
    [`${VENDOR}/ssh@.service`]: start("-o PermitTunnel=no"),
    [`${ETC}/ssh@main.service.d/a.conf`]: `[Service]\nExecStart=\nExecStart=${SSHD} -o PermitTunnel=yes -o Banner=%i\n`,
    [`${ETC}/ssh@.service.d/a.conf`]: "[Service]\nExecStart=\n",
    [`${ETC}/multi-user.target.wants/ssh@main.service`]: { link: `${VENDOR}/ssh@.service` },
  },
  "an instance that a link leads to its template": {
    [`${VENDOR}/ssh@.service`]: start("-o PermitTunnel=yes -o Banner=%i -o VersionAddendum=%n"),
    [`${ETC}/ssh@main.service`]: { link: `${VENDOR}/ssh@.service` },
    [`${ETC}/multi-user.target.wants/ssh@main.service`]: { link: `${VENDOR}/ssh@.service` },
  },
  "an instance that a link leads to another template": {
    [`${VENDOR}/my-ssh@.service`]: start("-o PermitTunnel=yes -o Banner=%i -o VersionAddendum=%p"),
    [`${ETC}/my-ssh@main.service.d/a.conf`]: `[Service]\nExecStart=\nExecStart=${SSHD} -o Banner=%i -o VersionAddendum=%p\n`,
    [`${ETC}/ssh@main.service`]: { link: `${VENDOR}/my-ssh@.service` },
    [`${ETC}/multi-user.target.wants/ssh@main.service`]: { link: `${VENDOR}/my-ssh@.service` },
  },
  "the service of a socket, with specifiers": {
    [`${VENDOR}/ssh.service`]: vendor,
    [`${VENDOR}/ssh.socket`]: "[Socket]\nListenStream=2222\nService=%p-x.service\n",
    [`${VENDOR}/ssh-x.service`]: start("-o PermitTunnel=yes"),
    [`${ETC}/sockets.target.wants/ssh.socket`]: { link: `${VENDOR}/ssh.socket` },
  },
  "the service of a socket": {
    [`${VENDOR}/ssh.service`]: vendor,
    [`${VENDOR}/ssh.socket`]: "[Socket]\nListenStream=2222\nService=my-ssh.service\n",
    [`${VENDOR}/my-ssh.service`]: start("-o PermitTunnel=yes"),
    [`${ETC}/sockets.target.wants/ssh.socket`]: { link: `${VENDOR}/ssh.socket` },
  },
  "the service of a socket of another name": {
    [`${VENDOR}/ssh.service`]: vendor,
    [`${VENDOR}/sshd.socket`]: "[Socket]\nListenStream=2222\n",
    [`${VENDOR}/sshd.service`]: start("-o PermitTunnel=yes"),
    [`${ETC}/sockets.target.wants/sshd.socket`]: { link: `${VENDOR}/sshd.socket` },
  },
  "the whole manager's variables": {
    ...unit(`ExecStart=${SSHD} $SSHOPTS $OTHEROPTS`, "Environment=OTHEROPTS=-oX11Forwarding=no"),
    "/etc/systemd/system.conf.d/ssh.conf":
      '[Manager]\nDefaultEnvironment="SSHOPTS=-o PermitTunnel=yes" OTHEROPTS=-oBanner=x\n',
  },
  "percent signs": withOptions("OPTS=-oBanner=100%%", "-D $OPTS -o Banner=50%%"),
};

const optionsOfTree = (tree: ServerTree): readonly string[] =>
  startOptions(folderTree(makeRoot(tree))).options;

/** Names of its own for each case, so that one host has all of them. */
const named = (text: string, index: number): string =>
  text
    .replaceAll(/\b(sshd?)(-x|@\w*)?\.(service|socket)/g, `$1${index}$2.$3`)
    .replaceAll("system.conf.d/ssh", `system.conf.d/ssh${index}`)
    .replaceAll(/\b(?:SSH|OTHER)OPTS/g, `$&${index}`)
    .replaceAll("=2222", `=${22_000 + index}`)
    .replaceAll("/default/ssh", `/default/ssh${index}`);

whenBootable("bookworm")("systemd starts it with what is read", () => {
  const host = layerHost("bookworm");
  const all = Object.entries(CASES).map(([name, tree], index) => [name, tree, index] as const);
  beforeAll(async () => {
    host.write(SSHD, '#!/bin/sh\nfor word; do printf "%s\\037" "$word"; done >/run/said\n', 0o755);
    let links = "";
    for (const [, tree, index] of all) {
      for (const [path, content] of Object.entries(tree)) {
        const place = named(path, index);
        if (typeof content === "string") host.write(place, named(content, index));
        else links += `mkdir -p $(dirname ${place}); ln -s ${named(content.link, index)} ${place}\n`;
      }
    }
    await host.boot();
    await host.must(`${links}systemctl daemon-reexec`);
  }, 120_000);
  afterAll(() => host.remove());

  test.each(all)("%s", { timeout: 60_000 }, async (_, tree, index) => {
    const enabled = Object.keys(tree).find((path) => path.includes(".wants/")) ?? "ssh.service";
    const started = named(enabled.slice(enabled.lastIndexOf("/") + 1), index);
    const asks = started.endsWith(".socket")
      ? `(exec 3<>/dev/tcp/127.0.0.1/${22_000 + index}; sleep 1)`
      : ":";
    const { stdout } = await host.run(
      `rm -f /run/said; systemctl start ${started} 2>/dev/null; bash -c '${asks}'; od -An -tx1 -v /run/said 2>/dev/null`,
    );
    const bytes = Buffer.from(stdout.replaceAll(/\s/g, ""), "hex").toString("latin1");
    const said = bytes.replaceAll(new RegExp(`ssh${index}\\b`, "g"), "ssh");
    expect(optionsOfTree(tree)).toEqual(readOptions(said.split("\x1f").slice(0, -1), "").options);
  });
});

test("a masked unit leaves the other name's", () => {
  const tree: ServerTree = {
    [`${VENDOR}/ssh.service`]: vendor,
    [`${ETC}/ssh.service`]: { link: "/dev/null" },
    [`${ETC}/sshd.service`]: start("-D -o PermitTunnel=yes"),
  };
  expect(optionsOfTree(tree)).toEqual(["PermitTunnel=yes"]);
});

describe("a specifier in a variable", () => {
  test.each([
    ["Environment=OPTS=-oBanner=%H", 'in "Environment="', "$OPTS", true],
    ["Environment=OPTS=-oBanner=%%H", "escaped", "$OPTS", false],
    ["Environment=OTHER=%H", "of no concern", "$OPTS", false],
  ])("%s: %s", (line, _, words, isLimit) => {
    const { limit } = startOptions(folderTree(makeRoot(unit(line, `ExecStart=${SSHD} ${words}`))));
    expect(limit?.includes("% specifier") ?? false).toBe(isLimit);
  });
});

describe("a value that is not known takes nothing else", () => {
  const SPECIFIER = `${VENDOR}/ssh.service starts sshd with options that have a % specifier: they are not read`;
  const NO_VALUE = `${VENDOR}/ssh.service starts sshd with an option whose value is missing or empty: it is not read`;
  test.each([
    ["-p %I -o PermitTunnel=yes", SPECIFIER],
    ["-f %I -o PermitTunnel=yes", SPECIFIER],
    ["-f /etc/ssh/%I_config -o PermitTunnel=yes", SPECIFIER],
    ["-o PermitTunnel=yes -f %I", SPECIFIER],
    ["-o PermitTunnel=yes -f $NOTHING", NO_VALUE],
    ["-f $NOTHING -o PermitTunnel=yes", NO_VALUE],
    ["-p ${NOTHING} -o PermitTunnel=yes", NO_VALUE],
    ["$NOTHING -o PermitTunnel=yes", null],
  ])("sshd %s", (words, limit) => {
    for (const program of ["/usr/sbin/sshd", "/usr/bin/nice /usr/sbin/sshd"]) {
      const tree = folderTree(makeRoot(unit(`ExecStart=${program} ${words}`)));
      expect(startOptions(tree)).toMatchObject({ options: ["PermitTunnel=yes"], configFile: null, limit });
    }
  });
});

test("a socket's service with a name that is not known is a limit", () => {
  const tree: ServerTree = {
    [`${VENDOR}/ssh.service`]: vendor,
    [`${ETC}/ssh.socket`]: "[Socket]\nListenStream=2222\nService=%H.service\n",
    [`${ETC}/sockets.target.wants/ssh.socket`]: { link: `${ETC}/ssh.socket` },
  };
  expect(startOptions(folderTree(makeRoot(tree)))).toMatchObject({
    options: [],
    limit: `${ETC}/ssh.socket starts a service whose name has a % specifier: options that it gives sshd are not read`,
  });
});

describe("sshds of several units", () => {
  const enabled = (units: Readonly<Record<string, string>>): FileTree =>
    folderTree(
      makeRoot({
        [`${VENDOR}/ssh.service`]: "[Service]\nExecStart=/usr/sbin/sshd -D\n",
        ...Object.fromEntries(
          Object.entries(units).flatMap(([name, command]) => [
            ...(command === "" ? [] : [[`${ETC}/${name}`, `[Service]\nExecStart=${command}\n`]]),
            [`${ETC}/multi-user.target.wants/${name}`, { link: `${ETC}/${name}` }],
          ]),
        ),
        "/etc/supervisord.conf": "[program:sshd]\ncommand=/usr/sbin/sshd -D -p 2222\n",
        "/etc/web.conf": "[program:web]\ncommand=/usr/bin/python3 /app.py\n",
      }),
    );
  const seen = (tree: FileTree): readonly string[] => {
    const first = startOptions(tree);
    return [first, ...(first.others ?? [])].map(({ configFile, options, limit }) =>
      [configFile ?? "", ...options, ...(limit === null ? [] : [limit])].join(" "),
    );
  };

  test.each<[Readonly<Record<string, string>>, readonly string[]]>([
    [{ "sshd-sftp.service": "/usr/sbin/sshd -D -f /etc/ssh/sftp" }, ["", "/etc/ssh/sftp"]],
    [{ "my-ssh.service": "/usr/sbin/sshd -D -o AllowTcpForwarding=yes" }, ["", " AllowTcpForwarding=yes"]],
    [{ "my-ssh.service": "/usr/bin/nice /usr/sbin/sshd -f /x" }, ["", "/x"]],
    [
      { "a-ssh.service": "/usr/sbin/sshd -f /x", "b-ssh.service": "/usr/sbin/sshd -p 1" },
      ["", "/x", " Port=1"],
    ],
    [{ "a-ssh.service": "/usr/sbin/sshd -f /x", "b-ssh.service": "/usr/sbin/sshd -f /x -D" }, ["", "/x"]],
    [{ "sshd-same.service": "/usr/sbin/sshd -D -f /etc/ssh/sshd_config" }, [""]],
    [{ "sshd-keygen.service": "/usr/bin/ssh-keygen -A -f /x" }, [""]],
    [
      { "my-ssh.service": "/usr/sbin/sshd -o PermitTunnel=%H" },
      ["", ` ${ETC}/my-ssh.service starts sshd with options that have a % specifier: they are not read`],
    ],
    // of the usual names what is enabled is what runs
    [{ "sshd.service": "/usr/sbin/sshd -D -f /etc/ssh/sftp" }, ["/etc/ssh/sftp"]],
    [{ "ssh.service": "", "sshd.service": "/usr/sbin/sshd -D -f /etc/ssh/sftp" }, ["", "/etc/ssh/sftp"]],
    [
      { "sshd@a.service": "/usr/sbin/sshd -p 1", "sshd@b.service": "/usr/sbin/sshd -p 2" },
      [" Port=1", " Port=2"],
    ],
    [{ "supervisor.service": "/usr/bin/supervisord -n" }, ["", " Port=2222"]],
    [{ "supervisor.service": "/usr/bin/supervisord -n -c /etc/web.conf" }, [""]],
    [{ "supervisord.service": "/usr/bin/supervisord -n -c /not/there" }, [""]],
  ])("%j", (units, expected) => expect(seen(enabled(units))).toEqual(expected));

  test("each is named by the unit that starts it", () => {
    const [other] = startOptions(enabled({ "my-ssh.service": "/usr/sbin/sshd -f /x" })).others ?? [];
    expect(other?.source).toBe(`${ETC}/my-ssh.service`);
  });

  test("supervisord's alone is judged where no unit starts one", () => {
    const tree = makeRoot({
      [`${VENDOR}/supervisor.service`]: "[Service]\nExecStart=/usr/bin/supervisord -n\n",
      [`${ETC}/multi-user.target.wants/supervisor.service`]: { link: `${VENDOR}/supervisor.service` },
      "/etc/supervisord.conf": "[program:sshd]\ncommand=/usr/sbin/sshd -D -p 2222\n",
    });
    expect(startOptions(folderTree(tree))).toMatchObject({ options: ["Port=2222"], limit: null });
  });
});

test("many links are asked about once each", () => {
  const links = Array.from({ length: 300 }, (_, index) => `${ETC}/l${index}.service`);
  const tree: ServerTree = {
    [`${VENDOR}/ssh.service`]: vendor,
    [`${VENDOR}/sshd.service`]: start("-D"),
    ...Object.fromEntries(links.map((path) => [path, { link: `${VENDOR}/ssh.service` }])),
  };
  const inner = folderTree(makeRoot(tree));
  let asked = 0;
  const counting: FileTree = {
    read: (path) => inner.read(path),
    list: (path) => {
      asked++;
      return inner.list(path);
    },
    stat: (path, how) => {
      asked++;
      return inner.stat(path, how);
    },
  };
  expect(startOptions(counting).options).toEqual(["PermitTunnel=no"]);
  expect(asked).toBeLessThan(400);
});

test("a socket that the vendor enabled", () => {
  const tree: ServerTree = {
    [`${VENDOR}/sshd.socket`]: "[Socket]\nListenStream=2222\nAccept=yes\n",
    [`${VENDOR}/sockets.target.wants/sshd.socket`]: { link: "../sshd.socket" },
    [`${VENDOR}/sshd@.service`]: start("-i -o PermitTunnel=yes"),
    [`${VENDOR}/sshd.service`]: start("-D"),
  };
  expect(optionsOfTree(tree)).toEqual(["PermitTunnel=yes"]);
  expect(socketUnit(folderTree(makeRoot(tree)))?.listens.map(({ port }) => port)).toEqual([2222]);
  const masked: ServerTree = { ...tree, [`${ETC}/sshd.socket`]: { link: "/dev/null" } };
  expect(optionsOfTree(masked)).toEqual([]);
});
