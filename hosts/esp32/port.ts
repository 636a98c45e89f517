// The meter's port on the chip: the board's UART, or pulses of an S0 output.

import Serial from "embedded:io/serial";
import Timer from "timer";
import type { MeterPort } from "../../src/host.js";
import type { Line } from "../../src/meter/line.js";
import * as chip from "./chip.js";

/** A pulse of S0 and its pause last 30 ms each at least (IEC 62053-31): more often, there is nothing to see. */
const LOOK_MS = 60;
const silent: MeterPort = { write() {}, setLine() {} };

interface PortFields {
  readonly kind?: unknown;
  readonly inverted?: unknown;
}

/** Opens what the configuration names; `onFault` is told where the board has none such. */
export function openPort(
  port: unknown,
  line: Line,
  onBytes: (bytes: Uint8Array) => void,
  onFault: (reason: string) => void,
): MeterPort {
  const { kind, inverted } = (typeof port === "object" && port !== null ? port : {}) as PortFields;
  try {
    if (kind === "serial") return openSerial(line, inverted !== false, onBytes);
    if (kind === "pulse") countPulses(onBytes);
    else onFault("the meter's port is none of this board's: it has serial and pulse");
  } catch (thrown) {
    onFault(`meter port does not open: ${String(thrown)}`);
  }
  return silent;
}

/** P1's line is open collector and idle low: inverted unless the adapter does that. */
function openSerial(line: Line, inverted: boolean, onBytes: (bytes: Uint8Array) => void): MeterPort {
  const { port } = device.meter;
  const serial = new Serial({
    ...device.meter,
    baud: line.baud,
    format: "buffer",
    onReadable(count) {
      const bytes = this.read(count);
      if (bytes !== undefined) onBytes(new Uint8Array(bytes));
    },
  });
  const setLine = ({ baud, dataBits, parity }: Line): undefined =>
    chip.setSerialLine(port, baud, dataBits, parity === "even");
  chip.invertSerial(port, inverted);
  setLine(line);
  // A request fits into the UART's buffer of 128 bytes.
  return { write: (bytes) => serial.write(bytes.slice().buffer as ArrayBuffer), setLine };
}

/** The chip counts while nobody looks: a byte for each pulse. */
function countPulses(onBytes: (bytes: Uint8Array) => void): void {
  chip.countPulses(device.pulse.pin);
  let seen = chip.pulses();
  Timer.repeat(() => {
    const counted = chip.pulses();
    if (counted > seen) onBytes(new Uint8Array(counted - seen));
    seen = counted;
  }, LOOK_MS);
}
