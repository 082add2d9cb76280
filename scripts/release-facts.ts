/**
 * What changed in how sshd reads its file and in what it forwards, for docs/releases.md. Keywords are not listed here:
 * the page takes them from grammar/keyword-table.ts. Sources: the source of the tags, and runs of the releases.
 */
export interface ReleaseFacts {
  readonly release: string;
  /** how the file is read */
  readonly reading?: readonly string[];
  /** what is forwarded, and what stops it */
  readonly forwarding?: readonly string[];
}

export const RELEASE_FACTS: readonly ReleaseFacts[] = [
  {
    release: "7.4",
    reading: [
      "a line of 4,095 bytes or more, comments too, is fatal",
      "nothing is stripped from the end of a line: `ForceCommand x<CR>` keeps its CR",
      "flags are `yes` and `no` in lower case only; integers go through atoi, which takes any text",
      "`sshd -T` without `-C` prints the global values even where `Match all` applies",
    ],
    forwarding: [
      "`DisableForwarding` stops TCP and Unix-socket forwarding, but neither X11, agent nor tunnels",
      "remote Unix-socket forwarding (`-R /path:…`) ignores `AllowTcpForwarding`",
      "a remote port below 1024 needs a root login",
    ],
  },
  {
    release: "7.5",
    reading: [
      "white space and form feeds are stripped from the end of a line",
      "`Match Host` lower-cases the name it compares",
      "algorithm lists may begin with `-`",
      "combined times are wrong: `1m30s` is 1,860 seconds (until 8.4)",
    ],
  },
  { release: "7.6", reading: ["`sshd -T` prints PermitOpen as typed, no longer as host and number"] },
  {
    release: "7.7",
    reading: [
      "flags are read without regard to case",
      "integers are strict: `MaxSessions 5x` is refused",
      "`Match RDomain`, and `rdomain=` for `-C`",
      "`-C` may be partial, but a field that a Match line needs and that is missing is fatal (until 8.1)",
    ],
  },
  {
    release: "7.8",
    reading: ["no limit on the length of a line"],
    forwarding: [
      "remote Unix-socket forwarding also needs `AllowTcpForwarding` yes or remote; PermitListen does not limit it",
      "ports below 1024 are left to the kernel: `net.ipv4.ip_unprivileged_port_start` decides",
    ],
  },
  { release: "7.9", reading: ["ports may be service names, where /etc/services has them"] },
  { release: "8.0", reading: ["`host/port` is refused in ListenAddress and PermitOpen"] },
  {
    release: "8.1",
    reading: [
      "in `sshd -T`, a Match field that was not given counts as no match; `LocalPort` stays fatal",
      "algorithm lists may begin with `^`",
      "on Linux the routing domain of a connection is the empty text, which `Match RDomain *` matches",
    ],
  },
  {
    release: "8.2",
    reading: [
      "`Include`; relative patterns never match, for sshd looks for a file named Include (until 8.3)",
      "Match blocks of a file that was included globally never apply, `Match all` apart (until 8.4)",
      "each end of an included file adds port 22 where no Port came before it (until 8.4)",
    ],
  },
  {
    release: "8.3",
    reading: [
      "relative Include patterns are looked up in /etc/ssh",
      "on Linux every `RDomain` line is fatal",
    ],
  },
  {
    release: "8.4",
    reading: [
      "Match blocks in included files apply",
      "a network with host bits or too long a mask in `Match Address` is refused; before, `sshd -t` accepted it and each connection that evaluated it died",
      "combined times are right again",
    ],
  },
  {
    release: "8.5",
    reading: [
      "`**` in a pattern matches like `*`; before, `a**` did not match `a`",
      "SetEnv in a Match block takes effect",
    ],
  },
  {
    release: "8.7",
    reading: [
      "a new tokeniser: single quotes and backslashes quote, `=` separates the keyword only, and a comment begins at a word that starts with `#` (`no#x` is a value)",
      "an unclosed quote is an error; before, it silently dropped the rest of the line",
      "arguments that are left over are counted as errors; before, the first was fatal",
      "messages repeat the keyword as it was written",
    ],
  },
  { release: "9.1", reading: ["a NAME that SetEnv repeats on one line keeps its first value"] },
  { release: "9.3", reading: ["`sshd -G` prints the configuration without host keys"] },
  {
    release: "9.5",
    reading: [
      "a Subsystem defined twice is ignored, no longer fatal; one in a Match block replaces the global list",
    ],
  },
  {
    release: "9.7",
    reading: [
      "list keywords with nothing but a comment are refused; before, `AllowUsers # root` let everybody in",
      "`PermitOpen none x:1` passes `sshd -t`, and every connection that it governs dies",
    ],
  },
  {
    release: "9.8",
    reading: ["masks such as `/129` are refused; before, the item was text that matched nothing"],
    forwarding: ["sshd-session is a program of its own: after an update across 9.8 restart, do not reload"],
  },
  {
    release: "9.9p1",
    reading: [
      "Match lines go through the new tokeniser: `User 'alice'` works, `User=alice` is an error, `User =alice` means the name `=alice`",
      "`Match invalid-user`, which this release also applies to the global part",
      "a user pattern is split at the last `@`, before at the first",
    ],
  },
  { release: "9.9p2", reading: ["`Match User=alice` works again; `Match invalid-user` is right"] },
  {
    release: "10.0",
    reading: [
      "`Match Version`, which also holds for the global part",
      "a configuration over about 256 KiB passes `sshd -t`, and every connection is reset (this release only)",
    ],
    forwarding: [
      "`DisableForwarding` also stops X11 and agent forwarding (CVE-2025-32728; Debian 12 has it since deb12u6, Debian 11 since deb11u5)",
    ],
  },
  {
    release: "10.1",
    reading: [
      "a configuration over 4,128,768 bytes, Includes counted, is refused by `sshd -t`",
      "`sshd -T` prints prohibit-password; before, without-password",
      "`MaxStartups 3` means 10:30:3 (until 10.3)",
    ],
  },
  {
    release: "10.3",
    reading: [
      "times may have fractions of a second",
      "`sshd -T` prints no line for `AuthorizedKeysFile none`",
    ],
  },
  {
    release: "10.4",
    reading: [
      "`sshd -T` prints some keywords in mixed case; the GSSAPI keywords have wrong names (this release only)",
    ],
    forwarding: ["`DisableForwarding` also stops tunnels"],
  },
  { release: "10.5", reading: ["`sshd -T` prints all keywords in mixed case"] },
  { release: "10.6", reading: ["as far as Debian's 10.6p1 shows; the upstream source was not at hand"] },
];
