import assert from "node:assert/strict";
import { test } from "node:test";
import { createCatchUp, SERVED_BLOCKS_MAX } from "../../../../tools/node/chain/blocks/catch-up.js";
import { decodeFrame } from "../../../../tools/node/chain/frame.js";
import type { ChainPorts } from "../../../../tools/node/chain/ports.js";

const BLOCK_BYTES = 1_048_576;

/** Serves a chain of 1,000 blocks of one mebibyte; counts what goes to whom. */
function server() {
  const clock = { now_ms: 0 };
  const sent = new Map<string, number>();
  const block = new Uint8Array(BLOCK_BYTES);
  const unsent = new Map<string, number>();
  const charged: (readonly [string, string, number])[] = [];
  const dropped: string[] = [];
  const ports = {
    chain: { service: 1 },
    store: { get: () => block },
    monotonic_ms: () => clock.now_ms,
    unsent_bytes: (to: string) => unsent.get(to) ?? 0,
    charge: (to: string, work: string, amount: number) => void charged.push([to, work, amount]),
    onDropped: (reason: string) => void dropped.push(reason),
    send(to: string, frame: Uint8Array) {
      assert.equal(decodeFrame(frame)?.kind, "block");
      sent.set(to, (sent.get(to) ?? 0) + 1);
    },
  };
  return { clock, sent, unsent, charged, dropped, catchUp: createCatchUp(ports as unknown as ChainPorts, () => 1_001) };
}

test("one request is answered with so many bytes, and one peer with no more than its share in a second, whatever it asks for", () => {
  const { clock, sent, dropped, catchUp } = server();
  catchUp.serve("a", 1, SERVED_BLOCKS_MAX);
  assert.equal(sent.get("a"), 4);
  for (let from = 1; from <= 500; from += 1) catchUp.serve("a", from, SERVED_BLOCKS_MAX);
  assert.equal(sent.get("a"), 32);
  assert.deepEqual([...new Set(dropped)], ["request-over-share"]);
  catchUp.serve("b", 1, SERVED_BLOCKS_MAX);
  assert.equal(sent.get("b"), 4, "another peer has its own");
  clock.now_ms += 1_000;
  catchUp.serve("a", 33, SERVED_BLOCKS_MAX);
  assert.equal(sent.get("a"), 36);
});

test("a peer that has not taken its answer gets no other one, and what it asks for is charged to it", () => {
  const { sent, unsent, charged, catchUp } = server();
  catchUp.serve("a", 1, 2);
  unsent.set("a", 2 * BLOCK_BYTES);
  catchUp.serve("a", 3, 2);
  catchUp.serve("b", 3, 1);
  unsent.set("a", 0);
  catchUp.serve("a", 3, 1);
  assert.deepEqual(
    [...sent],
    [
      ["a", 3],
      ["b", 1],
    ],
  );
  const served = ["served", BLOCK_BYTES] as const;
  assert.deepEqual(charged, [
    ["a", ...served],
    ["a", ...served],
    ["a", "unserved", 1],
    ["b", ...served],
    ["a", ...served],
  ]);
});
