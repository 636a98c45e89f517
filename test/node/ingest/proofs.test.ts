import assert from "node:assert/strict";
import { test } from "node:test";
import type { SealedBlock } from "../../../tools/node/chain/ports.js";
import { createProofs } from "../../../tools/node/ingest/proofs.js";

const self = new Uint8Array(8).fill(1);
const other = new Uint8Array(8).fill(2);
const SERVICE = 1;

/** A block whose temporary blocks hold these records. */
function blockOf(
  ...batches: readonly (readonly [origin: Uint8Array, ...records: readonly (readonly [string, number])[]])[]
) {
  return {
    block: { chain: SERVICE, batches: batches.map(([origin, ...records]) => ({ origin, records })) },
    records: batches.flatMap(([, ...records]) => records.map(([meter, seq]) => ({ meter, seq }))),
  } as unknown as SealedBlock;
}

test("a session has proved to be a meter's when what it brought is sealed out of this node's own temporary block", () => {
  const proofs = createProofs(self);
  proofs.note(SERVICE, "m", 4, "its own~1");
  proofs.note(SERVICE, "m", 5, "its own~1");
  assert.deepEqual(proofs.prove(blockOf([other, ["n", 4]], [self, ["m", 4], ["m", 5]])), [
    { client: "its own~1", meter: "m" },
  ]);
  assert.deepEqual(proofs.prove(blockOf([self, ["m", 4]])), [], "and once");
});

test("a record that another node has sealed proves nothing, however soon it was published here", () => {
  const proofs = createProofs(self);
  proofs.note(SERVICE, "m", 4, "a stranger~2");
  assert.deepEqual(proofs.prove(blockOf([other, ["m", 4]])), []);
  assert.deepEqual(proofs.prove(blockOf([self, ["m", 4]])), [], "nor later");
});

test("of two sessions that bring one record the first alone has proved it", () => {
  const proofs = createProofs(self);
  proofs.note(SERVICE, "m", 4, "first~1");
  proofs.note(SERVICE, "m", 4, "second~2");
  assert.deepEqual(proofs.prove(blockOf([self, ["m", 4]])), [{ client: "first~1", meter: "m" }]);
});

test("what is never sealed is forgotten in the end", () => {
  const proofs = createProofs(self);
  for (let seq = 0; seq < 70_000; seq += 1) proofs.note(SERVICE, "m", seq, "s~1");
  assert.deepEqual(proofs.prove(blockOf([self, ["m", 0]])), []);
  assert.equal(proofs.prove(blockOf([self, ["m", 69_999]])).length, 1);
});
