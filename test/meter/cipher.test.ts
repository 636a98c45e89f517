import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { createDecipher, layoutOf, type MeterKeys } from "../../src/meter/cipher.js";
import type { ReaderOptions } from "../../src/meter/open-reader.js";
import { createReader } from "../../src/meter/open-reader.js";
import { type Ciphering, ciphered } from "../../tools/emulators/dlms-frames.js";
import { nodeMeterCrypto } from "../../tools/meters/meter-crypto.js";
import { shared } from "../shared.js";
import {
  assertAnyPieces,
  assertSurvives,
  changed,
  joined,
  kinds,
  outcomesOf,
  readingOf,
  registersOf,
} from "./streams.js";
import { latin1, telegram } from "./telegram.js";

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "hex"));
const encryption = hex("000102030405060708090a0b0c0d0e0f");
/** As the Luxembourg specification publishes it. */
const published = hex("00112233445566778899aabbccddeeff");
const authentication = hex("d0d1d2d3d4d5d6d7d8d9dadbdcdddedf");
const systemTitle = hex("4d4d4d0000bc614e");
const plain = telegram(["1-3:0.2.8(50)", "0-0:1.0.0(200426223325S)", "1-0:1.8.1(002130.115*kWh)"]);

const packet = (options: Partial<Ciphering> = {}, text = plain): Uint8Array =>
  ciphered(text, { systemTitle, counter: 1, encryption, authentication, ...options });
const options = (keys?: MeterKeys): ReaderOptions => ({ crypto: nodeMeterCrypto, ...(keys !== undefined && { keys }) });
const both = options({ encryption, authentication });

test("reads an encrypted telegram; its frame is what came over the wire", () => {
  const reading = readingOf("p1", packet(), both);
  assert.deepEqual(registersOf(reading), { "1-0:1.8.1*255": [2130115, 0, 30] });
  assert.deepEqual(reading.frame, packet());
  assert.deepEqual(reading.flags, []);
});

test("reads a meter of Luxembourg with its encryption key alone", () => {
  assert.deepEqual(kinds(outcomesOf("p1", packet({ authentication: published }), options({ encryption }))), ["ok"]);
});

test("reads encryption alone (security byte 0x20), and says that nothing vouches for it", () => {
  const { systemTitle: _title, ...unsigned } = { systemTitle, counter: 1, encryption };
  const alone = ciphered(plain, { systemTitle, ...unsigned });
  assert.deepEqual(readingOf("p1", alone, options({ encryption })).flags, ["unauthenticated"]);
  // The telegram's own CRC still stands between a changed packet and a value.
  const bytes = changed(alone, alone.length - 40);
  assert.ok(outcomesOf("p1", bytes, options({ encryption })).every(({ ok }) => !ok));
});

test("refuses a packet without a tag of a meter that has authenticated, and reads that of another meter", () => {
  const stripped = packet({ counter: 2 });
  stripped[layoutOf(stripped, 0, stripped.length)!.security] = 0x20;
  const reader = createReader("p1", both);
  assert.deepEqual(kinds(reader.push(packet(), 0)), ["ok"]);
  const [refused] = reader.push(stripped, 1000);
  assert.ok(refused?.ok === false && refused.reason === "decryption");
  assert.match(refused.detail, /has no tag .* has authenticated before/);
  const another = ciphered(plain, { systemTitle: hex("4d4d4d0000bc614f"), counter: 1, encryption });
  assert.deepEqual(kinds(reader.push(another, 2000)), ["ok"]);
});

test("refuses a packet without a key, with another key, and with any byte changed", () => {
  assert.deepEqual(kinds(outcomesOf("p1", packet())), ["locked"]);
  assert.deepEqual(kinds(outcomesOf("p1", packet(), options())), ["locked"]);
  assert.deepEqual(kinds(outcomesOf("p1", packet(), options({ encryption: published, authentication }))), [
    "decryption",
  ]);
  assert.deepEqual(kinds(outcomesOf("p1", packet(), options({ encryption }))), ["decryption"]);
  const whole = packet();
  fc.assert(
    fc.property(fc.integer({ min: 0, max: whole.length - 1 }), fc.integer({ min: 1, max: 255 }), (index, mask) => {
      assert.ok(outcomesOf("p1", changed(whole, index, mask), both).every(({ ok }) => !ok));
    }),
  );
});

test("refuses a counter that repeats or goes back, and no other", () => {
  const stream = joined(...[5, 6, 6, 2, 7].map((counter) => packet({ counter })));
  assert.deepEqual(kinds(outcomesOf("p1", stream, both)), ["ok", "ok", "replayed", "replayed", "ok"]);
  const other = packet({ counter: 1, systemTitle: hex("4d4d4d0000bc614f") });
  assert.deepEqual(kinds(outcomesOf("p1", joined(packet({ counter: 9 }), other), both)), ["ok", "ok"]);
});

test("flags a counter that goes back where no tag vouches for it, and lets it refuse nothing", () => {
  const alone = (counter: number): Uint8Array => ciphered(plain, { systemTitle, counter, encryption });
  const flags = outcomesOf("p1", joined(alone(9), alone(9), packet({ counter: 3 })), both).map(
    (outcome) => outcome.ok && outcome.flags.join(),
  );
  assert.deepEqual(flags, ["unauthenticated", "unauthenticated,replayed", ""]);
});

test("reads bare telegrams and packets from one stream, in their order", () => {
  const stream = joined(
    plain,
    packet(),
    plain.subarray(0, 40),
    packet({ counter: 2 }),
    plain,
    latin1("\u00db\u0008noise"),
    plain,
  );
  assert.deepEqual(kinds(outcomesOf("p1", stream, both)), ["ok", "ok", "truncated", "ok", "ok", "ok"]);
  assertAnyPieces("p1", stream, both);
});

test("gives up a packet that was cut off when the next one begins after a pause", () => {
  const reader = createReader("p1", both);
  reader.push(packet().subarray(0, 50), 0);
  assert.deepEqual(kinds(reader.push(packet(), 10_000)), ["truncated", "ok"]);
  // Bytes that merely come late go on with the packet.
  reader.push(packet({ counter: 2 }).subarray(0, 50), 20_000);
  assert.deepEqual(kinds(reader.push(packet({ counter: 2 }).subarray(50), 30_000)), ["ok"]);
});

test("refuses a packet longer than a telegram, and what deciphers to no telegram", () => {
  const endless = joined(hex("db08"), systemTitle, hex("82fff030"), new Uint8Array(100));
  assert.deepEqual(kinds(outcomesOf("p1", joined(endless, latin1("\r\n"), plain), both)), ["oversized", "ok"]);
  assert.deepEqual(kinds(outcomesOf("p1", packet({}, latin1("no telegram")), both)), ["malformed"]);
  assert.deepEqual(kinds(outcomesOf("p1", packet({}, plain.subarray(0, 30)), both)), ["truncated"]);
});

test("survives any bytes, and reads the packet that follows them", () => {
  const pieces = [plain, hex("db08"), hex("db084d4d4d0000bc614e8201"), hex("db084d4d4d0000bc614e30")];
  assertSurvives("p1", packet(), pieces, both);
});

test("deciphers whatever node:crypto ciphers", () => {
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 700 }),
      bytes(8),
      bytes(16),
      fc.option(bytes(16), { nil: undefined }),
      fc.integer({ min: 0, max: 0xffffffff }),
      (text, title, key, second, counter) => {
        const keys = { encryption: key, ...(second !== undefined && { authentication: second }) };
        const apdu = ciphered(text, { systemTitle: title, counter, ...keys });
        const deciphered = createDecipher({ crypto: nodeMeterCrypto, keys })(apdu);
        assert.ok(deciphered.kind === "plain");
        assert.deepEqual(deciphered.bytes, text);
        assert.deepEqual(deciphered.title, title);
      },
    ),
  );
});

test("refuses a ciphered message that is cut off, compressed, or of another suite", () => {
  const decipher = createDecipher({ crypto: nodeMeterCrypto, keys: { encryption, authentication } });
  const apdu = packet();
  for (let length = 0; length < apdu.length; length++) assert.equal(decipher(apdu.subarray(0, length)).kind, "refused");
  const security = apdu.indexOf(0x30, 10);
  for (const control of [0x00, 0x10, 0xb0, 0x32]) {
    const other = Uint8Array.from(apdu);
    other[security] = control;
    const answer = decipher(other);
    assert.ok(answer.kind === "refused" && answer.reason === "malformed", `0x${control.toString(16)}`);
  }
});

test("says which key has not sixteen bytes, and never what it is", () => {
  assert.throws(
    () => createReader("p1", options({ encryption: randomBytes(15) })),
    /^RangeError: encryption key: expected 16 bytes, got 15$/,
  );
  assert.throws(
    () => createReader("hdlc", options({ encryption, authentication: randomBytes(17) })),
    /authentication key: expected 16 bytes, got 17$/,
  );
});

const capture = shared("data/esphome-dsmr_parser/encrypted_packet.bin");
const original = shared("data/dsmr_parser/TELEGRAM_SAGEMCOM_T210_D_R.txt");

test("reads the published packet of a Luxembourg meter as the telegram that it was made from", {
  skip: capture.skip || original.skip,
}, () => {
  const key = { encryption: new Uint8Array(16).fill(0xaa) };
  const bytes = readFileSync(join(capture.path));
  const reading = readingOf("p1", bytes, options(key));
  const bare = readingOf("p1", readFileSync(original.path));
  assert.deepEqual(reading.registers, bare.registers);
  assert.equal(reading.meter, bare.meter);
  assert.deepEqual(reading.flags, bare.flags);
  assert.deepEqual(reading.frame, Uint8Array.from(bytes));
  assert.deepEqual(kinds(outcomesOf("p1", bytes)), ["locked"]);
  assertAnyPieces("p1", bytes, options(key));
});
