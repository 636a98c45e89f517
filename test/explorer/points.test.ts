// Of which points the explorer shows energy: those that orders name, and meters that are points of their own.

import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "../../src/wire/bytes.js";
import { assignedPoints, ownPoints } from "../../tools/explorer/views/points.js";
import { assign } from "../../tools/ledger/assignments.js";
import type { HolderRow } from "../../tools/routes/holders.js";
import { makeMeter, type TestMeter } from "../audit/chain-builder.js";

const row = ({ kid, credential }: Pick<TestMeter, "kid" | "credential">): HolderRow => ({
  ...{ kid, credential, high: 0, missing: 0, time_s: undefined, sealed_s: undefined },
});

test("a meter that was never assigned is a point of its own; an assigned one and a participant are none", () => {
  const [own, other] = [makeMeter(1), makeMeter(2)];
  const anna = makeMeter(3, [1], undefined, ["supplier"]);
  const action = {
    type: "assign",
    assignments: [{ meter: other.kid, point: "AT01", from_s: 0, isSubtracted: false }],
  } as const;
  const assigned = assign(new Map(), action as never, 1);
  assert.ok(assigned.type === "assigned");
  const broken = { kid: new Uint8Array(8), credential: Uint8Array.of(1) };
  assert.deepEqual(ownPoints([own, other, anna, broken].map(row), assigned.assignments), [
    { point: toHex(own.kid), name: "meter-1" },
  ]);
  assert.deepEqual(assignedPoints([{ action }, { action }] as never), [{ point: "AT01" }]);
});
