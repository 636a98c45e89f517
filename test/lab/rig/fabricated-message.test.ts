import assert from "node:assert/strict";
import { test } from "node:test";
import { WireError } from "../../../src/wire/error.js";
import { decodeCarried } from "../../../src/wire/message.js";
import { nodeVerify } from "../../../tools/crypto/signatures.js";
import { fabricateCarried } from "../../../tools/lab/rig/fabricated-message.js";
import { createRandom } from "../../../tools/lab/rig/random.js";
import { initialGovernance } from "../../../tools/ledger/governance.js";
import { checkMessage } from "../../../tools/ledger/notices.js";
import { testNetwork } from "../../wire/network.js";

test("what a member makes up reads as a message: nothing but its certificate is wrong", () => {
  const { genesis, nodes } = testNetwork();
  const { id, signer } = nodes[0]!;
  const fabricator = { genesis, node: id, random: createRandom(1), sign: (bytes: Uint8Array) => signer.sign(bytes) };
  const place = { service: 1, to: 2, height: 3, number: 4, index: 0, orderedAt: 0, signatures: nodes.length };
  const carried = decodeCarried(fabricateCarried(fabricator, place));
  const { message, receipt } = carried;
  assert.deepEqual([message.service, message.to, message.number, message.hops, receipt.height], [1, 2, 4, 0, 3]);
  assert.throws(() => checkMessage(initialGovernance(genesis), carried, nodeVerify), WireError);
});
