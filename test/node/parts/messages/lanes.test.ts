import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createLanes, type Lane, TURN_MS, turnOf } from "../../../../tools/node/parts/messages/lanes.js";

const sourceMembers = ["a", "b", "c"];
const targetMembers = ["d", "e", "f", "g"];
const lane = (change: Partial<Lane> = {}): Lane => ({
  ...{ source: 1, target: 3, next: 0, sent: 1, sourceMembers, targetMembers },
  ...change,
});

test("of the members of the target one begins at once, and each of the others a turn later, for any message", () => {
  fc.assert(
    fc.property(fc.nat(1_000), fc.integer({ min: 1, max: 9 }), (next, source) => {
      const turns = targetMembers.map((self) => {
        const lanes = createLanes(self);
        let waited = 0;
        while (lanes.duty(lane({ next, sent: next + 1, source }), waited * TURN_MS) !== "offer") waited += 1;
        return waited;
      });
      assert.deepEqual(turns.toSorted(), [0, 1, 2, 3]);
    }),
  );
});

test("a node that is no member of the target passes on, those of the source first, and not all the time", () => {
  const firstPass = (self: string) => {
    const lanes = createLanes(self);
    let waited = 0;
    while (lanes.duty(lane(), waited * TURN_MS) !== "pass") waited += 1;
    return waited;
  };
  assert.deepEqual(sourceMembers.map(firstPass).toSorted(), [0, 1, 2]);
  assert.ok(firstPass("z") > 2, "who is member of neither comes behind");
  const lanes = createLanes("b");
  const passes = Array.from({ length: 100 }, (_, at) => lanes.duty(lane(), at * 100)).filter((duty) => duty === "pass");
  assert.ok(passes.length >= 1 && passes.length <= 3, `${passes.length} times in ten seconds`);
});

test("nothing is done where nothing waits, and a turn begins anew with each message that is taken", () => {
  const self = targetMembers[(turnOf(targetMembers, "d", 1) + 1) % 4]!;
  const lanes = createLanes(self);
  assert.equal(lanes.duty(lane({ next: 5, sent: 5 }), 0), "none");
  const last = targetMembers.find((member) => turnOf(targetMembers, member, 1 + 5) === 3)!;
  const slow = createLanes(last);
  assert.equal(slow.duty(lane({ next: 5, sent: 9 }), 0), "none");
  assert.equal(slow.duty(lane({ next: 5, sent: 9 }), 3 * TURN_MS), "offer");
  const own = turnOf(targetMembers, last, 1 + 6);
  assert.equal(slow.duty(lane({ next: 6, sent: 9 }), 3 * TURN_MS), own === 0 ? "offer" : "none");
});
