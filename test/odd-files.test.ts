/** Odd files, one trap each, before real sshds: the machine's, and those of the lab that are there. */
import { expect, it } from "vitest";
import { judge, OURS } from "./fuzz/judge.ts";
import { PROGRAMS } from "./sshd/programs.ts";
import { MAIN_FILE } from "./sshd/reading.ts";
import { COMMAND_LINE, type ServerTree } from "./sshd/server-tree.ts";
import { describeWithSshd } from "./sshd/sharing.ts";

const lines = (count: number, make: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => make(index)).join("");

const CASES: readonly (readonly [string, ServerTree])[] = [
  ["nul in comment", { [MAIN_FILE]: "# x\0\nAllowTcpForwarding no\nX11Forwarding yes\n" }],
  ["nul in value", { [MAIN_FILE]: "AllowTcpForwarding no\0 junk\nX11Forwarding yes\n" }],
  ["nul first", { [MAIN_FILE]: "\0\nAllowTcpForwarding no\n" }],
  ["nul eof", { [MAIN_FILE]: "AllowTcpForwarding no\0" }],
  ["two nul", { [MAIN_FILE]: "AllowTcpForwarding no\n# \0\n# \0\nX11Forwarding yes\nBogus x\n" }],
  ["cr only", { [MAIN_FILE]: "AllowTcpForwarding no\rX11Forwarding no\r" }],
  ["ff line", { [MAIN_FILE]: "\f\nAllowTcpForwarding no\n" }],
  ["ff trailing", { [MAIN_FILE]: "AllowTcpForwarding no\f\f \t\r\n" }],
  ["vt", { [MAIN_FILE]: "AllowTcpForwarding\vno\n" }],
  ["nbsp", { [MAIN_FILE]: "AllowTcpForwarding\xa0no\n" }],
  ["leading cr", { [MAIN_FILE]: "\r\r AllowTcpForwarding no\n" }],
  [
    "equals forms",
    { [MAIN_FILE]: "AllowTcpForwarding=no\nX11Forwarding = yes\nPermitTTY =no\nGatewayPorts= yes\n" },
  ],
  ["triple equals", { [MAIN_FILE]: '==AllowTcpForwarding no\n= =X11Forwarding yes\n""""PermitTTY no\n' }],
  ["quote keyword", { [MAIN_FILE]: '"AllowTcpForwarding"no\n"X11"Forwarding yes\n' }],
  ["hash quoted kw", { [MAIN_FILE]: '"#AllowTcpForwarding" no\n' }],
  ["force raw", { [MAIN_FILE]: 'ForceCommand   echo "a # b"   # c  \t\n' }],
  ["force eq", { [MAIN_FILE]: "ForceCommand=echo x\nVersionAddendum = a b\n" }],
  ["force dq unbalanced", { [MAIN_FILE]: 'ForceCommand echo "x\n' }],
  ["force sq", { [MAIN_FILE]: "ForceCommand echo it's\n" }],
  ["long line", { [MAIN_FILE]: `# ${"x".repeat(70000)}\nAllowTcpForwarding no\n` }],
  ["long keyword", { [MAIN_FILE]: `${"x".repeat(3000)} no\n` }],
  ["long value", { [MAIN_FILE]: `AllowTcpForwarding ${"x".repeat(3000)}\n` }],
  ...["Port x", "Bogus x", "ListenAddress 10.0.0.1\nAddressFamily inet6", "AuthorizedKeysCommand /x", ""].map(
    (other): readonly [string, ServerTree] => [
      `algorithms that come to nothing, and ${other}`,
      { [MAIN_FILE]: `CASignatureAlgorithms ,-*\nMACs ,-*\nMACs bad,-*\nCiphers ,-*\n${other}\n` },
    ],
  ),
  ...["MACs ,-*", "PubkeyAcceptedKeyTypes ,-*\nHostKeyAlgorithms ,-*", "KexAlgorithms !x"].map(
    (list): readonly [string, ServerTree] => [
      `${list} beside a method that is off`,
      { [MAIN_FILE]: `${list}\nAuthenticationMethods password\nPasswordAuthentication no\n` },
    ],
  ),
  [
    "subsystem in blocks",
    { [MAIN_FILE]: "Match User alice\nSubsystem sftp x\nMatch User *\nPermitTTY no\n" },
  ],
  [
    "subsystem in a block of a file",
    {
      "/etc/ssh/d.conf": "Match User alice\nSubsystem sftp x\n",
      [MAIN_FILE]: "Match User bob\nInclude d.conf\nMatch User *\nPermitTTY no\n",
    },
  ],
  [
    "subsystem in blocks and for all",
    { [MAIN_FILE]: "Match User alice\nSubsystem sftp x\nMatch all\nSubsystem y y\n" },
  ],
  [
    "subsystem with empty words",
    { [MAIN_FILE]: 'Subsystem a b ""\nSubsystem c d "" ""\nSubsystem e f "" g\n' },
  ],
  ...[
    "+,ssh-rsa",
    "+ssh-rsa,,ssh-dss",
    "^ssh-rsa,,rsa-sha2-256",
    "ssh-rsa,,ssh-ed25519",
    "-ssh-rsa,,ssh-ed25519",
  ].map((list): readonly [string, ServerTree] => [
    `algorithms with an empty name, ${list}`,
    { [MAIN_FILE]: `PubkeyAcceptedKeyTypes ${list}\n` },
  ]),
  ...['""', "", '"', "=", '=""', "= =", "\t", '"#"'].map((start): readonly [string, ServerTree] => [
    `an option that begins with a blank and ${start}`,
    { [COMMAND_LINE]: ` ${start}X11Forwarding yes`, [MAIN_FILE]: "PermitTTY no\n" },
  ]),
  ...["Match", 'Match "', "Include", "Include x", "match all", '"Include" "x'].map(
    (option): readonly [string, ServerTree] => [
      `an option ${option}`,
      { [COMMAND_LINE]: option, [MAIN_FILE]: "PermitTTY no\n" },
    ],
  ),
  ["long odd", { [MAIN_FILE]: `AllowTcpForwarding ${"\xff".repeat(600)}\n` }],
  ["1023 pattern", { [MAIN_FILE]: `Match User ${"a".repeat(1023)},alice\nX11Forwarding yes\n` }],
  ["1022 pattern", { [MAIN_FILE]: `Match User ${"a".repeat(1022)},alice\nX11Forwarding yes\n` }],
  ["folder include", { "/etc/ssh/d/x.conf/y": "", [MAIN_FILE]: "Include d/*.conf\nX11Forwarding yes\n" }],
  [
    "dangling",
    { "/etc/ssh/d/x.conf": { link: "/nonexistent" }, [MAIN_FILE]: "Include d/*.conf\nX11Forwarding yes\n" },
  ],
  [
    "dangling literal",
    { "/etc/ssh/d/x.conf": { link: "/nonexistent" }, [MAIN_FILE]: "Include d/x.conf\nX11Forwarding yes\n" },
  ],
  [
    "masked drop-in",
    { "/etc/ssh/d/x.conf": { link: "/dev/null" }, [MAIN_FILE]: "Include d/*.conf\nX11Forwarding yes\n" },
  ],
  ["no drop-in", { [MAIN_FILE]: "Include /dev/null\nX11Forwarding yes\n" }],
  [
    "link",
    {
      "/etc/ssh/real": "X11Forwarding yes\n",
      "/etc/ssh/d/x.conf": { link: "../real" },
      [MAIN_FILE]: "Include d/*.conf\n",
    },
  ],
  [
    "glob classes",
    {
      "/etc/ssh/d/a1.conf": "X11Forwarding yes\n",
      "/etc/ssh/d/^.conf": "PermitTTY no\n",
      "/etc/ssh/d/].conf": "GatewayPorts yes\n",
      [MAIN_FILE]: "Include d/[[:alpha:]]1.conf d/[^x].conf d/[]a].conf\n",
    },
  ],
  [
    "glob neg",
    {
      "/etc/ssh/d/a.conf": "X11Forwarding yes\n",
      "/etc/ssh/d/b.conf": "PermitTTY no\n",
      [MAIN_FILE]: "Include d/[!a].conf\n",
    },
  ],
  [
    "glob dot",
    { "/etc/ssh/d/.a.conf": "X11Forwarding yes\n", [MAIN_FILE]: "Include d/*.conf d/?a.conf d/[.]a.conf\n" },
  ],
  ["glob dot2", { "/etc/ssh/d/.a.conf": "X11Forwarding yes\n", [MAIN_FILE]: "Include d/.*.conf\n" }],
  [
    "glob range rev",
    { "/etc/ssh/d/b.conf": "X11Forwarding yes\n", [MAIN_FILE]: "Include d/[c-a].conf d/[a-c].conf\n" },
  ],
  ["glob unclosed", { "/etc/ssh/d/[b.conf": "X11Forwarding yes\n", [MAIN_FILE]: "Include d/[b.conf\n" }],
  ["glob bs", { "/etc/ssh/d/[b].conf": "X11Forwarding yes\n", [MAIN_FILE]: "Include d/\\[b].conf\n" }],
  [
    "glob bs quoted",
    { "/etc/ssh/d/[b].conf": "X11Forwarding yes\n", [MAIN_FILE]: 'Include "d/\\\\[b].conf"\n' },
  ],
  [
    "glob slashes",
    {
      "/etc/ssh/d/b.conf": "X11Forwarding yes\n",
      [MAIN_FILE]: "Include d//b.conf d/./b.conf /etc/ssh//d/*.conf\n",
    },
  ],
  ["glob dotdot", { "/etc/ssh/d/b.conf": "X11Forwarding yes\n", [MAIN_FILE]: "Include d/../d/b*.conf\n" }],
  [
    "glob folder wild",
    {
      "/etc/ssh/d1/b.conf": "X11Forwarding yes\n",
      "/etc/ssh/d2/a.conf": "X11Forwarding no\n",
      [MAIN_FILE]: "Include d*/*.conf\n",
    },
  ],
  [
    "depth 16",
    Object.fromEntries([
      [MAIN_FILE, "Include i1\n"],
      ...Array.from({ length: 17 }, (_, i) => [
        `/etc/ssh/i${i + 1}`,
        i < 15 ? `Include i${i + 2}\n` : "X11Forwarding yes\n",
      ]),
    ]),
  ],
  [
    "depth 17",
    Object.fromEntries([
      [MAIN_FILE, "Include i1\n"],
      ...Array.from({ length: 18 }, (_, i) => [
        `/etc/ssh/i${i + 1}`,
        i < 16 ? `Include i${i + 2}\n` : "X11Forwarding yes\n",
      ]),
    ]),
  ],
  ["self", { [MAIN_FILE]: "Include /etc/ssh/sshd_config\n" }],
  ["many ports", { [MAIN_FILE]: lines(256, (i) => `Port ${i + 1}\n`) }],
  ["too many ports", { [MAIN_FILE]: lines(257, (i) => `Port ${i + 1}\n`) }],
  [
    "error in inactive include",
    { "/etc/ssh/x.conf": "Bogus yes\n", [MAIN_FILE]: "Match User nobody\nInclude x.conf\n" },
  ],
  [
    "global kw in inactive include",
    { "/etc/ssh/x.conf": "Port 22\n", [MAIN_FILE]: "Match User nobody\nInclude x.conf\n" },
  ],
  ["two files errors", { "/etc/ssh/x.conf": "Bogus yes\n", [MAIN_FILE]: "Foo 1\nInclude x.conf\nBar\n" }],
  [
    "match in include in match",
    {
      "/etc/ssh/x.conf": "Match all\nX11Forwarding yes\nPort 22\n",
      [MAIN_FILE]: "Match User alice\nInclude x.conf\nPermitTTY no\n",
    },
  ],
  [
    "match all then global",
    {
      [MAIN_FILE]:
        "Match User alice\nX11Forwarding yes\nMatch all\nPort 2222\nX11Forwarding no\nListenAddress 1.2.3.4\n",
    },
  ],
  [
    "include same twice",
    {
      "/etc/ssh/x.conf": "AcceptEnv A\nPort 1\n",
      [MAIN_FILE]: "Include x.conf x.conf\nInclude /etc/ssh/x.conf\n",
    },
  ],
  ["open d", { [MAIN_FILE]: "PermitOpen none x:1\n" }],
  ["open e", { [MAIN_FILE]: "PermitOpen x:1 any\n" }],
  [
    "v6 mapped",
    {
      [MAIN_FILE]: "Match Address 10.0.0.0/8\nX11Forwarding yes\nMatch Address ::ffff:0:0/96\nPermitTTY no\n",
    },
  ],
  ["lport later", { [MAIN_FILE]: "Match User nobody LocalPort 22\nX11Forwarding yes\n" }],
  ["bom", { [MAIN_FILE]: "\xef\xbb\xbf# c\nX11Forwarding yes\n" }],
  ["bom kw", { [MAIN_FILE]: "\xef\xbb\xbfX11Forwarding yes\n" }],
  ["tab comment", { [MAIN_FILE]: "X11Forwarding yes\t#no\nPermitTTY no #\n" }],
  ["match crlf", { [MAIN_FILE]: "Match User alice\r\nX11Forwarding yes\r\n" }],
  ["match crlf2", { [MAIN_FILE]: "Match User alice \r \nX11Forwarding yes\r\n" }],
  ["match trailing comma", { [MAIN_FILE]: "Match User alice,\nX11Forwarding yes\n" }],
  ["match empty item", { [MAIN_FILE]: "Match User ,alice\nX11Forwarding yes\n" }],
  ["match double neg", { [MAIN_FILE]: "Match User *,!!alice\nX11Forwarding yes\n" }],
  ["match quoted list", { [MAIN_FILE]: 'Match User "alice,bob" Host "db.internal"\nX11Forwarding yes\n' }],
  ["match backslash", { [MAIN_FILE]: "Match User a\\\\b,alice\nX11Forwarding yes\n" }],
  ["match # quoted", { [MAIN_FILE]: 'Match User alice "# x"\nX11Forwarding yes\n' }],
  ["setenv dup", { [MAIN_FILE]: 'SetEnv A=1 A=2 B="x y" "C=z z"\n' }],
  [
    "acceptenv many",
    { [MAIN_FILE]: "AcceptEnv A B\nMatch User alice\nAcceptEnv C\nMatch Address 10.0.0.0/8\nAcceptEnv D\n" },
  ],
  [
    "bindmask last",
    {
      [MAIN_FILE]:
        "StreamLocalBindMask 0777\nStreamLocalBindMask 0111\nMatch User alice\nStreamLocalBindMask 0\nMatch all\nStreamLocalBindMask 022\n",
    },
  ],
  ["family", { [MAIN_FILE]: "AddressFamily inet\nPort 22\nPort 23\n" }],
  ["family6", { [MAIN_FILE]: "AddressFamily inet6\nListenAddress 1.2.3.4\n" }],
  ["logverbose", { [MAIN_FILE]: "LogVerbose a none\n" }],
  ["authkeys empty", { [MAIN_FILE]: 'AuthorizedKeysFile ""\n' }],
  [
    "dup deprecated",
    {
      [MAIN_FILE]:
        "UseLogin yes\nRSAAuthentication no\nProtocol 1\nMatch User alice\nRSAAuthentication yes\n",
    },
  ],
  ["deprecated in match", { [MAIN_FILE]: "Match User alice\nUseLogin yes\n" }],
  ["kw prefix", { [MAIN_FILE]: "AllowTcpForwardin no\nAllowTcpForwardings no\n" }],
  ["no arg", { [MAIN_FILE]: "AllowTcpForwarding\nBogus\nX11Forwarding \n" }],
  ["no arg eq", { [MAIN_FILE]: "AllowTcpForwarding=\nX11Forwarding = \n" }],
  ["hash arg", { [MAIN_FILE]: "AllowTcpForwarding # no\n" }],
  ["hash arg list", { [MAIN_FILE]: "AllowUsers # root\nAcceptEnv #x\n" }],
  ["empty arg list", { [MAIN_FILE]: 'AllowUsers "" bob\n' }],
  ["list after empty", { [MAIN_FILE]: 'AllowUsers bob "" carol\n' }],
  ["permitopen empty", { [MAIN_FILE]: 'PermitOpen h:1 ""\n' }],
  ["eq trailing", { [MAIN_FILE]: "X11Forwarding yes=\n" }],
  ["match rdomain !== #c", { [MAIN_FILE]: "match rdomain !== #c\n" }],
  ['Match all "" #c', { [MAIN_FILE]: 'Match all "" #c\n' }],
  ['Match User a "" # c', { [MAIN_FILE]: 'Match User a "" # c\n' }],
  ['Match User a "x #c', { [MAIN_FILE]: 'Match User a "x #c\n' }],
  ['Match User a \\"', { [MAIN_FILE]: 'Match User a \\"\n' }],
  ['Match User a "" \\"', { [MAIN_FILE]: 'Match User a "" \\"\n' }],
  ['Match User a \\" x', { [MAIN_FILE]: 'Match User a \\" x\n' }],
  ['Match User "a\\" b" c', { [MAIN_FILE]: 'Match User "a\\" b" c\n' }],
  ["Match User = a", { [MAIN_FILE]: "Match User = a\n" }],
  ["Match=User a", { [MAIN_FILE]: "Match=User a\n" }],
  ["Match User a=b User c", { [MAIN_FILE]: "Match User a=b User c\n" }],
  ['Match User "alice"Host h', { [MAIN_FILE]: 'Match User "alice"Host h\n' }],
  ["Match User 'alice' Host h", { [MAIN_FILE]: "Match User 'alice' Host h\n" }],
  ['Match User al"i"ce', { [MAIN_FILE]: 'Match User al"i"ce\n' }],
  ["Match all all", { [MAIN_FILE]: "Match all all\n" }],
  ["Match User", { [MAIN_FILE]: "Match User\n" }],
  ["Match", { [MAIN_FILE]: "Match\n" }],
  ["Match LocalPort 22,80", { [MAIN_FILE]: "Match LocalPort 22,80\n" }],
  ["Match LocalPort +22", { [MAIN_FILE]: "Match LocalPort +22\n" }],
  ["Match Invalid-User\nX11Forwarding yes", { [MAIN_FILE]: "Match Invalid-User\nX11Forwarding yes\n" }],
  ["Match Version OpenSSH_*\nPort 77", { [MAIN_FILE]: "Match Version OpenSSH_*\nPort 77\n" }],
  ["Match User alice Invalid-User", { [MAIN_FILE]: "Match User alice Invalid-User\n" }],
  ["Match Final all", { [MAIN_FILE]: "Match Final all\n" }],
  ["Match Exec true", { [MAIN_FILE]: "Match Exec true\n" }],
  ["Match RDomain *\nX11Forwarding yes", { [MAIN_FILE]: "Match RDomain *\nX11Forwarding yes\n" }],
  ["Match Address 10.0.0.0/8,", { [MAIN_FILE]: "Match Address 10.0.0.0/8,\n" }],
  ["Match Address ,10.0.0.0/8", { [MAIN_FILE]: "Match Address ,10.0.0.0/8\n" }],
  [
    "Match Address !10.0.0.0/8,*\nX11Forwarding yes",
    { [MAIN_FILE]: "Match Address !10.0.0.0/8,*\nX11Forwarding yes\n" },
  ],
  [
    "Match Address 10.0.0.0/+8\nX11Forwarding yes",
    { [MAIN_FILE]: "Match Address 10.0.0.0/+8\nX11Forwarding yes\n" },
  ],
  [
    'Match Address "10.0.0.0/ 8"\nX11Forwarding yes',
    { [MAIN_FILE]: 'Match Address "10.0.0.0/ 8"\nX11Forwarding yes\n' },
  ],
  ["Match Address 10.0.0.0/33", { [MAIN_FILE]: "Match Address 10.0.0.0/33\n" }],
  ["Match Address ::1/129", { [MAIN_FILE]: "Match Address ::1/129\n" }],
  [
    "Match Address 10.0.0.5/\nX11Forwarding yes",
    { [MAIN_FILE]: "Match Address 10.0.0.5/\nX11Forwarding yes\n" },
  ],
  ["Match Address 10.5\nX11Forwarding yes", { [MAIN_FILE]: "Match Address 10.5\nX11Forwarding yes\n" }],
  [
    "Match Address 012.0.0.5\nX11Forwarding yes",
    { [MAIN_FILE]: "Match Address 012.0.0.5\nX11Forwarding yes\n" },
  ],
  ["Match Address 0xa.5\nX11Forwarding yes", { [MAIN_FILE]: "Match Address 0xa.5\nX11Forwarding yes\n" }],
  [
    "Match Host DB.INTERNAL,!x\nX11Forwarding yes",
    { [MAIN_FILE]: "Match Host DB.INTERNAL,!x\nX11Forwarding yes\n" },
  ],
  ["Match Group *\nX11Forwarding yes", { [MAIN_FILE]: "Match Group *\nX11Forwarding yes\n" }],
  ["Match Group *,!staff\nX11Forwarding yes", { [MAIN_FILE]: "Match Group *,!staff\nX11Forwarding yes\n" }],
  ["Match Group !staff\nX11Forwarding yes", { [MAIN_FILE]: "Match Group !staff\nX11Forwarding yes\n" }],
];
const CONNECTIONS: readonly string[] = [
  "user=alice,host=db.internal,addr=10.0.0.5,laddr=192.0.2.1,lport=22",
  "user=bob,host=h,addr=::ffff:10.0.0.5,laddr=192.0.2.1,lport=80",
  "user=a\\b,host=h,addr=fe80::1,laddr=::1,lport=22,rdomain=",
  "user=!alice,host=h,addr=1.2.3.4,laddr=::1,lport=22,rdomain=x",
];

for (const program of PROGRAMS) {
  await describeWithSshd(program, "odd files", (sshd) => {
    it.each(CASES)("%s", async (_name, tree) => {
      const { differences } = await judge(sshd, { tree, connections: CONNECTIONS }, OURS);
      expect(differences).toEqual([]);
    });
  });
}
