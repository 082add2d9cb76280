/** Ports for a probe's own listeners. */
import { createServer } from "node:net";

/** TCP ports, all different, that nobody listens on at this address now. Rejects where the address is not this machine's. */
export async function freePorts(address: string, count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve, reject) => {
          server.once("error", reject);
          server.listen(0, address, () => {
            const bound = server.address();
            resolve(typeof bound === "object" && bound !== null ? bound.port : 0);
          });
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
