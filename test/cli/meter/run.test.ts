import assert from "node:assert/strict";
import { test } from "node:test";
import { portOf, seldom } from "../../../tools/cli/meter/run.js";

test("takes one source of a meter's readings, or its configuration's", () => {
  assert.equal(portOf({}), undefined);
  assert.deepEqual(portOf({ frames: "a.txt", interval: 5 }), { kind: "file", path: "a.txt", interval_ms: 5 });
  assert.deepEqual(portOf({ tcp: "[::1]:2000" }), { kind: "tcp", host: "::1", port: 2000 });
  assert.deepEqual(portOf({ serial: "/dev/ttyUSB0", baud: 9600, parity: "even" }), {
    kind: "serial",
    path: "/dev/ttyUSB0",
    baud: 9600,
    parity: "even",
  });
  assert.deepEqual(portOf({ port: '{"kind":"tcp","host":"h","port":1}' }), { kind: "tcp", host: "h", port: 1 });
  assert.throws(() => portOf({ tcp: "h:1", emulator: true }), { code: "USAGE" });
  assert.throws(() => portOf({ port: "{" }), { code: "USAGE" });
  for (const tcp of ["h", "h:", ":1", "h:x", "h:70000"]) {
    assert.throws(() => portOf({ tcp }), { code: "CONFIGURATION_REFUSED" }, tcp);
  }
  for (const tcp of ["h", "127.0.0.1", "h:x"]) {
    assert.throws(() => portOf({ tcp }), /--tcp: .*: expected a host and a port, as 127\.0\.0\.1:2000/, tcp);
  }
});

test("an option that names no port is refused by its name, as a configuration is", () => {
  assert.throws(() => portOf({ port: '{"kind":"bad"}' }), {
    code: "CONFIGURATION_REFUSED",
    exitStatus: 2,
    message: /^--port: /,
  });
  assert.throws(() => portOf({ tcp: "h" }), { code: "CONFIGURATION_REFUSED", message: /^--tcp: h: expected a host/ });
});

test("where nobody watches, a state that stays is not said again and again, and another one at once", () => {
  for (const [isWatched, expected] of [
    [false, ["healthy", "not sealed", "healthy"]],
    [true, ["healthy", "healthy", "healthy", "not sealed", "healthy"]],
  ] as const) {
    const said: string[] = [];
    const say = seldom((state) => said.push(state), isWatched);
    for (const state of ["healthy", "healthy", "healthy", "not sealed", "healthy"]) say(state, {});
    assert.deepEqual(said, expected);
  }
});
