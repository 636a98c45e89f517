import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeCommand } from "../../src/agent/command.js";
import { encodeCbor } from "../../src/wire/cbor.js";

test("reads the command to read now, for one service or for all", () => {
  assert.deepEqual(decodeCommand(encodeCbor([1, 3])), { service: 3 });
  assert.deepEqual(decodeCommand(encodeCbor([1, null])), { service: undefined });
});

test("knows no other command, and throws on no bytes", () => {
  for (const other of [[2, null], [1], [1, null, 0], [1, 70_000], [1, "3"], 1, new Map()]) {
    assert.equal(decodeCommand(encodeCbor(other)), undefined);
  }
  fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => void decodeCommand(bytes)));
});
