// The field engineer's console of a meter on Node: the lines and commands of hosts/shared over the bytes that Node has of a terminal.

import { answer } from "../shared/commands.js";
import type { Field } from "../shared/field.js";
import { Improv } from "../shared/improv.js";
import { createInput, typed } from "../shared/lines.js";

const encoder = new TextEncoder();

/** The console; `write` takes what the terminal is to show. It is silent until somebody types. */
export class FieldConsole {
  private readonly input = createInput();
  private readonly improv: Improv;
  private isOpen = false;

  constructor(
    private readonly field: Field,
    private readonly write: (bytes: Uint8Array) => void,
  ) {
    // The network is the machine's, whatever Wi-Fi is told.
    this.improv = new Improv({
      ...{ field, write, join() {}, down: () => undefined, scan: (_found, onDone) => onDone() },
      about: () => ["Gridseal", "0", "process", `meter ${field.mac() ?? ""}`],
    });
  }

  take(bytes: Uint8Array): void {
    this.isOpen = true;
    const echo = typed(this.input, this.improv.take(bytes), (line) =>
      this.print(line.kind === "tooLong" ? "\nthat line is too long" : `\n${answer(this.field, line.text)}`),
    );
    if (echo !== "") this.write(encoder.encode(echo));
    this.improv.watch();
  }

  /** Lines separated by \n. */
  print(text: string): void {
    if (this.isOpen) this.write(encoder.encode(`${text.split("\n").join("\r\n")}\r\n`));
  }
}
