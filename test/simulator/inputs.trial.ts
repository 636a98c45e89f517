// Meters that speak other protocols than P1, at the simulator: SML, encrypted DLMS opened by the SDK's own AES, a D0 meter that is asked
// and a Modbus meter, each on a pseudo-terminal with what the agent writes going to the emulated meter.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { formatObis } from "../../src/meter/obis.js";
import { sources } from "../../src/wire/record.js";
import { ciphered, hdlcFrames } from "../../tools/emulators/dlms-frames.js";
import { dateTime, notification, selfDescribing } from "../../tools/emulators/dlms-values.js";
import { openPort } from "../../tools/emulators/port.js";
import { servePty } from "../../tools/emulators/serve.js";
import { parsePort } from "../../tools/meters/ports/port-configuration.js";
import { changed, householdAt } from "../meter/streams.js";
import { startMosquitto, withoutMosquitto } from "../node/ingest/mosquitto.js";
import {
  assertStack,
  configure,
  firmware,
  provisionMeters,
  startMeter,
  type Trial,
  until,
  withoutSdk,
} from "./harness.js";
import { listenTo } from "./records.js";

const skip = withoutSdk || withoutMosquitto;
/** Rounds of a search that find nothing, and frames of which no two records come: by then a meter has failed, however slow the machine. */
const ROUNDS_MAX = 4;
const FRAMES_MAX = 120;
const schedule = [{ service: 1, serviceId: 7, every_s: 1, aligned: false, registers: ["n-n:n.n.n*n"] }];
const encryption = "000102030405060708090a0b0c0d0e0f";
const authentication = "d0d1d2d3d4d5d6d7d8d9dadbdcdddedf";

/** A simulated meter whose `meter` part is this, with an emulated one of the `emulated` port behind its pseudo-terminal. */
async function trial(t: TestContext, meter: object, emulated: object) {
  await firmware();
  const broker = await startMosquitto();
  t.after(() => broker.stop());
  const [folder] = await provisionMeters(t, 1);
  const port = parsePort({ kind: "emulator", seed: 3, interval_ms: 500, ...emulated });
  const pty = await servePty((onBytes) => openPort(port, onBytes, assert.ifError));
  t.after(() => pty.close());
  const serial = { kind: "serial", path: pty.path };
  await configure(folder!, { brokers: [broker.url], schedule, meter: { port: serial, ...meter } });
  const seen = await listenTo(t, broker.url);
  return { seen, meter: await startMeter(t, folder!) };
}

const emulated: readonly (readonly [what: string, meter: object, emulated: object, source: number, code: string])[] = [
  ["SML", { protocol: "sml" }, { protocol: "sml" }, sources.sml, "1-0:16.7.0*255"],
  [
    "DLMS over HDLC, encrypted and authenticated",
    { protocol: "hdlc", keys: { encryption, authentication } },
    { protocol: "hdlc", encryption, authentication },
    sources.hdlc,
    "1-0:52.7.0*255",
  ],
  [
    "D0 that is asked",
    { protocol: "d0", request: { interval_s: 10 } },
    { protocol: "d0", request: true },
    sources.d0,
    "1-0:1.8.2*255",
  ],
  [
    "P1, encrypted as in Luxembourg",
    { protocol: "p1", keys: { encryption } },
    { protocol: "p1", encryption, authentication: "00112233445566778899aabbccddeeff" },
    sources.p1,
    "1-0:1.8.1*255",
  ],
  ["what it finds out to be SML", { protocol: "auto" }, { protocol: "sml" }, sources.sml, "1-0:16.7.0*255"],
  [
    "Modbus",
    { protocol: "modbus", modbus: { address: 1, interval_s: 2 } },
    { protocol: "modbus" },
    sources.modbus,
    "1-0:32.7.0*255",
  ],
];

/** That the meter may still come to it: what it has done is counted, not the time that it took. */
function assertTries({ messages, counters, errors }: Trial): false {
  const rounds = messages.filter((message) => "level" in message && message.message.startsWith("no protocol found"));
  assert.ok(rounds.length < ROUNDS_MAX, `${rounds.length} rounds found nothing`);
  const { frames = 0, crc = 0, malformed = 0 } = counters;
  assert.ok(frames + crc + malformed < FRAMES_MAX, `no two records of ${JSON.stringify(counters)}`);
  assert.deepEqual(errors, []);
  return false;
}

for (const [what, meter, port, source, code] of emulated) {
  test(`signs in the simulator what an emulated meter says: ${what}`, { skip }, async (t) => {
    const { seen, meter: running } = await trial(t, meter, port);
    await until("two records", () => seen.records.length >= 2 || assertTries(running), Number.POSITIVE_INFINITY);
    const { claims } = seen.records[0]!;
    assert.equal(claims.source, source);
    assert.ok(claims.registers!.some(({ obis }) => formatObis(obis) === code));
    const use = await running.use();
    t.diagnostic(`use ${JSON.stringify(use)}`);
    assertStack(use);
    assert.deepEqual(running.errors, []);
  });
}

test("counts pulses in the simulator, and goes on from what it kept", { skip }, async (t) => {
  await firmware();
  const broker = await startMosquitto();
  t.after(() => broker.stop());
  const [folder] = await provisionMeters(t, 1);
  const pty = await servePty((onBytes) => {
    const timer = setInterval(() => onBytes(Uint8Array.of(1)), 100);
    return { close: () => clearInterval(timer) };
  });
  t.after(() => pty.close());
  const pulse = { impulses_per_kWh: 1000 };
  const port = { kind: "serial", path: pty.path };
  await configure(folder!, { brokers: [broker.url], schedule, meter: { protocol: "pulse", pulse, port } });
  const seen = await listenTo(t, broker.url);
  const energies = (): number[] => {
    const chain = new Map(seen.records.map(({ claims }) => [claims.seq, Number(claims.registers![0]!.value)]));
    return [...chain].sort(([left], [right]) => left - right).map(([, energy]) => energy);
  };
  const meter = await startMeter(t, folder!);
  await until("three records", () => energies().length >= 3);
  await meter.kill();
  const before = energies().length;
  const again = await startMeter(t, folder!);
  await until("three more", () => energies().length >= before + 3);
  const counted = energies();
  for (let index = 1; index < counted.length; index++) assert.ok(counted[index]! > counted[index - 1]!, counted.join());
  assert.deepEqual(again.errors, []);
});

test("signs nothing in the simulator of a frame whose tag is wrong, whose counter went back, or that is broken", {
  skip,
}, async (t) => {
  await firmware();
  const broker = await startMosquitto();
  t.after(() => broker.stop());
  const [folder] = await provisionMeters(t, 1);
  const apdu = notification(selfDescribing(householdAt(1_700_000_000)), dateTime(1_700_000_000));
  const keys = { encryption: Buffer.from(encryption, "hex"), authentication: Buffer.from(authentication, "hex") };
  const systemTitle = Uint8Array.from(Buffer.from("4d4d4d0000bc614e", "hex"));
  const frame = (counter: number, options = keys): Uint8Array =>
    Buffer.concat(hdlcFrames(ciphered(apdu, { systemTitle, counter, ...options })));
  const frames = [
    frame(10),
    frame(11, { ...keys, encryption: Buffer.alloc(16, 9) }),
    frame(12, { ...keys, authentication: Buffer.alloc(16, 9) }),
    frame(10),
    changed(frame(13), 60),
    frame(20),
  ];
  const pty = await servePty((onBytes) => {
    const timer = setInterval(() => {
      const next = frames.shift();
      if (next !== undefined) onBytes(next);
    }, 500);
    return { close: () => clearInterval(timer) };
  });
  t.after(() => pty.close());
  const port = { kind: "serial", path: pty.path };
  await configure(folder!, {
    brokers: [broker.url],
    schedule,
    meter: { protocol: "hdlc", keys: { encryption, authentication }, port },
  });
  const seen = await listenTo(t, broker.url);
  const meter = await startMeter(t, folder!);
  await until("the last frame", () => meter.counters.frames === 2 && (meter.counters.appended ?? 0) >= 2);
  await until("two records", () => new Set(seen.records.map(({ claims }) => claims.seq)).size >= 2);
  const { decryption, replayed, crc } = meter.counters;
  assert.deepEqual({ decryption, replayed, crc }, { decryption: 2, replayed: 1, crc: 1 });
  assert.equal(new Set(seen.records.map(({ claims }) => claims.seq)).size, 2);
  assert.deepEqual(meter.errors, []);
});
