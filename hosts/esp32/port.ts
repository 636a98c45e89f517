// The meter's port on the chip: the board's UART, framed as the configuration says, or pulses of an S0 output.

import PulseCount from "embedded:io/pulsecount";
import Serial from "embedded:io/serial";
import Timer from "timer";
import * as chip from "./chip.js";

/** A pulse of S0 lasts 30 ms at least, and so does the pause behind it (IEC 62053-31). */
const PULSE_MS = 30;
/** Shorter ones are interference, in units of the counter's 80 MHz clock. */
const PULSE_FILTER = 1023;
/** A counter that stands still is read as well. */
const QUIET_MS = 1000;

interface PortFields {
  readonly kind?: unknown;
  readonly baud?: unknown;
  readonly parity?: unknown;
  readonly inverted?: unknown;
}

/** Opens what the configuration names; `onFault` is told where the board has none such. */
export function openPort(port: unknown, onBytes: (bytes: Uint8Array) => void, onFault: (reason: string) => void): void {
  const { kind, baud, parity, inverted } = (typeof port === "object" && port !== null ? port : {}) as PortFields;
  try {
    switch (kind) {
      case "serial":
        return openSerial(typeof baud === "number" ? baud : 115_200, inverted !== false, parity === "even", onBytes);
      case "pulse":
        return countPulses(onBytes);
      default:
        onFault(`meter port ${JSON.stringify(port)} is none of this board's: it has serial and pulse`);
    }
  } catch (thrown) {
    onFault(`meter port does not open: ${String(thrown)}`);
  }
}

/** P1's line is open collector and idle low: inverted unless the adapter does that. */
function openSerial(baud: number, inverted: boolean, sevenEven: boolean, onBytes: (bytes: Uint8Array) => void): void {
  new Serial({
    ...device.meter,
    baud,
    format: "buffer",
    onReadable(count) {
      const bytes = this.read(count);
      if (bytes !== undefined) onBytes(new Uint8Array(bytes));
    },
  });
  chip.frameSerial(device.meter.port, inverted, sevenEven);
}

/**
 * The chip counts while nobody looks; the pulse reader wants edges, so each counted pulse is given to it as a contact that closes and
 * opens again. The rate is the standard's highest: none is left waiting for good.
 */
function countPulses(onBytes: (bytes: Uint8Array) => void): void {
  const counter = new PulseCount({ signal: device.pulse.pin, filter: PULSE_FILTER });
  const closed = Uint8Array.of(1);
  const opened = Uint8Array.of(0);
  const nothing = new Uint8Array(0);
  let seen = counter.read();
  let isClosed = false;
  let quiet_ms = 0;
  Timer.repeat(() => {
    if (isClosed || counter.read() !== seen) {
      isClosed = !isClosed;
      if (isClosed) seen += 1;
      quiet_ms = 0;
      return onBytes(isClosed ? closed : opened);
    }
    quiet_ms += PULSE_MS;
    if (quiet_ms < QUIET_MS) return;
    quiet_ms = 0;
    onBytes(nothing);
  }, PULSE_MS);
}
