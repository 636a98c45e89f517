import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createNumbering } from "../../tools/ledger/compose.js";
import type { ChainView } from "../../tools/ledger/execution.js";
import { BATCH_WINDOW, type OriginState, sealNumber } from "../../tools/ledger/state.js";

const near = fc.integer({ min: 0, max: 40 });
const far = fc.integer({ min: 0, max: 5 * BATCH_WINDOW });

test("no number is sealed twice, what one far ahead has closed stays closed, and the state stays small", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof({ weight: 20, arbitrary: near }, far), { maxLength: 200 }), (numbers) => {
      let state: OriginState | undefined;
      let closedBelow = 0;
      const sealed = new Set<number>();
      for (const number of numbers) {
        const lowest = state?.next ?? 0;
        const after = sealNumber(state, number);
        assert.equal(after === undefined, sealed.has(number) || number < closedBelow);
        if (after === undefined) continue;
        if (number >= lowest + BATCH_WINDOW) closedBelow = number;
        sealed.add(number);
        assert.ok(after.next > lowest || after.next === lowest);
        assert.ok(after.beyond.length < BATCH_WINDOW);
        assert.ok(after.beyond.every((beyond) => beyond > after.next && beyond < after.next + BATCH_WINDOW));
        state = after;
      }
    }),
  );
});

test("a number within the window closes nothing", () => {
  const state = sealNumber(undefined, BATCH_WINDOW - 1);
  assert.deepEqual(state, { next: 0, beyond: [BATCH_WINDOW - 1] });
  assert.deepEqual(sealNumber(state, 0), { next: 1, beyond: [BATCH_WINDOW - 1] });
});

test("a number at its end closes all before it", () => {
  const state = sealNumber({ next: 3, beyond: [5] }, 3 + BATCH_WINDOW);
  assert.deepEqual(state, { next: 4 + BATCH_WINDOW, beyond: [] });
  for (const closed of [3, 4, 5, 2 + BATCH_WINDOW]) assert.equal(sealNumber(state, closed), undefined);
});

test("a block holds no temporary block whose number one before it in the block has sealed or closed", () => {
  const view = { origin: () => undefined } as unknown as ChainView;
  const [one, other] = [new Uint8Array(8).fill(1), new Uint8Array(8).fill(2)];
  const takesNumber = createNumbering(view);
  assert.ok(takesNumber({ origin: one, number: 1 }));
  assert.ok(!takesNumber({ origin: one, number: 1 }));
  assert.ok(takesNumber({ origin: one, number: BATCH_WINDOW }));
  assert.ok(!takesNumber({ origin: one, number: 0 }));
  assert.ok(takesNumber({ origin: other, number: 0 }));
});
