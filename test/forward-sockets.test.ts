/** Sockets of the file system on either side of a forward, by OpenSSH's own client and by ours: what answers, and which file is left. */
import { existsSync, lstatSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { userInfo } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeUnless, whyNoFile } from "./needs.ts";
import { makeFolder } from "./own-folder.ts";
import { ask, type Program as Forwarder, startForwarder } from "./sshd/forwarders.ts";
import { serveEcho, startSshd, type TestServer, whyNoSshd } from "./sshd/loopback.ts";
import { PROGRAMS } from "./sshd/programs.ts";

const missing = whyNoSshd() ?? whyNoFile("/usr/bin/ssh");
const FORWARDERS: readonly Forwarder[] = ["ssh", "sshd-policy forward"];
/** A root file system of the lab needs root. */
const SITUATIONS = PROGRAMS.filter(({ chroot }) => chroot === undefined || process.getuid?.() === 0).map(
  (program) => ({ program, of: basename(program.chroot ?? "this machine") }),
);

/** `path`: below a folder of its own, as the option has it. `file`: the same without escapes and tokens. */
interface Case {
  readonly path: string;
  readonly file?: string;
  /** what is there before */
  readonly before?: (file: string) => void;
}

/** 107 bytes fit into sun_path; `folder` is as long as mkdtemp makes it. */
const filling = (folder: string): string => "x".repeat(107 - folder.length - 1);

const PLAIN = (folder: string): readonly Case[] => [
  { path: "plain" },
  { path: "a blank" },
  { path: "a\\:colon", file: "a:colon" },
  { path: "utf-\u00e9" },
  { path: "100%%", file: "100%" },
  { path: "%r-%n-%i", file: `${userInfo().username}-127.0.0.1-${process.getuid?.() ?? 0}` },
  { path: `$\{TERM}`, file: "dumb" },
  { path: filling(folder) },
  { path: "missing/s" },
  { path: "file/s", file: "file", before: (file) => writeFileSync(file, "") },
  { path: "stale", before: leaveSocket },
  { path: "text", before: (file) => writeFileSync(file, "") },
  { path: "folder", before: (file) => mkdirSync(file) },
  { path: "link", before: (file) => symlinkSync(join(folder, "nowhere"), file) },
];
const UNLINKING: readonly Case[] = [
  { path: "stale", before: leaveSocket },
  { path: "text", before: (file) => writeFileSync(file, "") },
  { path: "folder", before: (file) => mkdirSync(file) },
  { path: "link", before: (file) => symlinkSync("/nowhere", file) },
];

/** A socket whose listener has gone without a word. */
function leaveSocket(file: string): void {
  const server = createServer().listen(file);
  const aside = `${file}.aside`;
  // what closes removes its path
  renameSync(file, aside);
  server.close();
  renameSync(aside, file);
}

const hello = "over there and back";

interface Outcome {
  readonly said: string;
  readonly file: string;
}

function kindAndMode(file: string): string {
  const status = lstatSync(file, { throwIfNoEntry: false });
  if (status === undefined) return "nothing";
  const kind = status.isSocket()
    ? "socket"
    : status.isFile()
      ? "file"
      : status.isDirectory()
        ? "folder"
        : "link";
  return `${kind} ${(status.mode & 0o777).toString(8)}`;
}

describeUnless(missing, "ssh and sshd-policy forward", () => {
  let echo: TestServer;
  beforeAll(async () => {
    echo = await serveEcho();
  });
  afterAll(() => echo.close());

  /** All cases at once on one client, on both sides: what answers, and what is there while it runs. */
  async function outcomes(
    forwarder: Forwarder,
    sshd: Awaited<ReturnType<typeof startSshd>>,
    { cases, options }: { cases: (folder: string) => readonly Case[]; options: readonly string[] },
  ): Promise<Record<string, Outcome>> {
    const folders = { "-L": makeFolder(), "-R": makeFolder() };
    const all = (["-L", "-R"] as const).flatMap((side) =>
      cases(folders[side]).map((one) => ({
        ...one,
        side,
        whole: join(folders[side], one.file ?? one.path),
        argument: `${join(folders[side], one.path)}:127.0.0.1:${echo.port}`,
      })),
    );
    for (const { before, whole } of all) before?.(whole);
    const args = [...options, ...all.flatMap(({ side, argument }) => [side, argument])];
    const running = await startForwarder(forwarder, sshd, args);
    const seen: Record<string, Outcome> = {};
    for (const { side, path, whole } of all) {
      const name = `${side} ${path.startsWith("xx") ? "of 107 bytes" : path}`;
      seen[name] = { said: await ask({ path: whole }, hello), file: kindAndMode(whole) };
    }
    await running.stop();
    return seen;
  }

  it.each(SITUATIONS)(
    "agree on what is in the way, on the sshd of $of",
    async ({ program }) => {
      const sshd = await startSshd({ program });
      const [theirs, ours] = await Promise.all(
        FORWARDERS.map((forwarder) => outcomes(forwarder, sshd, { cases: PLAIN, options: [] })),
      );
      await sshd.stop();
      expect(ours).toEqual(theirs);
      for (const name of ["-L plain", "-R 100%%", "-L %r-%n-%i", `-R $\{TERM}`, "-L of 107 bytes"])
        expect(ours?.[name]).toEqual({ said: hello, file: "socket 600" });
      expect(ours?.["-L stale"]?.said).toBe("ECONNREFUSED");
    },
    60_000,
  );

  it.each(SITUATIONS)(
    "agree on what makes way, and for whom, on the sshd of $of",
    async ({ program }) => {
      const sshd = await startSshd({
        program,
        lines: ["StreamLocalBindUnlink yes", "StreamLocalBindMask 0007"],
      });
      const options = ["-o", "StreamLocalBindUnlink=yes", "-o", "StreamLocalBindMask=00079"];
      const [theirs, ours] = await Promise.all(
        FORWARDERS.map((forwarder) => outcomes(forwarder, sshd, { cases: () => UNLINKING, options })),
      );
      await sshd.stop();
      expect(ours).toEqual(theirs);
      for (const side of ["-L", "-R"])
        expect(ours?.[`${side} stale`]).toEqual({ said: hello, file: "socket 770" });
    },
    60_000,
  );

  it("leave a socket to the next forwarder that has taken it over", async () => {
    const sshd = await startSshd();
    const path = join(makeFolder(), "taken-over");
    const options = ["-o", "StreamLocalBindUnlink=yes", "-L", `${path}:127.0.0.1:${echo.port}`];
    const first = await startForwarder("sshd-policy forward", sshd, options);
    const second = await startForwarder("sshd-policy forward", sshd, options);
    await first.stop();
    expect(await ask({ path }, hello)).toBe(hello);
    await second.stop();
    expect(existsSync(path)).toBe(false);
    await sshd.stop();
  }, 60_000);
});
