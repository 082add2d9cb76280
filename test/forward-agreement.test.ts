import { createServer, type Server } from "node:net";
import { basename, join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeUnless, whyNoFile } from "./needs.ts";
import { makeFolder } from "./own-folder.ts";
import { ask, type Program as Forwarder, startForwarder } from "./sshd/forwarders.ts";
import {
  freePort,
  type LoopbackSshd,
  serveEcho,
  startSshd,
  type TestServer,
  whyNoSshd,
} from "./sshd/loopback.ts";
import { PROGRAMS } from "./sshd/programs.ts";

const missing = whyNoSshd() ?? whyNoFile("/usr/bin/ssh");
const FORWARDERS: readonly Forwarder[] = ["ssh", "sshd-policy forward"];

/** The lines of truth-table.md's live table, and bind addresses. */
const POLICIES: Readonly<Record<string, readonly string[]>> = {
  "(defaults)": [],
  "AllowTcpForwarding no": ["AllowTcpForwarding no"],
  "AllowTcpForwarding local": ["AllowTcpForwarding local"],
  "AllowTcpForwarding remote": ["AllowTcpForwarding remote"],
  "AllowStreamLocalForwarding no": ["AllowStreamLocalForwarding no"],
  "AllowStreamLocalForwarding local": ["AllowStreamLocalForwarding local"],
  "PermitOpen none": ["PermitOpen none"],
  "PermitListen none": ["PermitListen none"],
  "DisableForwarding yes": ["DisableForwarding yes"],
  "GatewayPorts yes": ["GatewayPorts yes"],
  "ForceCommand internal-sftp": ["ForceCommand internal-sftp"],
};

/** What the releases of the lab are asked: each start takes seconds, and their answers differ in few. */
const FOR_ALL = ["(defaults)", "AllowTcpForwarding local", "GatewayPorts yes"];

/** A root file system of the lab needs root. */
const SITUATIONS = PROGRAMS.filter(({ chroot }) => chroot === undefined || process.getuid?.() === 0).flatMap(
  (program) =>
    Object.entries(POLICIES)
      .filter(([name]) => program.chroot === undefined || FOR_ALL.includes(name))
      .map(([name, lines]) => ({
        name,
        lines,
        program,
        of: program.chroot === undefined ? "this machine" : basename(program.chroot),
      })),
);

interface Places {
  readonly echo: number;
  readonly echoSocket: string;
  readonly closed: number;
  readonly folder: string;
}

/** Options of ssh(1) and a client that tries them. `port`: a free one. */
interface Case {
  readonly name: string;
  readonly options: (port: number, at: Places) => readonly string[];
  readonly client: (port: number, at: Places) => Promise<string>;
}

const SOCKS5_GREETING = Buffer.from([5, 1, 0]);
const SOCKS5 = (port: number): Buffer => Buffer.from([5, 1, 0, 1, 127, 0, 0, 1, port >> 8, port & 255]);
/** address type 4: ::1 */
const SOCKS5_TO_6 = (port: number): Buffer =>
  Buffer.from([5, 1, 0, 4, ...Array<number>(15).fill(0), 1, port >> 8, port & 255]);
const SOCKS4A = (port: number): Buffer =>
  Buffer.concat([Buffer.from([4, 1, port >> 8, port & 255, 0, 0, 0, 1, 0]), Buffer.from("localhost\0")]);
/** open or not: the bound address is anybody's, and ssh(1) closes where ours also says that it refuses */
const socksOutcome = (text: string): string => {
  if (text === "closed") return "refused ";
  if (text[0] === "\x05")
    return `${text.charCodeAt(1)} ${text.charCodeAt(3) === 0 ? "open" : "refused"} ${text.slice(12)}`;
  return text[0] === "\x00" ? `${text.charCodeAt(1) === 0x5a ? "open" : "refused"} ${text.slice(8)}` : text;
};

const hello = "over there and back";
const CASES: readonly Case[] = [
  {
    name: "-L port to port",
    options: (port, { echo }) => ["-L", `${port}:127.0.0.1:${echo}`],
    client: (port) => ask({ port }, hello),
  },
  {
    name: "-L [::1]:port",
    options: (port, { echo }) => ["-L", `[::1]:${port}:127.0.0.1:${echo}`],
    client: (port) => ask({ port, host: "::1" }, hello),
  },
  {
    name: "-L to a port that nobody listens on",
    options: (port, { closed }) => ["-L", `${port}:127.0.0.1:${closed}`],
    client: (port) => ask({ port }, hello),
  },
  {
    name: "-L port to socket",
    options: (port, { echoSocket }) => ["-L", `${port}:${echoSocket}`],
    client: (port) => ask({ port }, hello),
  },
  {
    name: "-L socket to port",
    options: (port, { folder, echo }) => ["-L", `${folder}/${port}:127.0.0.1:${echo}`],
    client: (port, { folder }) => ask({ path: `${folder}/${port}` }, hello),
  },
  {
    name: "-L port is for loopback alone",
    options: (port, { echo }) => ["-L", `${port}:127.0.0.1:${echo}`],
    client: (port) => ask({ port, host: "127.0.0.9" }, hello),
  },
  {
    name: "-L with -g is for everybody",
    options: (port, { echo }) => ["-g", "-L", `${port}:127.0.0.1:${echo}`],
    client: (port) => ask({ port, host: "127.0.0.9" }, hello),
  },
  {
    name: "-L *:port is for everybody",
    options: (port, { echo }) => ["-L", `*:${port}:127.0.0.1:${echo}`],
    client: (port) => ask({ port, host: "127.0.0.9" }, hello),
  },
  {
    name: "-D with SOCKS 5",
    options: (port) => ["-D", `${port}`],
    client: async (port, { echo }) =>
      socksOutcome(await ask({ port }, Buffer.concat([SOCKS5(echo), Buffer.from(hello)]), SOCKS5_GREETING)),
  },
  {
    name: "-D socket, of which ssh(1) says nothing",
    options: (port, { folder }) => ["-D", `${folder}/${port}`],
    client: async (port, { folder, echo }) => {
      const request = Buffer.concat([SOCKS5(echo), Buffer.from(hello)]);
      return socksOutcome(await ask({ path: `${folder}/${port}` }, request, SOCKS5_GREETING));
    },
  },
  {
    name: "-D with SOCKS 4a",
    options: (port) => ["-D", `${port}`],
    client: async (port, { echo }) =>
      socksOutcome(await ask({ port }, Buffer.concat([SOCKS4A(echo), Buffer.from(hello)]))),
  },
  {
    name: "-R port to port",
    options: (port, { echo }) => ["-R", `${port}:127.0.0.1:${echo}`],
    client: (port) => ask({ port }, hello),
  },
  {
    name: "-R 0.0.0.0:port",
    options: (port, { echo }) => ["-R", `0.0.0.0:${port}:127.0.0.1:${echo}`],
    client: (port) => ask({ port, host: "127.0.0.9" }, hello),
  },
  {
    name: "-R *:port",
    options: (port, { echo }) => ["-R", `*:${port}:127.0.0.1:${echo}`],
    client: (port) => ask({ port, host: "127.0.0.9" }, hello),
  },
  {
    name: "-R to a port that nobody listens on",
    options: (port, { closed }) => ["-R", `${port}:127.0.0.1:${closed}`],
    client: (port) => ask({ port }, hello),
  },
  {
    name: "-R socket to socket",
    options: (port, { folder, echoSocket }) => ["-R", `${folder}/${port}:${echoSocket}`],
    client: (port, { folder }) => ask({ path: `${folder}/${port}` }, hello),
  },
  {
    name: "-R port with SOCKS 5",
    options: (port) => ["-R", `${port}`],
    client: async (port, { echo }) =>
      socksOutcome(await ask({ port }, Buffer.concat([SOCKS5(echo), Buffer.from(hello)]), SOCKS5_GREETING)),
  },
];

describeUnless(missing, "ssh and sshd-policy forward", () => {
  let echo: TestServer;
  let echoSocket: Server;
  const folder = makeFolder();
  let at: Places;
  beforeAll(async () => {
    echo = await serveEcho();
    echoSocket = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket).on("error", () => {}));
    echoSocket.listen(join(folder, "echo"));
    at = { echo: echo.port, echoSocket: join(folder, "echo"), closed: await freePort(), folder };
  });
  afterAll(() => {
    echo.close();
    echoSocket.close();
  });

  /** All cases at once on one client: what each client of a listener sees, by the case's name. */
  async function outcomes(forwarder: Forwarder, sshd: LoopbackSshd): Promise<Record<string, string>> {
    const ports = await Promise.all(CASES.map(() => freePort()));
    // of its own: sshd leaves sockets behind, and the next forwarder may get the same port for a name
    const places = { ...at, folder: makeFolder() };
    const portOf = (index: number): number => ports[index] ?? 0;
    const groups = [
      CASES.filter(({ name }) => !name.includes("-g")),
      CASES.filter(({ name }) => name.includes("-g")),
    ];
    const seen: Record<string, string> = {};
    for (const group of groups) {
      const options = group.flatMap((one) => one.options(portOf(CASES.indexOf(one)), places));
      const running = await startForwarder(forwarder, sshd, options);
      for (const one of group) seen[one.name] = await one.client(portOf(CASES.indexOf(one)), places);
      await running.stop();
    }
    return seen;
  }

  it.each(SITUATIONS)("agree under $name, on the sshd of $of", async ({ name, lines, program }) => {
    const sshd = await startSshd({ lines, program });
    const [theirs, ours] = await Promise.all(FORWARDERS.map((forwarder) => outcomes(forwarder, sshd)));
    await sshd.stop();
    expect(ours).toEqual(theirs);
    if (name === "(defaults)") {
      expect(ours?.["-L port to port"]).toBe(hello);
      expect(ours?.["-R port with SOCKS 5"]).toBe(`0 open ${hello}`);
    }
    if (name === "DisableForwarding yes") expect(Object.values(ours ?? {})).not.toContain(hello);
  });

  it("agree on how an IPv6 address of SOCKS is spelled, which PermitOpen is compared with", async () => {
    const six = await serveEcho("::1").catch(() => null);
    if (six === null) return;
    const sshd = await startSshd({ lines: [`PermitOpen [::1]:${six.port}`] });
    const request = Buffer.concat([SOCKS5_TO_6(six.port), Buffer.from(hello)]);
    for (const program of FORWARDERS) {
      const port = await freePort();
      const running = await startForwarder(program, sshd, ["-D", `${port}`]);
      expect(socksOutcome(await ask({ port }, request, SOCKS5_GREETING)), program).toBe(`0 open ${hello}`);
      await running.stop();
    }
    six.close();
    await sshd.stop();
  });

  it("agree on what of SOCKS is read: a name up to a NUL, and no reserved byte", async () => {
    const [sshd, echo] = [await startSshd({ lines: [] }), await serveEcho()];
    const named = (name: string, reserved = 0): Buffer =>
      Buffer.concat([
        Buffer.from([5, 1, reserved, 3, name.length]),
        Buffer.from(`${name}${String.fromCharCode(echo.port >> 8, echo.port & 255)}${hello}`, "latin1"),
      ]);
    const requests = [
      named("localhost"),
      named("localhost\0.invalid"),
      named("\0localhost"),
      named(""),
      named("localhost", 1),
    ];
    const outcomesOf = async (program: Forwarder): Promise<readonly boolean[]> => {
      const port = await freePort();
      const running = await startForwarder(program, sshd, ["-D", `${port}`]);
      const told = await Promise.all(requests.map((request) => ask({ port }, request, SOCKS5_GREETING)));
      await running.stop();
      return told.map((text) => text.endsWith(hello));
    };
    const [theirs, ours] = await Promise.all(FORWARDERS.map(outcomesOf));
    expect(ours).toEqual(theirs);
    expect(ours).toEqual([true, true, false, false, false]);
    echo.close();
    await sshd.stop();
  }, 60_000);

  it("agree on AddressFamily for what -R connects to, also where a client of SOCKS says where", async () => {
    const sshd = await startSshd();
    const six = await serveEcho("::1").catch(() => null);
    const on6 = six?.port ?? at.closed;
    const seen = async (program: Forwarder, family: string): Promise<readonly string[]> => {
      const [plain, named, far, socks] = [
        await freePort(),
        await freePort(),
        await freePort(),
        await freePort(),
      ];
      const targets = [
        `${plain}:127.0.0.1:${echo.port}`,
        `${named}:localhost:${echo.port}`,
        `${far}:[::1]:${on6}`,
      ];
      const forwards = [...targets, `${socks}`].flatMap((forward) => ["-R", forward]);
      const running = await startForwarder(program, sshd, ["-o", `AddressFamily=${family}`, ...forwards]);
      const request = Buffer.concat([SOCKS5_TO_6(on6), Buffer.from(hello)]);
      const found = [
        ...(await Promise.all([plain, named, far].map((port) => ask({ port }, hello)))),
        socksOutcome(await ask({ port: socks }, request, SOCKS5_GREETING)),
      ];
      await running.stop();
      return found;
    };
    for (const family of ["any", "inet"]) {
      const [theirs, ours] = await Promise.all(FORWARDERS.map((program) => seen(program, family)));
      expect(ours).toEqual(theirs);
      if (family === "inet")
        expect(ours).toEqual([hello, hello, "closed", expect.stringContaining("refused")]);
      else if (six !== null) expect(ours).toEqual([hello, hello, hello, `0 open ${hello}`]);
    }
    six?.close();
    await sshd.stop();
  });
});
