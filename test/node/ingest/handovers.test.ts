import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fromHex } from "../../../src/wire/bytes.js";
import { decodeHandover } from "../../../src/wire/handover.js";
import { DiskRows } from "../../../tools/lab/simulation/world/rows.js";
import { lineage } from "../../../tools/node/chain/tables/lineage.js";
import { createIntroductions } from "../../../tools/node/ingest/handovers.js";
import { blockKey } from "../../../tools/node/store/keys.js";

const fixture = JSON.parse(readFileSync(new URL("../../fixtures/handover.json", import.meta.url), "utf8"));
const handover = fromHex(fixture.handover.bytes)!;
const founding = Uint8Array.of(0xd2, 0);
const METER = "0123456789abcdef";

function bench() {
  const lineages = new Map<number, Uint8Array[]>([[1, [founding]]]);
  let published: Uint8Array[] = [];
  const store = new DiskRows();
  const introductions = createIntroductions("net", store, (_topic, payload) =>
    published.push(Uint8Array.from(payload)),
  );
  return {
    introductions,
    lineages,
    /** what the meter is shown before a receipt of this height */
    receipt(height: number, service = 1): Uint8Array[] {
      published = [];
      for (const [chain, items] of lineages) {
        for (const [place, item] of items.entries()) store.put(lineage, blockKey(chain, place + 1), item);
      }
      introductions.beforeReceipt(service, METER, height);
      return published;
    },
  };
}

test("a meter is shown what proves the members once a connection", () => {
  const { introductions, receipt } = bench();
  assert.deepEqual(receipt(1), [founding]);
  assert.deepEqual(receipt(2), []);
  introductions.onBirth(METER);
  assert.deepEqual(receipt(3), [founding]);
});

test("a meter that has come again is shown everything, also where the members changed in between", () => {
  const { introductions, lineages, receipt } = bench();
  assert.deepEqual(receipt(1), [founding]);
  lineages.set(1, [founding, handover]);
  introductions.onChange(1);
  introductions.onBirth(METER);
  assert.deepEqual(receipt(3), [founding, handover]);
});

test("a meter is shown what is new of a chain, whatever it was shown of another", () => {
  const { introductions, lineages, receipt } = bench();
  lineages.set(2, [founding]);
  assert.deepEqual(receipt(1), [founding]);
  assert.deepEqual(receipt(1, 2), [founding]);
  lineages.set(1, [founding, handover]);
  introductions.onChange(1);
  assert.deepEqual(receipt(3), [handover]);
  assert.deepEqual(receipt(1, 2), []);
});

test("a meter is shown who seals from a height on with the first receipt of theirs, and not before one of a lower height", () => {
  const { introductions, lineages, receipt } = bench();
  lineages.set(1, [founding, handover]);
  introductions.onChange(1);
  const from = decodeHandover(handover).height + 1;
  assert.deepEqual(receipt(from - 1), [founding], "the block that hands over is sealed by those before");
  assert.deepEqual(receipt(from), [handover]);
  assert.deepEqual(receipt(from + 1), []);
  assert.deepEqual(receipt(from - 1), [founding], "of those before, it is shown how to come to them");
  assert.deepEqual(receipt(from), []);
});
