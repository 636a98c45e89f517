// A serial port over a driver with a ring: what came is fetched piece by piece, as the agent has time for it; writes and changes of the
// line wait for each other, and no call waits.

import type { MeterPort } from "../../src/host.js";
import type { Line } from "../../src/meter/line.js";

/** What stands between a UART and the engine. Its interrupts fill and empty it while the engine is busy. */
export interface SerialDriver {
  /** At most so many of the bytes that have come; undefined where there are none. */
  read(most: number): ArrayBuffer | undefined;
  /** Takes as many bytes as there is room for; how many. */
  write(bytes: Uint8Array): number;
  /** Whether all that was written has left the chip. */
  isIdle(): boolean;
  setLine(line: Line): void;
}

/** Passed on at once: so few that no two telegrams end in it, for each takes many times its bytes until it is recorded. */
export const PIECE_BYTES = 256;
/** A request is a write, a change of the line and another write: more than a few never wait. */
const WAITING_MAX = 8;

/** A class where closures would do: XS keeps a method once, in ROM, but a closure with all that it uses in RAM. */
export class SerialPort implements MeterPort {
  private readonly waiting: (Uint8Array | Line)[] = [];

  constructor(private readonly driver: SerialDriver) {}

  write(bytes: Uint8Array): void {
    this.put(bytes.slice());
  }

  setLine(line: Line): void {
    this.put(line);
  }

  /** To be called every few milliseconds: sends on, and gives what came. After a piece of PIECE_BYTES more may wait already. */
  turn(): Uint8Array | undefined {
    this.send();
    const bytes = this.driver.read(PIECE_BYTES);
    return bytes === undefined ? undefined : new Uint8Array(bytes);
  }

  /** What has no room any more is lost, as on a wire. */
  private put(item: Uint8Array | Line): void {
    if (this.waiting.length === WAITING_MAX) return;
    this.waiting.push(item);
    this.send();
  }

  private send(): void {
    const { driver, waiting } = this;
    for (let first = waiting[0]; first !== undefined; first = waiting[0]) {
      if (first instanceof Uint8Array) {
        const taken = driver.write(first);
        if (taken < first.length) {
          waiting[0] = first.subarray(taken);
          return;
        }
      } else if (driver.isIdle()) driver.setLine(first);
      else return;
      waiting.shift();
    }
  }
}
