// The meter's port on the chip: the board's UART, or pulses of an S0 output.

import Timer from "timer";
import type { MeterPort } from "../../src/host.js";
import type { Line } from "../../src/meter/line.js";
import { PIECE_BYTES, type SerialDriver, SerialPort } from "../shared/serial-port.js";
import * as chip from "./chip.js";

/** A pulse of S0 and its pause last 30 ms each at least (IEC 62053-31): more often, there is nothing to see. */
const LOOK_MS = 60;
/** How often the ring is looked at while nothing comes. */
const TURN_MS = 20;
const NO_PIN = -1;
const silent: MeterPort = { write() {}, setLine() {} };

interface PortFields {
  readonly kind?: unknown;
  readonly inverted?: unknown;
}

/** Opens what the configuration names; bytes come from a timer. `onFault` is told where the board has none such. */
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
  const { port, receive, transmit } = device.meter;
  chip.openSerial(port, receive, transmit ?? NO_PIN, inverted);
  const serial = new SerialPort(new Uart(port));
  serial.setLine(line);
  const turn = (): void => {
    const bytes = serial.turn();
    Timer.set(turn, bytes?.length === PIECE_BYTES ? 0 : TURN_MS);
    // In tail position, where a call takes no stack.
    if (bytes !== undefined) return onBytes(bytes);
  };
  Timer.set(turn, TURN_MS);
  return serial;
}

class Uart implements SerialDriver {
  constructor(private readonly port: number) {}

  read(most: number): ArrayBuffer | undefined {
    return chip.readSerial(this.port, most);
  }

  write(bytes: Uint8Array): number {
    return chip.writeSerial(this.port, bytes);
  }

  isIdle(): boolean {
    return chip.isSerialIdle(this.port);
  }

  setLine({ baud, dataBits, parity }: Line): void {
    chip.setSerialLine(this.port, baud, dataBits, parity === "even");
  }
}

/** The chip counts while nobody looks: a byte for each pulse. */
function countPulses(onBytes: (bytes: Uint8Array) => void): void {
  chip.countPulses(device.pulse.pin);
  let seen = chip.pulses();
  Timer.repeat(() => {
    const counted = chip.pulses();
    const news = counted - seen;
    seen = counted;
    if (news > 0) onBytes(new Uint8Array(news));
  }, LOOK_MS);
}
