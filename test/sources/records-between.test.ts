// Records between two moments: what the times of a few find is what reading everything finds.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseRecord } from "../../src/wire/record.js";
import type { FoundRecord } from "../../tools/routes/record-rows.js";
import { recordsBetween } from "../../tools/sources/records-between.js";
import type { ChainSource } from "../../tools/sources/source.js";
import { makeMeter } from "../audit/chain-builder.js";

const START_S = 1_700_000_000;
const meter = makeMeter(1);
/** Two hours of a record a minute. */
const made = Array.from({ length: 120 }, (_, seq) => {
  const bytes = meter.record({ time_s: START_S + 60 * seq });
  return { seq, height: seq + 1, leaf: 1, hash: parseRecord(bytes).hash, bytes };
});

/** A source of some of them, which counts the records that it is read for. */
function sourceOf(sealed: readonly FoundRecord[], hasIndex: boolean) {
  const told = { read: 0 };
  const never = () => assert.fail("nothing else is asked");
  const source: ChainSource = {
    ...{ origin: "somewhere", hasIndex, chains: never, blocks: never, block: never, close: async () => {} },
    async *records(_service, _signer, from) {
      for (const found of sealed.filter(({ seq }) => seq >= from)) {
        told.read += 1;
        yield found;
      }
    },
  };
  return { source, told };
}

const between = async (source: ChainSource, from_s: number | undefined, to_s: number | undefined) => {
  const numbers: number[] = [];
  for await (const { seq } of recordsBetween(source, 1, meter.kid, { from_s, to_s })) numbers.push(seq);
  return numbers;
};

test("finds by a few times what reading everything finds, whichever numbers are sealed and whichever are pruned", async () => {
  const second = fc.option(fc.integer({ min: START_S - 100, max: START_S + 7_300 }), { nil: undefined });
  await fc.assert(
    fc.asyncProperty(fc.subarray(made), fc.nat(20), second, second, async (sealed, pruned, from_s, to_s) => {
      const kept = sealed.map((found, place) => (place < pruned ? { ...found, bytes: undefined } : found));
      const found = await between(sourceOf(kept, true).source, from_s, to_s);
      assert.deepEqual(found, await between(sourceOf(kept, false).source, from_s, to_s));
      const expected = kept.filter(({ seq, bytes }) => {
        const time_s = START_S + 60 * seq;
        if (bytes === undefined) return from_s === undefined;
        return time_s >= (from_s ?? 0) && time_s < (to_s ?? Number.POSITIVE_INFINITY);
      });
      assert.deepEqual(
        found,
        expected.map(({ seq }) => seq),
      );
    }),
    { numRuns: 200 },
  );
});

test("reads few records to find the first one", async () => {
  const { source, told } = sourceOf(made, true);
  assert.deepEqual(await between(source, START_S + 60 * 100, START_S + 60 * 102), [100, 101]);
  assert.ok(told.read < 9, `${told.read} records are read`);
});

test("a clock that runs unevenly costs few reads more", async () => {
  const uneven = Array.from({ length: 2_000 }, (_, seq) => {
    const bytes = meter.record({ time_s: START_S + Math.floor(seq ** 2 / 10) });
    return { seq, height: seq + 1, leaf: 1, hash: parseRecord(bytes).hash, bytes };
  });
  for (const seq of [1, 3, 700, 1_999]) {
    const { source, told } = sourceOf(uneven, true);
    const from_s = START_S + Math.floor(seq ** 2 / 10);
    const [first] = await between(source, from_s, from_s + 1);
    assert.ok(first !== undefined && first <= seq, `${first} for ${seq}`);
    assert.ok(told.read < 45, `${told.read} records are read for ${seq}`);
  }
});
