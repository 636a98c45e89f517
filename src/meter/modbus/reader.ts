// A Modbus RTU sub-meter: asks for its input registers and reads the answers, or listens to another master's. An answer does not say what
// its registers mean, nor whose they are: it is read by the map of the meter that is asked or named. Where nobody named one, what comes is
// taken for an SDM630's as long as it can be, and a number alone only of a meter that has shown a voltage or a frequency before.
//
// Flags: `no-clock` the map has none; `not-a-number OBIS` a float that is none, left out.

import type { PortAction } from "../port-action.js";
import { profileOf } from "../profiles.js";
import type { MeterReader, Outcome } from "../reader.js";
import { createTally } from "../tally.js";
import { createModbusFramer, encodeQuestion, type ModbusCut, type ModbusQuestion } from "./frame.js";
import { isOnePhase, type MapReading, type ModbusMap, readInput, readMap, registersAsked } from "./maps.js";

export interface ModbusOptions {
  /** Whom to ask and how often; absent to listen alone. */
  readonly modbus?: {
    /** 1 to 247, as set at the meter. */
    readonly address: number;
    readonly interval_ms: number;
    /** Whose map the registers follow; the SDM630's where it is not said. */
    readonly map?: ModbusMap;
  };
  /** A meter type of profiles.ts, whose map the registers follow. */
  readonly profile?: string;
}

const answer_ms = 1000;

/** What is known of a unit whose map nobody named: it has shown that it is of the map, or that it is not. */
const ofMap = 1;
const ofAnother = 2;
const unitsMax = 256;

/** A reader that asks at once and then every interval. Throws a RangeError for an address that no meter has. */
export function createModbusReader({ modbus, profile }: ModbusOptions = {}): MeterReader {
  if (modbus !== undefined && !(Number.isInteger(modbus.address) && modbus.address >= 1 && modbus.address <= 247)) {
    throw new RangeError(`Modbus address: expected 1 to 247, got ${modbus.address}`);
  }
  const named = profile === undefined ? undefined : profileOf(profile).modbusMap;
  const map = modbus?.map ?? named ?? "sdm630";
  const isKnown = modbus !== undefined || named !== undefined;
  const units = new Uint8Array(isKnown ? 0 : unitsMax);
  const framer = createModbusFramer();
  const tally = createTally("modbus");
  let next_ms = 0;
  let deadline_ms: number | undefined;

  const outcomeOf = (cut: ModbusCut): Outcome => {
    if (cut.kind === "refused") {
      deadline_ms = undefined;
      return tally.refuse(cut.reason, cut.detail);
    }
    const { question, registers, bytes } = cut;
    if (modbus !== undefined && question.address !== modbus.address) {
      return tally.refuse(
        "malformed",
        `meter ${question.address} was asked by another master, and is not the one to read`,
      );
    }
    deadline_ms = undefined;
    const reading = readMap(map, question, registers);
    const disbelief = isKnown ? undefined : disbeliefIn(question, reading);
    if (reading.kind !== "read") return tally.refuse("malformed", `meter ${question.address}: ${reading.detail}`);
    if (disbelief !== undefined) return tally.refuse("malformed", `meter ${question.address}: ${disbelief}`);
    reading.gathering.flag("no-clock");
    tally.read(0);
    const { registers: stated, flags } = reading.gathering;
    const meter = `modbus-${question.address}`;
    return { ok: true, protocol: "modbus", meter, time_s: undefined, registers: stated, flags, frame: bytes };
  };

  /** Why what is read of a meter that nobody named is not believed; takes note of what it shows about it. */
  const disbeliefIn = ({ address }: ModbusQuestion, reading: MapReading): string | undefined => {
    if (reading.kind === "other") units[address] = ofAnother;
    if (reading.kind !== "read") return undefined;
    if (isOnePhase(reading.gathering)) return `it has one phase, and ${map} has three: its map must be named`;
    if (reading.evidence === "telling") units[address] = ofMap;
    const known = units[address];
    if (known === ofAnother) return `it has shown registers of another map than ${map}`;
    if (known === ofMap || reading.evidence === "some") return undefined;
    return `one number does not show that it is of ${map}: its map must be named`;
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
