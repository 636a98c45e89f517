// A meter is asked what it is: what each type says of itself, after its maker's document, and what it measures, written out by hand.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createReader } from "../../../src/meter/open-reader.js";
import type { Outcome } from "../../../src/meter/reader.js";
import { modbusCrcOf } from "../../../tools/emulators/checksums.js";
import { answerTo } from "../../../tools/emulators/modbus-meter.js";
import { changed, householdAt, kinds, registersOf } from "../streams.js";

const address = 5;
const state = householdAt(1_700_000_000);

const u16 = (value: number): number[] => [(value >> 8) & 0xff, value & 0xff];
const u32 = (value: number): number[] => [...u16(value >>> 16), ...u16(value)];
const lowFirst = (value: number): number[] => [...u16(value), ...u16(value >>> 16)];
const f32 = (value: number): number[] => {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatBE(value);
  return [...bytes];
};
const text = (characters: string, registers: number): number[] => [
  ...Buffer.from(characters.padEnd(2 * registers, "\0")),
];

/** What a meter has at a register: of function 3 or 4, in a block that is read as a whole, or part by part. */
interface Place {
  readonly operation: 3 | 4;
  readonly start: number;
  readonly bytes: readonly number[];
}

interface Meter {
  /** What it says of itself. */
  readonly sign?: Place;
  readonly measured: readonly Place[];
}

/** Voltage and frequency at their places. */
function measuring(operation: 3 | 4, ...places: readonly (readonly [number, readonly number[]])[]): Place[] {
  return places.map(([start, bytes]) => ({ operation, start, bytes }));
}

const meters: Readonly<Record<string, Meter>> = {
  sdm630: {
    sign: { operation: 3, start: 0xfc02, bytes: u16(0x70) },
    measured: measuring(4, [0, f32(230.5)], [2, f32(231)], [0x46, f32(50)]),
  },
  sdm120: {
    sign: { operation: 3, start: 0xfc02, bytes: u16(0x20) },
    measured: measuring(4, [0, f32(230.5)], [0xc, f32(1234.5)], [0x46, f32(50)]),
  },
  "abb-b23": {
    sign: { operation: 3, start: 0x8960, bytes: text("B23 112-100", 6) },
    measured: measuring(3, [0x5000, [0, 0, 0, 0, ...u32(1234)]], [0x5b00, u32(2305)], [0x5b2c, u16(5001)]),
  },
  "schneider-iem3000": {
    sign: { operation: 3, start: 49, bytes: text("iEM3155", 20) },
    measured: measuring(3, [3027, f32(229.9)], [3109, f32(50.02)]),
  },
  "gavazzi-em24": {
    sign: { operation: 4, start: 0xb, bytes: u16(71) },
    measured: measuring(4, [0, lowFirst(2305)], [0x33, u16(500)], [0x37, u16(499)]),
  },
  "gavazzi-em340": {
    sign: { operation: 4, start: 0xb, bytes: u16(345) },
    measured: measuring(4, [0, lowFirst(2305)], [0x33, u16(500)]),
  },
  "finder-7m38": {
    sign: { operation: 4, start: 1, bytes: text("7M.38.8.400.0212", 8) },
    measured: measuring(4, [2500, f32(230)], [2584, f32(50)]),
  },
  "finder-7m24": {
    sign: { operation: 4, start: 1, bytes: text("7M.24.8.230.0210", 8) },
    measured: measuring(4, [2500, f32(230)], [2584, f32(50)]),
  },
  "siemens-pac2200": {
    sign: { operation: 3, start: 64001, bytes: [...u16(42), ...text("7KM2200-2EA30-1EA1", 26)] },
    measured: measuring(3, [1, f32(230)], [0x37, f32(50)]),
  },
  "pzem-016": {
    sign: { operation: 3, start: 2, bytes: u16(address) },
    measured: measuring(4, [0, [...u16(2301), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ...u16(500), ...u16(99)]]),
  },
  "chint-dtsu666": {
    sign: { operation: 3, start: 0x2e, bytes: u16(address) },
    measured: measuring(3, [0x2006, f32(2305)], [0x2044, f32(5000)]),
  },
  "inepro-pro380": {
    sign: { operation: 3, start: 0x4003, bytes: u16(address) },
    measured: measuring(3, [0x5002, f32(230)], [0x5008, f32(50)]),
  },
  "orno-we514": {
    sign: { operation: 3, start: 0x110, bytes: u16(address) },
    measured: measuring(3, [0x130, u16(5002)], [0x131, u16(23_045)]),
  },
  "janitza-b23": { measured: measuring(3, [19_000, f32(230)], [19_050, f32(50)]) },
  mpm3pm: { measured: measuring(3, [8, u32(2301)], [0x2c, u32(5000)]) },
  "dzg-dvh4013": { measured: measuring(3, [4, u32(23_012)], [0x12, u32(50_000)]) },
};

type Answer = (question: Uint8Array) => Uint8Array | undefined;

function closed(bytes: readonly number[]): Uint8Array {
  const crc = modbusCrcOf(Uint8Array.from(bytes));
  return Uint8Array.of(...bytes, crc & 0xff, crc >> 8);
}

/** A meter answers for what lies within its blocks, zero between its places, and with an exception to all else, or with nothing. */
function answering({ sign, measured }: Meter, toUnknown: "exception" | "silence" = "exception"): Answer {
  const starts = measured.map(({ start }) => start);
  const [low, high] = [Math.min(...starts), Math.max(...starts) + 4];
  return (question) => {
    const operation = question[1]!;
    const start = question[2]! * 256 + question[3]!;
    const count = question[4]! * 256 + question[5]!;
    const content = new Uint8Array(2 * count);
    const isSign =
      sign !== undefined && operation === sign.operation && start === sign.start && 2 * count === sign.bytes.length;
    if (isSign) content.set(sign.bytes);
    else if (operation === measured[0]!.operation && count > 1 && start <= high && start + count > low) {
      for (const place of measured) {
        const offset = 2 * (place.start - start);
        if (offset >= 0 && offset + place.bytes.length <= content.length) content.set(place.bytes, offset);
      }
    } else return toUnknown === "silence" ? undefined : closed([address, operation | 0x80, 2]);
    return closed([address, operation, content.length, ...content]);
  };
}

/** Asks for one turn; 40 questions are more than a search and a turn have. */
function outcomesWith(answer: Answer, questionsMax = 40): { readonly outcomes: Outcome[]; readonly asked: number } {
  const reader = createReader("modbus", { modbus: { address, interval_ms: 60_000, map: "auto" } });
  const outcomes: Outcome[] = [];
  let now_ms = 0;
  let asked = 0;
  while (asked < questionsMax && !outcomes.some(({ ok }) => ok)) {
    const [action] = reader.toSend(now_ms);
    if (action?.kind !== "send") {
      now_ms = reader.wakeAt_ms();
      if (now_ms >= 60_000) break;
      outcomes.push(...reader.push(new Uint8Array(0), now_ms));
      continue;
    }
    asked++;
    outcomes.push(...reader.push(answer(action.bytes) ?? new Uint8Array(0), now_ms + 30));
  }
  return { outcomes, asked };
}

for (const [map, meter] of Object.entries(meters)) {
  test(`finds out that a meter is a ${map}, and reads it`, () => {
    for (const toUnknown of ["exception", "silence"] as const) {
      const { outcomes } = outcomesWith(answering(meter, toUnknown));
      const reading = outcomes.find(({ ok }) => ok);
      assert.ok(reading?.ok, `${kinds(outcomes)}`);
      const named = createReader("modbus", { modbus: { address, interval_ms: 60_000, map } });
      let stated: Outcome | undefined;
      for (let now_ms = 0; stated?.ok !== true && now_ms < 10_000; now_ms += 100) {
        const [action] = named.toSend(now_ms);
        const answer = action?.kind === "send" ? answering(meter, toUnknown)(action.bytes) : undefined;
        stated = named.push(answer ?? new Uint8Array(0), now_ms).at(-1);
      }
      assert.ok(stated?.ok);
      assert.deepEqual(registersOf(reading), registersOf(stated));
      assert.equal(reading.flags.includes("assumed-scale"), meter.sign === undefined, "told by what it measures alone");
    }
  });
}

test("tells a meter by what it measures where it says nothing, and says that this is an assumption", () => {
  for (const map of ["sdm630", "abb-b23", "schneider-iem3000", "finder-7m38", "siemens-pac2200", "pzem-016"]) {
    const { outcomes } = outcomesWith(answering({ measured: meters[map]!.measured }));
    const reading = outcomes.find(({ ok }) => ok);
    assert.ok(reading?.ok, map);
    assert.ok(reading.flags.includes("assumed-scale"), map);
  }
  const { outcomes } = outcomesWith(answering({ measured: meters["gavazzi-em24"]!.measured }));
  assert.deepEqual(kinds(outcomes), ["unsupported"], "an EM24 would pass for an EM340");
});

test("reads the Portuguese EMI by its clock, which no other meter has in one register", () => {
  const clock = [0x07, 0xe7, 7, 20, 4, 14, 0, 5, 0, 0x80, 0, 0xff];
  const values = new Map<number, readonly number[]>([
    [1, clock],
    ...[0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x26, 0x27, 0x28, 0x79, 0x7a].map((place) => [place, u32(place)] as const),
    ...[0x0b, 0x6c, 0x6d, 0x7b, 0x7f].map((place) => [place, u16(500)] as const),
  ]);
  const { outcomes } = outcomesWith((question) => {
    const start = question[2]! * 256 + question[3]!;
    const held = Array.from({ length: question[5]! }, (_, index) => values.get(start + index));
    if (question[1] !== 4 || held.includes(undefined)) return closed([address, question[1]! | 0x80, 2]);
    const content = held.flatMap((bytes) => [...bytes!]);
    return closed([address, 4, content.length, ...content]);
  });
  const [reading] = outcomes;
  assert.ok(reading?.ok);
  assert.deepEqual(registersOf(reading)["1-0:1.8.0*255"], [0x16, 0, 30]);
  assert.deepEqual(reading.flags, ["no-clock"], "a clock that does not say how far it is from UTC leaves nothing out");
});

test("believes no code where the meter measures nothing at the places of its map", () => {
  const { sign } = meters["abb-b23"]!;
  for (const measured of [
    measuring(3, [0x5b00, u32(23)], [0x5b2c, u16(5001)]),
    measuring(3, [0x5b00, u32(2305)], [0x5b2c, u16(1)]),
  ]) {
    assert.deepEqual(kinds(outcomesWith(answering({ sign: sign!, measured })).outcomes), ["unsupported"]);
  }
});

test("says in one refusal that a meter follows no map, or that there is none, and asks again at its next turn", () => {
  const strange = outcomesWith(() => closed([address, 0x83, 1]));
  assert.deepEqual(kinds(strange.outcomes), ["unsupported"]);
  assert.ok(strange.outcomes[0]?.ok === false);
  assert.match(strange.outcomes[0].detail, /^unsupported Modbus meter 5: it answers, and follows no map/);
  const dead = outcomesWith(() => undefined);
  assert.deepEqual(kinds(dead.outcomes), ["silent"]);
  assert.ok(dead.asked < 30);
  const reader = createReader("modbus", { modbus: { address, interval_ms: 60_000, map: "auto" } });
  for (let now_ms = 0; now_ms < 30_000; now_ms += 100) {
    reader.toSend(now_ms);
    reader.push(new Uint8Array(0), now_ms);
  }
  assert.deepEqual(reader.toSend(59_999), []);
  assert.equal(reader.toSend(60_000).length, 1);
});

test("asks what the meter is once, and for its registers from then on", () => {
  const reader = createReader("modbus", { modbus: { address: 1, interval_ms: 10_000, map: "auto" } });
  const turn = (now_ms: number): string[] => {
    const [action] = reader.toSend(now_ms);
    if (action?.kind !== "send") return ["nothing"];
    return [
      Buffer.from(action.bytes.subarray(1, 6)).toString("hex"),
      ...kinds(reader.push(answerTo(action.bytes, 1, state) ?? new Uint8Array(0), now_ms + 20)),
    ];
  };
  assert.deepEqual(turn(0), ["03fc020001"]);
  assert.deepEqual(turn(30), ["0400000050"]);
  assert.deepEqual(turn(60), ["0400000050", "ok"]);
  assert.deepEqual(turn(90), ["nothing"]);
  assert.deepEqual(turn(10_060), ["0400000050", "ok"]);
});

test("survives any answers while it asks, and a broken one is counted", () => {
  const answers = fc.array(fc.uint8Array({ maxLength: 60 }), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(answers, fc.boolean(), (noise, closes) => {
      let turn = 0;
      const { asked } = outcomesWith((question) => {
        const bytes = noise[turn++ % noise.length]!;
        return closes
          ? closed([address, question[1]!, bytes.length & ~1, ...bytes.subarray(0, bytes.length & ~1)])
          : bytes;
      });
      assert.ok(asked <= 40);
    }),
    { numRuns: 60 },
  );
  const broken = outcomesWith((question) => changed(answering(meters["abb-b23"]!)(question)!, 4));
  assert.ok(kinds(broken.outcomes).every((kind) => kind === "crc" || kind === "unsupported"));
});
