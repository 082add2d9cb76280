/** What a person is told to type in another login, while a fix waits for it. */
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { typedSelf } from "../src/cli/host.ts";
import { thisMachine } from "../src/host/this-machine.ts";
import { makeFolder } from "./own-folder.ts";

const folder = makeFolder();
const script = join(folder, "lib dir/cli.js");
const [bin, modules] = [join(folder, "bin"), join(folder, "_npx/1/node_modules/.bin")];
for (const path of [join(folder, "lib dir"), bin, modules]) mkdirSync(path, { recursive: true });
writeFileSync(script, "");
for (const path of [bin, modules]) symlinkSync(script, join(path, "sshd-policy"));
mkdirSync(join(folder, "other"));
writeFileSync(join(folder, "other/sshd-policy"), "");

const WHOLE = `/usr/bin/node '${script}'`;

test.each([
  ["its name, where the shell finds it", { PATH: `/usr/bin:${bin}` }, "sshd-policy"],
  ["with sudo, where it was run so", { PATH: bin, SUDO_USER: "alice" }, "sudo sshd-policy"],
  ["its place, where no folder has it", { PATH: "/usr/bin" }, WHOLE],
  ["its place, where another is found first", { PATH: `${folder}/other:${bin}` }, WHOLE],
  ["its place, where only npx finds it", { PATH: `${modules}:/usr/bin` }, WHOLE],
  ["its place, where a folder counts from here", { PATH: `:.:bin` }, WHOLE],
])("%s", (_, environment, typed) => {
  const command = ["/usr/bin/node", script];
  const machine = thisMachine({ pid: 1, uid: 0, platform: "linux", command, caller: "" });
  expect(typedSelf(machine, environment)).toBe(typed);
});
