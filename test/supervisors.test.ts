// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are scripts
/** What supervisors start, from their own files; the words of supervisord's programs are those that supervisord 4.2.5 gave. */
import { describe, expect, test } from "vitest";
import { folderTree } from "../src/files/folder.ts";
import { startedBy } from "../src/start/shell-script.ts";
import { assignments } from "../src/start/shell-words.ts";
import { optionsOf, type StartOptions } from "../src/start/sshd-options.ts";
import { makeRoot } from "./auditing.ts";
import { timed } from "./cpu-time.ts";
import type { ServerTree } from "./sshd/server-tree.ts";

const image = (
  command: readonly string[],
  files: ServerTree,
  env: readonly string[] = [],
): StartOptions | null =>
  optionsOf(
    startedBy(command, { tree: folderTree(makeRoot(files)), variables: assignments(env) }),
    "the image's ENTRYPOINT and CMD",
  );

const UNREAD = (what: string): string =>
  `the image's ENTRYPOINT and CMD runs ${what}: options that it gives sshd are not read`;

describe("supervisord", () => {
  const DEBIAN = "[supervisord]\nnodaemon=true\n\n[include]\nfiles = /etc/supervisor/conf.d/*.conf\n";
  const with_ = (program: string): ServerTree => ({
    "/etc/supervisor/supervisord.conf": DEBIAN,
    "/etc/supervisor/conf.d/sshd.conf": program,
  });

  test.each<[string, readonly string[]]>([
    ["[program:sshd]\ncommand=/usr/sbin/sshd -D -o PermitTunnel=yes\n", ["PermitTunnel=yes"]],
    [
      "[program:sshd]\nCommand : sshd -D\n   -o 'PermitTunnel yes'\n\t-p 22 ; c\nautostart = TRUE\n",
      ["PermitTunnel yes", "Port=22"],
    ],
    ['[program:x]\ncommand=/usr/sbin/sshd -o "X a;b" -p a#b # -p 1\n', ["X a;b", "Port=a#b"]],
    ["[program:x]\ncommand=sshd -p 1\n;-p 2\n#x\n\n  -p 3\n", ["Port=1", "Port=3"]],
    ["[program:x]\nautostart=off\ncommand=sshd -p 1\n[program:y]\ncommand=sshd -p 2\n", ["Port=2"]],
    ["[program:x]\ncommand=sshd -p 1\n[program:x]\ncommand=sshd -p 2\n", ["Port=2"]],
    ["[fcgi-program:x]\ncommand=sshd -p 1\n", ["Port=1"]],
    ["[program:x]\ncommand=sshd -p 1%(process_num)02d -o %(program_name)s%%\n", ["Port=100", "x%"]],
    ["[program:x]\nnumprocs_start=4\ncommand=sshd -p %(process_num)d\n", ["Port=4"]],
    ['[program:x]\nenvironment=K="a,b",P=7\ncommand=sshd -o %(ENV_K)s -p %(ENV_P)s\n', ["a,b", "Port=7"]],
    ["[program:x]\ncommand=sshd -p %(ENV_PORT)s\n", ["Port=99"]],
    ["[program:x]\nenvironment=P=7\ncommand=sh -c 'exec sshd -p $P'\n", ["Port=7"]],
  ])("%j", (program, options) => {
    const found = image(["/usr/bin/supervisord", "-n"], with_(program), ["PORT=99"]);
    expect(found).toMatchObject({ options, limit: null, source: "/etc/supervisor/conf.d/sshd.conf" });
  });

  const OF_ITS_OWN = "[program:x]\ncommand=sshd -p 1\n";
  test.each<[readonly string[], ServerTree]>([
    [["supervisord", "-nc", "/srv/x.conf"], { "/srv/x.conf": OF_ITS_OWN }],
    [["supervisord", "--configuration=/srv/x.conf"], { "/srv/x.conf": OF_ITS_OWN }],
    [["supervisord"], { "/etc/supervisord.conf": OF_ITS_OWN }],
    [["/usr/local/bin/supervisord"], { "/usr/local/etc/supervisord.conf": OF_ITS_OWN }],
    [["python3", "-u", "/usr/bin/supervisord", "-c", "/srv/x.conf"], { "/srv/x.conf": OF_ITS_OWN }],
    [["tini", "--", "supervisord"], { "/etc/supervisord.conf": OF_ITS_OWN }],
    [["sh", "/run.sh"], { "/run.sh": "cd /srv\nexec supervisord -c x.conf\n", "/srv/x.conf": OF_ITS_OWN }],
    [
      ["supervisord"],
      {
        "/etc/supervisord.conf": "[include]\nfiles=a/*.ini nowhere\n  %(here)s/b.ini\n",
        "/etc/a/1.ini": "[program:y]\nautostart=false\ncommand=sshd\n",
        "/etc/b.ini": OF_ITS_OWN,
      },
    ],
  ])("where its configuration lies: %j", (command, files) => {
    expect(image(command, files)).toMatchObject({ options: ["Port=1"], limit: null });
  });

  test("what it starts first may change the configuration", () => {
    const files = with_(
      "[program:a]\ncommand=sed -i s/no/yes/ /etc/ssh/sshd_config\n[program:b]\ncommand=sshd\n",
    );
    expect(image(["supervisord"], files)?.limit).toContain("changes /etc/ssh/sshd_config");
  });

  test("where no sshd is among its programs it starts none", () => {
    expect(image(["supervisord"], with_("[program:web]\ncommand=nginx\n"))).toBeNull();
  });

  test("itself, without end", () => {
    const files = with_(["a", "b", "c"].map((name) => `[program:${name}]\ncommand=supervisord\n`).join(""));
    expect(image(["supervisord"], files)?.limit).toBe(UNREAD("a script that is too long"));
  });

  test("long files and many programs end", () => {
    const what = "supervisord, whose own files say what it starts";
    const of = (text: string): string | null | undefined =>
      image(["supervisord"], { "/etc/supervisord.conf": text })?.limit;
    expect(of(`a${" ".repeat(900_000)}b\n[program:x]\ncommand=sshd\n`)).toBeNull();
    expect(of(`${"#\n".repeat(600_000)}[program:x]\ncommand=sshd\n`)).toBe(UNREAD(what));
    const environment = `[supervisord]\nenvironment=${"A=b,".repeat(100_000)}\n`;
    const programs = Array.from({ length: 501 }, (_, index) => `[program:${index}]\ncommand=x\n`);
    expect(of(environment + programs.join(""))).toBe(UNREAD(what));
  });

  test.each<[string, string]>([
    ["a file that it includes", `[include]\nfiles=${"a ./a ".repeat(100_000)}\n`],
    ["a width", "[program:x]\ncommand=%(program_name)0999999999s\n"],
    [
      "an expansion",
      `[supervisord]\nenvironment=A=${"b".repeat(60_000)}\n[program:x]\ncommand=${"%(ENV_A)s".repeat(7000)}`,
    ],
    [
      "an environment of many programs",
      `[supervisord]\nenvironment=${Array.from({ length: 8000 }, (_, index) => `A${index}=b`).join(",")}\n` +
        Array.from({ length: 500 }, (_, index) => `[program:${index}]\ncommand=x\n`).join(""),
    ],
  ])("%s again and again ends within seconds", (_, text) => {
    const included = { "/etc/a": `[program:y]\n${"a=b\n".repeat(200_000)}` };
    const files = { "/etc/supervisord.conf": text, ...included };
    expect(timed(() => image(["supervisord"], files)).cpuSeconds).toBeLessThan(15);
  });

  test.each([["-c", "/nowhere.conf"], []])("a configuration that is not there is a limit: %j", (...args) => {
    const what = "supervisord, whose own files say what it starts";
    expect(image(["supervisord", ...args], {})?.limit).toBe(UNREAD(what));
  });
});

describe("s6, runit and baseimage-docker", () => {
  const RUN = "#!/bin/sh\nexec /usr/sbin/sshd -D -p 1\n";
  const V2 = { "/init": "#!/bin/execlineb -S0\n" };
  const V3 = { "/init": "#!/bin/sh -e\nexec s6-overlay-suexec ' /x/preinit ' '' /x/stage0 \"$@\"\n" };

  test.each<[string, readonly string[], ServerTree]>([
    ["s6-svscan", ["s6-svscan", "-t0", "/srv/s"], { "/srv/s/sshd/run": RUN }],
    ["runsvdir", ["runsvdir", "-P", "/etc/service"], { "/etc/service/sshd/run": RUN }],
    [
      "a service that is down",
      ["s6-svscan", "/s"],
      { "/s/a/run": RUN, "/s/b/run": "exec sshd\n", "/s/b/down": "" },
    ],
    ["my_init", ["/sbin/my_init"], { "/etc/service/sshd/run": RUN }],
    ["my_init's command", ["/sbin/my_init", "--", "sshd", "-p", "1"], {}],
    ["s6-overlay 2", ["/init"], { ...V2, "/etc/services.d/sshd/run": `#!/usr/bin/with-contenv sh\n${RUN}` }],
    ["s6-overlay's command", ["/init", "sshd", "-p", "1"], V2],
    [
      "s6-overlay 3",
      ["/init"],
      {
        ...V3,
        "/etc/s6-overlay/s6-rc.d/user/contents.d/svc-sshd": "",
        "/etc/s6-overlay/s6-rc.d/svc-sshd/run":
          "#!/usr/bin/with-contenv bash\nexec s6-notifyoncheck -d s6-setuidgid root /usr/sbin/sshd.pam -D -e -p 1\n",
        "/etc/s6-overlay/s6-rc.d/unused/run": "#!/bin/sh\nexec sshd -p 2\n",
      },
    ],
    [
      "what a service of s6-rc depends on",
      ["/init"],
      {
        ...V3,
        "/etc/s6-overlay/s6-rc.d/user/contents.d/web": "",
        "/etc/s6-overlay/s6-rc.d/web/dependencies.d/sshd": "",
        "/etc/s6-overlay/s6-rc.d/sshd/up": "/etc/s6-overlay/scripts/sshd",
        "/etc/s6-overlay/scripts/sshd": RUN,
      },
    ],
    [
      "execline",
      ["s6-svscan", "/s"],
      {
        "/s/sshd/run":
          "#!/bin/execlineb -P\nforeground { ssh-keygen -A }\nfdmove -c 2 1 # x\nsshd -D\n  -p 1\n",
      },
    ],
  ])("%s", (_, command, files) => {
    expect(image(command, files)).toMatchObject({ options: ["Port=1"], limit: null });
  });

  test.each<[string, ServerTree, string]>([
    [
      "a script that changes the configuration first",
      {
        ...V2,
        "/etc/cont-init.d/10": "#!/bin/sh\nsed -i s/no/yes/ /etc/ssh/sshd_config\n",
        "/etc/services.d/a/run": RUN,
      },
      "/etc/cont-init.d/10 changes /etc/ssh/sshd_config before sshd reads it: what is judged is the file as it lies there",
    ],
    [
      "a variable of execline",
      { ...V2, "/etc/services.d/a/run": "#!/bin/execlineb -P\nimportas P PORT\nsshd -p ${P}\n" },
      "/etc/services.d/a/run starts sshd with options that a shell computes: they are not read",
    ],
    [
      "a block of execline",
      {
        ...V2,
        "/etc/services.d/a/run": "#!/bin/execlineb -P\nif { sed -i s/no/yes/ /etc/ssh/sshd_config }\nsshd\n",
      },
      "changes /etc/ssh/sshd_config",
    ],
  ])("a limit: %s", (_, files, limit) => {
    expect(image(["/init"], files)?.limit).toContain(limit);
  });
});
