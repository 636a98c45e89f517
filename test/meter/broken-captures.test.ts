// Every capture beside the project, broken in the ways that lines break: whatever is then read states what a frame of the capture
// states, to the last register, or says that nothing has checked it. Wrong keys read nothing.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import type { ReaderOptions } from "../../src/meter/open-reader.js";
import { createReader } from "../../src/meter/open-reader.js";
import type { Outcome, Protocol, Reading } from "../../src/meter/reader.js";
import { toHex } from "../../src/wire/bytes.js";
import { nodeMeterCrypto } from "../../tools/meters/meter-crypto.js";
import { shared } from "../shared.js";

interface Folder {
  readonly path: string;
  readonly names: RegExp;
  readonly protocol: Protocol;
  readonly options: ReaderOptions;
  /** Bits in a row that its check is sure to notice: 16 of a CRC, 1 of the exclusive or of D0. */
  readonly burst: number;
}

const encryption = new Uint8Array(16).fill(0xaa);
const folders: readonly Folder[] = [
  { path: "data/dsmr_parser", names: /^TELEGRAM/, protocol: "p1", options: {}, burst: 16 },
  { path: "data/smartmeter-obis/sml", names: /^(test|tty)/, protocol: "sml", options: {}, burst: 16 },
  { path: "data/smartmeter-obis/d0", names: /^test/, protocol: "d0", options: { headless: true }, burst: 1 },
  {
    path: "data/esphome-dsmr_parser",
    names: /\.bin$/,
    protocol: "p1",
    options: { crypto: nodeMeterCrypto, keys: { encryption } },
    burst: 128,
  },
];
/** A stream of hundreds of files is as good as its beginning. */
const captureBytesMax = 12_000;
const unvouched = ["unchecked", "unauthenticated"];

function read(protocol: Protocol, bytes: Uint8Array, options: ReaderOptions): Outcome[] {
  const reader = createReader(protocol, options);
  return [...reader.push(bytes, 0), ...reader.end()];
}

/** Meter, time and registers; what is behind a frame's check, as its line end, is not part of what it states. */
function statementOf({ meter, time_s, registers }: Reading): string {
  const stated = registers.map(({ obis, value, scaler, unit, age }) => [toHex(obis), String(value), scaler, unit, age]);
  return JSON.stringify([meter, time_s, stated]);
}

/** Flips bits from one place on: the first and the last of `mask`, so that the burst is as long as it says. */
function withBurst(bytes: Uint8Array, bit: number, mask: readonly boolean[]): Uint8Array {
  const broken = Uint8Array.from(bytes);
  mask.forEach((flip, index) => {
    const at = bit + index;
    if (flip && at >> 3 < broken.length) broken[at >> 3]! ^= 1 << (at & 7);
  });
  return broken;
}

for (const { path, names, protocol, options, burst } of folders) {
  const folder = shared(path);
  test(`reads no other value from a broken capture of ${path}`, { skip: folder.skip }, () => {
    const files = readdirSync(folder.path).filter((name) => names.test(name));
    assert.ok(files.length > 0);
    for (const name of files) {
      const bytes = Uint8Array.from(readFileSync(join(folder.path, name))).subarray(0, captureBytesMax);
      const good = new Set(
        read(protocol, bytes, options).flatMap((outcome) => (outcome.ok ? [statementOf(outcome)] : [])),
      );
      const assertNoOther = (broken: Uint8Array): void => {
        for (const outcome of read(protocol, broken, options)) {
          if (!outcome.ok || good.has(statementOf(outcome))) continue;
          assert.ok(
            outcome.flags.some((flag) => unvouched.includes(flag)),
            `${name}: ${outcome.flags.join()}`,
          );
        }
      };
      const place = fc.integer({ min: 0, max: 8 * bytes.length - 1 });
      const mask = fc.array(fc.boolean(), { maxLength: burst - 1 }).map((inner) => [true, ...inner]);
      fc.assert(
        fc.property(place, mask, (bit, flips) => assertNoOther(withBurst(bytes, bit, flips))),
        { numRuns: 60 },
      );
      const cut = fc.integer({ min: 0, max: bytes.length });
      fc.assert(
        fc.property(cut, cut, (start, end) => {
          assertNoOther(bytes.subarray(Math.min(start, end), Math.max(start, end)));
        }),
        { numRuns: 30 },
      );
      fc.assert(
        fc.property(cut, fc.uint8Array({ maxLength: 40 }), (at, noise) => {
          const broken = new Uint8Array(bytes.length + noise.length);
          broken.set(bytes.subarray(0, at));
          broken.set(noise, at);
          broken.set(bytes.subarray(at), at + noise.length);
          read(protocol, broken, options);
        }),
        { numRuns: 20 },
      );
    }
  });
}

const packet = shared("data/esphome-dsmr_parser/encrypted_packet.bin");

test("reads nothing from an encrypted capture with any other key", { skip: packet.skip }, () => {
  const bytes = readFileSync(packet.path);
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (key) => {
      fc.pre(toHex(key) !== toHex(encryption));
      const outcomes = read("p1", bytes, { crypto: nodeMeterCrypto, keys: { encryption: key } });
      assert.deepEqual(
        outcomes.map((outcome) => (outcome.ok ? "ok" : outcome.reason)),
        ["decryption"],
      );
    }),
  );
});

test("every wrong CRC of a captured telegram is refused as one", { skip: shared("data/dsmr_parser").skip }, () => {
  const telegram = readFileSync(shared("data/dsmr_parser/TELEGRAM_V5.txt").path);
  const end = telegram.lastIndexOf(0x21);
  const stated = telegram.toString("latin1", end + 1, end + 5);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0xffff }), (crc) => {
      const digits = crc.toString(16).toUpperCase().padStart(4, "0");
      fc.pre(digits !== stated);
      const broken = Buffer.from(telegram);
      broken.write(digits, end + 1, "latin1");
      const [outcome] = read("p1", broken, {});
      assert.ok(outcome?.ok === false && outcome.reason === "crc");
      assert.match(outcome.detail, new RegExp(`states ${digits}, its bytes give ${stated}`));
    }),
  );
});
