// Every meter protocol through the real XS engine: an emulated meter at the port of a provisioned one, signed records out at a broker.
// What is wrong on the way is counted by its kind and never signed.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { type TestContext, test } from "node:test";
import { doubtBits } from "../../src/agent/doubts.js";
import type { Line } from "../../src/meter/line.js";
import { formatObis } from "../../src/meter/obis.js";
import type { ReaderOptions } from "../../src/meter/open-reader.js";
import { createReader } from "../../src/meter/open-reader.js";
import type { Protocol } from "../../src/meter/reader.js";
import { toHex } from "../../src/wire/bytes.js";
import { type Record, sources } from "../../src/wire/record.js";
import { ciphered, hdlcFrames } from "../../tools/emulators/dlms-frames.js";
import { dateTime, notification, selfDescribing } from "../../tools/emulators/dlms-values.js";
import { amisTelegram, digits, fixedTelegram } from "../../tools/emulators/mbus-meter.js";
import { answerOf } from "../../tools/emulators/modbus-meter.js";
import { openPort } from "../../tools/emulators/port.js";
import { smlTelegram } from "../../tools/emulators/sml-file.js";
import { historicTic } from "../../tools/emulators/tic-frame.js";
import type { OpenPort } from "../../tools/meters/device.js";
import { type Meter, startMeter } from "../../tools/meters/meter.js";
import { nodeMeterCrypto } from "../../tools/meters/meter-crypto.js";
import { parsePort } from "../../tools/meters/ports/port-configuration.js";
import { changed, householdAt } from "../meter/streams.js";
import { shared } from "../shared.js";
import { provisionMeter, startBroker } from "./provision.js";

const schedule = [{ service: 1, serviceId: 7, every_s: 1, aligned: false, registers: ["n-n:n.n.n*n"] }];
const encryption = "000102030405060708090a0b0c0d0e0f";
const authentication = "d0d1d2d3d4d5d6d7d8d9dadbdcdddedf";
const systemTitle = Uint8Array.from(Buffer.from("4d4d4d0000bc614e", "hex"));

interface Running {
  readonly meter: Meter;
  readonly broker: Awaited<ReturnType<typeof startBroker>>;
  readonly directory: string;
  readonly logged: string[];
  counters: Readonly<globalThis.Record<string, number>>;
}

/** Starts a meter whose configuration has this `meter` part; its port is what the configuration says unless `openOther` is given. */
async function run(t: TestContext, meterPart: object, openOther?: OpenPort): Promise<Running> {
  const broker = await startBroker(t);
  const directory = await provisionMeter(t, broker.url, { meter: meterPart, schedule });
  const logged: string[] = [];
  const running = { broker, directory, logged, counters: {} } as Omit<Running, "meter"> & { meter?: Meter };
  running.meter = await startMeter({
    name: "m1",
    directory,
    openPort:
      openOther ??
      ((port, onBytes, line) => openPort(parsePort(port), onBytes, (error) => logged.push(error.message), line)),
    onState: (_state, counters) => {
      running.counters = counters;
    },
    onLog: (level, message) => logged.push(`${level} ${message}`),
  });
  t.after(() => running.meter!.kill());
  return running as Running;
}

const emulator = { kind: "emulator", seed: 3, interval_ms: 200 };

function codesOf({ claims }: Record): string[] {
  return claims.registers!.map(({ obis }) => formatObis(obis));
}

function doubtsOf({ claims }: Record): string[] {
  return Object.keys(doubtBits).filter((kind) => ((claims.errors ?? 0) >> doubtBits[kind]!) & 1);
}

const emulated: readonly {
  readonly what: string;
  readonly meter: object;
  readonly source: number;
  readonly code: string;
  readonly doubts: readonly string[];
}[] = [
  {
    what: "SML",
    meter: { protocol: "sml", port: { ...emulator, protocol: "sml" } },
    source: sources.sml,
    code: "1-0:16.7.0*255",
    doubts: ["no-clock"],
  },
  {
    what: "DLMS over HDLC, encrypted and authenticated",
    meter: {
      protocol: "hdlc",
      keys: { encryption, authentication },
      port: { ...emulator, protocol: "hdlc", encryption, authentication },
    },
    source: sources.hdlc,
    code: "1-0:52.7.0*255",
    doubts: [],
  },
  {
    what: "DLMS over M-Bus, encrypted alone",
    meter: { protocol: "mbus", keys: { encryption }, port: { ...emulator, protocol: "mbus", encryption } },
    source: sources.mbus,
    code: "1-0:1.8.0*255",
    doubts: ["unauthenticated"],
  },
  {
    what: "P1, encrypted as in Luxembourg",
    meter: {
      protocol: "p1",
      keys: { encryption },
      port: { ...emulator, protocol: "p1", encryption, authentication: "00112233445566778899aabbccddeeff" },
    },
    source: sources.p1,
    code: "1-0:1.8.1*255",
    doubts: [],
  },
  {
    what: "D0 that pushes",
    meter: { protocol: "d0", port: { ...emulator, protocol: "d0" } },
    source: sources.d0,
    code: "1-0:1.8.2*255",
    doubts: ["unchecked"],
  },
  {
    what: "D0 of mode C, asked at 300 baud and read at 9600",
    meter: { protocol: "d0", request: { interval_s: 10 }, port: { ...emulator, protocol: "d0", request: true } },
    source: sources.d0,
    code: "1-0:1.8.2*255",
    doubts: [],
  },
  {
    what: "a Modbus meter, asked",
    meter: {
      protocol: "modbus",
      modbus: { address: 1, interval_s: 2 },
      port: { ...emulator, protocol: "modbus" },
    },
    source: sources.modbus,
    code: "1-0:32.7.0*255",
    doubts: ["no-clock"],
  },
  {
    what: "a Modbus meter, asked what it is",
    meter: {
      protocol: "modbus",
      modbus: { address: 1, interval_s: 2, map: "auto" },
      port: { ...emulator, protocol: "modbus" },
    },
    source: sources.modbus,
    code: "1-0:32.7.0*255",
    doubts: ["no-clock"],
  },
  {
    what: "Linky in standard mode",
    meter: { protocol: "tic", port: { ...emulator, protocol: "tic" } },
    source: sources.tic,
    code: "1-0:1.8.1*255",
    doubts: [],
  },
  {
    what: "DLMS push without a frame",
    meter: { protocol: "push", port: { ...emulator, protocol: "push" } },
    source: sources.push,
    code: "1-0:1.8.0*255",
    doubts: ["unchecked", "no-clock"],
  },
  {
    what: "a heat meter at M-Bus, asked",
    meter: { protocol: "mbus", mbus: { interval_s: 10 }, port: { ...emulator, protocol: "mbus", request: true } },
    source: sources.mbus,
    code: "6-0:1.0.0*255",
    doubts: [],
  },
];

for (const { what, meter, source, code, doubts } of emulated) {
  test(`signs what an emulated meter says: ${what}`, async (t) => {
    const { broker, logged } = await run(t, meter);
    await broker.until((records) => records.length > 0);
    const record = broker.records[0]!;
    assert.equal(record.claims.source, source);
    assert.ok(codesOf(record).includes(code), codesOf(record).join());
    assert.deepEqual(doubtsOf(record), doubts);
    assert.deepEqual(
      logged.filter((line) => /^(warn|error)/.test(line)),
      [],
    );
    assert.ok(!logged.join().toLowerCase().includes(encryption), "no key is logged");
  });
}

test("finds out that a meter speaks SML at 9600, and remembers it over a restart", async (t) => {
  const lines: string[] = [];
  const running = await run(t, { protocol: "auto", port: { ...emulator, protocol: "sml" } }, (port, onBytes, line) => {
    lines.push(describe(line));
    const opened = openPort(parsePort(port), onBytes, assert.ifError, line);
    return {
      ...opened,
      setLine(next) {
        lines.push(describe(next));
        opened.setLine(next);
      },
    };
  });
  const { broker, logged } = running;
  await broker.until((records) => records.length > 0);
  assert.equal(broker.records[0]!.claims.source, sources.sml);
  assert.deepEqual(lines, ["115200 8none", "9600 8none"]);
  assert.ok(logged.some((line) => line.includes("meter found: sml at 9600 8N1")));
  process.kill(running.meter.pid!, "SIGKILL");
  const before = broker.records.length;
  await broker.until((records) => records.length >= before + 2);
  assert.equal(lines[2], "9600 8none", "it opens with what was found");
});

function describe({ baud, dataBits, parity }: Line): string {
  return `${baud} ${dataBits}${parity}`;
}

test("counts pulses, and after kill -9 goes on without ever falling, and says that some may be missing", async (t) => {
  const pulse = { impulses_per_kWh: 1000, start_Wh: 4_000_000, register: "1-0:2.8.0", id: "PV-1" };
  const running = await run(t, { protocol: "pulse", pulse, port: null }, (_port, onBytes) => {
    const timer = setInterval(() => onBytes(Uint8Array.of(0)), 50);
    return { close: () => clearInterval(timer) };
  });
  const { broker } = running;
  const newest = (records: readonly Record[]): number => Math.max(...records.map(({ claims }) => claims.seq));
  await broker.until((records) => newest(records) >= 2);
  process.kill(running.meter.pid!, "SIGKILL");
  const before = newest(broker.records);
  await broker.until((records) => newest(records) >= before + 3);
  const chain = [...new Map(broker.records.map((record) => [record.claims.seq, record])).values()];
  chain.sort((left, right) => left.claims.seq - right.claims.seq);
  let last = 4_000_000n;
  for (const { claims } of chain) {
    const energy = claims.registers!.find(({ obis }) => formatObis(obis) === "1-0:2.8.0*255")!;
    assert.ok(BigInt(energy.value) > last, `${energy.value} after ${last}`);
    assert.deepEqual([energy.scaler, energy.unit], [0, 30]);
    last = BigInt(energy.value);
    assert.equal(claims.source, sources.pulse);
  }
  assert.equal(chain.filter((record) => doubtsOf(record).includes("resumed")).length, 1);
});

test("counts wrong keys, wrong counters and broken frames by kind, and signs none of them", async (t) => {
  const apdu = notification(selfDescribing(householdAt(1_700_000_000)), dateTime(1_700_000_000));
  const keys = { encryption: Buffer.from(encryption, "hex"), authentication: Buffer.from(authentication, "hex") };
  const frame = (counter: number, options = keys): Uint8Array =>
    Buffer.concat(hdlcFrames(ciphered(apdu, { systemTitle, counter, ...options })));
  const good = frame(10);
  const wrong = [
    frame(11, { ...keys, encryption: Buffer.alloc(16, 9) }),
    frame(12, { ...keys, authentication: Buffer.alloc(16, 9) }),
    frame(10),
    frame(3),
    changed(frame(13), 60),
    frame(14).subarray(0, 80),
  ];
  const last = frame(20);
  const running = await run(t, { protocol: "hdlc", keys: { encryption, authentication }, port: null }, (_, onBytes) => {
    const frames = [good, ...wrong, last];
    const timer = setInterval(() => {
      const next = frames.shift();
      if (next !== undefined) onBytes(next);
    }, 300);
    return { close: () => clearInterval(timer) };
  });
  await running.broker.until((records) => records.some(({ claims }) => toHex(claims.frameHash!) === sha256(last)));
  await until(() => running.counters.frames === 2);
  const signed = running.broker.records.map(({ claims }) => toHex(claims.frameHash!));
  assert.deepEqual([...new Set(signed)], [good, last].map(sha256));
  const { frames, decryption, replayed, crc } = running.counters;
  assert.deepEqual({ frames, decryption, replayed }, { frames: 2, decryption: 2, replayed: 2 });
  assert.ok(crc! >= 1);
});

test("says that a key is missing, and signs nothing", async (t) => {
  const port = { ...emulator, protocol: "hdlc", encryption, authentication };
  const running = await run(t, { protocol: "hdlc", port });
  await until(() => (running.counters.locked ?? 0) >= 3);
  assert.equal(running.counters.frames, 0);
  assert.equal(running.broker.records.length, 0);
  assert.ok(running.logged.some((line) => line.startsWith("warn bad frame (locked)")));
});

/** What is sent again and again, or answered to whoever asks. */
const played: readonly {
  readonly what: string;
  readonly meter: object;
  readonly bytes: Uint8Array;
  readonly source: number;
  readonly codes: readonly string[];
  readonly doubts: readonly string[];
}[] = [
  {
    what: "Linky in historic mode",
    meter: { protocol: "tic" },
    bytes: historicTic(householdAt(1_700_000_000)),
    source: sources.tic,
    codes: ["1-0:1.8.1*255"],
    doubts: ["no-clock"],
  },
  {
    what: "AMIS of Upper Austria",
    meter: { protocol: "mbus", keys: { encryption } },
    bytes: amisTelegram(householdAt(1_700_000_000), Buffer.from(encryption, "hex")),
    source: sources.mbus,
    codes: ["1-0:1.8.0*255", "1-0:1.128.0*255"],
    doubts: ["unauthenticated"],
  },
  {
    what: "an M-Bus water meter of the fixed structure",
    meter: { protocol: "mbus" },
    bytes: fixedTelegram({ id: "12345678", medium: 7, units: [0x29, 0x3e], counters: [digits(9, 4), digits(7, 4)] }),
    source: sources.mbus,
    codes: ["8-0:1.0.0*255", "8-0:1.0.0*1"],
    doubts: ["no-clock"],
  },
];

for (const { what, meter, bytes, source, codes, doubts } of played) {
  test(`signs what comes in at a port: ${what}`, async (t) => {
    const { broker } = await run(t, { ...meter, port: null }, (_port, onBytes) => {
      const timer = setInterval(() => onBytes(bytes), 300);
      return { close: () => clearInterval(timer) };
    });
    await broker.until((records) => records.length > 0);
    const record = broker.records[0]!;
    assert.equal(record.claims.source, source);
    for (const code of codes) assert.ok(codesOf(record).includes(code), codesOf(record).join());
    assert.deepEqual(doubtsOf(record), doubts);
    assert.equal(toHex(record.claims.frameHash!), sha256(bytes));
  });
}

test("signs what an EDP Box answers", async (t) => {
  const values = (width: number, ...places: readonly number[]): [number, Uint8Array][] =>
    places.map((place) => [place, new Uint8Array(width).fill(1)]);
  const memory = new Map([
    ...values(12, 1),
    ...values(4, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x26, 0x27, 0x28, 0x79, 0x7a),
    ...values(2, 0x0b, 0x6c, 0x6d, 0x7b, 0x7f),
  ]);
  const modbus = { address: 1, interval_s: 2 };
  const { broker } = await run(t, { protocol: "modbus", modbus, profile: "emi", port: null }, (_port, onBytes) => ({
    close() {},
    write: (question) => void setTimeout(() => onBytes(answerOf(question, 4, memory, true)), 20),
  }));
  await broker.until((records) => records.length > 0);
  const [record] = broker.records;
  assert.equal(record!.claims.source, sources.modbus);
  const energy = record!.claims.registers!.find(({ obis }) => formatObis(obis) === "1-0:1.8.0*255")!;
  assert.deepEqual([Number(energy.value), energy.scaler, energy.unit], [0x01010101, 0, 30]);
});

const captures: readonly (readonly [Protocol, string, object])[] = [
  ["sml", "data/smartmeter-obis/sml/ttyUSB0.dump", {}],
  ["sml", "data/smartmeter-obis/sml/testSerialResponseSmlCont-1.bin", {}],
  ["d0", "data/smartmeter-obis/d0/testSerialRequestResponseD0WithAck2-1.txt", {}],
  ["p1", "data/esphome-dsmr_parser/encrypted_packet.bin", { keys: { encryption: "aa".repeat(16) } }],
];

for (const [protocol, path, part] of captures) {
  const capture = shared(path);
  test(`signs exactly what the first good frame of ${path} states`, { skip: capture.skip }, async (t) => {
    const bytes = readFileSync(capture.path);
    const options: ReaderOptions = "keys" in part ? { keys: { encryption: new Uint8Array(16).fill(0xaa) } } : {};
    const reader = createReader(protocol, { ...options, crypto: nodeMeterCrypto });
    const expected = [...reader.push(bytes.subarray(0, 60_000), 0), ...reader.end()].find(({ ok }) => ok);
    assert.ok(expected?.ok);
    const running = await run(t, { protocol, port: null, ...part }, (_port, onBytes) => {
      setTimeout(() => onBytes(bytes.subarray(0, 60_000)), 100);
      return { close() {} };
    });
    await running.broker.until((records) => records.length > 0);
    const { claims } = running.broker.records[0]!;
    assert.deepEqual(
      claims.registers!.map(({ obis, value, scaler, unit, age }) => [toHex(obis), BigInt(value), scaler, unit, age]),
      expected.registers.map(({ obis, value, scaler, unit, age }) => [toHex(obis), BigInt(value), scaler, unit, age]),
    );
    assert.equal(toHex(claims.frameHash!), sha256(expected.frame));
  });
}

test("signs what an SML meter says over a line of another parity, once it is right", async (t) => {
  const telegram = smlTelegram(householdAt(1_700_000_000));
  const running = await run(t, { protocol: "sml", port: null }, (_port, onBytes) => {
    const timer = setInterval(() => {
      onBytes(telegram.map((byte) => byte & 0x7f));
      onBytes(telegram);
    }, 200);
    return { close: () => clearInterval(timer) };
  });
  await running.broker.until((records) => records.length >= 2);
  for (const { claims } of running.broker.records) assert.equal(toHex(claims.frameHash!), sha256(telegram));
});

async function until(holds: () => boolean): Promise<void> {
  const deadline_ms = performance.now() + 20_000;
  while (!holds()) {
    assert.ok(performance.now() < deadline_ms, "not within 20 s");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
