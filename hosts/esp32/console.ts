// The field engineer's console on the board's serial port, 115200 8N1: a line is a command, `help` lists them.

import Serial from "embedded:io/serial";

const LINE_BYTES_MAX = 8192;
const WRITE_BYTES_MAX = 96;

export interface Commands {
  /** What a command prints; `rest` is the line behind its name. */
  readonly [name: string]: { readonly help: string; run(rest: string): string };
}

export interface FieldConsole {
  print(line: string): void;
}

/** Opens the console. A line that is longer than a configuration can be is dropped. */
export function openConsole(commands: Commands): FieldConsole {
  let line = "";
  const waiting: string[] = [];

  const serial = new Serial({
    ...device.console,
    baud: 115_200,
    format: "buffer",
    onReadable(count) {
      const bytes = this.read(count);
      if (bytes !== undefined) take(String.fromArrayBuffer(bytes));
    },
    onWritable: writeWaiting,
  });

  function take(text: string): void {
    for (const character of text) {
      if (character !== "\n" && character !== "\r") {
        line = line.length < LINE_BYTES_MAX ? line + character : "";
        continue;
      }
      if (line !== "") print(answer(commands, line));
      line = "";
    }
  }

  function print(text: string): void {
    // What nobody reads must not fill the memory.
    if (waiting.length > 64) waiting.length = 0;
    const whole = `${text}\r\n`;
    for (let at = 0; at < whole.length; at += WRITE_BYTES_MAX) waiting.push(whole.slice(at, at + WRITE_BYTES_MAX));
    writeWaiting();
  }

  function writeWaiting(): void {
    for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
      try {
        serial.write(ArrayBuffer.fromString(next));
      } catch {
        return; // the UART is full: `onWritable` follows
      }
      waiting.shift();
    }
  }

  return { print };
}

function answer(commands: Commands, line: string): string {
  const end = line.indexOf(" ");
  const name = end < 0 ? line : line.slice(0, end);
  if (name === "help") {
    return Object.entries(commands)
      .map(([command, { help }]) => `${command}: ${help}`)
      .join("\r\n");
  }
  const command = commands[name];
  if (command === undefined) return `no command ${name}: help lists them`;
  try {
    return command.run(end < 0 ? "" : line.slice(end + 1).trim());
  } catch (thrown) {
    return `${name} failed: ${String(thrown)}`;
  }
}
