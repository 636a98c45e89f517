// From the configuration to the input at the meter's port. Only the reader that is needed is made: buffers are the largest thing that an
// idle meter holds.

import type { KeyValue } from "../host.js";
import type { MeterCrypto, MeterKeys } from "../meter/cipher.js";
import type { ReaderOptions } from "../meter/open-reader.js";
import { createReader } from "../meter/open-reader.js";
import type { ReadingDemand } from "../meter/reader.js";
import { fromHex } from "../wire/bytes.js";
import { lineOf, type MeterConfiguration } from "./meter-configuration.js";
import { createMeterInput, type MeterInput } from "./meter-input.js";
import { searchMeter } from "./meter-search.js";
import { openPulseCount, type PulseCount } from "./pulse-count.js";

export interface MeterInputPorts {
  readonly crypto: MeterCrypto;
  readonly keyValue: KeyValue;
  /** absent where every frame is to be read */
  readonly demand?: ReadingDemand;
}

/** The input that the configuration describes. */
export function openMeterInput(meter: MeterConfiguration, { crypto, keyValue, demand }: MeterInputPorts): MeterInput {
  const { protocol, pulse, request, modbus, mbus } = meter;
  // While a meter is looked for every frame counts.
  const all = optionsOf(meter, crypto);
  const options = { ...all, demand };
  if (protocol === "auto") return searchMeter(all, demand, keyValue);
  const line = lineOf(meter);
  const interval_ms = 1000 * (request?.interval_s ?? modbus?.interval_s ?? mbus?.interval_s ?? 0);
  if (pulse === undefined) return createMeterInput(createReader(protocol, options), line, interval_ms);
  const count = openPulseCount(keyValue, pulse);
  const reader = createReader(protocol, { ...options, pulse: { ...pulse, counted: count.counted } });
  return countingInput(createMeterInput(reader, line, interval_ms), count);
}

function optionsOf(meter: MeterConfiguration, crypto: MeterCrypto): ReaderOptions {
  const { keys, acceptUnauthenticated, request, modbus, mbus, profile, zoneOffset_s, requireCrc, powerMax_W } = meter;
  return {
    crypto,
    ...(keys !== undefined && { keys: keysOf(keys) }),
    ...(acceptUnauthenticated !== undefined && { acceptUnauthenticated }),
    ...(request !== undefined && { request: { ...request, interval_ms: 1000 * request.interval_s } }),
    ...(modbus !== undefined && { modbus: { ...modbus, interval_ms: 1000 * modbus.interval_s } }),
    ...(mbus !== undefined && { mbus: { ...mbus, interval_ms: 1000 * mbus.interval_s } }),
    ...(profile !== undefined && { profile }),
    ...(zoneOffset_s !== undefined && { zoneOffset_s }),
    ...(requireCrc !== undefined && { requireCrc }),
    ...(powerMax_W !== undefined && { powerMax_W }),
  };
}

function keysOf({ encryption, authentication }: NonNullable<MeterConfiguration["keys"]>): MeterKeys {
  const bytes = (hex: string): Uint8Array => fromHex(hex.toLowerCase())!;
  return authentication === undefined
    ? { encryption: bytes(encryption) }
    : { encryption: bytes(encryption), authentication: bytes(authentication) };
}

/** Every byte is a pulse. A reading from a count that went on from the stored one says so until a record has. */
function countingInput(input: MeterInput, count: PulseCount): MeterInput {
  return {
    line: input.line,
    interval_ms: input.interval_ms,
    wakeAt_ms: input.wakeAt_ms,
    push(bytes, uptime_ms, effects) {
      count.add(bytes.length);
      count.keepNowAndThen(uptime_ms);
      const outcomes = input.push(bytes, uptime_ms, effects);
      if (!count.resumed) return outcomes;
      return outcomes.map((outcome) => (outcome.ok ? { ...outcome, flags: [...outcome.flags, "resumed"] } : outcome));
    },
    beforeRecord({ clear, confidential }, uptime_ms) {
      const stated = [clear, ...confidential.map(({ registers }) => registers)];
      if (stated.some((registers) => registers.some(({ obis }) => obis[3] === 8))) count.keep(uptime_ms);
    },
    get counters() {
      return input.counters;
    },
  };
}
