// biome-ignore-all lint/suspicious/noTemplateCurlyInString: a format of dpkg-query
/**
 * `chroot ROOT sshd -T -C …` beside what is said of the same content as root, tar, docker-archive and OCI layout: several
 * layers with whiteouts and links, laid over each other by umoci for sshd and by us for the rest.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import {
  COMPRESSIONS,
  dockerArchive,
  file,
  folder,
  hardLink,
  layOut,
  link,
  type Member,
  taggedMembers,
  tar,
} from "./images/writing.ts";
import { describeUnless, NOT_ROOT, whyNoFile, whyNoTool } from "./needs.ts";
import { makeFolder } from "./own-folder.ts";
import { runCli } from "./run-cli.ts";

const SSHD = "/usr/sbin/sshd";
const missing = NOT_ROOT ?? whyNoFile(SSHD) ?? whyNoTool("umoci");

const PASSWD = `root:x:0:0::/root:/bin/sh
sshd:x:100:65534::/run/sshd:/usr/sbin/nologin
alice:x:1000:1000::/home/alice:/bin/sh
bob:x:1001:1001::/home/bob:/bin/sh
`;
const GROUP = "root:x:0:\nalice:x:1000:\nbob:x:1001:\nforwarders:x:1002:alice\n";
const MAIN = `Include /etc/ssh/sshd_config.d/*.conf
PermitTunnel yes
Match Group forwarders
  AllowTcpForwarding local
  PermitOpen db:5432
Match User bob Address 10.0.0.0/8
  GatewayPorts clientspecified
`;
const BASE: readonly Member[] = [
  ...["etc/", "etc/ssh/", "etc/ssh/sshd_config.d/", "srv/", "usr/", "usr/share/"].map(folder),
  file("etc/passwd", PASSWD),
  file("etc/group", GROUP),
  file("etc/ssh/sshd_config", MAIN),
  file("etc/ssh/sshd_config.d/10-base.conf", "AllowTcpForwarding no\n"),
  file("etc/ssh/sshd_config.d/20-base.conf", "X11Forwarding yes\nGatewayPorts yes\n"),
];

const LAYERS: Readonly<Record<string, readonly (readonly Member[])[]>> = {
  "one layer": [BASE],
  "a whiteout": [BASE, [file("etc/ssh/sshd_config.d/.wh.10-base.conf", "")]],
  "a file that was taken away comes again": [
    BASE,
    [file("etc/ssh/sshd_config.d/.wh.10-base.conf", "")],
    [file("etc/ssh/sshd_config.d/10-base.conf", "AllowTcpForwarding remote\n")],
  ],
  "a whiteout behind its file, in one layer": [
    BASE,
    [
      file("etc/ssh/sshd_config.d/20-base.conf", "X11Forwarding no\n"),
      file("etc/ssh/sshd_config.d/.wh.20-base.conf", ""),
    ],
  ],
  "an opaque folder": [
    BASE,
    [
      folder("etc/ssh/sshd_config.d/"),
      file("etc/ssh/sshd_config.d/.wh..wh..opq", ""),
      file("etc/ssh/sshd_config.d/50-new.conf", "PermitTunnel no\nAllowAgentForwarding no\n"),
    ],
  ],
  "a folder becomes a link": [
    BASE,
    [
      file("etc/ssh/.wh.sshd_config.d", ""),
      folder("srv/conf/"),
      file("srv/conf/x.conf", "DisableForwarding yes\n"),
    ],
    [link("etc/ssh/sshd_config.d", "/srv/conf")],
  ],
  "links inside and out": [
    BASE,
    [
      file("srv/real.conf", "AllowStreamLocalForwarding no\n"),
      link("etc/ssh/sshd_config.d/05-link.conf", "../../../../../../srv/real.conf"),
    ],
  ],
  "a second name, and then another file": [
    BASE,
    [hardLink("etc/ssh/sshd_config.d/05-same.conf", "etc/ssh/sshd_config.d/20-base.conf")],
    [file("etc/ssh/sshd_config.d/20-base.conf", "GatewayPorts no\nX11Forwarding no\n")],
  ],
  "other accounts": [BASE, [file("etc/group", GROUP.replace(":alice\n", ":bob, alice\n"))]],
  "the main file is a link": [
    BASE,
    [link("etc/ssh/sshd_config", "../../usr/share/sshd_config")],
    [
      file(
        "usr/share/sshd_config",
        "Match Group forwarders\n  Include sshd_config.d/2*.conf\n  PermitTunnel yes\n",
      ),
    ],
  ],
};

/** Paths of Includes that mean something else than they seem to. */
const INCLUDES: Readonly<Record<string, string>> = {
  "a slash behind a file": "/etc/ssh/sshd_config.d/10-base.conf/",
  "a slash behind wildcards": "/etc/ssh/sshd_config.d/*.conf/",
  "a dot behind a file": "/etc/ssh/sshd_config.d/10-base.conf/.",
  "up from a file": "/etc/ssh/sshd_config.d/10-base.conf/../20-base.conf",
  "a folder and up": "/etc/ssh/sshd_config.d/../sshd_config.d//./10-base.conf",
  "a slash in a set": "/etc/ssh/sshd_config.d[/]10-base.conf",
  "a set with an escape": "/etc/ssh/sshd_config.d/[\\\\]1]0-base.conf",
};
for (const [name, path] of Object.entries(INCLUDES))
  (LAYERS as Record<string, readonly (readonly Member[])[]>)[name] = [
    BASE,
    [file("etc/ssh/sshd_config", `Include ${path}\nPermitTunnel yes\n`)],
  ];

const CONNECTIONS = [
  "user=alice,host=h,addr=192.0.2.1,laddr=192.0.2.2,lport=22",
  "user=bob,host=h,addr=10.1.2.3,laddr=192.0.2.2,lport=22",
  "user=root,host=h,addr=::1,laddr=::1,lport=22",
];

const work = makeFolder();
/** of the package that SSHD is from */
let version = "";
const tool = (name: string, ...args: readonly string[]): string => {
  const { status, stdout, stderr } = spawnSync(name, args, { cwd: work, encoding: "latin1" });
  if (status !== 0) throw new Error(`${name} ${args.join(" ")}: ${stderr}`);
  return stdout;
};

/** The machine's sshd with what it needs to start, behind the content that is judged. */
function installSshd(root: string): void {
  const libraries = [...tool("ldd", SSHD).matchAll(/(\/\S+) \(0x/g)].map(([, path]) => path ?? "");
  for (const path of [SSHD, ...libraries]) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    cpSync(path, join(root, path), { dereference: true });
  }
  for (const path of ["run/sshd", "dev"]) mkdirSync(join(root, path), { recursive: true });
  writeFileSync(join(root, "dev/null"), "");
  cpSync(join(work, "key"), join(root, "etc/ssh/ssh_host_ed25519_key"));
}

describeUnless(missing, "sshd in the root and the same content in every form", () => {
  beforeAll(() => {
    version = tool("dpkg-query", "-W", "-f", "${Version}", "openssh-server");
    tool("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "key");
  }, 60_000);

  /** For each connection. */
  const said = (target: readonly string[]): readonly Map<string, string>[] => {
    const { stdout, stderr } = runCli(
      [
        ...["effective", "--openssh", version, "--accounts", "target", ...target],
        ...CONNECTIONS.flatMap((connection) => ["-C", connection]),
      ],
      { cwd: work },
    );
    const answers = stdout.split(/^# .*\n/m).slice(1);
    if (answers.length < CONNECTIONS.length) throw new Error(`${target.join(" ")}: ${stderr}${stdout}`);
    return answers.map(settingsIn);
  };

  test.each(Object.entries(LAYERS))("%s", { timeout: 120_000 }, (name, layers) => {
    const image = { layers: layers.map((members) => ({ tar: tar(members), command: "RUN" })) };
    const place = name.replaceAll(" ", "-");
    layOut(join(work, place), taggedMembers(image, "gzip"));
    tool("umoci", "raw", "unpack", "--image", `${place}:v1`, `${place}.root`);
    tool("tar", "-C", `${place}.root`, "-cf", `${place}.tar`, ".");
    writeFileSync(join(work, `${place}.docker.tar`), dockerArchive(image));
    writeFileSync(join(work, `${place}.zst.tar`), dockerArchive(image, COMPRESSIONS["zstd"]?.compress));
    const root = join(work, `${place}.root`);
    const forms = [
      ["--root", `${place}.root`],
      ...["", ".tar", ".docker.tar", ".zst.tar"].map((end) => ["--image", `${place}${end}`]),
    ];
    const answers = forms.map(said);
    installSshd(root);
    for (const [index, connection] of CONNECTIONS.entries()) {
      const real = settingsIn(tool("chroot", root, SSHD, "-T", "-C", connection));
      for (const [form, ours] of answers.entries()) {
        const found = ours[index] ?? new Map();
        const shared = new Map(
          [...found.keys()].filter((key) => real.has(key)).map((key) => [key, real.get(key)]),
        );
        expect(found, `${forms[form]?.join(" ")} ${connection}`).toEqual(shared);
        expect(shared.size).toBeGreaterThan(30);
      }
    }
  });
});

function settingsIn(lines: string): Map<string, string> {
  return new Map(
    [...lines.matchAll(/^(\S+) (.*)$/gm)].map(([, keyword = "", value = ""]) => [keyword, value]),
  );
}
