import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { PIECE_BYTES, type SerialDriver, SerialPort } from "../../../hosts/shared/serial-port.js";
import type { Line } from "../../../src/meter/line.js";

/** A UART whose transmitter takes `room` bytes before it must be given time. */
class Uart implements SerialDriver {
  readonly wire: (number | Line)[] = [];
  private readonly sending: number[] = [];
  private readonly received: number[] = [];

  constructor(private readonly room: number) {}

  read(most: number): ArrayBuffer | undefined {
    const bytes = this.received.splice(0, most);
    return bytes.length === 0 ? undefined : (Uint8Array.from(bytes).buffer as ArrayBuffer);
  }

  write(bytes: Uint8Array): number {
    const taken = bytes.subarray(0, this.room - this.sending.length);
    this.sending.push(...taken);
    return taken.length;
  }

  isIdle(): boolean {
    return this.sending.length === 0;
  }

  setLine(line: Line): void {
    assert.equal(this.sending.length, 0, "the line changes under bytes that are being sent");
    this.wire.push(line);
  }

  receive(...bytes: number[]): void {
    this.received.push(...bytes);
  }

  /** Time for so many bytes to leave. */
  passes(bytes: number): void {
    this.wire.push(...this.sending.splice(0, bytes));
  }
}

const line = (baud: number): Line => ({ baud, dataBits: 7, parity: "even" });

test("gives what came in pieces", () => {
  const uart = new Uart(8);
  const port = new SerialPort(uart);
  assert.equal(port.turn(), undefined);
  uart.receive(...Array.from({ length: PIECE_BYTES + 3 }, (_, index) => index & 0xff));
  assert.equal(port.turn()!.length, PIECE_BYTES);
  assert.deepEqual([...port.turn()!], [0, 1, 2]);
  assert.equal(port.turn(), undefined);
});

test("changes the line when all that was written before it has left, and waits for that in no call", () => {
  const uart = new Uart(4);
  const port = new SerialPort(uart);
  port.write(Uint8Array.of(1, 2, 3));
  port.setLine(line(9600));
  port.write(Uint8Array.of(4));
  assert.deepEqual(uart.wire, []);
  uart.passes(2);
  port.turn();
  assert.deepEqual(uart.wire, [1, 2]);
  uart.passes(1);
  port.turn();
  uart.passes(1);
  assert.deepEqual(uart.wire, [1, 2, 3, line(9600), 4]);
});

test("keeps what the transmitter has no room for until it has", () => {
  const uart = new Uart(2);
  const port = new SerialPort(uart);
  port.write(Uint8Array.of(1, 2, 3, 4, 5));
  for (let turn = 0; turn < 3; turn += 1) {
    uart.passes(2);
    port.turn();
  }
  assert.deepEqual(uart.wire, [1, 2, 3, 4, 5]);
});

test("whatever is written and set in whatever order leaves in that order, as far as there is room for it", () => {
  const item = fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 9 }), fc.constantFrom(300, 9600).map(line));
  fc.assert(
    fc.property(fc.array(item, { maxLength: 8 }), fc.integer({ min: 1, max: 6 }), (items, room) => {
      const uart = new Uart(room);
      const port = new SerialPort(uart);
      for (const each of items) each instanceof Uint8Array ? port.write(each) : port.setLine(each);
      for (let turn = 0; turn < 100; turn += 1) {
        uart.passes(1);
        port.turn();
      }
      const sent = items.flatMap((each): (number | Line)[] => (each instanceof Uint8Array ? [...each] : [each]));
      assert.deepEqual(uart.wire, sent);
    }),
  );
});

test("what is written without end to a port that sends nothing is lost, and nothing grows", () => {
  const uart = new Uart(1);
  const port = new SerialPort(uart);
  for (let count = 0; count < 1_000; count += 1) port.write(Uint8Array.of(count & 0xff));
  for (let turn = 0; turn < 100; turn += 1) {
    uart.passes(1);
    port.turn();
  }
  assert.ok(uart.wire.length < 20, `${uart.wire.length} bytes`);
});
