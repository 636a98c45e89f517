// A serial port whose device stands still or goes away: nothing waits for it without end, and it can be opened again.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { type ConsoleLine, openConsole } from "../../../tools/provisioning/console/line.js";
import { nodePort } from "../../../tools/provisioning/flash/node-port.js";
import { stillPtys as skip, stillPty } from "../still-pty.js";

test("a device that takes nothing ends what is written to it, and the port is free for who comes next", {
  skip,
}, async (t) => {
  const pty = await stillPty(t);
  const terminal = await openConsole(await nodePort(pty.path), assert.fail, () => {});
  await assert.rejects(typeOn(terminal), { code: "PORT_UNUSABLE", message: /takes nothing: \d bytes/ });
  await terminal.close();
  const heard = await pty.goOn();
  const again = await openConsole(
    await nodePort(pty.path),
    () => {},
    () => {},
  );
  await again.type("holds 2");
  await again.close();
  assert.match(await heard("holds 2"), /holds 2/);
});

test("a device that goes away while it takes nothing ends what is written to it", { skip }, async (t) => {
  const pty = await stillPty(t);
  let isGone = false;
  const terminal = await openConsole(await nodePort(pty.path), assert.fail, () => {
    isGone = true;
  });
  const typed = assert.rejects(typeOn(terminal), { code: "PORT_UNUSABLE", message: /is gone/ });
  await setTimeout(1_000);
  pty.kill();
  await typed;
  await terminal.close();
  assert.ok(isGone);
});

/** Types again and again: what comes first may fit. */
async function typeOn(terminal: ConsoleLine): Promise<void> {
  for (;;) await terminal.type("holds 1");
}
