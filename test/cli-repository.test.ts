// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are templates
/** `audit --repo`: what is found in a tree of configuration, and what is left alone. */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { findConfigurations } from "../src/files/repository.ts";
import { makeRoot } from "./auditing.ts";
import { describeUnless, NOT_LINUX, NOT_ROOT, testUnless } from "./needs.ts";
import { COMMAND, runCli } from "./run-cli.ts";
import { closed } from "./schemas.ts";

const CLOSED = "AllowTcpForwarding no\nX11Forwarding no\nPermitRootLogin no\n";

/** A line of a template each. */
const MARKED: readonly (readonly [line: string, language: string])[] = [
  ["Port @PORT@", "@NAME@"],
  ["Port=@port@", "@NAME@"],
  ["ListenAddress ::1 @RDOMAIN@", "@NAME@"],
  ['Port "@@PORT@@"', "@@NAME@@"],
  ["Port %%PORT%%", "%%NAME%%"],
  ["Port %PORT%", "%NAME%"],
  ["Port __PORT__", "__NAME__"],
  ["Match User __USER__", "__NAME__"],
  ["@more@", "@NAME@"],
  ["$MORE", "shell"],
  ["Port=$PORT", "shell"],
  ["Port ${PORT:-22}", "shell"],
  ["{# note #}", "Jinja"],
  ["Port {{ port }}", "Jinja"],
  ["{% if open %}\nPermitTunnel yes\n{% endif %}", "Jinja"],
  ["{{#if open}}\nPermitTunnel yes\n{{else}}\nPermitTunnel no\n{{/if}}", "Handlebars"],
  ["{{#each users}}\nAllowUsers {{this}}\n{{/each}}", "Handlebars"],
  ["{{#open}}\nPermitTunnel yes\n{{/open}}", "mustache"],
  ["{{^open}}\nPermitTunnel no\n{{/open}}", "mustache"],
  ["Banner none\nPort {{{port}}}", "mustache"],
  ["Port {{ .Port }}", "Go"],
  ["{{- range .Ports }}\nPort {{ . }}\n{{- end }}", "Go"],
  ['Port {{ env "PORT" }}', "Go"],
  ['Port {{ getv "/port" }}', "Go"],
  ["Port [[ .Port ]]", "Go"],
  ["Port <% .Port %>", "Go"],
  ["Port [[ port ]]", "[[NAME]]"],
  ["Port [[port]]", "[[NAME]]"],
  ["Port <%= @port %>", "ERB"],
  ["Port <%= port %>", "ERB"],
  ["<%- | Integer $port | -%>\nPort <%= $port %>", "EPP"],
  ["Port ${port}\n% if open:\nPermitTunnel yes\n% endif", "Mako"],
  ['<%inherit file="base"/>\nPort ${port}', "Mako"],
  ["<#if open>\nPermitTunnel yes\n</#if>\nPort ${port}", "FreeMarker"],
  ["Port [% port %]", "Template Toolkit"],
  ["%{ if open }\nPermitTunnel yes\n%{ endif }", "Terraform"],
  ["Port #{port}", "#{NAME}"],
  ["AllowUsers admin #{Ssh.User}", "#{NAME}"],
  ["Port %(port)s", "%(NAME)s"],
  ["Port {port}", "{NAME}"],
];

const ENDINGS: readonly (readonly [ending: string, line: string, language: string])[] = [
  ["hbs", "Port {{port}}", "Handlebars"],
  ["mustache", "Port {{port}}", "mustache"],
  ["twig", "Port {{ port }}", "Twig"],
  ["liquid", "Port {{ port }}", "Liquid"],
  ["tera", "Port {{ port }}", "Tera"],
  ["mako", "Port ${port}", "Mako"],
  ["ejs", "Port <%= port %>", "EJS"],
  ["epp", "Port <%= port %>", "EPP"],
  ["ftl", "Port ${port}", "FreeMarker"],
  ["vm", "#if($open)\nPermitTunnel yes\n#end", "Velocity"],
  ["tt", "Port [% port %]", "Template Toolkit"],
  ["tftpl", "Port ${port}", "Terraform"],
  ["gotpl", "Port {{ port }}", "Go"],
  ["tmpl", "Port {{ port }}", "Go"],
  ["tpl", "{% if open %}\nPermitTunnel yes\n{% endif %}", "Jinja"],
  ["j2", "Port __PORT__", "__NAME__"],
  ["erb", "Port ${port}", "shell"],
  ["envsubst", "Port $PORT", "shell"],
];

/** What only looks like it. */
const PLAIN: readonly string[] = [
  "AllowUsers @staff@10.0.0.*",
  "AllowUsers @staff@*",
  "AuthorizedKeysFile __PROGRAMDATA__/ssh/x",
  "AuthorizedKeysFile .ssh/%u %h/keys",
  "ListenAddress [::1]:22",
  "AllowUsers [a-z]* *@[::1]",
  "# [[ port ]] [% port %] #{port} %(port)s {port} __PORT__ @PORT@",
  "SetEnv A=[[x]] B=%(x)s",
  "Match exec \"test '%u' = x\"",
];

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
        "/sshd_config.tpl": "%{ if open }\nPermitTunnel yes\n%{ endif }\n",
        "/ssh_hardening.j2": "{{ header | comment }}\nUsePAM yes\nPermitRootLogin {{ root }}\n",
      },
      [
        "/a/sshd_config.j2 (Jinja)",
        "/b/sshd_config.erb (ERB)",
        "/ssh_hardening.j2 (Jinja)",
        "/sshd_config-el9.tmpl (Go)",
        "/sshd_config.d/1.conf.j2 (Jinja)",
        "/sshd_config.d/2.conf.epp (EPP)",
        "/sshd_config.in",
        "/sshd_config.template (shell)",
        "/sshd_config.tpl (Terraform)",
      ],
    ],
    [
      "what has braces in comments and free text alone, as sshd reads it",
      {
        "/a/sshd_config": `# {{ managed by hand }}\nBanner "{{ hi }}"\nForceCommand docker ps --format '{{.Names}}'\n`,
        "/b/sshd_config.j2": `# {{ ansible_managed }}\n${CLOSED}`,
        "/c/sshd_config.erb": `# managed by <%= @by %>\n${CLOSED}`,
        "/d/sshd_config.j2": `# {% if open %}\nAllowTcpForwarding yes\n# {% endif %}\n`,
        "/e/sshd_config.j2": `{#\n${CLOSED}#}\n`,
        "/f/sshd_config": "PermitRootLogin {{ root }}\n",
        "/g/sshd_config": `# made from @HERE@ by %%NAME%%\n${CLOSED}AllowUsers __x__ *@host\nAuthorizedKeysFile __PROGRAMDATA__/ssh/keys\nTrustedUserCAKeys %APPDATA%/x\nChrootDirectory /x/%u%h\n`,
      },
      [
        "/a/sshd_config",
        "/b/sshd_config.j2",
        "/c/sshd_config.erb",
        "/d/sshd_config.j2 (Jinja)",
        "/e/sshd_config.j2 (Jinja)",
        "/f/sshd_config (Jinja)",
        "/g/sshd_config",
      ],
    ],
    [
      "templates without an ending, by their marks",
      Object.fromEntries(MARKED.map(([line], at) => [`/${at + 100}/sshd_config`, `${CLOSED}${line}\n`])),
      MARKED.map(([, language], at) => `/${at + 100}/sshd_config (${language})`),
    ],
    [
      "templates by their ending, where it says more than their marks",
      Object.fromEntries(ENDINGS.map(([ending, line]) => [`/sshd_config.${ending}`, `${CLOSED}${line}\n`])),
      ENDINGS.map(([ending, , language]) => `/sshd_config.${ending} (${language})`).toSorted(),
    ],
    [
      "what only looks like a template's placeholder",
      Object.fromEntries(PLAIN.map((line, at) => [`/${at + 100}/sshd_config`, `${CLOSED}${line}\n`])),
      PLAIN.map((_, at) => `/${at + 100}/sshd_config`),
    ],
    [
      "files of any name, by what they say",
      {
        "/docker/ssh_server": CLOSED,
        "/docker/my.config": CLOSED,
        "/SSHD_Config": CLOSED,
        "/bom.conf": "\xef\xbb\xbfPermitTunnel no\n",
        "/sshd_config.d/10-a": "PermitTunnel yes\n",
        "/sshd_config.txt": CLOSED,
        "/sshd_config.bak": `${CLOSED}\0`,
        "/long.conf": CLOSED + "# x\n".repeat(400_000),
        "/user-data": `#cloud-config\nwrite_files:\n- content: |\n    ${CLOSED.replaceAll("\n", "\n    ")}`,
        "/README": CLOSED,
      },
      [
        "/SSHD_Config",
        "/bom.conf",
        "/docker/my.config",
        "/docker/ssh_server",
        "/long.conf",
        "/sshd_config.bak",
        "/sshd_config.d/10-a",
        "/sshd_config.txt",
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
        "/meta/sshd_options": "AllowUsers\nPermitTunnel\nX11Forwarding\n",
        "/meta/options": "AllowUsers\nPermitTunnel\nX11Forwarding\nForceCommand\n",
        "/INSTALL": `sshd\n${CLOSED}`,
        "/README.platform": `sshd\n${CLOSED}`,
      },
      [],
    ],
  ])("holds %s", (_, files, expected) => {
    expect(foundIn(files)).toEqual(expected);
  });

  it("takes no time that grows with the square of a line or of the lines", { timeout: 20_000 }, () => {
    const root = makeRoot({
      "/a.yaml": `sshd\n# ${"PermitTunnel yes ".repeat(300_000)}\nPermitTunnel: yes\n`,
      "/b/sshd_config": `# ${"{".repeat(1_000_000)}\n`,
      "/b2/sshd_config": `Banner ${"[[a".repeat(300_000)}\nPort ${"[[a".repeat(300_000)}\n# ${"[%".repeat(300_000)}\n`,
      "/c.conf": `PermitTunnel yes\n# ${"<%=".repeat(330_000)}\n# ${"${".repeat(100_000)}\n`,
      "/d/sshd_config": "Include /x\n".repeat(90_000),
    });
    const { found, passed } = findConfigurations(root);
    expect(found.map(({ path }) => path.slice(root.length))).toEqual([
      "/b/sshd_config",
      "/b2/sshd_config",
      "/c.conf",
      "/d/sshd_config",
    ]);
    expect(passed).toHaveLength(90_001);
    expect(passed[0]).toMatchObject({ kind: "settings", line: 3, keyword: "PermitTunnel" });
  });

  it("names no rule of auditd, option of a key or of a certificate as a setting of sshd", () => {
    const root = makeRoot({
      "/audit.rules": "-a always,exit -F arch=b64 -F path=/etc/ssh/sshd_config -p wa\n",
      "/keys.yaml": "sshd:\n  options: no-X11-forwarding,no-pty,permit-X11-forwarding x\n",
      "/sign.sh": "ssh-keygen -s ca -O force-command=/bin/date key.pub # for sshd\n",
    });
    expect(findConfigurations(root)).toEqual({ found: [], passed: [] });
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

describeUnless(NOT_LINUX, "names that are no UTF-8", () => {
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
      "--quiet",
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

  it("names files that set what sshd has keywords for", () => {
    const inside = CLOSED.replaceAll(/^/gm, "    ").trimEnd();
    const told = {
      "/Dockerfile.prod":
        "FROM x\n# PermitRootLogin no\nRUN sed -i 's/^#GatewayPorts.*/GatewayPorts yes/' /etc/ssh/sshd_config\n",
      "/attributes.rb": "default['openssh']['server']['allow_tcp_forwarding'] = 'yes'\n",
      "/b64.yaml": "- path: /etc/ssh/sshd_config\n  encoding: b64\n  content: QWxsb3cK\n",
      "/configuration.nix": `services.openssh.extraConfig = ''\n${inside}\n'';\n`,
      "/entrypoint": "#!/bin/sh\nexec /usr/sbin/sshd -D -o AllowTcpForwarding=yes\n",
      "/hiera.yaml": "ssh::server_options:\n  PermitTunnel: 'yes'\n",
      "/http/ks.cfg": `%post\ncat > /etc/ssh/sshd_config <<E\n${CLOSED}E\n%end\n`,
      "/map.json": '{"data": {"sshd_config": "UseDNS no\\nAllowTcpForwarding yes\\n"}}\n',
      "/default/ssh": 'SSHD_OPTS="-oAllowTcpForwarding=yes"\n',
      "/Makefile": "x:\n\tsed -i s/PermitTunnel.*/PermitTunnel\\ yes/ etc/ssh/sshd_config\n",
      "/site.pp": "class { 'ssh':\n  options => { 'X11Forwarding' => 'yes' },\n}\n",
      "/tasks.yml": "- lineinfile:\n    path: /etc/ssh/sshd_config\n    line: PermitRootLogin no\n",
      "/user-data": `#cloud-config\n- path: /etc/ssh/sshd_config\n  content: |\n${inside}\n`,
      "/vars.yml": "sshd_config:\n  GatewayPorts: yes\n",
      "/yast.xml": "<sshd><AllowTcpForwarding>yes</AllowTcpForwarding></sshd>\n",
      "/x.ign": '{"path": "/etc/ssh/sshd_config", "source": "data:,Port%2022%0APermitTunnel%20yes%0A"}\n',
    };
    const root = makeRoot({
      ...told,
      "/client.yaml": "config: |\n  Host *\n    GatewayPorts yes\n",
      "/roles/sshd/templates/ssh_config.j2": "Host *\n  GatewayPorts {{ ports }}\n",
      "/roles/openssh-server/files/ssh_config": "# beside sshd_config\nHost *\n  GatewayPorts yes\n",
      "/roles/openssh-server/files/20-client.conf": "# beside sshd_config\nHost *\n  GatewayPorts yes\n",
      "/spec.rb": "describe sshd_config do\n  its('PermitRootLogin') { should eq 'no' }\nend\n",
      "/copy.dockerfile": "FROM x\nCOPY sshd_config /etc/ssh/sshd_config\n",
      "/guide.md": CLOSED,
    });
    const { code, stderr } = runCli(["audit", "--repo", root]);
    expect(code).toBe(0);
    const lines = stderr.replaceAll(`sshd-policy: ${root}`, "").split("\n").slice(0, -1);
    expect(lines.map((line) => line.replace(/ in what is no .*|, not audited.*/, ""))).toEqual([
      "/Dockerfile.prod:3: settings of sshd (GatewayPorts)",
      "/Makefile:2: settings of sshd (PermitTunnel)",
      "/attributes.rb:1: settings of sshd (allow_tcp_forwarding)",
      "/b64.yaml:1: may hold an encoded sshd_config",
      "/configuration.nix:2: settings of sshd (AllowTcpForwarding)",
      "/default/ssh:1: settings of sshd (AllowTcpForwarding)",
      "/entrypoint:2: settings of sshd (AllowTcpForwarding)",
      "/hiera.yaml:2: settings of sshd (PermitTunnel)",
      "/http/ks.cfg:3: settings of sshd (AllowTcpForwarding)",
      "/map.json:1: settings of sshd (AllowTcpForwarding)",
      "/site.pp:2: settings of sshd (X11Forwarding)",
      "/tasks.yml:3: settings of sshd (PermitRootLogin)",
      "/user-data:4: settings of sshd (AllowTcpForwarding)",
      "/vars.yml:2: settings of sshd (GatewayPorts)",
      "/x.ign:1: settings of sshd (PermitTunnel)",
      "/yast.xml:1: settings of sshd (AllowTcpForwarding)",
    ]);
  });

  it.each(["1", "2"])(
    "reads nothing outside of the folder, and says what was named there (--jobs %s)",
    (jobs) => {
      const outside = makeRoot({ "/secret": "SecretToken abc\n" });
      const root = makeRoot({
        "/sshd_config": `Include ${outside}/secret /etc/crypto/x.config\nInclude sshd_config.d/*.conf ../*/secret\nInc"lude" "/etc/a b" # /etc/c\nAllowTcpForwarding no\nAllowAgentForwarding no\n`,
        "/sshd_config.d/here.conf": "X11Forwarding no\n",
      });
      symlinkSync(join(outside, "secret"), join(root, "sshd_config.d/out.conf"));
      symlinkSync(outside, join(root, "more"));
      const { code, stdout, stderr } = runCli([
        "audit",
        "--quiet",
        "--repo",
        root,
        "--jobs",
        jobs,
        "--openssh",
        "9.2",
      ]);
      expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
      expect(stderr.replaceAll(root, "DIR").replaceAll(outside, "OUT").split("\n")).toEqual([
        "sshd-policy: DIR/more: a link that leads out of DIR, or nowhere: not audited",
        "sshd-policy: DIR/sshd_config:1: Include OUT/secret leads out of DIR: nothing there is read",
        "sshd-policy: DIR/sshd_config:1: Include /etc/crypto/x.config leads out of DIR: nothing there is read",
        "sshd-policy: DIR/sshd_config:2: Include ../*/secret leads out of DIR: nothing there is read",
        "sshd-policy: DIR/sshd_config:3: Include /etc/a b leads out of DIR: nothing there is read",
        "sshd-policy: DIR/sshd_config.d/out.conf: a link that leads out of DIR, or nowhere: not audited",
        "",
      ]);
    },
  );

  it("tells scripts the kind of what is not judged", () => {
    const root = makeRoot({
      "/a/sshd_config.j2": "Port {{ port }}\n",
      "/b/sshd_config": "Include /etc/x\n",
      "/c.yaml": "\nsshd:\n  PermitTunnel: yes\n",
      "/d.yaml": "- path: /etc/ssh/sshd_config\n  encoding: b64\n",
      "/f.yaml": "",
    });
    symlinkSync("/nowhere", join(root, "e_sshd"));
    truncateSync(join(root, "f.yaml"), 65 * 1024 * 1024);
    const { stdout } = runCli(["audit", "--repo", root, "--format", "json"]);
    const document = JSON.parse(stdout);
    const schema = JSON.parse(readFileSync(new URL("../schemas/audit.json", import.meta.url), "utf8"));
    const valid = new Ajv2020({ allowUnionTypes: true }).compile(closed(schema));
    valid(document);
    expect(valid.errors).toBe(null);
    const targets: readonly { readonly path: string; readonly skipped?: object }[] = document.targets;
    const told = targets.map(({ path, skipped }) => [path.slice(root.length), skipped]);
    expect(told).toEqual([
      ["/b/sshd_config", undefined],
      ["/a/sshd_config.j2", { kind: "template", language: "Jinja" }],
      ["/b/sshd_config", { kind: "include", line: 1, pattern: "/etc/x" }],
      ["/c.yaml", { kind: "settings", line: 3, keyword: "PermitTunnel" }],
      ["/d.yaml", { kind: "settings", line: 1, keyword: null }],
      ["/e_sshd", { kind: "link" }],
      ["/f.yaml", { kind: "too-large" }],
    ]);
  });

  it("says with --fix --diff, too, what is not judged", () => {
    const root = makeRoot({
      "/a/sshd_config": "PermitTunnel yes\n",
      "/b/sshd_config.j2": "Port {{ port }}\n",
    });
    const { code, stdout, stderr } = runCli([
      "audit",
      "--repo",
      root,
      "--rule",
      "tunnel-device",
      "--fix",
      "--diff",
      "--quiet",
    ]);
    expect({ code, stdout, stderr: stderr.replaceAll(root, "") }).toEqual({
      code: 1,
      stdout: expect.stringContaining("+PermitTunnel no\n"),
      stderr:
        "sshd-policy: /b/sshd_config.j2: a template (Jinja), not audited: render it, and audit the result\n",
    });
  });

  testUnless(
    NOT_ROOT,
    "says of a folder the same wherever it lies, and changes nothing that this host's sshd reads",
    () => {
      const folder = makeRoot({
        "/sshd_config": "AllowTcpForwarding no\nX11Forwarding yes\n",
        "/default/ssh": "SSHD_OPTS='-o AllowTcpForwarding=yes'\n",
      });
      chmodSync(join(folder, "sshd_config"), 0o666);
      const inPlace = (...args: readonly string[]): string => {
        const script =
          'mount --make-rprivate /; mount --bind "$1/default" /etc/default; mount --bind "$1" "$2"; shift; exec "$@"';
        const command = ["audit", "--repo", ...args, "--rule", "x11-forwarding", "--rule", "tcp-forwarding"];
        const words = ["--mount", "sh", "-c", script.replace("shift;", "shift 2;"), "sh", folder];
        const { stdout, stderr } = spawnSync(
          "unshare",
          [...words, args[0] ?? "", process.execPath, ...COMMAND, ...command, "--openssh", "9.2"],
          { encoding: "utf8" },
        );
        return `${stdout}${stderr}`.replaceAll(args[0] ?? "", "DIR");
      };
      mkdirSync(join(folder, "elsewhere"));
      const here = inPlace("/etc/ssh", "--format", "json");
      expect(here).toContain("everybody may forward X11");
      expect(here).toBe(inPlace(join(folder, "elsewhere"), "--format", "json"));
      expect(inPlace("/etc/ssh", "--fix", "--format", "concise")).toContain(
        "nothing was changed: this host's own sshd reads it",
      );
      expect(readFileSync(join(folder, "sshd_config"), "utf8")).toContain("X11Forwarding yes");
    },
  );

  it("names what is too large to look at, and never waits for a pipe", () => {
    const root = makeRoot({ "/data.yaml": "", "/names\n::error::x.yaml": "sshd:\n  PermitRootLogin: yes\n" });
    truncateSync(join(root, "data.yaml"), 65 * 1024 * 1024);
    spawnSync("mkfifo", [join(root, "pipe.conf"), join(root, "Dockerfile")]);
    const { code, stderr } = runCli(["audit", "--repo", root]);
    expect({ code, stderr: stderr.replaceAll(root, "") }).toEqual({
      code: 0,
      stderr:
        "sshd-policy: /data.yaml: larger than 64 MiB, the limit of sshd-policy: not looked at\n" +
        "sshd-policy: /names\\x0a::error::x.yaml:2: settings of sshd (PermitRootLogin) in what is no sshd_config, not audited: audit what it makes\n",
    });
  });

  it("names links that lead out, and folders that cannot be read", () => {
    const outside = makeRoot({ "/sshd_config": CLOSED });
    const root = makeRoot({ "/closed/sshd_config": CLOSED, "/own.conf": CLOSED, "/own.md": CLOSED });
    symlinkSync(join(outside, "sshd_config"), join(root, "sshd_config"));
    const plain = runCli(["audit", "--quiet", "--repo", root, "--rule", "tcp-forwarding"]);
    expect({ ...plain, stderr: plain.stderr.replaceAll(root, "") }).toMatchObject({
      code: 0,
      stderr: "sshd-policy: /sshd_config: a link that leads out of , or nowhere: not audited\n",
    });
    if (process.getuid?.() === 0) return;
    for (const name of ["closed", "own.conf", "own.md"]) chmodSync(join(root, name), 0);
    const { code, stderr } = runCli(["audit", "--quiet", "--repo", root]);
    chmodSync(join(root, "closed"), 0o755);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringMatching(
        /closed: a folder that cannot be read\n.*own.conf: a file that cannot be read\n.*leads out of .*\n$/,
      ),
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
