/** Accounts of passwd and group files as people leave them, before real sshds: who exists, and in which groups. */
import { expect, it } from "vitest";
import { readAccounts } from "../src/files/accounts.ts";
import { HOST_KEY } from "./sshd/driver.ts";
import { PROGRAMS } from "./sshd/programs.ts";
import { MAIN_FILE } from "./sshd/reading.ts";
import { describeWithSshd } from "./sshd/sharing.ts";

const PASSWD: readonly string[] = [
  "u-plain:x:5001:5001::/home/a:/bin/sh",
  " u-blank:x:5002:5002::/home/a:/bin/sh",
  "\tu-tab:x:5003:5003::/home/a:/bin/sh",
  "u-four:x:5004:5004",
  "u-five:x:5005:5005:Gecos",
  "u-six:x:5006:5006::/home/a",
  "u-eight:x:5007:5007::/home/a:/bin/sh:more",
  "u-plus:x:+5008: 5008::/home/a:/bin/sh",
  "u-word:x:12a:5009::/home/a:/bin/sh",
  "u-none:x::5010::/home/a:/bin/sh",
  "u-big:x:4294967296:5011::/home/a:/bin/sh",
  "u-three:x:5012",
  "#u-note:x:5013:5013::/home/a:/bin/sh",
  "+u-nis:x:5014:5014::/home/a:/bin/sh",
  "-u-out:x:5014:5014::/home/a:/bin/sh",
  "+::::::",
  "u-twice:x:5015:5015::/home/a:/bin/sh",
  "u-twice:x:5016:5001::/home/a:/bin/sh",
  "u space:x:5017:5017::/home/a:/bin/sh",
  "DOM\\u-dom:x:5018:5018::/home/a:/bin/sh",
  "u@host:x:5019:5019::/home/a:/bin/sh",
  "70001:x:5020:5020::/home/a:/bin/sh",
  "u-\xe9:x:5021:5021::/home/a:/bin/sh",
  "u-crlf:x:5022:5022::/home/a:/bin/sh\r",
  "u-zero:x:-0:5024::/home/a:/bin/sh",
  "u-huge:x:99999999999999999999999:5025::/home/a:/bin/sh",
  "u-minus:x:-1:5026::/home/a:/bin/sh",
  "u-far:x:5027:4294967297::/home/a:/bin/sh",
  "u-sign:x:+-5:5028::/home/a:/bin/sh",
  "u-low:x:-4294962267:5029::/home/a:/bin/sh",
];
const GROUP: readonly string[] = [
  "g-plain:x:5001:",
  "g-four:x:5004:u-blank, u-four",
  "g-after:x:6001:u-plain ,u-blank,\tu-six",
  " g-blank:x:6002:u-plain",
  "g-three:x:5006",
  "g-first:x:6003:u-plain",
  "g-second:x:6003:u-blank",
  "g-primary:x:5015:",
  "g-plus:x:+6004:u-plain",
  "g-word:x:6x:u-plain",
  "g-empty::6005:u-plain,,u-eight",
  "#g-note:x:6006:u-plain",
  "g-colon:x:6007:u-plain:u-blank",
  "g-semi:x:6008:u-plain;u-blank",
  "domain users:x:6009:u space,DOM\\u-dom,u@host",
  "80001:x:6010:70001",
  "g-\xe9:x:6011:u-\xe9",
  "g-crlf:x:6012:u-crlf\r",
  "g-crlf2:x:6013:u-crlf,\r",
  "+g-nis:x:6014:u-plain",
  "g-zero:x:5024:",
  "g-huge:x:5025:",
  "g-minus:x:5026:",
  "g-big:x:5011:",
  "g-sign:x:5028:",
  "g-low:x:5029:",
  "g-below:x:-7:u-plain",
  "g-over:x:4294967298:u-blank",
  "g-nil:x:-0:u-six",
];

/** Each block that holds adds its group's number to what sshd prints. */
const NAMES = GROUP.map((line) => line.split(":")[0]?.replace(/^[ #+]+/, "") ?? "");
const TREE = {
  [MAIN_FILE]: NAMES.map((name, index) => `Match Group "${name}"\n  AcceptEnv G${index}\n`).join(""),
};

for (const program of PROGRAMS) {
  await describeWithSshd(program, "accounts", (sshd) => {
    it("are in the groups that sshd finds", async () => {
      const [passwd = "", group = ""] = [PASSWD, GROUP].map((lines) => `${lines.join("\n")}\n`);
      sshd.populate({ passwd, group });
      sshd.place(TREE);
      const ours = new Map((readAccounts([passwd, group]) ?? []).map(({ name, groups }) => [name, groups]));
      const users = new Set(PASSWD.map((line) => line.split(":")[0]?.replace(/^[ \t#+-]+/, "") ?? ""));
      const [said, real] = [new Map<string, string[]>(), new Map<string, string[]>()];
      for (const user of users) {
        const { stdout } = await sshd.run([
          "-T",
          ...HOST_KEY,
          "-C",
          `user=${user},host=h,addr=::1,laddr=::1,lport=22`,
        ]);
        const held = [...stdout.matchAll(/^acceptenv G(\d+)$/gim)].map(
          ([, index]) => NAMES[Number(index)] ?? "",
        );
        real.set(user, held.sort());
        said.set(user, (ours.get(user) ?? []).filter((name) => NAMES.includes(name)).sort());
      }
      expect(said).toEqual(real);
      expect(real.get("u-four")).toEqual(["g-four"]);
    }, 300_000);
  });
}
