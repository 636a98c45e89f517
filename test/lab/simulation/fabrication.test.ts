import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "../../../src/wire/bytes.js";
import { decodeCarried } from "../../../src/wire/message.js";
import { createRandom } from "../../../tools/lab/rig/random.js";
import { carriedOf } from "../../../tools/lab/simulation/faults/fabrication.js";
import type { Forger } from "../../../tools/lab/simulation/faults/forgery.js";
import { testNetwork } from "../../wire/network.js";

test("what a faulty member makes up reads as a message: nothing but its certificate is wrong", () => {
  const { genesis, nodes } = testNetwork();
  const { id, signer } = nodes[0]!;
  const forger = {
    ...{ genesis, random: createRandom(1), self: toHex(id), sign: (bytes: Uint8Array) => signer.sign(bytes) },
    membership: { current: () => nodes },
  } as unknown as Forger;
  const carried = carriedOf(forger, { service: 1, to: 2, height: 3, number: 4, index: 0, orderedAt: 0 });
  const { message, receipt } = decodeCarried(carried);
  assert.deepEqual([message.service, message.to, message.number, message.hops, receipt.height], [1, 2, 4, 0, 3]);
});
