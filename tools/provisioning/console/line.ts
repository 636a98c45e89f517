// A meter's console at a serial port: lines typed no faster than the meter takes them, and the lines that it prints.

import type { WebPort } from "../../flash/web-port.js";

export interface ConsoleLine {
  /** Types a line and ends it; resolves when it has left. Rejects as the port does where that takes nothing, or is gone. */
  type(line: string): Promise<void>;
  close(): Promise<void>;
}

export const CONSOLE_BAUD = 115_200;
/** Half of what the UART of a chip holds: the echo of a piece says that it was taken. */
const PIECE_BYTES = 64;
/** A console that does not echo gets the next piece then. */
const ECHO_MS_MAX = 250;
const LINE_CHARACTERS_MAX = 16_384;

/** A port that cannot be written any more may not say so when it is let go: who closes it waits no longer. */
const CLOSE_MS_MAX = 3_000;

/** Opens the port; `onLine` gets what is printed, without its end, `onClosed` when the port is gone. */
export async function openConsole(
  port: WebPort,
  onLine: (line: string) => void,
  onClosed: () => void,
): Promise<ConsoleLine> {
  await port.open({ baudRate: CONSOLE_BAUD });
  const reader = port.readable!.getReader();
  const writer = port.writable!.getWriter();
  let received = 0;
  let heard: () => void = () => {};
  const ended = readLines(reader, onLine, (count) => {
    received += count;
    heard();
  }).finally(onClosed);

  function whenEchoed(count: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(done, ECHO_MS_MAX);
      function done(): void {
        clearTimeout(timer);
        heard = () => {};
        resolve();
      }
      heard = () => received >= count && done();
      heard();
    });
  }

  return {
    async type(line) {
      const bytes = new TextEncoder().encode(line);
      for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
        const piece = bytes.subarray(at, at + PIECE_BYTES);
        const before = received;
        await writer.write(piece);
        await whenEchoed(before + piece.length);
      }
      await writer.write(Uint8Array.of(0x0d));
    },
    async close() {
      const parted = Promise.all([reader.cancel().catch(() => {}), writer.close().catch(() => {}), ended]);
      await Promise.race([parted, new Promise((resolve) => setTimeout(resolve, CLOSE_MS_MAX).unref())]);
      await port.close();
    },
  };
}

async function readLines(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  onLine: (line: string) => void,
  onBytes: (count: number) => void,
): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read().catch(() => ({ done: true, value: undefined }));
    if (done || value === undefined) return;
    const lines = (rest + decoder.decode(value, { stream: true })).split(/[\r\n]+/);
    rest = (lines.pop() ?? "").slice(-LINE_CHARACTERS_MAX);
    for (const line of lines) if (line !== "") onLine(line);
    onBytes(value.length);
  }
}
