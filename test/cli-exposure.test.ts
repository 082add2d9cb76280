/** `exposure` on the command line: its answers for scripts, people and browsers, and its exit codes. */
import { describe, expect, it } from "vitest";
import { furtherAccountSources } from "../src/files/accounts.ts";
import { makeRoot } from "./auditing.ts";
import { runCli } from "./run-cli.ts";
import { memoryTree } from "./sshd/server-tree.ts";

const BASTION =
  "# \x1b[2J\nAllowTcpForwarding no\nX11Forwarding no\nAllowAgentForwarding no\nAllowUsers deploy git@10.0.0.0/8\n" +
  "Match Group forwarders Address 10.0.0.0/8\n\tAllowTcpForwarding local\n\tPermitOpen db:5432\n" +
  "Match User <script>\n\tAllowTcpForwarding remote\n\tGatewayPorts yes\n";

function bastion(text = BASTION): string {
  return `${makeRoot({ "/sshd_config": text })}/sshd_config`;
}

function exposed(...args: string[]): ReturnType<typeof runCli> {
  return runCli(["exposure", "--openssh", "9.6", ...args]);
}

describe("exposure", () => {
  it("says whom sshd ends, who lies in no region", () => {
    const file = bastion("Match User bob\nCASignatureAlgorithms !ssh-rsa\n");
    const because = "assemble_algorithms: ca_sign_algorithms: invalid argument";
    const ofBob = exposed(file, "--user", "bob");
    expect([ofBob.code, ofBob.stdout]).toEqual([0, `${file}: ended: user bob: ${because} (sshd_config:2)\n`]);
    expect(exposed(file, "--format", "pretty").stdout).toContain(
      `sshd ends the connections of user bob: ${because} (sshd_config:2)\n`,
    );
    const [{ ended }] = JSON.parse(exposed(file, "--format", "json").stdout).targets;
    expect(ended).toMatchObject([
      { condition: "user bob", because, file, line: 2, witness: { user: "bob" } },
    ]);
    expect(exposed(file, "--user", "eve").stdout).not.toContain("ended");
  });

  it("gives scripts the fields of the contract", () => {
    const { code, stdout } = exposed(
      bastion(),
      "--format",
      "json",
      "-C",
      "user=deploy,addr=10.1.1.1,group=forwarders",
    );
    expect(code).toBe(0);
    const document = JSON.parse(stdout);
    expect(document).toMatchObject({ version: 1, targets: [{ openssh: "9.6", complete: true }] });
    const [target] = document.targets;
    expect(target.assumptions).toEqual(["any user with any groups may exist"]);
    const [region] = target.regions;
    expect(region).toMatchObject({
      capability: "tcp-local",
      allowed: true,
      condition: "members of group forwarders from 10.0.0.0/8",
      destinations: ["db:5432"],
      login: "possible",
      decidedBy: [
        { keyword: "allowtcpforwarding", value: "local", line: 7 },
        { keyword: "disableforwarding", value: "no", default: true },
        { keyword: "permitopen", value: "db:5432", line: 8 },
      ],
    });
    expect(region.witness).toMatchObject({ groups: ["forwarders"], lport: 22, rdomain: "" });
    expect(target.regions.find(({ bind }: { bind: string }) => bind === "wildcard")).toMatchObject({
      capability: "tcp-remote",
      listenAddresses: ["*:*"],
      privilegedPorts: "root",
    });
    const [{ capabilities }] = target.connections;
    expect(target.regions[capabilities["tcp-local"]]).toBe(region);
    expect(target.regions[capabilities["tun"]]).toMatchObject({ capability: "tun", allowed: false });
  });

  it("writes each region of the JSON on a line of its own, for grep and diff", () => {
    const { stdout } = exposed(bastion(), "--format", "json");
    const lines = stdout.split("\n").filter((line) => line.includes('"capability":'));
    const regions: unknown[] = lines.map((line) => JSON.parse(line.replace(/,$/, "")));
    expect(regions).toEqual(JSON.parse(stdout).targets[0].regions);
    expect(regions.length).toBeGreaterThan(2);
  });

  it("says of a connection that is asked for whether its user can log in", () => {
    const file = bastion();
    const asked = (connection: string): string =>
      exposed(file, "--format", "pretty", "-C", connection).stdout;
    expect(asked("user=deploy,addr=10.1.1.1")).not.toContain("cannot log in");
    const git = asked("user=git,addr=192.0.2.9");
    expect(git).toContain("cannot log in: AllowUsers does not name git");
    expect(git).toMatch(/^ {4}tcp-local {4}- {2}sshd_config:2 AllowTcpForwarding no$/m);
    const groups = bastion("AllowGroups staff\n");
    const login = (connection: string): unknown =>
      JSON.parse(exposed(groups, "--format", "json", "-C", connection).stdout).targets[0].connections[0]
        .login;
    expect(login("user=bob,addr=192.0.2.9")).toBe("unknown");
    expect(login("user=bob,addr=192.0.2.9,group=users")).toBe("impossible");
    expect(login("user=bob,addr=192.0.2.9,group=staff")).toBe("possible");
    const denied = bastion("DenyGroups staff\n");
    const said = exposed(denied, "-C", "user=bob,addr=192.0.2.9").stdout;
    expect(said).toContain(
      ": login: user=bob,addr=192.0.2.9,rdomain=: ?: DenyGroups is set, and no group= was given",
    );
  });

  it("knows the groups of a connection that is asked for by its account, and says where nobody does", () => {
    const file = bastion("AllowTcpForwarding no\nMatch Group admins\n\tAllowTcpForwarding yes\n");
    const files = makeRoot({
      "/passwd": "bob:x:1000:1000::/home/bob:/bin/sh\neve:x:1001:1000::/home/eve:/bin/sh\n",
      "/group": "users:x:1000:\nadmins:x:50:bob\n",
    });
    const accounts = ["--accounts", `${files}/passwd`, "--accounts", `${files}/group`];
    const asked = (user: string, ...args: string[]) =>
      exposed(file, "--format", "json", "-C", `user=${user},addr=192.0.2.9`, ...args).stdout;
    const located = (text: string): object => {
      const [{ regions, connections }] = JSON.parse(text).targets;
      const [{ assumed, login, capabilities }] = connections;
      return { assumed, login, allowed: regions[capabilities["tcp-local"]].allowed };
    };
    expect(located(asked("bob", ...accounts))).toEqual({ assumed: null, login: "possible", allowed: true });
    expect(located(asked("eve", ...accounts))).toEqual({ assumed: null, login: "possible", allowed: false });
    expect(located(asked("bob,group=users", ...accounts))).toMatchObject({ allowed: false });
    const assumed = "it is in no group, as no group= was given";
    expect(located(asked("bob"))).toEqual({ assumed, login: "possible", allowed: false });
    expect(asked("mallory", ...accounts)).toContain(
      '"login":"impossible","loginBecause":"there is no account mallory"',
    );
    const effective = (...args: string[]) =>
      runCli(["effective", file, "-C", "user=bob,addr=192.0.2.9,host=h", "--openssh", "9.6", ...args]);
    expect(effective(...accounts).stdout).toContain("allowtcpforwarding yes");
    expect(effective().stdout).toContain("allowtcpforwarding no");
    expect(effective().stderr).toContain(`user=bob,host=h,addr=192.0.2.9: ${assumed}`);
    expect(effective("--as-sshd", "--quiet").stderr).toBe("");
  });

  it("asks about one user, one capability, and leaves out who cannot log in", () => {
    const file = bastion();
    const lines = (...args: string[]): string[] =>
      exposed(file, "--format", "concise", ...args)
        .stdout.split("\n")
        .filter((line) => line !== "")
        .map((line) => line.slice(file.length + 2));
    expect(lines("--user", "git", "--capability", "tcp-local")).toEqual([
      "tcp-local: user git in group forwarders from 10.0.0.0/8: db:5432: sshd_config:7 AllowTcpForwarding local, sshd_config:8 PermitOpen db:5432",
    ]);
    expect(lines("--user", "git", "--capability", "tcp-remote")).toEqual([]);
    expect(lines("--capability", "tcp-remote").join("")).toContain("any (all)!");
    expect(lines("--capability", "tcp-remote", "--exclude-no-login")).toEqual([]);
    expect(lines("--capability", "tun", "--all").join("")).toMatch(/^tun: everybody: -: permittunnel no/);
  });

  it("answers for connections in the order in which they are asked for", () => {
    const asked = ["zoe", "amy", "bob"].flatMap((user) => ["-C", `user=${user},addr=192.0.2.9,group=x`]);
    const { connections } = JSON.parse(exposed(bastion(), ...asked, "--format", "json").stdout).targets[0];
    expect(connections.map(({ connection }: { connection: { user: string } }) => connection.user)).toEqual([
      "zoe",
      "amy",
      "bob",
    ]);
  });

  it("knows no other capabilities than sshd has", () => {
    expect(exposed(bastion(), "--capability", "tun", "--capability", "tcp")).toEqual({
      code: 2,
      stdout: "",
      stderr:
        'sshd-policy: "tcp" is no capability: known are tcp-local, tcp-remote, unix-local, unix-remote, tun, x11, agent\n',
    });
  });

  it("makes a column as wide as what stands in it, within bounds", () => {
    const file = bastion("Match User bob\n\tPermitOpen database.example:5432\n");
    const asked = ["tcp-local", "tun", "x11"].flatMap((name) => ["--capability", name]);
    expect(
      exposed(file, ...asked, "--all", "--format", "pretty")
        .stdout.split("\n")
        .slice(3, 7),
    ).toEqual([
      "                                TCP out              tun        X11",
      "  1 user bob                    database.example:5432",
      "  2 everybody, except user bob  any",
      "  3 everybody                                        -          -",
    ]);
  });

  it("draws cells that do not cover each other, all inside the picture", () => {
    const { stdout } = exposed(bastion(), "--format", "svg");
    const numbers = (pattern: RegExp): number[][] =>
      [...stdout.matchAll(pattern)].map((found) => found.slice(1).map(Number));
    const [[width = 0, height = 0] = []] = numbers(/<svg[^>]* viewBox="0 0 ([\d.]+) ([\d.]+)"/g);
    const boxes = numbers(/<rect class="\w+" x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"/g);
    expect(boxes.length).toBeGreaterThan(7);
    for (const [index, [x = 0, y = 0, wide = 0, high = 0]] of boxes.entries()) {
      expect(x + wide).toBeLessThan(width);
      expect(y + high).toBeLessThan(height);
      for (const [otherX = 0, otherY = 0] of boxes.slice(index + 1))
        expect(otherX >= x + wide || otherY >= y + high || otherX < x).toBe(true);
    }
  });

  it.each(["pretty", "html", "svg"])("says nothing of what was not asked about: %s", (format) => {
    const asked = ["--capability", "tun", "--user", "bob", "--format", format];
    expect(exposed(bastion(), ...asked).stdout.toLowerCase()).toMatch(
      /nothing is open of what was asked for: --capability tun --user bob/,
    );
    const closed = bastion("AllowTcpForwarding no\nAllowStreamLocalForwarding no\nAllowAgentForwarding no\n");
    expect(exposed(closed, "--format", format).stdout.toLowerCase()).toContain("nobody can forward anything");
  });

  it("draws the map as a table, a page and a picture, and nothing of the file becomes markup or an escape", () => {
    const file = bastion(`${BASTION}Match Group forwarders,\x1b[2J\n\tPermitTunnel yes\n`);
    for (const format of ["pretty", "html", "svg"]) {
      const { code, stdout } = exposed(file, "--format", format, "--all");
      expect(code).toBe(0);
      expect(stdout).toContain("db:5432");
      expect(stdout).toContain("members of group forwarders");
      expect(stdout).toContain("(all) listens on all addresses");
      // the cell of what may be listened on names both lines
      expect(stdout).toMatch(/AllowTcpForwarding remote, [^<]*GatewayPorts yes/);
      expect(stdout).not.toContain("\x1b");
      expect(format !== "pretty" && stdout.includes("<script>")).toBe(false);
      expect(stdout).not.toMatch(/(?:src|href)=/);
    }
  });

  it("answers on the page for a connection that was asked for", () => {
    const asked = "user=deploy,addr=10.1.1.1";
    const { stdout } = exposed(bastion(), "--format", "html", "-C", `${asked},group=forwarders`);
    expect(stdout.slice(stdout.indexOf(`<h3>${asked},rdomain=</h3>`))).toMatch(
      /^[^\n]*<dt>TCP out<\/dt><dd>[^<]*sshd_config:\d+ [^<]*<\/dd>/,
    );
    expect(exposed(bastion(), "--format", "html").stdout).not.toContain("<dt>TCP out</dt>");
  });

  it("names on the page a witness of each group of connections, with its groups", () => {
    expect(exposed(bastion(), "--format", "html").stdout).toMatch(
      /<h3>Witnesses<\/h3><dl><dt>tcp-local<\/dt><dd>members of group forwarders from 10\.0\.0\.0\/8: -C user=\S+ \(in forwarders\)<\/dd><dt>/,
    );
  });

  it.each([
    [
      "/sshd_config",
      "DenyUsers bob\nAllowTcpForwarding no\nMatch User bob\n\tAllowTcpForwarding local\nMatch User eve\n\tPermitTunnel yes\n",
      { "any!": "held", yes: "open", "-": "closed", "another row says it": "other" },
    ],
    [
      "/x.d/fragment.conf",
      "X11Forwarding no\n",
      { "any?": "unknown", "any (lo)?": "unknown", "yes?": "unknown", "-": "closed" },
    ],
  ])("paints a cell of the picture by what it says: %s", (path, text, kinds) => {
    const { stdout } = exposed(`${makeRoot({ [path]: text })}${path}`, "--format", "svg", "--all");
    const cells = [...stdout.matchAll(/<title>([^:<]*)[^<]*<\/title><rect class="(\w+)"/g)];
    expect(Object.fromEntries(cells.map(([, said, kind]) => [said, kind]))).toEqual(kinds);
  });

  it("cuts in the picture what is longer than its cell, and the words of a group", () => {
    const place = "a-host-with-a-long-name.example:5432";
    const text = `AllowTcpForwarding no\nMatch User ${"x".repeat(300)}\n\tAllowTcpForwarding local\n\tPermitOpen ${place}\n`;
    const { stdout } = exposed(bastion(text), "--format", "svg");
    expect(stdout).toContain(">a-host-wit...</text>");
    expect(stdout).toContain(`<title>${place}: sshd_config:3 AllowTcpForwarding local, `);
    expect(stdout).toContain(`>${"x".repeat(200)}</text>`);
  });

  it("says who may bind a low port: root, everybody where the kernel lets them, nobody without a root login", () => {
    const portsOf = (config: string, sysctl: string): unknown => {
      const root = makeRoot({ "/etc/ssh/sshd_config": config, "/etc/sysctl.d/50-ports.conf": sysctl });
      const { stdout } = exposed("--root", root, "--capability", "tcp-remote", "--format", "json");
      const [{ privilegedPorts, needs }] = JSON.parse(stdout).targets[0].regions;
      return [privilegedPorts, ...needs];
    };
    expect(portsOf("PermitRootLogin yes\n", "")).toEqual(["root", "a root login for a port below 1024"]);
    expect(portsOf("", "net.ipv4.ip_unprivileged_port_start = 80\n")).toEqual([
      "root",
      "a root login for a port below 80",
    ]);
    expect(portsOf("", "net/ipv4/ip_unprivileged_port_start=0\n")).toEqual(["all"]);
    expect(portsOf("PermitRootLogin no\n", "")).toEqual([
      "none",
      "a port of 1024 or above: PermitRootLogin is no, so nobody binds a lower one",
    ]);
  });

  it("ends a puzzle within its limit with unknown and exit code 3", () => {
    const { code, stdout } = exposed(bastion(pigeons(4)), "--capability", "tcp-local", "--format", "json");
    expect(code).toBe(3);
    const [target] = JSON.parse(stdout).targets;
    expect(target.complete).toBe(false);
    expect(target.limits.join()).toContain("could not be settled within the effort limit");
    expect(target.regions).toMatchObject([{ allowed: "unknown", witness: null }]);
    // one step easier it is settled: nobody fits
    expect(exposed(bastion(pigeons(3)), "--capability", "tcp-local").code).toBe(0);
    // whoever is meant, root may be among them
    const tunnels = bastion(pigeons(4).replace(/.*\n/, "").replaceAll("AllowTcpForwarding", "PermitTunnel"));
    const audited = runCli([
      "audit",
      "--openssh",
      "9.6",
      "--rule",
      "tunnel-device",
      "--format",
      "pretty",
      tunnels,
    ]);
    expect(audited.stdout).toContain("only root can make the tun device for it");
  });

  it("does not guess a field of -C that a Match block asks for", () => {
    const file = bastion(
      "AllowTcpForwarding no\nMatch User bob Address 10.0.0.0/8\n\tAllowTcpForwarding yes\n",
    );
    const { code, stdout, stderr } = exposed(file, "-C", "user=bob");
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("asks for addr, and -C user=bob does not say");
  });

  it("closes no world around nobody, nor around another server's accounts", () => {
    const file = bastion("AllowTcpForwarding no\nMatch User bob\n\tAllowTcpForwarding yes\n");
    const group = `${makeRoot({ "/group": "sudo:x:27:bob\n" })}/group`;
    const refused = (accounts: string): string => {
      const { code, stderr } = exposed(file, "--accounts", accounts);
      expect(code).toBe(2);
      return stderr;
    };
    expect(refused(group)).toContain("no line of passwd(5) in it");
    expect(refused(file)).toContain("no line of passwd(5) in it");
    expect(refused("target")).toContain("nobody knows the accounts of the server that a FILE is for");
  });

  it("does not take a passwd file without its group file for a server without groups", () => {
    const file = bastion("AllowTcpForwarding no\nMatch Group admins\n\tAllowTcpForwarding yes\n");
    const files = makeRoot({
      "/passwd": "bob:x:1000:1000::/home/bob:/bin/sh\n",
      "/group": "admins:x:50:bob\n",
    });
    const asked = (...args: string[]) =>
      exposed(file, "--format", "json", "--accounts", `${files}/passwd`, ...args);
    const alone = asked();
    expect(alone.code).toBe(3);
    expect(JSON.parse(alone.stdout).targets[0].limits).toEqual([
      "who is in which group is not known: --accounts needs the group file, too",
    ]);
    const audit = runCli(["audit", file, "--accounts", `${files}/passwd`]);
    expect(audit.code).toBe(3);
    expect(audit.stderr).toContain("not complete: who is in which group is not known");
    expect(asked("--accounts", `${files}/group`).code).toBe(0);
  });

  it("knows who exists where it is told, and says where accounts may come from besides", () => {
    const file = bastion("AllowTcpForwarding no\nMatch User bob\n\tAllowTcpForwarding yes\n");
    const passwd = `${makeRoot({ "/passwd": "alice:x:1000:1000::/home/alice:/bin/sh\n" })}/passwd`;
    const closed = exposed(file, "--accounts", passwd, "--capability", "tcp-local", "--format", "json");
    expect(JSON.parse(closed.stdout).targets[0]).toMatchObject({
      regions: [],
      assumptions: ["nobody but the known accounts exists"],
    });
    const sources = (text: string): readonly string[] =>
      furtherAccountSources(memoryTree({ "/etc/nsswitch.conf": text }));
    expect(sources("passwd: files systemd\ngroup: compat\nhosts: files dns\n")).toEqual([]);
    expect(sources("passwd: files [NOTFOUND=return] sss # local first\ngroup:\tfiles ldap\n")).toEqual([
      "sss",
      "ldap",
    ]);
  });
});

/** n + 1 pigeons in n holes: a member of users must have a group for each pigeon, and no two for one hole. */
function pigeons(holes: number): string {
  const all = Array.from({ length: holes + 1 }, (_, pigeon) => pigeon);
  const hole = all.slice(0, holes);
  const block = (criteria: readonly string[], value: string): string =>
    `Match ${criteria.map((text) => `Group ${text}`).join(" ")}\n\tAllowTcpForwarding ${value}\n`;
  const homeless = all.map((pigeon) => block(["users", ...hole.map((at) => `*,!p${pigeon}h${at}`)], "no"));
  const crowded = hole.flatMap((at) =>
    all.flatMap((one) =>
      all.slice(one + 1).map((other) => block([`p${one}h${at}`, `p${other}h${at}`], "no")),
    ),
  );
  return `AllowTcpForwarding no\n${homeless.join("")}${crowded.join("")}${block(["users"], "yes")}`;
}
