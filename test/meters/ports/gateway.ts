// A meter behind a network gateway: every client gets every telegram from when it connects, and what it writes the meter hears.

import { type AddressInfo, createServer, type Socket } from "node:net";
import type { MeterFeed } from "../../../tools/emulators/serve.js";

export interface Gateway {
  readonly port: number;
  close(): Promise<void>;
}

/** Serves the meter on a free port of the loopback interface. */
export async function serveGateway(feed: MeterFeed): Promise<Gateway> {
  const clients = new Set<Socket>();
  const server = createServer((socket) => {
    clients.add(socket);
    // The close that follows an error is all there is to do about it.
    socket.on("error", () => {});
    socket.on("close", () => clients.delete(socket));
    socket.on("data", (bytes) => meter.write?.(bytes));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const meter = feed((bytes) => {
    for (const client of clients) client.write(bytes);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        meter.close();
        for (const client of clients) client.destroy();
        server.close(() => resolve());
      }),
  };
}
