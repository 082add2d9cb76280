/** The ways in which hosts of the tests start sshd, and the configurations that a fix must get right on each. */
import type { LabHost } from "./hosts.ts";
import { installBundle } from "./installed.ts";
import { makeAccount, SSH } from "./login.ts";

export interface Way {
  readonly base: string;
  readonly how: string;
  /** the main file of its sshd */
  readonly main: string;
  /** a script that makes it start this way, at every boot */
  readonly prepare: string;
  /** a script that loads the configuration, as an administrator would */
  readonly restart: string;
}

const MAIN = "/etc/ssh/sshd_config";
const OTHER = "/etc/ssh/bastion_config";
const OPTIONS = `echo 'SSHD_OPTS="-f ${OTHER} -o ClientAliveInterval=7"' >/etc/default/ssh`;
const SOCKET = "systemctl disable --now ssh.service; systemctl enable --now ssh.socket";

function systemd(base: string): readonly Way[] {
  const restart = "systemctl reset-failed ssh.service; systemctl restart ssh.service";
  return [
    { base, how: "ssh.service", main: MAIN, prepare: "true", restart },
    { base, how: "ssh.service with -f and -o", main: OTHER, prepare: OPTIONS, restart },
    {
      base,
      how: "ssh.socket",
      main: MAIN,
      prepare: SOCKET,
      restart: `${restart.replace("restart", "stop")}`,
    },
  ];
}

export const WAYS: readonly Way[] = [
  ...systemd("bookworm"),
  ...systemd("trixie"),
  { base: "bookworm-sysv", how: "sysv", main: MAIN, prepare: "true", restart: "service ssh restart" },
  { base: "bookworm-openrc", how: "openrc", main: MAIN, prepare: "true", restart: "rc-service ssh restart" },
  { base: "bookworm-runit", how: "runit", main: MAIN, prepare: "true", restart: "sv restart ssh" },
];

export interface Case {
  readonly title: string;
  /** a script that makes it out of the stock file $MAIN */
  readonly script: string;
  /** the accounts whose forwards are open before */
  readonly open: readonly string[];
  /** the accounts whose forwards a safe fix leaves open */
  readonly kept: readonly string[];
  /** files that the safe fix changes */
  readonly changed: readonly string[];
}

const BOTH = ["alice", "deploy"] as const;

export const CASES: readonly Case[] = [
  { title: "the stock file", script: "true", open: BOTH, kept: [], changed: ["$MAIN"] },
  {
    title: "a drop-in that wins",
    script:
      "sed -i '/AllowTcpForwarding/s/.*/AllowTcpForwarding no/' $MAIN; echo 'AllowTcpForwarding yes' >/etc/ssh/sshd_config.d/50-cloud-init.conf",
    open: BOTH,
    kept: [],
    // X11 and agent forwarding are closed in the main file
    changed: ["$MAIN", "/etc/ssh/sshd_config.d/50-cloud-init.conf"],
  },
  {
    title: "a Match exception",
    script: "printf 'Match User deploy\\n\\tAllowTcpForwarding yes # the nightly copy\\n' >>$MAIN",
    open: BOTH,
    kept: ["deploy"],
    changed: ["$MAIN"],
  },
  {
    title: "an Include inside a Match",
    script:
      "printf 'Match User deploy\\n  Include /etc/ssh/deploy.d/*.conf\\n' >>$MAIN; mkdir /etc/ssh/deploy.d; echo 'AllowTcpForwarding yes' >/etc/ssh/deploy.d/a.conf",
    open: BOTH,
    kept: ["deploy"],
    changed: ["$MAIN"],
  },
  {
    title: "lines that end in CR LF",
    script: "sed -i 's/$/\\r/' $MAIN",
    open: BOTH,
    kept: [],
    changed: ["$MAIN"],
  },
];

/** The program as it is released, where an administrator would put it. */
export const PROGRAM = "node /opt/sshd-policy/cli.js";

/** Before the first boot. */
export function installProgram(host: LabHost): void {
  installBundle(host);
  // the strictest setting: a session takes everything with it that it started, also root's (logind.conf(5))
  host.write(
    "/etc/systemd/logind.conf.d/strict.conf",
    "[Login]\nKillUserProcesses=yes\nKillExcludeUsers=nobody\n",
  );
}

/** Accounts, the way to start, and a copy of the stock configuration that `setUp` goes back to. */
export async function prepareHost(host: LabHost, way: Way): Promise<void> {
  await host.must(makeAccount("alice"));
  await host.must(makeAccount("deploy"));
  await host.must(`cp -a ${MAIN} ${OTHER}; cp -a /etc/ssh /root/stock; ${way.prepare}; ${way.restart}`);
}

export async function setUp(host: LabHost, way: Way, { script }: Case): Promise<void> {
  await host.must(
    `set -e; MAIN=${way.main}; rm -rf /etc/ssh; cp -a /root/stock /etc/ssh; ${script}; ${way.restart}
     for try in $(seq 100); do ${SSH} alice@127.0.0.1 true 2>/dev/null && exit; sleep 0.1; done; exit 1`,
  );
}

/** Which of the accounts can log in, and which of them may forward, tried over the network. */
export async function tryLogins(
  host: LabHost,
): Promise<{ readonly logins: string[]; readonly forwards: string[] }> {
  const attempts = BOTH.flatMap((user) => [
    `{ ${SSH} ${user}@127.0.0.1 true && echo login ${user}; } &`,
    `{ timeout 20 ${SSH} -W 127.0.0.1:22 ${user}@127.0.0.1 </dev/null 2>/dev/null | grep -q ^SSH- && echo forward ${user}; } &`,
  ]);
  const tried = await host.must(`${attempts.join("\n")}\nwait`);
  const of = (what: string): string[] =>
    tried
      .split("\n")
      .flatMap((line) => (line.startsWith(`${what} `) ? [line.slice(what.length + 1)] : []))
      .sort();
  return { logins: of("login"), forwards: of("forward") };
}

/** Everything of the configuration that counts, byte by byte. */
export function fingerprint(host: LabHost): Promise<string> {
  return host.must(
    "cd /etc/ssh; find . -printf '%p %m %U:%G %y\\n' | sort; find . -type f | sort | xargs sha256sum",
  );
}
