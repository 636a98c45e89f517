// A Modbus RTU sub-meter: asks for its input registers and reads the answers, or listens to another master's. The maps are Eastron's
// (protocol documents of SDM630 V1.8, which fits SDM72D as well, and of SDM120 V2.4, which fits SDM220 and SDM230): IEEE 754 floats of
// two registers each. A float is rounded to the decimals of the table, which are the meter's display's: a register is an integer.
//
// Flags: `no-clock` the map has none; `not-a-number OBIS` a float that is none, left out.

import { createGathering } from "./gathering.js";
import { createModbusFramer, encodeQuestion, type ModbusCut, type ModbusQuestion } from "./modbus-frame.js";
import { parseObis } from "./obis.js";
import type { PortAction } from "./port-action.js";
import type { MeterReader, Outcome } from "./reader.js";
import { createTally } from "./tally.js";

export interface ModbusOptions {
  /** Whom to ask and how often; absent to listen alone. */
  readonly modbus?: {
    /** 1 to 247, as set at the meter. */
    readonly address: number;
    readonly interval_ms: number;
    /** Whose map the registers follow; the SDM630's where it is not said, and where we only listen. */
    readonly map?: ModbusMap;
  };
}

/** Address of the first register, code, power of ten of the meter's unit, scaler of ours, DLMS unit. */
type Place = readonly [start: number, obis: string, exponent: number, scaler: number, unit: number];

const W = 27;
const VA = 28;
const VAR = 29;
const WH = 30;
const VARH = 32;
const A = 33;
const V = 35;
const HZ = 44;
const PLAIN = 255;

const threePhases: readonly Place[] = [
  [0x00, "1-0:32.7.0", 0, -1, V],
  [0x02, "1-0:52.7.0", 0, -1, V],
  [0x04, "1-0:72.7.0", 0, -1, V],
  [0x06, "1-0:31.7.0", 0, -2, A],
  [0x08, "1-0:51.7.0", 0, -2, A],
  [0x0a, "1-0:71.7.0", 0, -2, A],
  [0x0c, "1-0:36.7.0", 0, -1, W],
  [0x0e, "1-0:56.7.0", 0, -1, W],
  [0x10, "1-0:76.7.0", 0, -1, W],
  [0x1e, "1-0:33.7.0", 0, -3, PLAIN],
  [0x20, "1-0:53.7.0", 0, -3, PLAIN],
  [0x22, "1-0:73.7.0", 0, -3, PLAIN],
  [0x34, "1-0:16.7.0", 0, -1, W],
  [0x38, "1-0:9.7.0", 0, -1, VA],
  [0x3c, "1-0:3.7.0", 0, -1, VAR],
  [0x3e, "1-0:13.7.0", 0, -3, PLAIN],
  [0x46, "1-0:14.7.0", 0, -2, HZ],
  [0x48, "1-0:1.8.0", 3, 0, WH],
  [0x4a, "1-0:2.8.0", 3, 0, WH],
  [0x4c, "1-0:3.8.0", 3, 0, VARH],
  [0x4e, "1-0:4.8.0", 3, 0, VARH],
];
/** What the three-phase map has for phase 1 is all there is. */
const onePhase: readonly Place[] = [
  [0x00, "1-0:32.7.0", 0, -1, V],
  [0x06, "1-0:31.7.0", 0, -2, A],
  [0x0c, "1-0:16.7.0", 0, -1, W],
  [0x12, "1-0:9.7.0", 0, -1, VA],
  [0x18, "1-0:3.7.0", 0, -1, VAR],
  [0x1e, "1-0:13.7.0", 0, -3, PLAIN],
  [0x46, "1-0:14.7.0", 0, -2, HZ],
  [0x48, "1-0:1.8.0", 3, 0, WH],
  [0x4a, "1-0:2.8.0", 3, 0, WH],
  [0x4c, "1-0:3.8.0", 3, 0, VARH],
  [0x4e, "1-0:4.8.0", 3, 0, VARH],
];
const maps = { sdm630: threePhases, sdm120: onePhase } as const;
export const modbusMaps = ["sdm630", "sdm120"] as const;
export type ModbusMap = (typeof modbusMaps)[number];
const readInput = 4;
/** All of the table in one answer. */
const registersAsked = 0x50;
const answer_ms = 1000;

/** A reader that asks at once and then every interval. Throws a RangeError for an address that no meter has. */
export function createModbusReader({ modbus }: ModbusOptions = {}): MeterReader {
  if (modbus !== undefined && !(Number.isInteger(modbus.address) && modbus.address >= 1 && modbus.address <= 247)) {
    throw new RangeError(`Modbus address: expected 1 to 247, got ${modbus.address}`);
  }
  const places = maps[modbus?.map ?? "sdm630"];
  const framer = createModbusFramer();
  const tally = createTally("modbus");
  let next_ms = 0;
  let deadline_ms: number | undefined;

  const outcomeOf = (cut: ModbusCut): Outcome => {
    deadline_ms = undefined;
    if (cut.kind === "refused") return tally.refuse(cut.reason, cut.detail);
    return readingOf(cut.question, cut.registers, cut.bytes);
  };

  const readingOf = (question: ModbusQuestion, answered: Uint8Array, frame: Uint8Array): Outcome => {
    const gathering = createGathering(places.length);
    const view = new DataView(answered.buffer, answered.byteOffset, answered.byteLength);
    for (const [start, obis, exponent, scaler, unit] of places) {
      const offset = 2 * (start - question.start);
      if (offset < 0 || offset + 4 > answered.length) continue;
      const value = Math.round(view.getFloat32(offset) * 10 ** (exponent - scaler));
      // Adding zero turns a rounded -0 into 0.
      if (Number.isSafeInteger(value)) gathering.add({ obis: parseObis(obis), value: value + 0, scaler, unit });
      else gathering.flag("not-a-number", parseObis(obis));
    }
    if (gathering.registers.length === 0) {
      return tally.refuse("malformed", `registers ${question.start} and up hold nothing of the table`);
    }
    gathering.flag("no-clock");
    tally.read(0);
    const { registers, flags } = gathering;
    const meter = `modbus-${question.address}`;
    return { ok: true, protocol: "modbus", meter, time_s: undefined, registers, flags, frame };
  };

  const ask = (uptime_ms: number): readonly PortAction[] => {
    if (modbus === undefined || uptime_ms < next_ms) return [];
    const { address, interval_ms } = modbus;
    next_ms = uptime_ms + interval_ms;
    deadline_ms = uptime_ms + answer_ms;
    // What is left of an earlier answer belongs to no question any more.
    framer.end(() => ({ kind: "refused", reason: "truncated", detail: "" }));
    const question = { address, operation: readInput, start: 0, count: registersAsked };
    framer.asked(question);
    return [{ kind: "send", bytes: encodeQuestion(question) }];
  };

  return {
    toSend: ask,
    wakeAt_ms: () =>
      modbus === undefined ? Number.POSITIVE_INFINITY : Math.min(next_ms, (deadline_ms ?? next_ms) + 1),
    push(bytes, uptime_ms) {
      const outcomes = framer.push(bytes).map(outcomeOf);
      if (deadline_ms !== undefined && uptime_ms > deadline_ms) {
        deadline_ms = undefined;
        outcomes.push(tally.refuse("silent", `meter ${modbus?.address} did not answer within ${answer_ms} ms`));
      }
      return outcomes;
    },
    end: () => {
      return framer
        .end((length) => ({ kind: "refused", reason: "truncated", detail: `no end of answer after ${length} bytes` }))
        .map(outcomeOf);
    },
    get counters() {
      return tally.counters(framer.noiseBytes);
    },
  };
}
