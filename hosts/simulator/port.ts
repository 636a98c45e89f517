// The meter's port in the simulator: a serial device (a pseudo-terminal included) or a TCP gateway. A port that fails is opened again
// with growing delays. An S0 output is at a serial device too: each byte is a pulse.

import TCP from "embedded:io/socket/tcp";
import Timer from "timer";
import type { MeterPort } from "../../src/host.js";
import type { Line } from "../../src/meter/line.js";
import { PIECE_BYTES, type SerialDriver, SerialPort } from "../shared/serial-port.js";
import * as machine from "./machine.js";
import { queued } from "./queue.js";

const RETRY_MS_MIN = 500;
const RETRY_MS_MAX = 30_000;
/** A serial device is looked at so often while nothing comes. */
const TURN_MS = 20;
/** Where nothing is open, what is written is lost, as on a wire. */
const silent: MeterPort = { write() {}, setLine() {} };

interface PortFields {
  readonly kind?: unknown;
  readonly path?: unknown;
  readonly host?: unknown;
  readonly port?: unknown;
}

/** Opens a device with a line; `onClosed` is told once that it failed later. Throws where it cannot be opened. */
type Open = (line: Line, onClosed: (reason: string) => void) => MeterPort;

/** Opens what the configuration names; `onFault` is told of every failure. */
export function openPort(
  port: unknown,
  line: Line,
  onBytes: (bytes: Uint8Array) => void,
  onFault: (reason: string) => void,
): MeterPort {
  const fields = (typeof port === "object" && port !== null ? port : {}) as PortFields;
  const { kind, path, host, port: number } = fields;
  if (kind === "serial" && typeof path === "string") {
    return keepOpen((last, onClosed) => watchSerial(path, last, onBytes, onClosed), line, onFault);
  }
  if (kind === "tcp" && typeof host === "string" && typeof number === "number") {
    const take = queued(onBytes);
    return keepOpen((_last, onClosed) => openTcp(host, number, take, onClosed), line, onFault);
  }
  onFault("the meter's port is none of the simulator's: it has serial and tcp");
  return silent;
}

function keepOpen(open: Open, line: Line, onFault: (reason: string) => void): MeterPort {
  let retry_ms = RETRY_MS_MIN;
  let last = line;
  let now = silent;
  const attempt = (): void => {
    const onClosed = (reason: string): void => {
      now = silent;
      onFault(reason);
      Timer.set(attempt, retry_ms);
      retry_ms = Math.min(2 * retry_ms, RETRY_MS_MAX);
    };
    try {
      now = open(last, onClosed);
    } catch (thrown) {
      onClosed(String(thrown));
    }
  };
  attempt();
  return {
    write: (bytes) => now.write(bytes),
    setLine(next) {
      last = next;
      now.setLine(next);
    },
  };
}

function watchSerial(
  path: string,
  line: Line,
  onBytes: (bytes: Uint8Array) => void,
  onClosed: (reason: string) => void,
): MeterPort {
  machine.openSerial(path, line.baud, line.dataBits, line.parity === "even");
  let isOpen = true;
  const serial = new SerialPort(new Device());
  const attempt = <Result>(act: () => Result): Result | undefined => {
    if (!isOpen) return undefined;
    try {
      return act();
    } catch (thrown) {
      isOpen = false;
      machine.closeSerial();
      onClosed(`meter port ${path} failed: ${String(thrown)}`);
      return undefined;
    }
  };
  const turn = (): void => {
    const bytes = attempt(() => serial.turn());
    if (isOpen) Timer.set(turn, bytes?.length === PIECE_BYTES ? 0 : TURN_MS);
    // In tail position, where a call takes no stack.
    if (bytes !== undefined) return onBytes(bytes);
  };
  Timer.set(turn, TURN_MS);
  return {
    write: (bytes) => attempt(() => serial.write(bytes)),
    setLine: (next) => attempt(() => serial.setLine(next)),
  };
}

class Device implements SerialDriver {
  read(most: number): ArrayBuffer | undefined {
    return machine.readSerial(most);
  }

  write(bytes: Uint8Array): number {
    return machine.writeSerial(bytes);
  }

  isIdle(): boolean {
    return machine.isSerialIdle();
  }

  setLine({ baud, dataBits, parity }: Line): void {
    machine.setSerialLine(baud, dataBits, parity === "even");
  }
}

/** `host` is an address: what stands beside a meter is named by its address. The gateway's own settings say how it speaks to the meter. */
function openTcp(
  host: string,
  port: number,
  onBytes: (bytes: Uint8Array) => void,
  onClosed: (reason: string) => void,
): MeterPort {
  let room = 0;
  const socket = new TCP({
    address: host,
    port,
    format: "buffer",
    onReadable(count) {
      const bytes = this.read(count);
      if (bytes !== undefined) onBytes(new Uint8Array(bytes));
    },
    onWritable(count) {
      room = count;
    },
    onError() {
      room = 0;
      this.close();
      onClosed(`meter at ${host}:${port} closed the connection`);
    },
  });
  return {
    write(bytes) {
      if (bytes.length > room) return;
      room = socket.write(bytes.slice().buffer as ArrayBuffer);
    },
    setLine() {},
  };
}
