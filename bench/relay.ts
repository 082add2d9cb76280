/** `relay.ts PORT TARGET`: what any forwarder on Node.js costs at least, a relay without SSH, as a program of its own. */
import { connect, createServer } from "node:net";

const [port, target] = process.argv.slice(2).map(Number);
const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
  const other = connect({ host: "127.0.0.1", port: target ?? 0, allowHalfOpen: true, noDelay: true });
  socket.on("error", () => other.destroy()).pipe(other);
  other.on("error", () => socket.destroy()).pipe(socket);
});
server.listen({ host: "127.0.0.1", port, backlog: 512 }, () => {
  process.stdout.write("listening\n");
});
