// The agent's inputs in virtual time: an emulated meter that speaks at one speed and parity, and whatever the input asks of the port.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { MeterConfiguration } from "../../src/agent/meter-configuration.js";
import type { MeterInput, PortEffect } from "../../src/agent/meter-input.js";
import { openMeterInput } from "../../src/agent/open-meter.js";
import { KEEP_INTERVAL_MS } from "../../src/agent/pulse-count.js";
import type { DueRecord } from "../../src/agent/schedule.js";
import type { KeyValue } from "../../src/host.js";
import { type Line, requestLine, sameLine, usualLines } from "../../src/meter/line.js";
import { parseObis } from "../../src/meter/obis.js";
import type { Outcome, Reading } from "../../src/meter/reader.js";
import { checkedBlock, identification, readoutLines } from "../../tools/emulators/d0-readout.js";
import { ciphered, hdlcFrames, mbusFrames } from "../../tools/emulators/dlms-frames.js";
import { notification, selfDescribing } from "../../tools/emulators/dlms-values.js";
import { answerTo } from "../../tools/emulators/modbus-meter.js";
import { p1Telegram } from "../../tools/emulators/p1-telegram.js";
import { smlTelegram } from "../../tools/emulators/sml-file.js";
import { nodeMeterCrypto } from "../../tools/meters/meter-crypto.js";
import { householdAt, joined } from "../meter/streams.js";
import { latin1 } from "../meter/telegram.js";

const state = householdAt(1_700_000_000);
const apdu = notification(selfDescribing(state));
const nothing = new Uint8Array(0);

function memory(): KeyValue & { readonly values: Map<string, Uint8Array>; writes: number } {
  const values = new Map<string, Uint8Array>();
  return {
    values,
    writes: 0,
    get: (key) => values.get(key),
    set(key, value) {
      this.writes += 1;
      values.set(key, value);
    },
    delete: (key) => void values.delete(key),
  };
}

/** What a meter says every two seconds, or to what it is asked. */
interface Speaker {
  readonly line: Line;
  readonly pushes?: Uint8Array;
  answer?(asked: Uint8Array, line: Line): Uint8Array | undefined;
}

interface Story {
  readonly outcomes: Outcome[];
  readonly effects: PortEffect[];
  readonly line: Line;
}

/** Lets the input and the meter talk for so many seconds from `from_ms` on; ends with the first good reading where told. */
function talk(input: MeterInput, speaker: Speaker, seconds: number, from_ms = 0, untilGood = true): Story {
  const outcomes: Outcome[] = [];
  const effects: PortEffect[] = [];
  let line = input.line;
  const due: { at_ms: number; bytes: Uint8Array; line: Line }[] = [];
  const step = (bytes: Uint8Array, now_ms: number): void => {
    const work: PortEffect[] = [];
    outcomes.push(...input.push(bytes, now_ms, work));
    for (const effect of work) {
      effects.push(effect);
      if (effect.kind === "setLine") line = effect.line;
      if (effect.kind !== "writeMeter") continue;
      const answer = speaker.answer?.(effect.bytes, line);
      if (answer !== undefined) due.push({ at_ms: now_ms + 300, bytes: answer, line: speaker.line });
    }
  };
  step(nothing, from_ms);
  for (let now_ms = from_ms; now_ms < from_ms + 1000 * seconds; now_ms += 100) {
    if (speaker.pushes !== undefined && now_ms % 2000 === 0) {
      step(sameLine(line, speaker.line) ? speaker.pushes : speaker.pushes.map((byte) => (byte * 7) & 0xff), now_ms);
    }
    for (const { bytes } of due.splice(0).filter((one) => one.at_ms <= now_ms || !due.push(one))) step(bytes, now_ms);
    if (input.wakeAt_ms() <= now_ms) step(nothing, now_ms);
    if (untilGood && outcomes.some(({ ok }) => ok)) break;
  }
  return { outcomes, effects, line };
}

function open(meter: Partial<MeterConfiguration>, keyValue: KeyValue = memory()): MeterInput {
  return openMeterInput({ protocol: "p1", port: null, ...meter }, { crypto: nodeMeterCrypto, keyValue });
}

function firstGood({ outcomes }: Story): Reading {
  const good = outcomes.find(({ ok }) => ok);
  assert.ok(good?.ok, outcomes.map((outcome) => (outcome.ok ? "ok" : outcome.detail)).join("; "));
  return good;
}

/** Mode C: identification at 300 baud, the readout at 9600. */
const optical: Speaker = {
  line: requestLine,
  answer(asked, line) {
    const text = Buffer.from(asked).toString("latin1");
    if (line.baud === 300 && text === "/?!\r\n") return latin1(`/${identification}\r\n`);
    return text === "\u0006050\r\n" ? checkedBlock(readoutLines(state)) : undefined;
  },
};
const subMeter: Speaker = {
  line: usualLines.modbus,
  answer: (asked, line) => (sameLine(line, usualLines.modbus) ? answerTo(asked, 1, state) : undefined),
};

describe("an input whose protocol is named", () => {
  test("asks a D0 meter at 300 baud, and goes up to its speed and down again", () => {
    const story = talk(open({ protocol: "d0", request: { interval_s: 10 } }), optical, 12, 0, false);
    assert.ok(story.outcomes.filter(({ ok }) => ok).length >= 2);
    const lines = story.effects.flatMap((effect) => (effect.kind === "setLine" ? [effect.line.baud] : []));
    assert.deepEqual(lines.slice(0, 3), [9600, 300, 9600]);
  });

  test("asks a Modbus meter when it is due, and tells that it is silent", () => {
    const meter = { protocol: "modbus", modbus: { address: 1, interval_s: 5 } } as const;
    assert.equal(firstGood(talk(open(meter), subMeter, 6)).protocol, "modbus");
    const { outcomes } = talk(open(meter), { line: usualLines.modbus }, 6);
    assert.deepEqual(
      outcomes.map((outcome) => !outcome.ok && outcome.reason),
      ["silent"],
    );
  });

  test("reads a port that authenticates with its encryption key alone where the configuration accepts that", () => {
    const keys = { encryption: new Uint8Array(16).fill(1), authentication: new Uint8Array(16).fill(2) };
    const systemTitle = latin1("KFM12345");
    const frame = joined(...hdlcFrames(ciphered(apdu, { systemTitle, counter: 1, ...keys })));
    const port: Partial<MeterConfiguration> = { protocol: "hdlc", keys: { encryption: "01".repeat(16) } };
    const [locked] = open(port).push(frame, 0, []);
    assert.ok(locked?.ok === false && locked.reason === "locked");
    const [reading] = open({ ...port, acceptUnauthenticated: true }).push(frame, 0, []);
    assert.ok(reading?.ok);
    assert.deepEqual(reading.flags, ["unauthenticated"]);
  });

  test("wants to be woken only where it asks", () => {
    assert.equal(open({ protocol: "p1" }).wakeAt_ms(), Number.POSITIVE_INFINITY);
    assert.equal(open({ protocol: "sml" }).wakeAt_ms(), Number.POSITIVE_INFINITY);
    assert.equal(open({ protocol: "d0", request: { interval_s: 60 } }).wakeAt_ms(), 0);
  });
});

describe("an input that finds out what the meter speaks", () => {
  const meters: Readonly<Record<string, Speaker>> = {
    p1: { line: usualLines.p1, pushes: p1Telegram(state) },
    sml: { line: usualLines.sml, pushes: smlTelegram(state) },
    hdlc: { line: { ...usualLines.hdlc, parity: "none" }, pushes: joined(...hdlcFrames(apdu)) },
    mbus: { line: usualLines.mbus, pushes: joined(...mbusFrames(apdu)) },
    d0: optical,
    modbus: subMeter,
  };

  for (const [protocol, speaker] of Object.entries(meters)) {
    test(`finds ${protocol}, reads it, and begins with it at the next start`, () => {
      const keyValue = memory();
      const story = talk(open({ protocol: "auto" }, keyValue), speaker, 300);
      assert.equal(firstGood(story).protocol, protocol);
      assert.equal(keyValue.writes, 1);
      const again = open({ protocol: "auto" }, keyValue);
      assert.ok(sameLine(again.line, speaker.line));
      assert.equal(firstGood(talk(again, speaker, 62)).protocol, protocol);
      assert.equal(keyValue.writes, 1, "what is found again is not written again");
    });
  }

  test("names in its log what the meter speaks where no reader reads it", () => {
    const body = [0x08, 1, 0x7b, 1, 2, 3];
    const sum = body.reduce((total, byte) => total + byte, 0) & 0xff;
    const pushes = Uint8Array.of(0x68, body.length, body.length, 0x68, ...body, sum, 0x16);
    const story = talk(open({ protocol: "auto" }, memory()), { line: usualLines.mbus, pushes }, 200);
    const said = story.effects.flatMap((effect) => (effect.kind === "log" ? [effect.message] : []));
    assert.ok(
      said.some((message) =>
        /^no protocol found at the port; unsupported M-Bus data: an application.*: looking again$/.test(message),
      ),
      said.join("\n"),
    );
  });

  test("looks for another meter where the one that it knows is silent, and takes no rubbish for a memory", () => {
    const keyValue = memory();
    talk(open({ protocol: "auto" }, keyValue), meters.sml!, 60);
    const exchanged = talk(open({ protocol: "auto" }, keyValue), meters.mbus!, 400);
    assert.equal(firstGood(exchanged).protocol, "mbus");
    assert.ok(exchanged.effects.some((effect) => effect.kind === "log" && /is silent/.test(effect.message)));
    for (const rubbish of [nothing, Uint8Array.of(1), Uint8Array.of(0x85, 0x60, 0x60, 0x60, 0x60, 0x60)]) {
      keyValue.values.set("line", rubbish);
      assert.equal(open({ protocol: "auto" }, keyValue).line.baud, 115_200);
    }
  });

  test("asks with the address that the configuration names", () => {
    const modbus = { address: 5, interval_s: 10 };
    const other: Speaker = {
      line: usualLines.modbus,
      answer: (asked, line) => (line.baud === 9600 ? answerTo(asked, 5, state) : undefined),
    };
    assert.equal(firstGood(talk(open({ protocol: "auto", modbus }), other, 300)).meter, "modbus-5");
  });
});

describe("an input that counts pulses", () => {
  const meter = { protocol: "pulse", pulse: { impulses_per_kWh: 1000 } } as const;
  const energy = { obis: parseObis("1-0:1.8.0"), value: 1, scaler: 0, unit: 30 };
  const power = { obis: parseObis("1-0:1.7.0"), value: 1, scaler: 0, unit: 27 };
  const due = (register: typeof energy): DueRecord => ({
    service: 1,
    serviceId: 1,
    reason: 0,
    clear: [register],
    confidential: [],
  });
  const reading = (input: MeterInput, pulses: number, uptime_ms: number): Reading => {
    const [outcome] = input.push(new Uint8Array(pulses), uptime_ms, []);
    assert.ok(outcome?.ok);
    return outcome;
  };

  test("keeps the count before a record states it, and not for one that does not", () => {
    const keyValue = memory();
    const input = open(meter, keyValue);
    reading(input, 5, 1000);
    input.beforeRecord(due(power), 1000);
    assert.equal(keyValue.writes, 0);
    input.beforeRecord(due(energy), 1000);
    input.beforeRecord(due(energy), 1000);
    assert.equal(keyValue.writes, 1);
    const again = open(meter, keyValue);
    const first = reading(again, 1, 500);
    assert.equal(first.registers[0]!.value, 6);
    assert.ok(first.flags.includes("resumed"));
    again.beforeRecord(due(power), 500);
    assert.ok(reading(again, 1, 600).flags.includes("resumed"), "until a record has told of it");
    again.beforeRecord(due(energy), 600);
    assert.ok(!reading(again, 1, 700).flags.includes("resumed"));
  });

  test("keeps it every five minutes where no record does, and writes nothing that is written", () => {
    const keyValue = memory();
    const input = open(meter, keyValue);
    for (let uptime_ms = 0; uptime_ms <= 3 * KEEP_INTERVAL_MS; uptime_ms += 10_000) reading(input, 1, uptime_ms);
    assert.equal(keyValue.writes, 3);
    for (let uptime_ms = 0; uptime_ms < 10 * KEEP_INTERVAL_MS; uptime_ms += 10_000) {
      input.push(nothing, 3 * KEEP_INTERVAL_MS + uptime_ms, []);
    }
    assert.equal(keyValue.writes, 3);
  });

  test("begins anew where the meter is another one, or what was kept does not read", () => {
    const keyValue = memory();
    const input = open(meter, keyValue);
    reading(input, 5, 1000);
    input.beforeRecord(due(energy), 1000);
    const other = reading(open({ ...meter, pulse: { impulses_per_kWh: 800 } }, keyValue), 1, 100);
    assert.deepEqual([other.registers[0]!.value, other.registers[0]!.scaler], [125, -2]);
    assert.ok(!other.flags.includes("resumed"));
    const corrected = reading(open({ ...meter, pulse: { impulses_per_kWh: 1000, start_Wh: 7 } }, keyValue), 1, 100);
    assert.equal(corrected.registers[0]!.value, 8);
    keyValue.values.set("pulses", Uint8Array.of(0xff));
    assert.equal(reading(open(meter, keyValue), 1, 100).registers[0]!.value, 1);
  });
});
