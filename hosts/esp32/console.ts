// The field engineer's console on the board's serial port, 115200 8N1: the lines and commands of hosts/shared over a UART. Where the
// debugger has that UART, lines go to the debugger.

import Serial from "embedded:io/serial";
import { answer } from "../shared/commands.js";
import type { Field } from "../shared/field.js";
import { createInput, createOutput, next, put, type Typed, typed, written } from "../shared/lines.js";

/** Half of what the UART holds: there is always room for it when the UART says that it has run empty. */
const WRITE_BYTES_MAX = 64;

/** The console; `field` is what its commands find. A class where closures would do, which XS keeps in RAM. */
export class FieldConsole {
  private readonly field: Field;
  private readonly input = createInput();
  protected readonly output = createOutput();
  private readonly serial: Serial | undefined;
  private lostSaid = 0;

  constructor(field: Field) {
    this.field = field;
    this.serial = this.open();
  }

  /** The SDK throws where its debugger has the port already. */
  private open(): Serial | undefined {
    try {
      return new Serial({
        ...device.console,
        baud: 115_200,
        format: "buffer",
        onReadable: (count) => this.read(count),
        onWritable: () => this.write(),
      });
    } catch (thrown) {
      trace(`no console: ${String(thrown)}\n`);
      return undefined;
    }
  }

  /** Lines separated by \n. What nobody reads is dropped, and how much of it is said. */
  print(text: string): void {
    const { output, serial } = this;
    if (serial === undefined) return trace(`${text}\n`);
    if (output.lost > this.lostSaid && output.length === 0) {
      put(output, bytesOf(`[${output.lost - this.lostSaid} lines found no room]\r\n`));
      this.lostSaid = output.lost;
    }
    put(output, bytesOf(`${text.split("\n").join("\r\n")}\r\n`));
    this.write();
  }

  private read(count: number): void {
    const bytes = this.serial?.read(count);
    if (bytes !== undefined) this.hear(new Uint8Array(bytes));
  }

  /** Bytes have come in. */
  protected hear(bytes: Uint8Array): void {
    const echo = typed(this.input, bytes, (line) => this.heed(line));
    put(this.output, bytesOf(echo));
    this.write();
  }

  private heed(line: Typed): void {
    this.print(line.kind === "tooLong" ? "\nthat line is too long" : `\n${answer(this.field, line.text)}`);
  }

  protected write(): void {
    const { output, serial } = this;
    if (serial === undefined) return;
    for (let piece = next(output, WRITE_BYTES_MAX); piece !== undefined; piece = next(output, WRITE_BYTES_MAX)) {
      try {
        serial.write(piece.slice().buffer as ArrayBuffer);
      } catch {
        return; // the UART is full: it says so when it is not any more
      }
      written(output, piece.length);
    }
  }
}

function bytesOf(text: string): Uint8Array {
  return new Uint8Array(ArrayBuffer.fromString(text));
}
