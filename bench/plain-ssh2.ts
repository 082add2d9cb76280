/**
 * The shortest -L on ssh2, as its readme has it, with what ours also asks of it: TCP_NODELAY and the same cipher first.
 * `PORT USER KEY LISTEN TARGET`: what ssh2 alone can do, to be measured beside ours.
 */
import { readFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { Client } from "ssh2";

const [port, username = "", key = "", listen, target] = process.argv.slice(2);
const client = new Client();
client.on("ready", () => {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    socket.on("error", () => {});
    client.forwardOut("127.0.0.1", 0, "127.0.0.1", Number(target), (error, channel) => {
      if (error) socket.destroy();
      else socket.pipe(channel).pipe(socket);
    });
  });
  server.listen({ host: "127.0.0.1", port: Number(listen), backlog: 512 }, () => {
    process.stdout.write("listening\n");
  });
});
const sock = connect({ host: "127.0.0.1", port: Number(port), noDelay: true }, () => {
  const algorithms = { cipher: ["aes128-gcm@openssh.com" as const] };
  client.connect({ sock, username, privateKey: readFileSync(key), algorithms });
});
