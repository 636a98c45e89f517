// What of a block's entries there is room for, where its proposer lets contracts be called for few of each kind.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { CalledEntry } from "../../src/wire/entry.js";
import type { Call, PlannedEntry } from "../../tools/ledger/entry.js";
import { roomOf, roomWithin } from "../../tools/ledger/postponing.js";

const run = { type: "run" } as Call;
const planned = (entry: CalledEntry, fate: PlannedEntry["fate"] = run): PlannedEntry => ({ entry, fate });
const operation = (leaf: number, fate?: PlannedEntry["fate"]) => planned({ kind: "operation", leaf }, fate);
const message = (service: number, number: number) => planned({ kind: "message", service, number });
const slot = (part: number) => planned({ kind: "slot", start_s: 900, part });
const due = (time_s: number) => planned({ kind: "due", time_s, contract: "market", key: "round" });

test("so many calls of each kind have room, and what nothing runs for before the first that has none", () => {
  const entries = [
    ...[
      operation(1),
      operation(2, { type: "unhandled" }),
      operation(3),
      operation(4, { type: "expired" }),
      operation(5),
    ],
    ...[message(2, 7), message(2, 8), message(3, 0), slot(0), slot(1), slot(2), due(1), due(2)],
  ];
  assert.deepEqual(roomWithin(entries, 1), { operations: 2, messages: new Map([[2, 1]]), slots: 1, deadlines: 1 });
  assert.deepEqual(roomWithin(entries, 2), { operations: 4, messages: new Map([[2, 2]]), slots: 2 });
  assert.equal(roomWithin(entries, 3), undefined);
  assert.equal(roomWithin([], 1), undefined);
});

test("of those that have room some may still be postponed as they run", () => {
  const entries = [slot(0), slot(1), due(1)];
  const done = { type: "done", used: 1, writes: [], emissions: [] } as const;
  assert.deepEqual(roomOf(entries, [done, { type: "postponed" }, done]), { slots: 1 });
  assert.equal(roomOf(entries, [done, done, done]), undefined);
});
