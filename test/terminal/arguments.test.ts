import assert from "node:assert/strict";
import { test } from "node:test";
import { planChains } from "../../tools/cli/init.js";
import { portOf } from "../../tools/cli/meter.js";
import { compactTarget, id, serviceNumbers, whole } from "../../tools/terminal/arguments.js";
import { pairs, table, toJson } from "../../tools/terminal/output.js";

test("reads whole numbers, services, ids and targets, and nothing that only looks like them", () => {
  assert.equal(whole(1, 5)("5"), 5);
  assert.deepEqual(serviceNumbers("1,65535"), [1, 65_535]);
  assert.deepEqual(id("00ff00ff00ff00ff"), Uint8Array.of(0, 255, 0, 255, 0, 255, 0, 255));
  assert.equal(compactTarget("1f00ffff"), 0x1f00ffff);
  assert.equal(compactTarget("00000000"), 0);
  for (const text of ["", "0", "6", "1e0", "0x1", " 1", "1.0", "-1"]) assert.throws(() => whole(1, 5)(text), /whole/);
  for (const text of ["1,", "0", "65536", "a"]) assert.throws(() => serviceNumbers(text), /whole/);
  for (const text of ["00FF00FF00FF00FF", "00", ""]) assert.throws(() => id(text), /hex/);
  for (const text of ["1f", "1f000000", "ff00ffff", "1f80ffff"]) assert.throws(() => compactTarget(text), /compact/);
});

test("plans the paper's five chains, and those that are added, over all nodes unless they are named", () => {
  const chains = planChains({ nodes: 3, services: "heat=6,water=70", chain: ["dispatch=node-3,node-1", "70=node-2"] });
  assert.deepEqual(
    chains.map(({ service, name, nodes }) => [service, name, ...nodes]),
    [
      [1, "trading", 1, 2, 3],
      [2, "credit", 1, 2, 3],
      [3, "dispatch", 3, 1],
      [4, "mining", 1, 2, 3],
      [5, "contracts", 1, 2, 3],
      [6, "heat", 1, 2, 3],
      [70, "water", 2],
    ],
  );
});

test("refuses plans that say nothing, say it twice or name what is not there", () => {
  for (const services of [
    "heat",
    "heat=",
    "heat=0",
    "heat=65536",
    "Heat=6",
    "heat=1",
    "trading=6",
    "a=6,b=6",
    "a=6,a=7",
    "",
  ]) {
    assert.throws(() => planChains({ nodes: 4, services }), { code: "USAGE" }, services);
  }
  for (const chain of [["water=node-1"], ["1=node-5"], ["1=node-0"], ["1="], ["1"], ["1=node-1", "trading=node-2"]]) {
    assert.throws(() => planChains({ nodes: 4, chain }), { code: "USAGE" }, chain.join());
  }
});

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
    assert.throws(() => portOf({ tcp }), { code: "CONFIGURATION_INVALID" }, tcp);
  }
  for (const tcp of ["h", "127.0.0.1", "h:x"]) {
    assert.throws(() => portOf({ tcp }), /--tcp .*: expected a host and a port, as 127\.0\.0\.1:2000/, tcp);
  }
});

test("prints every digit of an integer, bytes as hex, and leaves out what is not there", () => {
  const value = {
    big: 2n ** 63n - 1n,
    bytes: Uint8Array.of(1, 255),
    none: undefined,
    list: [1, null, "a\n"],
    ok: true,
  };
  assert.equal(toJson(value), '{"big":9223372036854775807,"bytes":"01ff","list":[1,null,"a\\n"],"ok":true}');
});

test("aligns tables, numbers to the right", () => {
  assert.deepEqual(
    table(
      ["N", "NAME"],
      [
        [1, "a"],
        [100, "long"],
      ],
    ),
    ["  N  NAME", "  1  a", "100  long"],
  );
  assert.deepEqual(
    pairs([
      ["a", 1],
      ["long", "b"],
    ]),
    ["a     1", "long  b"],
  );
});
