/** sshd's own `-o`, before real sshds. */
import { expect, it } from "vitest";
import { printedSettings } from "./fuzz/judge.ts";
import { HOST_KEY } from "./sshd/driver.ts";
import { PROGRAMS } from "./sshd/programs.ts";
import { connectionOf, load, MAIN_FILE, type Settings, settingsOf, verdictOf } from "./sshd/reading.ts";
import { describeWithSshd } from "./sshd/sharing.ts";

const CONNECTION = "user=alice,host=h,addr=10.0.0.5,laddr=::1,lport=22";

/** Options and the text of the file. */
const CASES: readonly (readonly [readonly string[], string])[] = [
  [["AllowTcpForwarding=no"], "AllowTcpForwarding yes\n"],
  [["AllowTcpForwarding no", "AllowTcpForwarding=local"], ""],
  [["AllowTcpForwarding=no"], "Match User alice\nAllowTcpForwarding yes\n"],
  [["AllowTcpForwarding no # c"], ""],
  [["Port=2222"], "Port 22\n"],
  [["StreamLocalBindMask=0"], "StreamLocalBindMask 0777\n"],
  [["AcceptEnv=A"], "AcceptEnv B\n"],
  [["Match User alice"], ""],
  [["Include /x"], ""],
  [["Bogus=1"], ""],
  [["AllowTcpForwarding=x"], ""],
  [["AllowTcpForwarding"], ""],
  [[""], ""],
  [["=AllowTcpForwarding no"], ""],
  [['ForceCommand=echo "x'], ""],
  [["ForceCommand=echo x # y"], ""],
  [["PermitOpen=a:1 b:2"], "PermitOpen c:3\n"],
  [["AllowTcpForwarding=no\tx"], ""],
  [["# x"], ""],
  [["UseLogin=yes"], ""],
  [['X11Forwarding "yes'], ""],
  [["  X11Forwarding yes  "], ""],
  [["X11Forwarding yes\r"], ""],
  [["Bogus=1"], "Foo x\n"],
];

/** As an object, without the host key that the run was given. */
function plain(settings: Settings): Readonly<Record<string, unknown>> {
  if ("error" in settings) return { error: settings.error };
  const printed = [...settings].filter(([key, values]) => key !== "hostkey" && values.length > 0);
  return Object.fromEntries(printed.sort(([a], [b]) => (a < b ? -1 : 1)));
}

for (const program of PROGRAMS) {
  await describeWithSshd(program, "-o", (sshd) => {
    it.each(CASES)("%j before %j", async (options, text) => {
      const tree = { [MAIN_FILE]: text };
      sshd.place(tree);
      const given = options.flatMap((option) => ["-o", option]);
      const real = printedSettings(await sshd.run(["-T", ...HOST_KEY, ...given, "-C", CONNECTION]));
      const config = load(tree, sshd.release, options);
      const { error } = verdictOf(config);
      const ours =
        error === null ? settingsOf(config, connectionOf(CONNECTION), { missing: "as-sshd" }) : { error };
      expect(plain(ours)).toEqual(plain(real));
    });
  });
}
