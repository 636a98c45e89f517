// Lines to and from a console that takes no more than its UART holds.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createInput, typed } from "../../../hosts/shared/lines.js";
import type { WebPort } from "../../../tools/flash/web-port.js";
import { openConsole } from "../../../tools/provisioning/console/line.js";

const FIFO_BYTES = 128;

/** A chip's console that reads its UART now and then, and loses what that has no room for. */
function createChip(echoes: boolean) {
  const input = createInput();
  const lines: string[] = [];
  let fifo = new Uint8Array(0);
  let lost = 0;
  let tell: (bytes: Uint8Array) => void = () => {};
  const timer = setInterval(() => {
    const bytes = fifo;
    fifo = new Uint8Array(0);
    if (bytes.length === 0) return;
    const echo = typed(input, bytes, (line) => lines.push(line.kind === "line" ? line.text : "too long"));
    if (echoes && echo !== "") tell(new TextEncoder().encode(echo));
  }, 3);
  const port: WebPort = {
    readable: new ReadableStream({
      start(controller) {
        tell = (bytes) => controller.enqueue(bytes);
      },
    }),
    writable: new WritableStream({
      write(bytes) {
        const taken = bytes.subarray(0, FIFO_BYTES - fifo.length);
        lost += bytes.length - taken.length;
        fifo = Uint8Array.of(...fifo, ...taken);
      },
    }),
    getInfo: () => ({}),
    open: async () => {},
    async close() {
      clearInterval(timer);
    },
    setSignals: async () => {},
  };
  return { port, lines, say: (text: string) => tell(new TextEncoder().encode(text)), lost: () => lost };
}

test("a line of 8,000 characters reaches a chip whose UART holds 128, whether it echoes or not", async () => {
  for (const [echoes, length] of [
    [true, 8_000],
    [false, 300],
  ] as const) {
    const chip = createChip(echoes);
    const terminal = await openConsole(
      chip.port,
      () => {},
      () => {},
    );
    const line = "x1y2".repeat(length / 4);
    await terminal.type(line);
    for (let look = 0; chip.lines.length === 0 && look < 500; look += 1) await new Promise((r) => setTimeout(r, 10));
    assert.deepEqual([chip.lines, chip.lost()], [[line], 0]);
    await terminal.close();
  }
});

test("what is printed comes as lines, however it is cut, and the end of the port is told", async () => {
  const chip = createChip(false);
  const heard: string[] = [];
  let isOver = false;
  const terminal = await openConsole(
    chip.port,
    (line) => heard.push(line),
    () => {
      isOver = true;
    },
  );
  for (const piece of ["one\r", "\ntwo", " and more\r\n\r\n", "x".repeat(40_000), "\nlast\n"]) chip.say(piece);
  for (let look = 0; !heard.includes("last") && look < 500; look += 1) await new Promise((r) => setTimeout(r, 10));
  assert.deepEqual(heard.slice(0, 2), ["one", "two and more"]);
  assert.ok(heard.every((line) => line.length <= 40_000));
  await terminal.close();
  assert.equal(isOver, true);
});
