// An SSH server for the build to run a forward on: lets everybody in, and answers each connection through it with "hello".
// session-server.mjs FOLDER: writes there a key (id), known_hosts, and ports: its own, and one that it connects to, as the client
// of a -L, until that answers; then it ends with 0. At the end of standard input it ends with 1.
import { writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import ssh2 from "ssh2";

const [, , folder] = process.argv;
const { private: hostKey, public: hostLine } = ssh2.utils.generateKeyPairSync("ed25519");
const { private: userKey } = ssh2.utils.generateKeyPairSync("ed25519");

const server = new ssh2.Server({ hostKeys: [hostKey] }, (connection) => {
  connection.on("error", () => {});
  connection.on("authentication", (attempt) =>
    attempt.method === "publickey" ? attempt.accept() : attempt.reject(["publickey"]),
  );
  connection.on("tcpip", (accept) => {
    const channel = accept();
    channel.on("error", () => {}).end("hello\n");
  });
});

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

/** Through the -L that will listen there. */
function useForward(port) {
  const socket = connect(port, "127.0.0.1");
  let heard = false;
  socket.on("data", () => {
    heard = true;
  });
  socket.on("error", () => {});
  socket.on("close", () => (heard ? process.exit(0) : setTimeout(useForward, 20, port)));
}

process.stdin.resume().on("end", () => process.exit(1));
server.listen(0, "127.0.0.1", async () => {
  const { port } = server.address();
  const listen = await freePort();
  writeFileSync(join(folder, "id"), userKey, { mode: 0o600 });
  writeFileSync(join(folder, "known_hosts"), `[127.0.0.1]:${port} ${hostLine.split(" ", 2).join(" ")}\n`);
  useForward(listen);
  process.stdout.write(`${JSON.stringify({ port, listen })}\n`);
});
