// DLMS push, against frames that an encoder of its own writes from the standards' structure (tools/emulators/dlms-*.ts). There is no
// capture of these ports among the shared material.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { scanValues } from "../../../src/meter/dlms/axdr.js";
import { parseNotification } from "../../../src/meter/dlms/notification.js";
import type { ReaderOptions } from "../../../src/meter/open-reader.js";
import { createReader } from "../../../src/meter/open-reader.js";
import type { Reading } from "../../../src/meter/reader.js";
import { blocks, ciphered, hdlcFrame, hdlcFrames, mbusFrames } from "../../../tools/emulators/dlms-frames.js";
import {
  array,
  byCode,
  byPosition,
  dateTime,
  type Encoded,
  fixedRecord,
  integer16,
  notification,
  octetString,
  scaled,
  selfDescribing,
  structure,
  unsigned16,
  unsigned32,
  visibleString,
} from "../../../tools/emulators/dlms-values.js";
import { nodeMeterCrypto } from "../../../tools/meters/meter-crypto.js";
import {
  assertAnyPieces,
  assertSurvives,
  changed,
  householdAt,
  joined,
  kinds,
  outcomesOf,
  readingOf,
  registersOf,
} from "../streams.js";

const time_s = 1_700_000_000;
const state = householdAt(time_s);
const consumed_Ws = state.consumed.low_Ws + state.consumed.normal_Ws;
const encryption = Uint8Array.from({ length: 16 }, (_, index) => index);
const authentication = Uint8Array.from({ length: 16 }, (_, index) => 0xd0 + index);
const systemTitle = Uint8Array.from(Buffer.from("4b464d1020029802", "hex"));
const crypto = nodeMeterCrypto;
const selfDescribed = notification(selfDescribing(state));
const good = hdlcFrames(selfDescribed)[0]!;

function read(body: Encoded, options?: ReaderOptions): Reading {
  return readingOf("hdlc", joined(...hdlcFrames(notification(body))), options);
}

function pair(c: number, d: number, value: Encoded): Encoded[] {
  return [octetString([1, 0, c, d, 0, 255]), value];
}

test("reads a list that describes itself, as Aidon's does", () => {
  const reading = readingOf("hdlc", good);
  const registers = registersOf(reading);
  assert.equal(reading.meter, state.serial);
  assert.equal(reading.time_s, time_s);
  assert.deepEqual(reading.flags, []);
  assert.deepEqual(reading.frame, good);
  assert.deepEqual(registers["1-0:1.7.0*255"], [Math.max(state.power_W, 0), 0, 27]);
  assert.deepEqual(registers["1-0:52.7.0*255"], [state.phases[1].voltage_dV, -1, 35]);
  assert.deepEqual(registers["1-0:1.8.0*255"], [Math.floor(consumed_Ws / 36_000), 1, 30]);
});

test("reads a list whose places have a meaning, as Kaifa's does", () => {
  const reading = read(byPosition(state));
  const registers = registersOf(reading);
  assert.equal(reading.meter, state.serial);
  assert.equal(reading.time_s, time_s);
  assert.deepEqual(reading.flags, []);
  assert.equal(reading.registers.length, 14);
  assert.deepEqual(registers["1-0:31.7.0*255"], [state.phases[0].current_cA * 10, -3, 33]);
  assert.deepEqual(registers["1-0:72.7.0*255"], [state.phases[2].voltage_dV, -1, 35]);
  assert.deepEqual(registers["1-0:1.8.0*255"], [Math.floor(consumed_Ws / 3600), 0, 30]);
});

test("reads codes and values without units, as Kamstrup's, and says where their scale is assumed", () => {
  const energy = Math.floor(consumed_Ws / 36_000);
  const assumed = read(byCode(state));
  assert.equal(assumed.meter, state.serial);
  assert.deepEqual(registersOf(assumed)["1-1:31.7.0*255"], [state.phases[0].current_cA, -2, 33]);
  assert.deepEqual(registersOf(assumed)["1-1:1.8.0*255"], [energy, 1, 30]);
  assert.deepEqual(assumed.flags, ["assumed-scale", "no-clock"]);
  const sweden = read(byCode(state), { profile: "kamstrup-sweden" });
  assert.deepEqual(registersOf(sweden)["1-1:1.8.0*255"], [energy, 0, 30]);
  assert.deepEqual(sweden.flags, ["quirk-scale", "no-clock"]);
  assert.deepEqual(registersOf(read(byCode(state), { profile: "kamstrup-norway" }))["1-1:1.8.0*255"], [energy, 1, 30]);
});

test("reads a fixed record, as Iskraemeco's", () => {
  const reading = readingOf("hdlc", joined(...hdlcFrames(notification(fixedRecord(state), dateTime(time_s)))));
  assert.equal(reading.time_s, time_s);
  assert.equal(reading.meter, state.serial);
  assert.equal(reading.registers.length, 16);
  assert.deepEqual(registersOf(reading)["1-0:71.7.0*255"], [state.phases[2].current_cA, -2, 33]);
  assert.deepEqual(registersOf(reading)["1-0:61.7.0*255"], [Math.max(state.phases[2].power_W, 0), 0, 27]);
});

test("tells the fixed records of one length apart by their values' types", () => {
  const text = (value: string): Encoded => octetString(Buffer.from(value));
  const head = [text("ISK1030775213859"), text("16820005")];
  const counters = Array.from({ length: 8 }, (_, index) => unsigned32(index + 1));
  const energies = read(structure([...head, [22, 1], octetString([0, 1]), ...counters]));
  assert.deepEqual(registersOf(energies)["1-0:1.8.0*255"], [1, 0, 30]);
  assert.deepEqual(registersOf(energies)["1-0:4.8.0*255"], [8, 0, 32]);
  const volts = [2314, 2303, 2348, 88, 100, 102].map(unsigned16);
  const powers = read(structure([...head, ...volts, ...counters.slice(0, 4)]));
  assert.deepEqual(registersOf(powers)["1-0:32.7.0*255"], [2314, -1, 35]);
  assert.deepEqual(registersOf(powers)["1-0:1.7.0*255"], [1, 0, 27]);
});

test("reads capture objects and then their values; what has no unit anywhere is a plain number, and flagged", () => {
  const object = (obis: readonly number[]): Encoded =>
    structure([unsigned16(3), octetString(obis), [15, 2], unsigned16(0)]);
  const codes = [
    [0, 8, 25, 9, 0, 255],
    [0, 0, 96, 1, 0, 255],
    [1, 0, 1, 7, 0, 255],
    [1, 0, 1, 8, 0, 255],
  ];
  const reading = read(
    structure([array(codes.map(object)), octetString(Buffer.from("63326413")), unsigned32(362), unsigned32(2302502)]),
  );
  assert.equal(reading.meter, "63326413");
  assert.deepEqual(registersOf(reading), { "1-0:1.7.0*255": [362, 0, 255], "1-0:1.8.0*255": [2302502, 0, 255] });
  assert.ok(reading.flags.includes("no-unit 1-0:1.8.0*255"));
});

test("reads a lone power once a list with its maker's name has been read, as of the same meter", () => {
  const state = householdAt(1_700_000_000);
  const lone = hdlcFrames(notification(structure([unsigned32(4117)])));
  const named = hdlcFrames(notification(byPosition(state)));
  const outcomes = outcomesOf("hdlc", joined(...lone, ...named, ...lone));
  assert.deepEqual(kinds(outcomes), ["malformed", "ok", "ok"]);
  const [, list, power] = outcomes;
  assert.ok(list?.ok && power?.ok);
  assert.deepEqual(registersOf(power), { "1-0:1.7.0*255": [4117, 0, 27] });
  assert.equal(power.meter, list.meter);
});

test("reads a lone power by profile alone", () => {
  const lone = structure([unsigned32(4117)]);
  const [refused] = outcomesOf("hdlc", joined(...hdlcFrames(notification(lone))));
  assert.ok(refused?.ok === false && refused.reason === "malformed");
  assert.match(refused.detail, /a list of 1 values without codes, which no profile describes/);
  assert.deepEqual(registersOf(read(lone, { profile: "kaifa-norway" })), { "1-0:1.7.0*255": [4117, 0, 27] });
});

test("reads a negative current and values beyond the safe integers", () => {
  const value: Encoded = [20, 0x80, 0, 0, 0, 0, 0, 0, 1];
  const reading = read(
    array([
      structure([...pair(31, 7, integer16(-123)), scaled(-1, 33)]),
      structure([...pair(16, 8, value), scaled(0, 30)]),
    ]),
  );
  assert.deepEqual(registersOf(reading)["1-0:31.7.0*255"], [-123, -1, 33]);
  assert.equal(registersOf(reading)["1-0:16.8.0*255"]?.[0], -(2n ** 63n) + 1n);
});

test("takes no local time for UTC", () => {
  const at = (change: (time: number[]) => void): number | undefined => {
    const time = [...dateTime(time_s)];
    change(time);
    return readingOf("hdlc", joined(...hdlcFrames(notification(fixedRecord(state), time)))).time_s;
  };
  assert.equal(
    at(() => {}),
    time_s,
  );
  assert.equal(
    at((time) => time.splice(9, 2, 0xff, 0x88)),
    time_s - 3600,
    "two hours ahead of UTC",
  );
  assert.equal(
    at((time) => time.splice(9, 2, 0x80, 0)),
    undefined,
    "no deviation",
  );
  assert.equal(
    at((time) => time.splice(11, 1, 1)),
    undefined,
    "an invalid clock",
  );
  assert.equal(
    at((time) => time.splice(2, 1, 0xff)),
    undefined,
    "no month",
  );
  assert.equal(
    at((time) => time.splice(0, 2, 0xff, 0xff)),
    undefined,
    "no year",
  );
});

test("puts segments together, and refuses what lacks one", () => {
  const frames = hdlcFrames(selfDescribed, 100);
  assert.ok(frames.length >= 3);
  const reading = readingOf("hdlc", joined(...frames));
  assert.deepEqual(registersOf(reading), registersOf(readingOf("hdlc", good)));
  assert.deepEqual(reading.frame, joined(...frames));
  assert.deepEqual(kinds(outcomesOf("hdlc", joined(...frames.slice(0, -1)))), ["truncated"]);
  assert.deepEqual(kinds(outcomesOf("hdlc", joined(...frames.slice(0, -1), ...frames))), ["truncated", "ok"]);
  assert.ok(outcomesOf("hdlc", joined(...frames.slice(1))).every(({ ok }) => !ok));
  const broken = [frames[0]!, changed(frames[1]!, 20), ...frames.slice(2)];
  assert.ok(outcomesOf("hdlc", joined(...broken)).every(({ ok }) => !ok));
});

test("puts M-Bus segments together, and refuses what lacks one or comes in another order", () => {
  const frames = mbusFrames(selfDescribed, 60);
  assert.ok(frames.length >= 4);
  const reading = readingOf("mbus", joined(...frames));
  assert.equal(reading.protocol, "mbus");
  assert.deepEqual(registersOf(reading), registersOf(readingOf("hdlc", good)));
  assert.deepEqual(reading.frame, joined(...frames));
  assert.deepEqual(kinds(outcomesOf("mbus", joined(...frames.slice(0, -1), ...frames))), ["truncated", "ok"]);
  const [first, second, ...rest] = frames as [Uint8Array, Uint8Array, ...Uint8Array[]];
  assert.ok(outcomesOf("mbus", joined(first, ...rest)).every(({ ok }) => !ok));
  assert.ok(outcomesOf("mbus", joined(second, first, ...rest)).every(({ ok }) => !ok));
  assert.ok(outcomesOf("mbus", joined(first, changed(second, 30), ...rest)).every(({ ok }) => !ok));
});

test("puts the blocks of a general block transfer together, the LLC header before each or before the first", () => {
  const parts = blocks(selfDescribed, 70);
  assert.ok(parts.length >= 3);
  const each = parts.flatMap((part) => hdlcFrames(part));
  const first = [...hdlcFrames(parts[0]!), ...parts.slice(1).map((part) => hdlcFrame(part))];
  for (const frames of [each, first]) {
    assert.deepEqual(registersOf(readingOf("hdlc", joined(...frames))), registersOf(readingOf("hdlc", good)));
    assert.deepEqual(kinds(outcomesOf("hdlc", joined(...frames.slice(0, -1), ...frames))), ["truncated", "ok"]);
    assert.ok(outcomesOf("hdlc", joined(frames[0]!, ...frames.slice(2))).every(({ ok }) => !ok));
  }
  const onMbus = parts.flatMap((part) => mbusFrames(part));
  assert.deepEqual(kinds(outcomesOf("mbus", joined(...onMbus))), ["ok"]);
});

test("reads M-Bus frames of more bytes than their length can state", () => {
  for (const partBytes of [251, 252, 253]) {
    const frames = mbusFrames(selfDescribed, partBytes);
    assert.deepEqual([frames[0]![1], frames[0]!.length], [partBytes + 5 - 256, partBytes + 11]);
    assert.deepEqual(kinds(outcomesOf("mbus", joined(...frames))), ["ok"]);
    assert.deepEqual(readingOf("mbus", joined(...frames)).registers, readingOf("hdlc", good).registers);
    assert.ok(outcomesOf("mbus", joined(changed(frames[0]!, 100), ...frames.slice(1))).every(({ ok }) => !ok));
  }
  const aligned = joined(Uint8Array.of(0x68, 0, 0, 0x68), ...mbusFrames(selfDescribed));
  assert.deepEqual(kinds(outcomesOf("mbus", aligned)).slice(-1), ["ok"], "a good frame behind what is none");
});

test("reads ciphered notifications of both kinds, over HDLC, M-Bus and blocks", () => {
  const plain = notification(structure([unsigned32(4117)]), dateTime(time_s));
  const keys = { encryption, authentication };
  const options = { crypto, keys, profile: "kaifa-norway" };
  const apdu = ciphered(plain, { systemTitle, counter: 7, ...keys });
  for (const reading of [
    readingOf("hdlc", joined(...hdlcFrames(apdu)), options),
    readingOf("mbus", joined(...mbusFrames(apdu, 20)), options),
    readingOf("hdlc", joined(...blocks(apdu, 20).flatMap((part) => hdlcFrames(part))), options),
  ]) {
    assert.deepEqual(registersOf(reading), { "1-0:1.7.0*255": [4117, 0, 27] });
    assert.equal(reading.meter, "4b464d1020029802", "the system title, as the list names no meter");
    assert.deepEqual(reading.flags, []);
  }
  const alone = ciphered(plain, { systemTitle, counter: 8, encryption });
  assert.deepEqual(readingOf("mbus", joined(...mbusFrames(alone)), options).flags, ["unauthenticated"]);
});

test("refuses a ciphered notification without its keys, and with others", () => {
  const frame = hdlcFrames(ciphered(selfDescribed, { systemTitle, counter: 1, encryption, authentication }))[0]!;
  assert.deepEqual(kinds(outcomesOf("hdlc", frame)), ["locked"]);
  const [locked] = outcomesOf("hdlc", frame, { crypto, keys: { encryption } });
  assert.ok(locked?.ok === false && locked.reason === "locked");
  assert.match(locked.detail, /no authentication key/);
  const swapped = { encryption: authentication, authentication: encryption };
  assert.deepEqual(kinds(outcomesOf("hdlc", frame, { crypto, keys: swapped })), ["decryption"]);
  // Encryption alone under another key is noise, not a notification.
  const alone = hdlcFrames(ciphered(selfDescribed, { systemTitle, counter: 1, encryption }))[0]!;
  assert.deepEqual(kinds(outcomesOf("hdlc", alone, { crypto, keys: { encryption: authentication } })), ["malformed"]);
});

test("reads a port that authenticates with its encryption key alone where that is accepted, and says so", () => {
  const frame = (counter: number): Uint8Array =>
    joined(...hdlcFrames(ciphered(selfDescribed, { systemTitle, counter, encryption, authentication })));
  const accepting = { crypto, keys: { encryption }, acceptUnauthenticated: true };
  const outcomes = outcomesOf("hdlc", joined(frame(7), frame(7)), accepting);
  assert.deepEqual(
    outcomes.map((outcome) => outcome.ok && outcome.flags),
    [["unauthenticated"], ["unauthenticated", "replayed"]],
  );
  assert.deepEqual(registersOf(outcomes[0] as Reading), registersOf(readingOf("hdlc", good)));
  // A key that is there is used, whatever is accepted.
  const vouched = { ...accepting, keys: { encryption, authentication } };
  assert.deepEqual(kinds(outcomesOf("hdlc", joined(frame(7), frame(7)), vouched)), ["ok", "replayed"]);
  const wrong = { ...accepting, keys: { encryption, authentication: encryption } };
  assert.deepEqual(kinds(outcomesOf("hdlc", frame(7), wrong)), ["decryption"]);
});

test("parses nothing of a frame with any byte changed", () => {
  const mbus = mbusFrames(selfDescribed, 245);
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), (index, mask) => {
      assert.ok(outcomesOf("hdlc", changed(good, index, mask)).every(({ ok }) => !ok));
      const first = changed(mbus[0]!, index % mbus[0]!.length, mask);
      assert.ok(outcomesOf("mbus", joined(first, ...mbus.slice(1))).every(({ ok }) => !ok));
    }),
  );
});

test("refuses a good frame that is no notification, with its reason", () => {
  const refusal = (apdu: Uint8Array): string => {
    const [outcome] = outcomesOf("hdlc", joined(...hdlcFrames(apdu)));
    assert.ok(outcome?.ok === false && outcome.reason === "malformed");
    return outcome.detail;
  };
  assert.match(refusal(Uint8Array.of(0xc4, 1, 2)), /tag 0xc4 is no Data-Notification/);
  assert.match(refusal(Uint8Array.of(0x0f, 0, 0)), /header is cut off/);
  assert.match(refusal(selfDescribed.subarray(0, selfDescribed.length - 1)), /cut off/);
  assert.match(refusal(notification([19, 1, 2])), /do not follow A-XDR/);
  assert.match(refusal(notification(structure([visibleString("XYZ"), unsigned32(1)]))), /named XYZ, which no profile/);
  assert.match(refusal(notification(structure([]))), /a list of 0 values/);
});

test("bounds what a notification may nest and claim", () => {
  assert.equal(scanValues(Uint8Array.from(new Array<number>(200).fill(1)), 0), undefined);
  assert.equal(scanValues(Uint8Array.of(2, 0x82, 0xff, 0xff, 0), 0), undefined);
  assert.equal(scanValues(Uint8Array.of(9, 0x84, 0xff, 0xff, 0xff, 0xff), 0), undefined);
  assert.equal(scanValues(new Uint8Array(0), 0), undefined);
  const many = Uint8Array.of(1, 0x82, 0x02, 0x00, ...new Array<number>(512).fill(0));
  assert.equal(scanValues(many, 0), undefined);
});

test("walks any tree of values to its end, and knows each one's next", () => {
  const leaf = fc.oneof(
    fc.uint8Array({ maxLength: 20 }).map((bytes) => octetString(bytes)),
    fc.nat(0xffffffff).map(unsigned32),
    fc.nat(0xffff).map(unsigned16),
    fc.constant<Encoded>([0]),
  );
  const { tree } = fc.letrec<{ tree: Encoded }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 5 },
      leaf,
      fc.array(tie("tree"), { maxLength: 5 }).map(structure),
      fc.array(tie("tree"), { maxLength: 5 }).map(array),
    ),
  }));
  fc.assert(
    fc.property(tree, (encoded) => {
      const values = scanValues(Uint8Array.from([...encoded, 0xff]), 0);
      assert.ok(values !== undefined);
      assert.equal(values[0]!.next, values.length);
      const last = values.at(-1)!;
      assert.equal(last.end, encoded.length);
    }),
  );
});

test("survives any notification", () => {
  const seed = [...selfDescribed];
  const shaped = fc.array(fc.tuple(fc.nat(seed.length - 1), fc.nat(255)), { maxLength: 12 }).map((changes) => {
    const bytes = Uint8Array.from(seed);
    for (const [index, value] of changes) bytes[index] = value;
    return bytes;
  });
  fc.assert(
    fc.property(fc.oneof(shaped, fc.uint8Array({ maxLength: 200 })), (apdu) => {
      const parsed = parseNotification(Uint8Array.of(0x0f, ...apdu.subarray(1)), undefined);
      if (parsed.kind === "refused") return;
      for (const { value, scaler } of parsed.registers) {
        assert.ok(typeof value === "bigint" || Number.isSafeInteger(value));
        assert.ok(Number.isInteger(scaler) && Math.abs(scaler) <= 128);
      }
    }),
    { numRuns: 500 },
  );
});

test("finds the next frame after one that was cut off anywhere, flags shared or not", () => {
  const next = hdlcFrames(notification(byPosition(state)))[0]!;
  for (let length = 1; length < good.length - 1; length++) {
    const outcomes = outcomesOf("hdlc", joined(good.subarray(0, length), next, next.subarray(1)));
    assert.equal(outcomes.filter(({ ok }) => ok).length, 2, `cut at ${length}`);
  }
});

test("refuses an M-Bus frame of another application, and counts noise", () => {
  const reader = createReader("mbus");
  const body = [0x08, 1, 0x7b, 1, 2, 3];
  const sum = body.reduce((total, byte) => total + byte, 0) & 0xff;
  const frame = Uint8Array.of(0x68, body.length, body.length, 0x68, ...body, sum, 0x16);
  const [outcome] = reader.push(joined(Uint8Array.of(1, 2, 3), frame), 0);
  assert.ok(outcome?.ok === false && outcome.reason === "unsupported");
  assert.match(outcome.detail, /unsupported M-Bus data: an application.*0x7b/);
  assert.equal(reader.counters.noiseBytes, 3);
  assert.equal(reader.counters.unsupported, 1);
});

test("counts no idle flags as noise", () => {
  const reader = createReader("hdlc");
  reader.push(joined(Uint8Array.of(0x7e, 0x7e), good, Uint8Array.of(0x7e, 0x7e), good, Uint8Array.of(1, 2)), 0);
  assert.equal(reader.counters.frames, 2);
  assert.equal(reader.counters.noiseBytes, 2);
});

test("bounds what is kept of one message", () => {
  const segment = hdlcFrame(Uint8Array.of(0xe6, 0xe7, 0, ...new Uint8Array(1500)), true);
  const more = hdlcFrame(new Uint8Array(1500), true);
  assert.deepEqual(kinds(outcomesOf("hdlc", joined(segment, more, more, good))), ["oversized", "ok"]);
});

test("gives the same outcomes however the stream is split", () => {
  const frames = hdlcFrames(selfDescribed, 90);
  const hdlc = joined(
    Buffer.from("noise~"),
    good,
    ...frames,
    changed(good, 30),
    ...frames.slice(0, 2),
    good,
    good.subarray(0, 50),
  );
  assert.deepEqual(kinds(outcomesOf("hdlc", hdlc)), ["ok", "ok", "crc", "truncated", "ok", "truncated"]);
  assertAnyPieces("hdlc", hdlc);
  const mbus = mbusFrames(selfDescribed, 90);
  assertAnyPieces("mbus", joined(Buffer.from("hh"), ...mbus, changed(mbus[0]!, 9), ...mbus, mbus[0]!));
});

test("survives any bytes, and reads the frame that follows them", () => {
  assertSurvives("hdlc", good, [
    ...hdlcFrames(selfDescribed, 60),
    Uint8Array.of(0x7e, 0xa7, 0xff),
    Uint8Array.of(0x7e),
  ]);
  const mbus = mbusFrames(notification(byPosition(state)))[0]!;
  assertSurvives("mbus", mbus, [...mbusFrames(selfDescribed, 60), Uint8Array.of(0x68, 0xff, 0xff, 0x68)]);
});

/** Definitions as push lists have them: class, code, attribute. */
function captured(objects: readonly (readonly [number, readonly number[]])[], values: readonly Encoded[]): Encoded {
  const definition = ([classId, obis]: readonly [number, readonly number[]]): Encoded =>
    structure([unsigned16(classId), octetString(obis), [15, 2], unsigned16(0)]);
  return structure([array([[40, [0, 8, 25, 9, 0, 255]] as const, ...objects].map(definition)), ...values]);
}

const named = (obis: readonly number[]): readonly [number, readonly number[]] => [1, obis];
const measured = (b: number, c: number, d: number): readonly [number, readonly number[]] => [3, [1, b, c, d, 0, 255]];
const text = (value: string): Encoded => octetString(Buffer.from(value));
const wide = (value: number): Encoded => [21, 0, 0, 0, 0, ...unsigned32(value).slice(1)];

test("takes units from the codes and scalers from the meter's type in lists of capture objects", () => {
  const objects = [
    named([0, 0, 42, 0, 0, 255]),
    measured(1, 1, 8),
    measured(1, 4, 8),
    measured(0, 1, 7),
    measured(0, 32, 7),
    measured(0, 52, 7),
    measured(0, 31, 7),
    measured(0, 13, 7),
    measured(0, 14, 7),
  ];
  const list = (name: string, volts: number, amperes: Encoded): Reading =>
    read(
      captured(objects, [
        text(name),
        unsigned32(482939),
        unsigned32(344697),
        unsigned32(28),
        unsigned16(volts),
        unsigned16(0),
        amperes,
        unsigned16(941),
        unsigned16(5001),
      ]),
    );
  const stated = (name: string, volts: number, amperes: Encoded) => registersOf(list(name, volts, amperes));
  const common = {
    "1-1:1.8.0*255": [482939, 0, 30],
    "1-1:4.8.0*255": [344697, 0, 32],
    "1-0:1.7.0*255": [28, 0, 27],
    "1-0:13.7.0*255": [941, -3, 255],
    "1-0:14.7.0*255": [5001, -2, 44],
  };
  const supply = (volts: number, voltScaler: number, amperes: number, ampereScaler: number) => ({
    "1-0:32.7.0*255": [volts, voltScaler, 35],
    "1-0:52.7.0*255": [0, voltScaler, 35],
    "1-0:31.7.0*255": [amperes, ampereScaler, 33],
  });
  assert.deepEqual(stated("LGZ1030655352096", 236, unsigned16(9)), { ...common, ...supply(236, 0, 9, -2) });
  assert.deepEqual(stated("LGZ1030163598905", 2357, unsigned16(6)), { ...common, ...supply(2357, -1, 6, -2) });
  assert.deepEqual(stated("LGZ1030769231250", 229, wide(1)), { ...common, ...supply(229, 0, 1, 0) });
  assert.deepEqual(stated("ISK1030783821282", 2347, unsigned16(12)), { ...common, ...supply(2347, -1, 12, -2) });
  assert.deepEqual(stated("44337811", 236, unsigned16(9)), { ...common, ...supply(236, 0, 9, -2) });
  assert.ok(list("44337811", 236, unsigned16(9)).flags.includes("assumed-scale"), "nobody told whose list it is");
  const profile = { profile: "landis-e450" };
  const flags = read(captured([measured(0, 31, 7)], [unsigned16(9)]), profile).flags;
  assert.deepEqual(flags, ["quirk-scale", "no-clock"]);
});

test("takes units from the system title where a list names nobody", () => {
  const body = structure([
    octetString(dateTime(time_s)),
    ...pair(1, 8, unsigned32(12048950)),
    ...pair(13, 7, unsigned16(941)),
  ]);
  const frame = (letters: string): Uint8Array => {
    const title = Uint8Array.of(...Buffer.from(letters), 0x67, 0x73, 1, 2, 3);
    return joined(...hdlcFrames(ciphered(notification(body), { systemTitle: title, counter: 1, encryption })));
  };
  const options = { crypto, keys: { encryption } };
  const landis = readingOf("hdlc", frame("LGZ"), options);
  assert.deepEqual(registersOf(landis), { "1-0:1.8.0*255": [12048950, 0, 30], "1-0:13.7.0*255": [941, -3, 255] });
  const other = readingOf("hdlc", frame("XYZ"), options);
  assert.deepEqual(registersOf(other), { "1-0:1.8.0*255": [12048950, 0, 255], "1-0:13.7.0*255": [941, 0, 255] });
  assert.deepEqual(
    other.flags.filter((flag) => flag.includes("13.7.0")),
    ["no-unit 1-0:13.7.0*255"],
    "a scaler that is not known is no value that cannot be",
  );
});

/** Kamstrup's list with these voltages and currents of three phases. */
function omnipower(type: string, volts: number, amperes: number, watts: number, profile?: string): Reading {
  const body = structure([
    visibleString("Kamstrup_V0001"),
    octetString([1, 1, 0, 0, 5, 255]),
    visibleString("5706567000000001"),
    octetString([1, 1, 96, 1, 1, 255]),
    visibleString(type),
    ...pair(1, 7, unsigned32(watts)),
    ...[31, 51, 71].flatMap((c) => pair(c, 7, unsigned32(amperes))),
    ...[32, 52, 72].flatMap((c) => pair(c, 7, unsigned16(volts))),
  ]);
  return read(body, profile === undefined ? undefined : { profile });
}

test("takes a Kamstrup meter's scalers from its type, and doubts them where they cannot be", () => {
  const scalers = (reading: Reading): readonly number[] =>
    ["1-0:31.7.0*255", "1-0:32.7.0*255"].map((obis) => registersOf(reading)[obis]![1]);
  const usual = omnipower("6841121BN243101040", 230, 100, 690);
  assert.deepEqual([scalers(usual), usual.flags], [[-2, 0], ["no-clock"]]);
  for (const profile of [undefined, "kamstrup-norway", "kamstrup-sweden"]) {
    const transformers = omnipower("6851131BN000000000", 230, 90_000, 62_100, profile);
    assert.deepEqual([scalers(transformers), transformers.flags], [[-3, 0], ["no-clock"]]);
  }
  const digits = omnipower("6841138BN000000000", 23012, 100, 690);
  assert.deepEqual(
    [scalers(digits), digits.flags],
    [
      [-2, -2],
      ["assumed-scale", "no-clock"],
    ],
  );
  const tenths = omnipower("6841138BN000000000", 2301, 0, 0);
  assert.deepEqual(
    [scalers(tenths), tenths.flags],
    [
      [-2, -1],
      ["assumed-scale", "no-clock"],
    ],
  );
  // Another type for transformers: its currents are ten times too large with the usual scaler.
  const unknown = omnipower("6861131BN000000000", 230, 90_000, 62_100);
  assert.deepEqual(
    unknown.flags.filter((flag) => flag === "assumed-scale"),
    ["assumed-scale"],
  );
});

test("keeps a voltage beyond those of a household where current and power are of it", () => {
  const reading = omnipower("6851131BN000000000", 11_547, 90_000, 3_000_000);
  assert.deepEqual(registersOf(reading)["1-0:32.7.0*255"], [11_547, 0, 35]);
  assert.ok(!reading.flags.some((flag) => flag.startsWith("assumed-scale") || flag.startsWith("range")));
});

test("reads Iskraemeco's lists by number and kinds of their elements, and no others like them", () => {
  const numbers = (...values: readonly number[]): Encoded[] => values.map(unsigned32);
  const name = text("ISK1030700000001");
  const energies = registersOf(
    read(structure([name, ...numbers(648, 0, 9876543, 6000000, 3876543, 5432, 1234, 4198)])),
  );
  assert.deepEqual(energies["1-0:1.7.0*255"], [648, 0, 27]);
  assert.deepEqual(energies["1-0:2.8.2*255"], [4198, 0, 30]);
  const four = read(structure([text("10000001"), [17, 0], ...numbers(9876542, 5431)]));
  assert.equal(four.meter, "10000001");
  assert.deepEqual(registersOf(four), { "1-0:1.8.0*255": [9876542, 0, 30], "1-0:2.8.0*255": [5431, 0, 30] });
  const twelve = read(
    structure([
      octetString([0, 6, 25, 9, 0, 255]),
      text("1234567890123"),
      octetString([12, 30, 0, 0]),
      octetString([7, 0xea, 1, 15, 4]),
      ...numbers(12345678, 876543, 2233445, 3344556, 1234, 0),
      octetString([]),
      octetString([]),
    ]),
  );
  assert.equal(twelve.meter, "1234567890123");
  assert.deepEqual(registersOf(twelve)["1-0:4.8.0*255"], [3344556, 0, 32]);
  assert.deepEqual(registersOf(twelve)["1-0:1.7.0*255"], [1234, 0, 27]);
  const unlike: readonly Encoded[] = [
    structure([name, ...numbers(648, 0, 9876543, 6000000, 1, 5432, 1234, 4198)]), // no total
    structure([text("MTR1030700000001"), ...numbers(648, 0, 9876543, 6000000, 3876543, 5432, 1234, 4198)]),
    structure([text("METER001"), [17, 0], ...numbers(9876542, 5431)]),
    structure([text("10000001"), unsigned16(0), ...numbers(9876542, 5431)]),
    structure([text("10000001"), [17, 0], unsigned16(1), unsigned16(2)]),
    structure([octetString([0, 0, 42, 0, 0, 255]), text("METERS0000000001"), ...numbers(3858, 4321)]),
    structure([octetString([0, 0, 42, 0, 0, 255]), text("METERS0000000001")]),
  ];
  for (const body of unlike) {
    assert.deepEqual(kinds(outcomesOf("hdlc", joined(...hdlcFrames(notification(body))))), ["malformed"]);
  }
});

test("names what it left out of a list: numbers without a code, and values that are no numbers", () => {
  const beside = read(structure([...pair(1, 8, unsigned32(7)), scaled(0, 30), unsigned32(9)]));
  assert.deepEqual(Object.keys(registersOf(beside)), ["1-0:1.8.0*255"]);
  assert.deepEqual(beside.flags, ["registers-left-out", "no-clock"]);
  const float = read(structure([...pair(1, 8, unsigned32(7)), scaled(0, 30), ...pair(32, 7, [23, 0x43, 0x66, 0, 0])]));
  assert.deepEqual(float.flags, ["no-clock", "not-understood 1-0:32.7.0*255"]);
  // Definitions without their values are no values: an attribute's number is no register.
  const definitions = captured([measured(0, 1, 7), measured(0, 2, 7)], [unsigned32(5)]);
  assert.deepEqual(kinds(outcomesOf("hdlc", joined(...hdlcFrames(notification(definitions))))), ["malformed"]);
});

test("doubts the scalers of a list by place where its power is not of its voltage and current", () => {
  const list = (current: number): readonly string[] =>
    read(
      structure([
        text("KFM_001"),
        text("6970631401753985"),
        text("MA304H3E"),
        ...[690, 0, 0, 0].map(unsigned32),
        ...[current, current, current].map(unsigned32),
        ...[2300, 2300, 2300].map(unsigned32),
      ]),
    ).flags;
  assert.deepEqual(list(1000), ["no-clock"]);
  assert.deepEqual(list(100), ["assumed-scale", "no-clock"]);
});
