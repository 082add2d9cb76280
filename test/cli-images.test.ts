/** --image and --platform on the command line: what people and scripts see, and the exit codes. */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import {
  dockerArchive,
  dockerMembers,
  file,
  folder,
  hardLink,
  type ImageSettings,
  layOut,
  link,
  type Member,
  ociMembers,
  sha256,
  taggedMembers,
  tar,
} from "./images/writing.ts";
import { makeFolder } from "./own-folder.ts";
import { runCli } from "./run-cli.ts";

const work = makeFolder();

function save(name: string, bytes: Buffer): void {
  writeFileSync(join(work, name), bytes);
}

const run = (...args: readonly string[]) => runCli(args, { cwd: work });

/** UTF-8, as it stands in archives. */
const bytes = (text: string): string => Buffer.from(text).toString("latin1");

const CLOSED = "AllowTcpForwarding no\nAllowAgentForwarding no\nX11Forwarding no\n";
const BASE: readonly Member[] = [
  folder("etc"),
  file("etc/passwd", "root:x:0:0::/root:/bin/sh\ngit:x:1000:1000::/srv:/bin/sh\n"),
  file("etc/group", "root:x:0:\ngit:x:1000:\n"),
  file("lib/apk/db/installed", "C:x\nP:openssh-server\nV:9.9_p2-r0\n\n"),
  file("usr/sbin/sshd", "\x7fELF"),
  file("etc/ssh/sshd_config", CLOSED),
];

function image(members: readonly (readonly Member[])[], more: Partial<ImageSettings> = {}): ImageSettings {
  const layers = members.map((each, index) => ({ tar: tar(each), command: `step ${index}` }));
  return { layers, ...more };
}

describe("audit --image", () => {
  test("names of files and in archives are bytes, and commands to copy are quoted", () => {
    const script = file(bytes("entr\u00e9e.sh"), "#!/bin/sh\nexec sshd -o AllowTcpForwarding=yes\n");
    save("b\u00fc ro.tar", dockerArchive(image([[...BASE, script]], { entrypoint: ["/entr\u00e9e.sh"] })));
    const { stdout } = run("audit", "--image", "b\u00fc ro.tar", "--format", "pretty");
    expect(stdout).toContain(bytes("with the options of /entr\u00e9e.sh"));
    expect(stdout).toContain(bytes("sshd-policy effective --image 'b\u00fc ro.tar' -C "));
    save("broken.tar", dockerArchive(image([[...BASE, hardLink("etc/passwd", bytes("etc/pass\u00e9"))]])));
    expect(run("audit", "--image", "broken.tar").stderr).toContain(bytes('leads to "/etc/pass\u00e9"'));
  });

  test.each(["gzip", "zstd"])("a layer whose %s is damaged is said in a line", (compression) => {
    const members = ociMembers([image([BASE])], compression);
    const isLayer = ({ name, data }: Member): boolean =>
      name.startsWith("blobs/") && Buffer.isBuffer(data) && data[0] !== 0x7b;
    const half = (data: Member["data"]): Buffer => {
      const bytes = Buffer.from(data ?? "");
      return bytes.subarray(0, bytes.length / 2);
    };
    const cut = tar(members.map((each) => (isLayer(each) ? { ...each, data: half(each.data) } : each)));
    save("cut.tar", cut);
    save("cut.tar.gz", gzipSync(cut));
    for (const name of ["cut.tar", "cut.tar.gz"]) {
      const { code, stderr } = run("audit", "--image", name);
      expect(stderr).toMatch(/^sshd-policy: cut\.tar(?:\.gz)?: layer blobs\/sha256\/\w+: .*damaged/);
      expect(stderr.split("\n")).toHaveLength(2);
      expect(code).toBe(2);
    }
  });

  test.each<[string, readonly Member[]]>([
    [
      "rewrote the file",
      [file("etc/ssh/sshd_config", "#AllowTcpForwarding yes\nInclude sshd_config.d/*.conf\n")],
    ],
    ["took away a drop-in", [file("etc/ssh/sshd_config.d/.wh.a.conf", "")]],
    ["took away the folder of drop-ins", [file("etc/ssh/.wh.sshd_config.d", "")]],
    [
      "made the folder anew",
      [file("etc/ssh/sshd_config.d/.wh..wh..opq", ""), file("etc/ssh/sshd_config.d/b.conf", "UseDNS no\n")],
    ],
  ])("where a default decides, the layer that %s is named", (what, members) => {
    const line = "AllowTcpForwarding no\n";
    const isMain = what === "rewrote the file";
    const first = [
      file(
        "etc/ssh/sshd_config",
        `${isMain ? line : "#AllowTcpForwarding yes\n"}Include sshd_config.d/*.conf\n`,
      ),
      folder("etc/ssh/sshd_config.d"),
      file("etc/ssh/sshd_config.d/a.conf", isMain ? "#\n" : line),
    ];
    save(
      "taken.tar",
      dockerArchive(image([BASE, first, [file("etc/motd", "")], members, [file("etc/motd", "x")]])),
    );
    const seen = run("audit", "--image", "taken.tar", "--rule", "tcp-forwarding", "--format", "json");
    const { findings } = JSON.parse(seen.stdout).targets[0];
    expect(findings.map((each: { layer: { index: number } }) => each.layer.index)).toEqual([3]);
  });

  test("a finding about permissions names the layer that gave them, not the one that wrote the file", () => {
    const same = { name: "etc/ssh/sshd_config", data: CLOSED };
    const layers = [
      BASE,
      [folder("etc/ssh"), { ...same, mode: 0o666 }],
      [folder("etc/ssh"), { ...same, mode: 0o666, data: `${CLOSED}#\n` }],
      [{ name: "etc/ssh", flag: "5", mode: 0o777 }],
      [{ name: "etc/ssh", flag: "5", mode: 0o777 }],
    ];
    save("permitted.tar", dockerArchive(image(layers)));
    const { stdout } = run(
      "audit",
      "--image",
      "permitted.tar",
      "--rule",
      "loose-permissions",
      "--format",
      "json",
    );
    const { findings } = JSON.parse(stdout).targets[0];
    expect(findings.map((each: { layer: { index: number } }) => each.layer.index)).toEqual([1, 3]);
  });

  test("a finding names the layer that wrote its line, for people and for scripts", () => {
    const second = [file("etc/ssh/sshd_config", `${CLOSED}PermitTunnel yes\n`)];
    save("web.tar", dockerArchive(image([BASE, second])));
    const digest = sha256(tar(second));
    const pretty = run("audit", "--image", "web.tar", "--format", "pretty");
    expect(pretty.stdout).toContain("web.tar:/etc/ssh/sshd_config:4:14  medium  tunnel-device");
    expect(pretty.stdout).toContain(`layer    2 of 2 (sha256:${digest.slice(0, 12)}): step 1`);
    expect(pretty.stdout).toContain("judged as OpenSSH 9.9_p2-r0 (found in the image, apk: openssh-server)");
    expect(pretty.code).toBe(1);
    const { targets } = JSON.parse(run("audit", "--image", "web.tar", "--format", "json").stdout);
    expect(targets[0].findings[0].layer).toEqual({
      index: 1,
      count: 2,
      digest: `sha256:${digest}`,
      diffId: `sha256:${digest}`,
      command: "step 1",
    });
  });

  test("ENTRYPOINT and CMD are sshd's options", () => {
    const cmd = ["/bin/sh", "-c", "exec /usr/sbin/sshd -D -e -o 'AllowTcpForwarding yes'; true"];
    save("entry.tar", dockerArchive(image([BASE], { cmd })));
    const { stdout, code } = run(
      "audit",
      "--image",
      "entry.tar",
      "--format",
      "pretty",
      "--rule",
      "tcp-forwarding",
    );
    expect(stdout).toContain("with the options of the image's ENTRYPOINT and CMD");
    expect(code).toBe(1);
  });

  describe("another sshd that a unit starts", () => {
    const units = "etc/systemd/system";
    const started = (words: string): readonly Member[] => [
      file(`${units}/ssh.service`, "[Service]\nExecStart=/usr/sbin/sshd -D -o PermitTunnel=no\n"),
      file(`${units}/sshd-sftp.service`, `[Service]\nExecStart=/usr/sbin/sshd -D ${words}\n`),
      file(`${units}/multi-user.target.wants/sshd-sftp.service`, ""),
      file("etc/ssh/sftp", "PermitTunnel yes\n"),
    ];
    const seen = (...args: readonly string[]): readonly string[] => {
      const { stdout } = run("audit", "--rule", "tunnel-device", "--format", "json", ...args);
      return JSON.parse(stdout).targets.map(
        ({ path, limits, findings }: { path: string; limits: string[]; findings: readonly unknown[] }) =>
          `${path.slice(path.indexOf("/"))} ${findings.length > 0 ? "open" : "closed"} ${limits.join()}`,
      );
    };

    test("with a file of its own is judged, too, with its options", () => {
      save("two.tar", dockerArchive(image([BASE, started("-f /etc/ssh/sftp")])));
      expect(seen("--image", "two.tar")).toEqual(["/etc/ssh/sshd_config closed ", "/etc/ssh/sftp open "]);
      expect(seen("--image", "two.tar", "/etc/ssh/sftp")).toEqual(["/etc/ssh/sftp open "]);
      save("two.tar", dockerArchive(image([BASE, started("-f /etc/ssh/sftp -o PermitTunnel=no")])));
      expect(seen("--image", "two.tar")).toEqual(["/etc/ssh/sshd_config closed ", "/etc/ssh/sftp closed "]);
      save("two.tar", dockerArchive(image([BASE, started("-f /not/there")])));
      const { code, stderr } = run("audit", "--image", "two.tar", "--rule", "tunnel-device");
      const named = `/not/there: No such file or directory: /${units}/sshd-sftp.service names it with -f`;
      expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(named) });
    });

    test.each([
      ["of supervisord", "[program:a]\ncommand=sshd -D -f /etc/ssh/sftp\n[program:b]\ncommand=sshd -D\n"],
      [
        "of supervisord, in this order",
        "[program:a]\ncommand=sshd -D\n[program:b]\ncommand=sshd -D -f /etc/ssh/sftp\n",
      ],
      ["of a script", "#!/bin/sh\nsshd -f /etc/ssh/sftp\nexec sshd -D\n"],
    ])("two %s are judged both", (_, text) => {
      const isScript = text.startsWith("#!");
      const members = [
        file(isScript ? "entry.sh" : "etc/supervisord.conf", text),
        file("etc/ssh/sftp", "PermitTunnel yes\n"),
      ];
      const entrypoint = isScript ? ["/entry.sh"] : ["supervisord", "-n", "-c", "/etc/supervisord.conf"];
      save("two.tar", dockerArchive(image([BASE, members], { entrypoint })));
      expect(seen("--image", "two.tar").toSorted()).toEqual([
        "/etc/ssh/sftp open ",
        "/etc/ssh/sshd_config closed ",
      ]);
      expect(seen("--image", "two.tar", "/etc/ssh/sftp")).toEqual(["/etc/ssh/sftp open "]);
      expect(seen("--image", "two.tar", "/etc/ssh/sshd_config")).toEqual(["/etc/ssh/sshd_config closed "]);
    });

    test("who answers for one alone says so, and FILE chooses", () => {
      save("two.tar", dockerArchive(image([BASE, started("-f /etc/ssh/sftp")])));
      const ask = (...args: readonly string[]): ReturnType<typeof run> => run(...args, "--image", "two.tar");
      const first = ask("effective", "-C", "user=a,addr=1.2.3.4");
      expect(first.stdout).toContain("permittunnel no\n");
      expect(first.stderr).toContain("this alone is answered for; another sshd reads /etc/ssh/sftp");
      const second = ask("effective", "-C", "user=a,addr=1.2.3.4", "/etc/ssh/sftp");
      expect(second.stdout).toContain("permittunnel yes\n");
      expect(second.stderr).not.toContain("alone");
      const compared = ask("compare", "--image", "two.tar", "--format", "json");
      expect(JSON.parse(compared.stdout)).toMatchObject({ changes: [], complete: false });
      expect(compared.code).toBe(3);
      expect(ask("compare", "--image", "two.tar", "/etc/ssh/sftp").code).toBe(0);
    });

    test("with the same file and other options is a limit that names them", () => {
      save("two.tar", dockerArchive(image([BASE, started('-o "PermitTunnel yes"')])));
      const { code, stderr } = run("audit", "--image", "two.tar", "--rule", "tunnel-device");
      expect(stderr).toContain(
        "sshd-sftp.service starts another sshd, with -o 'PermitTunnel yes': it is not judged",
      );
      expect(code).toBe(3);
    });
  });

  test("a word of ENTRYPOINT may hold a blank", () => {
    const entrypoint = ["/usr/sbin/sshd", "-D", "-o", "AllowTcpForwarding yes"];
    const members = [file("etc/ssh/sshd_config", "AllowTcpForwarding no\n")];
    save("words.tar", dockerArchive(image([BASE, members], { entrypoint })));
    const { stdout } = run("audit", "--image", "words.tar", "--rule", "tcp-forwarding");
    expect(stdout).toContain('"AllowTcpForwarding yes" on sshd\'s command line');
  });

  test.each([
    ["exec /usr/sbin/sshd -D $SSHD_OPTS", ["SSHD_OPTS=-o AllowTcpForwarding=yes"], 1],
    [`exec /usr/sbin/sshd -D \${SSHD_OPTS}`, ["SSHD_OPTS=-oAllowTcpForwarding=yes"], 1],
    [`exec /usr/sbin/sshd -D \${SSHD_OPTS:--o AllowTcpForwarding=yes}`, [], 1],
    [`exec /usr/sbin/sshd -D \${SSHD_OPTS:--o AllowTcpForwarding=yes}`, ["SSHD_OPTS=-e"], 0],
    ["exec /usr/sbin/sshd -D $SSHD_OPTS", [], 0],
  ])("a shell's command has the image's ENV: %s, %j", (command, environment, expected) => {
    const members = [file("etc/ssh/sshd_config", "AllowTcpForwarding no\n")];
    save("env.tar", dockerArchive(image([BASE, members], { cmd: ["sh", "-c", command], environment })));
    expect(run("audit", "--image", "env.tar", "--rule", "tcp-forwarding").code).toBe(expected);
  });

  test.each<[string, number]>([
    ["apk add --no-cache openssh-server; exec /usr/sbin/sshd -D", 2],
    ["apk add --no-cache openssh-server && exec /usr/sbin/sshd -D", 2],
    ["if command -v sshd; then sshd -D; fi; exec /app", 0],
  ])("no sshd in the image, and a command that starts one: %s", (command, expected) => {
    const members = BASE.filter(({ name }) => !/ssh|apk/.test(name));
    save("later.tar", dockerArchive(image([members], { cmd: ["sh", "-c", command] })));
    const { code, stderr } = run("audit", "--image", "later.tar");
    expect(stderr).toContain(
      expected === 2 ? "start sshd, which is not in the image" : "there is no sshd in the image",
    );
    expect(code).toBe(expected);
  });

  test.each<[string, string, string | null]>([
    [
      "a test",
      '[ "$OPEN" = yes ] && sed -i s/no/yes/ /etc/ssh/sshd_config',
      "/entry.sh changes /etc/ssh/sshd_config",
    ],
    ["a default", `set -- -p "\${SSH_PORT:-22}"`, "/entry.sh starts sshd with options that a shell computes"],
    ["a test of a variable that is set", '[ "$MODE" = yes ] && sed -i s/no/yes/ /etc/ssh/sshd_config', null],
    ["what changes nothing", '[ -n "$DEBUG" ] && set -x; echo "$DEBUG"', null],
    [
      "a limit anyway",
      'sed -i s/no/yes/ /etc/ssh/sshd_config; [ -n "$OPEN" ] && rm /etc/ssh/sshd_config',
      null,
    ],
  ])("variables that somebody may give a container are assumed to be none: %s", (_, line, said) => {
    const script = file("entry.sh", `#!/bin/sh\n${line}\nexec /usr/sbin/sshd -D "$@"\n`);
    const settings = { entrypoint: ["/entry.sh"], environment: ["MODE=no"] };
    save("env.tar", dockerArchive(image([[...BASE, script]], settings)));
    const args = ["--image", "env.tar", "--format", "json"];
    const audited: readonly string[] = JSON.parse(run("audit", ...args).stdout).targets[0].assumptions;
    const exposed: readonly string[] = JSON.parse(run("exposure", ...args).stdout).targets[0].assumptions;
    const start = "nobody gives a container variables that the image does not set; else ";
    for (const texts of [audited, exposed])
      expect(
        texts.filter((text) => text.startsWith(start)).map((text) => text.includes(said ?? "?")),
      ).toEqual(said === null ? [] : [true]);
  });

  test.each<[string, readonly string[], string, number, string]>([
    [
      "literal",
      ["/entry.sh"],
      "exec /usr/sbin/sshd -D -o AllowTcpForwarding=yes",
      1,
      "with the options of /entry.sh",
    ],
    [
      "behind tini, from CMD",
      ["tini", "--", "/entry.sh", "sshd", "-o", "AllowTcpForwarding=yes"],
      'exec "$@"',
      1,
      "with the options of the image's ENTRYPOINT and CMD",
    ],
    [
      "computed",
      ["entry.sh"],
      "exec /usr/sbin/sshd -D $(cat /options)",
      3,
      "/usr/local/bin/entry.sh starts sshd with options that a shell computes: they are not read",
    ],
    ["no options", ["/entry.sh"], "exec /usr/sbin/sshd -D", 0, "no findings"],
    ["a folder without ssh", ["/entry.sh"], "cp -a /rootfs/. /\nexec /usr/sbin/sshd -D", 0, "no findings"],
    [
      "a folder with sshd_config",
      ["/entry.sh"],
      "cp -a /other/. /\nexec /usr/sbin/sshd -D",
      3,
      "/entry.sh changes /etc/ssh/sshd_config before sshd reads it",
    ],
  ])("a script as ENTRYPOINT is read: %s", (_, entrypoint, line, code, text) => {
    const script = `#!/bin/sh\nset -e\n${line}\n`;
    const members = [
      { ...file("entry.sh", script), mode: 0o755 },
      { ...file("usr/local/bin/entry.sh", script), mode: 0o755 },
      file("rootfs/etc/motd", "hello\n"),
      file("other/etc/ssh/sshd_config", "AllowTcpForwarding yes\n"),
    ];
    const archive = dockerArchive(image([BASE, members], { entrypoint }));
    // a stream tells its ENTRYPOINT when its layers have gone by
    for (const written of [archive, gzipSync(archive)]) {
      save("script.tar", written);
      const ran = run("audit", "--image", "script.tar", "--rule", "tcp-forwarding", "--format", "pretty");
      expect(ran.stdout + ran.stderr).toContain(text);
      expect(ran.code).toBe(code);
    }
  });

  test.each<[string, Member, readonly string[], string | null]>([
    ["a program", file("app/server", "\x7fELF\0"), ["/app/server"], "/app/server, which is a program"],
    [
      "a script without end",
      file("entry.sh", `#!/bin/sh\nexec sshd -D\n${"#".repeat(1024 * 1024)}\n`),
      ["tini", "/entry.sh"],
      "/entry.sh, which is larger than 1 MiB",
    ],
    ["a program of the system", file("usr/sbin/nginx", "\x7fELF\0"), ["nginx", "-g", "daemon off;"], null],
    ["a program beside sshd", file("app/server", "\x7fELF\0"), ["sh", "-c", "/app/server & sshd -D"], null],
  ])("what cannot be read as ENTRYPOINT is a limit: %s", (_, member, entrypoint, what) => {
    const archive = dockerArchive(image([[...BASE, member]], { entrypoint }));
    for (const written of [archive, gzipSync(archive)]) {
      save("program.tar", written);
      const { code, stderr } = run("audit", "--image", "program.tar", "--rule", "tcp-forwarding");
      expect(stderr).toContain(what === null ? "" : `runs ${what}: options that it gives sshd are not read`);
      expect(code).toBe(what === null ? 0 : 3);
    }
  });

  test("an sshd in a place of its own, which ENTRYPOINT names, is one", () => {
    const own = [
      file("etc/passwd", "root:x:0:0::/root:/bin/sh\n"),
      file("opt/ssh/sbin/sshd", "\x7fELF\0OpenSSH_9.8p1\0"),
      file("opt/ssh/etc/sshd_config", "AllowTcpForwarding yes\n"),
    ];
    const entrypoint = ["/opt/ssh/sbin/sshd", "-D", "-f", "/opt/ssh/etc/sshd_config"];
    save("own.tar", dockerArchive(image([own], { entrypoint })));
    const options = ["--rule", "tcp-forwarding", "--format", "json"];
    const { code, stdout } = run("audit", "--image", "own.tar", ...options);
    expect({ code, openssh: JSON.parse(stdout).targets[0].openssh }).toEqual({ code: 1, openssh: "9.8p1" });
    save("named.tar", dockerArchive(image([own.slice(0, 1)], { entrypoint })));
    expect(run("audit", "--image", "named.tar", ...options)).toMatchObject({
      code: 0,
      stderr: expect.stringContaining("there is no sshd in the image"),
    });
  });

  test.each(["opt/ssh/sbin/sshd", "opt/ssh/bin/sshd", "opt/bin/sshd", "usr/local/ssh/sbin/sshd"])(
    "what an sshd reads that nothing starts, and that is not there, is named: %s",
    (program) => {
      const own = file(program, "\x7fELF\0OpenSSH_9.8p1\0/srv/conf/sshd_config\0");
      save("own.tar", dockerArchive(image([[...BASE.slice(0, 2), own]])));
      expect(run("audit", "--image", "own.tar")).toMatchObject({
        code: 2,
        stderr: "sshd-policy: own.tar:/srv/conf/sshd_config: No such file or directory\n",
      });
    },
  );

  test("a FILE is judged by the release of the only sshd, in a place of its own, too", () => {
    const own = [
      file("opt/ssh/sbin/sshd", "\x7fELF\0OpenSSH_9.8p1\0"),
      file("opt/ssh/etc/sshd_config", CLOSED),
    ];
    save("own.tar", dockerArchive(image([[...BASE.slice(0, 2), ...own]])));
    const { stdout } = run("audit", "--image", "own.tar", "/opt/ssh/etc/sshd_config", "--format", "json");
    expect(JSON.parse(stdout).targets[0].openssh).toBe("9.8p1");
  });

  test("paths of ENTRYPOINT and CMD begin at WORKDIR", () => {
    const members = [
      { ...file("app/entry.sh", "#!/bin/sh\nexec /usr/sbin/sshd -D -f cfg\n"), mode: 0o755 },
      file("app/cfg", "AllowTcpForwarding yes\n"),
    ];
    for (const entrypoint of [["./entry.sh"], ["/usr/sbin/sshd", "-D", "-f", "./cfg"]]) {
      save("folder.tar", dockerArchive(image([[...BASE, ...members]], { entrypoint, folder: "/app/" })));
      const { code, stdout } = run("audit", "--image", "folder.tar", "--rule", "tcp-forwarding");
      expect({ code, stdout }).toEqual({
        code: 1,
        stdout: expect.stringMatching(/^folder.tar:\/app\/cfg:1:20: /),
      });
    }
  });

  test("a file that -f names and that is not there is said to be named", () => {
    const entrypoint = ["/usr/sbin/sshd", "-D", "-f", "/config/sshd_config"];
    save("volume.tar", dockerArchive(image([BASE], { entrypoint })));
    expect(run("audit", "--image", "volume.tar")).toMatchObject({
      code: 2,
      stderr:
        "sshd-policy: volume.tar:/config/sshd_config: No such file or directory: the image's ENTRYPOINT and CMD names it with -f\n",
    });
  });

  test.each([
    ["plain layers", dockerArchive],
    ["a gzip", (settings: ImageSettings) => gzipSync(dockerArchive(settings))],
  ])("the accounts' keys, wherever their home leads: %s", (_, archive) => {
    const members = [
      file("etc/ssh/sshd_config", "AllowTcpForwarding yes\n"),
      link("srv", "data/srv"),
      file("data/srv/.ssh/authorized_keys", 'command="x" ssh-ed25519 AAAA git\n'),
      file("root/.ssh/authorized_keys", "restrict ssh-ed25519 AAAA root\n"),
    ];
    save("keys.tar", archive(image([BASE, members])));
    const { stdout } = run("audit", "--image", "keys.tar", "--rule", "authorized-keys-options");
    expect(stdout).toContain("git");
    expect(stdout).toContain("/srv/.ssh/authorized_keys");
    expect(stdout).not.toContain("/root/.ssh");
  });

  test("several images in threads of their own: the same answers in the same order", () => {
    const open = [file("etc/ssh/sshd_config", `${CLOSED}PermitTunnel yes\n`)];
    for (const name of ["a", "b", "c"])
      save(`${name}.tar`, dockerArchive(image(name === "b" ? [BASE] : [BASE, open])));
    const images = ["a.tar", "b.tar", "c.tar", "missing.tar"].flatMap((name) => ["--image", name]);
    const alone = run("audit", "--format", "json", ...images);
    expect(run("audit", "--format", "json", "--jobs", "3", ...images)).toEqual(alone);
    const { targets } = JSON.parse(alone.stdout);
    const rules = targets.map(({ findings }: { findings: { rule: string }[] }) =>
      findings.map(({ rule }) => rule),
    );
    expect(rules).toEqual([["tunnel-device"], [], ["tunnel-device"], []]);
    expect(alone.code).toBe(2);
  });

  test("a second sshd is judged by its own release, and without the first one's options", () => {
    const second = [
      file("etc/default/ssh", "SSHD_OPTS='-o PermitTunnel=yes'\n"),
      file("usr/local/sbin/sshd", "\x7fELF OpenSSH_9.3p2\0"),
      file("usr/local/etc/ssh/sshd_config", CLOSED),
    ];
    save("two.tar", dockerArchive(image([BASE, second])));
    const { targets } = JSON.parse(run("audit", "--image", "two.tar", "--format", "json").stdout);
    const seen = targets.map((target: { openssh: string; findings: { rule: string }[] }) => [
      target.openssh,
      target.findings.map(({ rule }) => rule),
    ]);
    expect(seen).toEqual([
      ["9.9_p2-r0", ["tunnel-device"]],
      ["9.3p2", []],
    ]);
  });

  const LOCAL = file("usr/local/sbin/sshd", "\x7fELF OpenSSH_9.3p2\0");
  const OWN = file("opt/ssh/sbin/sshd", "\x7fELF\0OpenSSH_9.8p1\0/opt/conf/sshd_config\0");
  const OPEN = "AllowTcpForwarding yes\n";
  const SYSTEM_CLOSED = "/etc/ssh/sshd_config 9.9_p2-r0 closed";

  test.each<[string, readonly Member[], Partial<ImageSettings>, readonly string[]]>([
    [
      "built with the usual prefix",
      [LOCAL, file("usr/local/etc/sshd_config", OPEN)],
      {},
      [SYSTEM_CLOSED, "/usr/local/etc/sshd_config 9.3p2 open"],
    ],
    [
      "started with options of its own",
      [LOCAL, file("usr/local/etc/ssh/sshd_config", CLOSED)],
      { entrypoint: ["/usr/local/sbin/sshd", "-o", "AllowTcpForwarding=yes"] },
      [SYSTEM_CLOSED, "/usr/local/etc/ssh/sshd_config 9.3p2 open"],
    ],
    [
      "its path is written in it, and its Includes are relative to that",
      [OWN, file("opt/conf/sshd_config", "Include x\n"), file("opt/conf/x", OPEN)],
      { cmd: ["/opt/ssh/sbin/sshd", "-D"] },
      [SYSTEM_CLOSED, "/opt/conf/sshd_config 9.8p1 open"],
    ],
    [
      "started by a unit",
      [
        OWN,
        file("opt/conf/sshd_config", CLOSED),
        file(
          "etc/systemd/system/ssh.service",
          "[Service]\nExecStart=/opt/ssh/sbin/sshd -D -o AllowTcpForwarding=yes\n",
        ),
      ],
      {},
      [SYSTEM_CLOSED, "/opt/conf/sshd_config 9.8p1 open"],
    ],
    [
      "that nothing starts",
      [OWN, file("opt/conf/sshd_config", OPEN), file("usr/local/x/sbin/sshd", "\x7fELF")],
      {},
      [SYSTEM_CLOSED, "/opt/conf/sshd_config 9.8p1 open"],
    ],
    [
      "that nothing starts, with the system's own file, or none",
      [
        file("opt/ssh/sbin/sshd", "\x7fELF\0OpenSSH_9.8p1\0/etc/ssh/sshd_config\0"),
        file("opt/a/bin/sshd", "\x7fELF\0OpenSSH_9.8p1\0/opt/a/sshd_config\0"),
      ],
      {},
      [SYSTEM_CLOSED],
    ],
    [
      "with the system's own file",
      [file("opt/ssh/sbin/sshd", "\x7fELF\0OpenSSH_9.8p1\0/etc/ssh/sshd_config\0")],
      { cmd: ["/opt/ssh/sbin/sshd", "-o", "AllowTcpForwarding=yes"] },
      ["/etc/ssh/sshd_config 9.8p1 open"],
    ],
  ])("another sshd than the system's: %s", (_, members, more, expected) => {
    save("another.tar", dockerArchive(image([[...BASE, ...members]], more)));
    const options = ["--rule", "tcp-forwarding", "--format", "json"];
    const { targets } = JSON.parse(run("audit", "--image", "another.tar", ...options).stdout);
    const seen = targets.map(
      ({ path, openssh, findings }: { path: string; openssh: string; findings: readonly unknown[] }) =>
        `${path.replace("another.tar:", "")} ${openssh} ${findings.length > 0 ? "open" : "closed"}`,
    );
    expect(seen).toEqual(expected);
  });

  test.each(["[Service]\nExecStart=/opt/ssh/sbin/sshd -D\n", "[Service]\n"])(
    "an sshd in a place of its own, started by a unit alone or by nothing, is one: %j",
    (text) => {
      const unit = file("etc/systemd/system/ssh.service", text);
      const members = [folder("etc"), unit, OWN, file("opt/conf/sshd_config", OPEN)];
      save("alone.tar", dockerArchive(image([members])));
      const root = makeFolder();
      layOut(root, members.slice(1));
      for (const target of [
        ["--image", "alone.tar"],
        ["--root", root],
      ]) {
        const { code, stdout } = run("audit", ...target, "--rule", "tcp-forwarding");
        expect({ code, stdout }).toEqual({
          code: 1,
          stdout: expect.stringContaining("/opt/conf/sshd_config:1:20"),
        });
      }
    },
  );

  test("without an sshd there is nothing to judge", () => {
    save("none.tar.gz", gzipSync(dockerArchive(image([[folder("etc"), file("etc/passwd", "")]]))));
    for (const command of ["audit", "exposure", "effective", "check"]) {
      const { code, stderr } = run(command, "--image", "none.tar.gz");
      expect({ command, code, stderr }).toEqual({
        command,
        code: 0,
        stderr:
          "sshd-policy: none.tar.gz: there is no sshd in the image (none in the system's folders, /usr/local or /opt, and nothing found that starts one elsewhere), so there is nothing to judge\n",
      });
    }
    const { targets } = JSON.parse(run("audit", "--image", "none.tar.gz", "--format", "json").stdout);
    expect(targets[0]).toMatchObject({
      complete: true,
      error: null,
      findings: [],
      absent: expect.stringContaining("no sshd"),
    });
  });

  test("--platform chooses; without it nothing is guessed", () => {
    const open = [file("etc/ssh/sshd_config", `${CLOSED}PermitTunnel yes\n`)];
    const images = [image([BASE]), image([BASE, open], { architecture: "arm64" })];
    save("both.tar", tar(ociMembers(images, "gzip")));
    expect(run("audit", "--image", "both.tar", "--platform", "linux/amd64").code).toBe(0);
    for (const name of ["arm64", "linux/arm64/v8", "linux/aarch64", "Linux/ARM64"])
      expect(run("audit", "--image", "both.tar", "--platform", name).stdout).toContain("[tunnel-device]");
    expect(run("audit", "--image", "both.tar")).toMatchObject({
      code: 2,
      stderr:
        "sshd-policy: both.tar: it holds images for linux/amd64, linux/arm64: choose one with --platform\n",
    });
    expect(run("audit", "--image", "both.tar", "--platform", "linux/s390x").stderr).toContain(
      "it holds no image for linux/s390x, but for linux/amd64, linux/arm64",
    );
  });

  describe("a name behind a colon chooses one of several images", () => {
    const open = image([BASE, [file("etc/ssh/sshd_config", `${CLOSED}PermitTunnel yes\n`)]]);
    const isOpen = (name: string, ...more: readonly string[]): boolean | string => {
      const { stdout, stderr } = run("audit", "--image", name, ...more);
      return stderr.includes("it holds") ? stderr : stdout.includes("[tunnel-device]");
    };

    test("of an OCI layout", () => {
      const indexes: unknown[] = [];
      const members = Object.entries({ v1: image([BASE]), "host:5000/web:v2": open }).flatMap(([tag, each]) =>
        taggedMembers(each, "gzip").filter(({ name, data }) => {
          if (name !== "index.json") return true;
          const [descriptor] = JSON.parse(String(data)).manifests;
          indexes.push({ ...descriptor, annotations: { "org.opencontainers.image.ref.name": tag } });
          return false;
        }),
      );
      const index = file("index.json", JSON.stringify({ schemaVersion: 2, manifests: indexes }));
      const unique = new Map([...members, index].map((member) => [member.name, member]));
      layOut(join(work, "tags"), [...unique.values()]);
      save("tags:1.tar", tar([...unique.values()]));
      for (const name of ["tags", "tags:1.tar"]) {
        expect(isOpen(`${name}:v1`)).toBe(false);
        expect(isOpen(`${name}:v2`)).toBe(true);
        expect(isOpen(`${name}:host:5000/web:v2`, "--platform", "linux/amd64")).toBe(true);
        expect(isOpen(name)).toBe(
          `sshd-policy: ${name}: it holds 2 images (v1, host:5000/web:v2): choose one by its name behind a colon (FILE:NAME)\n`,
        );
        expect(isOpen(`${name}:v3`)).toContain('it holds no image "v3", but v1, host:5000/web:v2');
        expect(isOpen(`${name}:2`)).toContain('it holds no image "2"');
      }
      expect(run("audit", "--image", "tags:1.tar:v1", "--output", "tags:1.tar").stderr).toContain(
        "would overwrite",
      );
      expect(run("effective", "--image", "tags:v2", "-C", "user=a,addr=1.2.3.4").stdout).toContain(
        "permittunnel yes\n",
      );
    });

    test("of docker save", () => {
      const parts = [image([BASE]), open].map((each) => dockerMembers(each));
      const manifests = parts.map((members, index) => ({
        ...JSON.parse(String(members.at(-1)?.data))[0],
        RepoTags: [`web:${index}`],
      }));
      const manifest = file("manifest.json", JSON.stringify(manifests));
      save("saved.tar", tar([...parts.flatMap((members) => members.slice(0, -1)), manifest]));
      expect(isOpen("saved.tar:web:0")).toBe(false);
      expect(isOpen("saved.tar:1")).toBe(true);
      expect(isOpen("saved.tar")).toContain("it holds 2 images (web:0, web:1): choose one by its name");
    });

    test("where there is none to choose", () => {
      save("rootfs.tar", tar(BASE));
      expect(run("audit", "--image", "rootfs.tar:v1").stderr).toContain(
        "no images to choose from: leave :v1 out",
      );
      expect(run("audit", "--image", "not-there:v1").stderr).toContain(
        "not-there:v1: No such file or directory",
      );
    });
  });

  test.each([
    ["behind a last line without its newline", "Banner none\n#X11Forwarding no"],
    ["behind a last line that is edited and has none", "AllowAgentForwarding no\nX11Forwarding yes"],
    ["an empty file", ""],
    [
      "tabs, carriage returns and UTF-8",
      "\tX11Forwarding\tyes # gr\u00fcn \\n $HOME `x` it's & /\r\n\tBanner none\r\n",
    ],
    ["before a Match block", "Banner none\nMatch User a\n\tX11Forwarding yes\n"],
  ])("the line for the Dockerfile makes what --fix makes: %s", (_, text) => {
    const settings = [file("etc/ssh/sshd_config", bytes(text))];
    save("line.tar", dockerArchive(image([BASE, settings])));
    const { stderr } = run("audit", "--image", "line.tar", "--fix", "--unsafe-fixes", "--diff");
    const [, line = ""] = /\nRUN (.*)\n/.exec(stderr) ?? [];
    const made = makeFolder();
    for (const name of ["by-line", "by-fix"]) layOut(join(made, name), [...BASE, ...settings].slice(1));
    spawnSync("sh", [
      "-c",
      Buffer.from(line.replaceAll("/etc/ssh", join(made, "by-line/etc/ssh")), "latin1").toString(),
    ]);
    run("audit", "--root", join(made, "by-fix"), "--fix", "--unsafe-fixes");
    const [byLine, byFix] = ["by-line", "by-fix"].map((name) =>
      readFileSync(join(made, name, "etc/ssh/sshd_config"), "latin1").replace(/\r?\n$/, ""),
    );
    expect(byFix).not.toBe(bytes(text).replace(/\r?\n$/, ""));
    expect(byLine).toBe(byFix);
  });

  test("where no line for a Dockerfile can hold a change, that is said", () => {
    const settings = [file("etc/ssh/sshd_config", `${CLOSED}PermitTunnel yes # \xff\n`)];
    save("none.tar", dockerArchive(image([BASE, settings])));
    const { stderr } = run("audit", "--image", "none.tar", "--fix", "--diff");
    expect(stderr).toContain("no line for its Dockerfile can hold this change");
  });

  test("a fix is a diff and a line for the Dockerfile; the image stays as it is", () => {
    const second = [file("etc/ssh/sshd_config", `${CLOSED}PermitTunnel yes\n`)];
    const bytes = dockerArchive(image([BASE, second]));
    save("fix.tar", bytes);
    expect(run("audit", "--fix", "--image", "fix.tar")).toMatchObject({ code: 2, stdout: "" });
    const { code, stdout, stderr } = run("audit", "--fix", "--diff", "--image", "fix.tar");
    expect(code).toBe(1);
    expect(stdout).toContain("--- a/etc/ssh/sshd_config\n+++ b/etc/ssh/sshd_config\n");
    expect(stdout).toContain("-PermitTunnel yes\n+PermitTunnel no\n");
    expect(stderr).toContain("RUN sed -i -e '4i\\PermitTunnel no' -e 4d /etc/ssh/sshd_config\n");
  });

  test("control characters in names do not reach a terminal", () => {
    const name = "etc/ssh/sshd_config.d/\x1b[2J.conf";
    const main = [
      file("etc/ssh/sshd_config", "Include /etc/ssh/sshd_config.d/*.conf\n"),
      file(name, "PermitTunnel yes\n"),
    ];
    save("odd.tar", dockerArchive(image([BASE, main])));
    for (const format of ["pretty", "concise", "json"]) {
      const { stdout, stderr } = run("audit", "--image", "odd.tar", "--format", format);
      expect(stdout).toContain("tunnel-device");
      expect(stdout + stderr).not.toContain("\x1b");
    }
  });
});

describe("the other commands", () => {
  test("compare: two images, two releases", () => {
    const open = [file("etc/ssh/sshd_config", `${CLOSED}PermitTunnel yes\n`)];
    save("old.tar", dockerArchive(image([BASE])));
    save("new.tar", dockerArchive(image([BASE, open])));
    const { code, stdout } = run("compare", "--image", "old.tar", "--image", "new.tar");
    expect(code).toBe(1);
    expect(stdout).toContain("gained");
    expect(run("compare", "--image", "old.tar", "--openssh", "9.2..9.3").code).toBe(0);
  });

  test("effective, exposure and check", () => {
    save("web2.tar", dockerArchive(image([BASE])));
    expect(run("effective", "--image", "web2.tar", "-C", "user=a,addr=192.0.2.1").stdout).toContain(
      "allowtcpforwarding no\n",
    );
    expect(run("exposure", "--image", "web2.tar", "--accounts", "target").code).toBe(0);
    expect(run("check", "--image", "web2.tar").stdout).toContain("accepted by OpenSSH 9.9");
  });

  test("wrong usage", () => {
    expect(run("audit", "--image", "x", "--root", "/").stderr).toContain("exclude each other");
    expect(run("audit", "--platform", "linux/amd64").stderr).toContain("--platform chooses from an --image");
    save("root.tar", tar(BASE));
    expect(run("audit", "--image", "root.tar").code).toBe(0);
    expect(run("audit", "--image", "root.tar", "--platform", "linux/amd64")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("root.tar: it is the tar of a root file system"),
    });
    expect(run("audit", "--image", "missing.tar")).toMatchObject({
      code: 2,
      stderr: "sshd-policy: missing.tar: No such file or directory\n",
    });
  });
});
