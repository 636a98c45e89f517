// A board's console at a terminal, line by line: what is typed goes to the board, what it prints comes back, until the input ends.

import { createInterface } from "node:readline";
import type { WebPort } from "../flash/web-port.js";
import { CONSOLE_BAUD, openConsole } from "../provisioning/console/line.js";
import { printLines, printNote } from "../terminal/output.js";

/** What a file asks last is answered within this; at a terminal the answer has been seen. */
const LAST_ANSWER_MS = 5_000;

/** Resolves when the input has ended, or the port is gone. Rejects with PORT_UNUSABLE. */
export async function useConsole(port: WebPort): Promise<void> {
  const input = createInterface({ input: process.stdin, terminal: false });
  const terminal = await openConsole(
    port,
    (line) => printLines([line]),
    () => input.close(),
  );
  printNote(`console, ${CONSOLE_BAUD} baud: help lists the commands; Ctrl-D ends it`);
  try {
    for await (const line of input) await terminal.type(line);
    if (!process.stdin.isTTY) await new Promise((resolve) => setTimeout(resolve, LAST_ANSWER_MS));
  } finally {
    await terminal.close();
  }
}
