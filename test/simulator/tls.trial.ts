// Brokers by TLS with a private authority, in the SDK's simulator: certificates of other authorities, names and dates, brokers that hang or
// talk rubbish, a meter that does not know the time yet, and a failure that ends the machine. Records stay on the meter all along.

import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createNetworkAuthority, createNodeCertificate, type TlsIdentity } from "../../tools/authority/tls.js";
import { root } from "../../tools/firmware/builds.js";
import { createSealer, type Sealer } from "../../tools/firmware/sealer.js";
import type { MemoryUse, SimulatorSettings } from "../../tools/firmware/simulator.js";
import { startMosquitto, withoutMosquitto } from "../node/ingest/mosquitto.js";
import { configure, provisionSealed, startMeter, type Trial, temporaryFolder, until, withoutSdk } from "./harness.js";
import { assertWhole, startSealing } from "./sealing.js";

const skip = withoutSdk || withoutMosquitto;
const SERVICE = 1;
const DAY_MS = 86_400_000;
const YEAR_MS = 365 * DAY_MS;
/** of a 32-bit engine */
const SLOT_BYTES = 16;

test("records go by TLS to a broker of the meter's own authority, and to no other one", { skip }, async (t) => {
  const place = await startPlace(t);
  const first = await startMeter(t, place.folder);
  await until("receipts", () => (first.counters.sealed ?? 0) >= 3);
  t.diagnostic(JSON.stringify(await first.use()));
  await first.kill();
  const before = place.sealed.of(place.id, SERVICE).size;

  const other = await createNetworkAuthority("tls", new Date());
  const broker = await identity(place.authority, "127.0.0.1");
  const stranger = await identity(other, "127.0.0.1");
  const refused: readonly (readonly [string, TlsIdentity, string])[] = [
    ["another authority", stranger, "not issued"],
    ["another authority, its certificate sent", chained(stranger, other), "not issued"],
    ["another authority, the right one's certificate sent", chained(stranger, place.authority), "not issued"],
    ["issued by a broker's key", await identity(broker, "127.0.0.1"), "not issued"],
    ["another host", await identity(place.authority, "192.0.2.1"), "auth err"],
    [
      "dates that are over",
      await identity(place.authority, "127.0.0.1", new Date(Date.now() - 11 * YEAR_MS)),
      "valid from",
    ],
    ["dates to come", await identity(place.authority, "127.0.0.1", new Date(Date.now() + 30 * DAY_MS)), "valid from"],
  ];
  for (const [what, served, reason] of refused) {
    await place.serve(served);
    const meter = await startMeter(t, place.folder);
    await until(`${what}: a refusal`, () => traced(meter, reason) && meter.state === "no broker");
    await until(`${what}: records wait`, () => meter.counters.waiting! >= 2);
    assert.deepEqual(meter.errors, []);
    assert.equal(meter.counters.connections, 0);
    await meter.kill();
  }
  assert.equal(place.sealed.of(place.id, SERVICE).size, before);

  await place.serve(broker);
  const again = await startMeter(t, place.folder);
  await until("all is sealed", () => again.counters.sealed! > 5);
  await again.kill();
  assert.deepEqual(place.sealed.forks, []);
  assertWhole(place.sealed.of(place.id, SERVICE), place.seed);
});

test("TLS, five services and their receipts fit into the pool and the stack of the manifest", { skip }, async (t) => {
  const { creation } = JSON.parse(await readFile(join(root, "manifest.json"), "utf8"));
  const place = await startPlace(t, [1, 2, 3, 4, 5]);
  const records = 100;
  const sealsAll = async (settings?: SimulatorSettings): Promise<MemoryUse> => {
    const meter = await startMeter(t, place.folder, settings);
    await until("receipts", () => (meter.counters.sealed ?? 0) >= records, 180_000);
    const use = await meter.use();
    assert.deepEqual(meter.errors, []);
    await meter.kill();
    return use;
  };
  await sealsAll();
  // How deep the stack is used shows in one twice as deep, in a pool larger by so much.
  const poolBytes = creation.static + SLOT_BYTES * creation.stack;
  const use = await sealsAll({ poolBytes, stackSlots: 2 * creation.stack });
  const { stackSlotsUsed, chunkBytes, slots } = use;
  t.diagnostic(`${stackSlotsUsed} of ${creation.stack} slots of stack, ${chunkBytes} bytes of chunks, ${slots} slots`);
  assert(stackSlotsUsed <= creation.stack);
});

test("before the time is known a meter connects, and leaves when the certificate turns out to be over", {
  skip,
}, async (t) => {
  const place = await startPlace(t);
  const unknown = await startMeter(t, place.folder, { clock: { offset_ms: -50 * YEAR_MS, quality: 0 } });
  await until("receipts", () => (unknown.counters.sealed ?? 0) >= 2);
  unknown.send("clock 0 2");
  const sealed = unknown.counters.sealed!;
  await until("it stays", () => unknown.counters.sealed! >= sealed + 3);
  // One that a node tells the time, and one with a token.
  assert.equal(unknown.counters.connections, 2);
  unknown.send(`clock ${20 * YEAR_MS} 0`);
  await unknown.kill();

  const late = await startMeter(t, place.folder, { clock: { offset_ms: 0, quality: 0 } });
  await until("receipts", () => (late.counters.sealed ?? 0) >= 2);
  late.send(`clock ${15 * YEAR_MS} 2`);
  await until("it leaves", () => traced(late, "valid from") && late.counters.disconnections! >= 1);
  const left = late.counters.sealed!;
  await until("records wait", () => late.counters.waiting! >= 3);
  assert(late.counters.sealed! <= left + 3);
  assert.deepEqual(late.errors, []);
  await late.kill();
});

test("a broker that says nothing, hangs up or talks rubbish in the handshake is given up and tried again", {
  skip,
}, async (t) => {
  const place = await startPlace(t);
  for (const behaviour of ["silent", "closes", "rubbish"] as const) {
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.on("error", () => {});
      if (behaviour === "closes") socket.once("data", () => socket.destroy());
      if (behaviour === "rubbish") socket.once("data", () => socket.write(crypto.getRandomValues(new Uint8Array(500))));
    });
    const port = await new Promise<number>((resolve) =>
      server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port)),
    );
    t.after(() => server.close());
    t.after(() => sockets.forEach((socket) => void socket.destroy()));
    await configure(place.folder, { brokers: [`mqtts://127.0.0.1:${port}`, place.url] });
    const meter = await startMeter(t, place.folder);
    await until(`${behaviour}: receipts by the other broker`, () => (meter.counters.sealed ?? 0) >= 2);
    assert(sockets.length >= 1);
    assert(meter.counters.disconnections! >= 1);
    assert.deepEqual(meter.errors, []);
    await meter.kill();
  }
  assert.deepEqual(place.sealed.forks, []);
  assertWhole(place.sealed.of(place.id, SERVICE), place.seed);
});

test("a failure that ends the machine leaves its reason for the next start, and the agent goes on", {
  skip,
}, async (t) => {
  const place = await startPlace(t);
  const meter = await startMeter(t, place.folder);
  await until("receipts", () => (meter.counters.sealed ?? 0) >= 2);
  meter.send("fail");
  assert.equal(await meter.ended, 70);
  const next = await startMeter(t, place.folder);
  await until("the reason", () =>
    next.messages.some((line) => "level" in line && /the run before failed: .*told to fail/s.test(line.message)),
  );
  await until("receipts", () => (next.counters.sealed ?? 0) >= 3);
  assert.deepEqual(next.errors, []);
  await next.kill();
  assertWhole(place.sealed.of(place.id, SERVICE), place.seed);
});

function traced(meter: Trial, text: string): boolean {
  return meter.messages.some((line) => "level" in line && line.message.includes(text));
}

/** A broker with a plain listener for the cluster and one with TLS for the meter, and the meter's folder. */
async function startPlace(t: TestContext, services: readonly number[] = [SERVICE]) {
  const authority = await createNetworkAuthority("tls", new Date());
  const files = await temporaryFolder(t);
  const paths = { key: join(files, "key.pem"), cert: join(files, "cert.pem") };
  const write = async ({ key, cert }: TlsIdentity): Promise<void> => {
    await writeFile(paths.key, key);
    await writeFile(paths.cert, cert);
  };
  await write(await identity(authority, "127.0.0.1"));
  const securePort = await freePort();
  const broker = await startMosquitto(
    `listener ${securePort} 127.0.0.1`,
    `certfile ${paths.cert}`,
    `keyfile ${paths.key}`,
    "user root",
  );
  t.after(() => broker.stop());
  const sealer: Sealer = createSealer("tls", services);
  const sealed = await startSealing(t, broker.url, sealer);
  const url = `mqtts://127.0.0.1:${securePort}`;
  const registers = ["1-0:1.8.n"];
  const schedule = services.map((service) => ({ service, serviceId: 7, every_s: 1, aligned: false, registers }));
  const meter = await provisionSealed(t, sealer, { broker: url, schedule, interval_ms: 250 });
  await writeFile(join(meter.folder, "broker-ca.der"), new X509Certificate(authority.cert).raw);
  return {
    ...meter,
    authority,
    sealed,
    url,
    /** The broker has this certificate from now on. */
    async serve(next: TlsIdentity): Promise<void> {
      await broker.kill();
      await write(next);
      await broker.restart();
    },
  };
}

function identity(authority: TlsIdentity, host: string, now = new Date()): Promise<TlsIdentity> {
  return createNodeCertificate(authority, { id: "00112233aabbccdd", hosts: [host] }, now);
}

function chained({ cert, key }: TlsIdentity, issuer: TlsIdentity): TlsIdentity {
  return { cert: cert + issuer.cert, key };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
