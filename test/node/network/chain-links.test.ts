import assert from "node:assert/strict";
import { test } from "node:test";
import { WireError } from "../../../src/wire/error.js";
import { createPeerBudget, defaultBudgetLimits } from "../../../tools/node/network/budget.js";
import { costOfDropped } from "../../../tools/node/network/chain-links.js";
import { defaultPeerLimits } from "../../../tools/node/network/peer-network.js";

test("what is dropped as untimely wastes nothing, however large it is and however often it comes; anything else does", () => {
  const budget = createPeerBudget(defaultBudgetLimits);
  const cost = costOfDropped(new WireError("untimely", "of another height"));
  const { frame_bytes_max } = defaultPeerLimits;
  for (let count = 0; count < 1_000; count += 1) {
    assert.notEqual(budget.charge("peer", cost, frame_bytes_max, count).type, "shut");
  }
  assert.equal(budget.charge("peer", cost, 1, 1_000).type, "delay");
  for (const error of [new WireError("unproven", "no signature"), new WireError("shape", "no frame"), new Error("x")]) {
    const liar = createPeerBudget(defaultBudgetLimits);
    assert.equal(liar.charge("peer", costOfDropped(error), frame_bytes_max, 0).type, "shut");
  }
});
