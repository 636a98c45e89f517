// One frame of each protocol that has a check, every single bit of it changed: the frame is refused, or what is read is what it states,
// meter, time, registers and all. Allowed are refusals of any reason, no outcome at all where the beginning is lost, and the same reading
// where the bit is none that the check covers (a line end, an echo); never another value, and never one that nothing has checked.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { ReaderOptions } from "../../src/meter/open-reader.js";
import { createReader } from "../../src/meter/open-reader.js";
import type { Outcome, Protocol } from "../../src/meter/reader.js";
import { checkedBlock, identification } from "../../tools/emulators/d0-readout.js";
import { ciphered, hdlcFrames, mbusFrames } from "../../tools/emulators/dlms-frames.js";
import { described, notification, selfDescribing } from "../../tools/emulators/dlms-values.js";
import {
  amisTelegram,
  digits,
  fixedTelegram,
  header,
  heatTelegram,
  little,
  longFrame,
} from "../../tools/emulators/mbus-meter.js";
import { answerOf, answerTo } from "../../tools/emulators/modbus-meter.js";
import { smlTelegram } from "../../tools/emulators/sml-file.js";
import { historicTic, standardTic } from "../../tools/emulators/tic-frame.js";
import { nodeMeterCrypto } from "../../tools/meters/meter-crypto.js";
import { detectProtocol } from "../../tools/meters/ports/capture.js";
import { outcomeText } from "./outcome-text.js";
import { changed, householdAt, joined, kinds, readingOf, registersOf } from "./streams.js";
import { latin1, telegram } from "./telegram.js";

const nothing: Uint8Array = new Uint8Array(0);
const state = householdAt(1_700_000_000);
const push = notification(selfDescribing(state));
/** A question for six input registers from 0 on: three voltages. */
const question = Uint8Array.of(1, 4, 0, 0, 0, 6, 0x70, 0x08);

const frames: Readonly<Partial<Record<Protocol, Uint8Array>>> = {
  p1: telegram(["1-3:0.2.8(50)", "0-0:1.0.0(200426223325S)", "0-0:96.1.1(4530)", "1-0:1.8.1(002130.115*kWh)"]),
  d0: joined(
    latin1(`/${identification}\r\n`),
    checkedBlock(["C.1(53965555)", "1.8.0(000285.4*kWh)", "1.7.0(0.49*kW)"]),
  ),
  sml: smlTelegram(state),
  hdlc: joined(...hdlcFrames(push)),
  mbus: joined(...mbusFrames(push)),
  modbus: joined(question, answerTo(question, 1, state)!),
  tic: standardTic(state),
};
/** The same without version: nothing but its digits says that it has a CRC. */
const unversioned = telegram(["0-0:1.0.0(200426223325S)", "1-0:1.8.0(00012345.678*kWh)", "1-0:32.7.0(231.1*V)"]);

/** What the outcomes state; how they were framed, and the bytes, are left out. */
function statements(outcomes: readonly Outcome[]): string[] {
  return outcomes.flatMap((outcome) =>
    outcome.ok ? [outcomeText({ ...outcome, protocol: "p1", frame: new Uint8Array(0) })] : [],
  );
}

/** What comes of the bytes, where the meter has sent others before. */
function read(protocol: Protocol, bytes: Uint8Array, options: ReaderOptions, before: Uint8Array = nothing): Outcome[] {
  const reader = createReader(protocol, options);
  reader.push(before, 0);
  return [...reader.push(bytes, 0), ...reader.end()];
}

/** Calls `visit` with the frame with each of its bits changed. */
function eachFlip(frame: Uint8Array, visit: (flipped: Uint8Array, name: string) => void): void {
  for (let index = 0; index < frame.length; index++) {
    for (let bit = 0; bit < 8; bit++) visit(changed(frame, index, 1 << bit), `byte ${index}, bit ${bit}`);
  }
}

const encryption = new Uint8Array(16).fill(1);
const authentication = new Uint8Array(16).fill(2);
const systemTitle = Uint8Array.of(0x45, 0x4d, 0x55, 0, 0, 0, 0, 1);
const withKey: ReaderOptions = { crypto: nodeMeterCrypto, keys: { encryption } };
const withKeys: ReaderOptions = { crypto: nodeMeterCrypto, keys: { encryption, authentication } };
const sealed = (apdu: Uint8Array, counter = 2): Uint8Array =>
  ciphered(apdu, { systemTitle, counter, encryption, authentication });
const unsigned = (apdu: Uint8Array): Uint8Array => ciphered(apdu, { systemTitle, counter: 1, encryption });
/** Of the Portuguese EMI: two counters of four bytes in two registers. */
const emiQuestion = Uint8Array.of(1, 4, 0, 0x16, 0, 2, 0x90, 0x0f);
const emiMemory = new Map([
  [0x16, Uint8Array.of(0, 6, 0x59, 0xcf)],
  [0x17, Uint8Array.of(0, 0, 0, 7)],
]);
const fixed = fixedTelegram({ id: "12345678", medium: 7, units: [0x29, 0x3e], counters: [digits(1, 4), digits(2, 4)] });

/** Name, frame, what its meter is read with, and what it has sent before; the name begins with the protocol. */
const cases: readonly (readonly [name: string, frame: Uint8Array, options?: ReaderOptions, before?: Uint8Array])[] = [
  ...Object.entries(frames),
  ["p1 without version", unversioned],
  ["tic in historic mode", historicTic(state)],
  ["mbus with data records", heatTelegram(state)],
  ["mbus of the fixed structure", fixed],
];
/** Read with a key or a profile; whoever finds out a protocol has neither in these tests. */
const keyed: typeof cases = [
  ["p1 encrypted and authenticated", sealed(frames.p1!), withKeys, sealed(frames.p1!, 1)],
  ["p1 encrypted alone", unsigned(frames.p1!), withKey],
  ["hdlc encrypted and authenticated", joined(...hdlcFrames(sealed(push))), withKeys],
  ["hdlc encrypted alone", joined(...hdlcFrames(unsigned(push))), withKey],
  [
    "hdlc authenticated, read without the key for it",
    joined(...hdlcFrames(sealed(push))),
    { ...withKey, acceptUnauthenticated: true },
  ],
  ["mbus push, encrypted and authenticated", joined(...mbusFrames(sealed(push))), withKeys],
  ["mbus of AMIS", amisTelegram(state, encryption), withKey],
  ["modbus of EMI", joined(emiQuestion, answerOf(emiQuestion, 4, emiMemory, true)), { profile: "emi" }],
];

for (const [name, frame, options = {}, before = nothing] of [...cases, ...keyed]) {
  const protocol = name.split(" ")[0] as Protocol;
  test(`reads nothing else from ${name} with a bit changed`, () => {
    const stated = statements([readingOf(protocol, frame, options)]);
    let refused = 0;
    eachFlip(frame, (flipped, place) => {
      const outcomes = read(protocol, flipped, options, before);
      const now = statements(outcomes);
      if (now.length === 0) refused++;
      else assert.deepEqual(now, stated, `${place}: ${kinds(outcomes)}`);
    });
    assert.ok(refused > 7 * (frame.length - 40), `${refused} of ${8 * frame.length} refused`);
  });
}

for (const [name, frame] of cases) {
  const protocol = name.split(" ")[0] as Protocol;
  test(`reads nothing else from ${name} with a bit changed, whatever protocol it is then found to be`, () => {
    const stated = statements(read(protocol, frame, { headless: true }));
    assert.equal(stated.length, 1);
    // Finding out costs six readers: every eighth byte, from another one in each protocol, with all of its bits.
    for (let index = name.length % 8; index < frame.length; index += 8) {
      for (let bit = 0; bit < 8; bit++) {
        const flipped = changed(frame, index, 1 << bit);
        const found = detectProtocol(flipped, { headless: true });
        const now = found === undefined ? [] : statements(read(found, flipped, { headless: true }));
        if (now.length > 0) assert.deepEqual(now, stated, `byte ${index}, bit ${bit}, as ${found}`);
      }
    }
  });
}

test("reads no other value of an answer in several telegrams with a bit changed, but maybe not all of them", () => {
  const water = { id: "12345678", maker: "EMU", medium: 7 };
  const answer = [1, 2, 3].map((part) =>
    longFrame(0x08, 1, 0x72, [
      ...header(water),
      ...[0x84, part << 4, 0x13, ...little(part * 1000, 4)],
      ...(part < 3 ? [0x1f] : []),
    ]),
  );
  const whole = joined(...answer);
  const stated = registersOf(readingOf("mbus", whole));
  assert.equal(Object.keys(stated).length, 3);
  eachFlip(whole, (flipped, place) => {
    for (const outcome of read("mbus", flipped, {})) {
      if (!outcome.ok) continue;
      assert.equal(outcome.meter, "EMU12345678", place);
      for (const [code, value] of Object.entries(registersOf(outcome))) assert.deepEqual(value, stated[code], place);
    }
  });
});

test("says of a push without a frame that nothing has checked it, whatever bit is changed", () => {
  const message = notification(described(state));
  eachFlip(message, (flipped, place) => {
    for (const outcome of read("push", flipped, {}))
      assert.ok(!outcome.ok || outcome.flags.includes("unchecked"), place);
  });
});

/** What frames a text: a changed bit that makes one of these, or loses one, may move a beginning or an end. */
const framing = [0x02, 0x03, 0x06, 0x0a, 0x0d, 0x21, 0x28, 0x29, 0x2f];

/** Changes of one bit that make or lose a byte that frames. */
function framingFlips(frame: Uint8Array): (readonly [index: number, bit: number])[] {
  const flips: (readonly [number, number])[] = [];
  frame.forEach((byte, index) => {
    for (let bit = 0; bit < 8; bit++) {
      if (framing.includes(byte) || framing.includes(byte ^ (1 << bit))) flips.push([index, bit]);
    }
  });
  return flips;
}

for (const [name, frame] of [
  ["p1", frames.p1!],
  ["p1 without version", unversioned],
  ["d0", frames.d0!],
] as const) {
  test(`steps over no check of ${name} where a bit that frames it changed and others did`, () => {
    const stated = statements(read(name.slice(0, 2) as Protocol, frame, {}));
    const place = fc.nat(frame.length - 7);
    fc.assert(
      fc.property(fc.constantFrom(...framingFlips(frame)), place, fc.nat(7), ([index, bit], other, otherBit) => {
        // The exclusive or of D0 does not notice two changes of one bit.
        fc.pre(otherBit !== bit && other !== index);
        const broken = changed(changed(frame, index, 1 << bit), other, 1 << otherBit);
        for (const protocol of ["p1", "d0"] as const) {
          for (const headless of [false, true]) {
            const now = statements(read(protocol, broken, { headless }));
            if (now.length > 0) assert.deepEqual(now, stated, `as ${protocol}`);
          }
        }
      }),
      // An exclamation mark, and behind it a slash that would begin the next telegram, or a line end: found by chance.
      {
        numRuns: 4000,
        examples: [
          [[77, 1], 76, 4],
          [[77, 5], 76, 4],
        ],
      },
    );
  });
}
