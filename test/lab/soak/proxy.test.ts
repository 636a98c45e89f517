import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { startProxy } from "../../../tools/lab/soak/proxy.js";

/** A server that sends back what it gets, a proxy before it, and a client of the proxy. */
async function createEcho(t: TestContext) {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.pipe(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const proxy = await startProxy("127.0.0.1", { host: "127.0.0.1", port: (server.address() as AddressInfo).port });
  t.after(async () => {
    await proxy.close();
    server.close();
  });
  return proxy;
}

async function dial(t: TestContext, port: number): Promise<Socket & { text: string }> {
  const socket = Object.assign(connect(port, "127.0.0.1"), { text: "" });
  socket.on("error", () => {});
  socket.on("data", (chunk) => {
    socket.text += String(chunk);
  });
  t.after(() => socket.destroy());
  await once(socket, "connect");
  return socket;
}

async function until(holds: () => boolean): Promise<void> {
  const until_ms = performance.now() + 10_000;
  while (!holds()) {
    assert.ok(performance.now() < until_ms);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test("passes bytes on, holds them back, and hands them over in order when it heals", async (t) => {
  const proxy = await createEcho(t);
  const client = await dial(t, proxy.port);
  client.write("a");
  await until(() => client.text === "a");
  for (const held of ["dialler", "dialled", "both"] as const) {
    const before = client.text;
    proxy.hold(held);
    client.write("b");
    client.write("c");
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(client.text, before);
    proxy.heal();
    await until(() => client.text === `${before}bc`);
  }
});

test("ends what is connected when it is cut, accepts nothing, and accepts again when it heals", async (t) => {
  const proxy = await createEcho(t);
  const client = await dial(t, proxy.port);
  proxy.cut();
  await once(client, "close");
  const refused = await dial(t, proxy.port);
  await once(refused, "close");
  proxy.heal();
  const again = await dial(t, proxy.port);
  again.write("d");
  await until(() => again.text === "d");
});
