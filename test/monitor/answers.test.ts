// What a node answers about a block that is good by itself: another bill, another energy of a slot, another verdict are named, and what
// is merely signed by others is not.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Block, decodeBlock, encodeBlock } from "../../src/wire/block.js";
import { toHex } from "../../src/wire/bytes.js";
import type { EntryOutcome } from "../../src/wire/outcome.js";
import { encodePointRow, type PointRow, slotRoot } from "../../src/wire/slot.js";
import { encodeValue } from "../../src/wire/value.js";
import { encodeResults, type Violation } from "../../tools/ledger/violations.js";
import { createAnswerChecks } from "../../tools/monitor/answers.js";
import type { ViolationShown } from "../../tools/routes/violations.js";
import type { ReceiptSource } from "../../tools/sources/source.js";
import { buildChain, makeMeter } from "../audit/chain-builder.js";

const meter = makeMeter(1);
const rows: readonly PointRow[] = [{ point: "house", imported: 1_000_000n, exported: 0n, quality: 1, doubts: 0 }];
const gap: Violation = { kind: "gap", meter: meter.kid, seq: 3, detail: 5 };

function bill(amount: number): EntryOutcome {
  const body = encodeValue({ community: "sun", point: "house", amount });
  const entry = { kind: "operation", leaf: 1 } as const;
  return { type: "done", entry, contract: "community", used: 9, effects: [{ name: "bill", body }] };
}

function sealedWith(amount: number): Block {
  const slot = { start_s: 900, slot_s: 900, points: 1, root: slotRoot(rows.map(encodePointRow)) };
  const results = encodeResults({ violations: [gap], outcomes: [bill(amount)], slots: [slot] });
  const chain = buildChain();
  const parts = { records: [makeMeter(1).record()], credentials: [meter.credential] };
  return decodeBlock(chain.seal(parts, { content: (content) => ({ ...content, results }) }));
}

const block = sealedWith(4_200);
const shown: ViolationShown = {
  ...{ id: "1:1:0", service: 1, height: 1, index: 0, time_ms: 0, state: "open", kind: "gap" },
  ...{ subject: toHex(meter.kid), number: 3, rule: null, entry: null, detail: { last: 5 } },
};

function node(change: Partial<ReceiptSource> = {}): ReceiptSource {
  const source: Partial<ReceiptSource> = {
    block: async () => encodeBlock(block),
    slot: async () => ({ height: 1, rows }),
    violation: async () => shown,
    ...change,
  };
  return source as ReceiptSource;
}

async function complaint(change: Partial<ReceiptSource>): Promise<string | undefined> {
  const checks = createAnswerChecks();
  checks.note(block);
  return checks.look(node(change), 1);
}

test("right answers are right, with other signatures and another time of arrival, too", async () => {
  assert.equal(await complaint({}), undefined);
  const { signatures } = block.certificate;
  const other = { ...block, lock_ms: 1, certificate: { round: 1, signatures: signatures.slice(1) } };
  assert.equal(await complaint({ block: async () => encodeBlock(other) }), undefined);
  assert.equal(await complaint({ slot: async () => undefined }), undefined, "it keeps none of so long ago");
});

test("a bill, a slot's energy, a verdict and a record that are told otherwise are named by what they are", async () => {
  const otherBill = { ...block, results: sealedWith(42).results };
  const otherTime = { ...block, time_ms: block.time_ms + 1 };
  for (const [change, words] of [
    [
      { block: async () => encodeBlock(otherBill) },
      /^asked for block 1 it answers with other results: operation 1: effect 0, bill, of contract community is another/,
    ],
    [{ block: async () => encodeBlock(otherTime) }, /^asked for block 1 it answers with other records than its header/],
    [{ block: async () => undefined }, /^asked for block 1 it answers with none, and lists one$/],
    [{ block: async () => Uint8Array.of(1) }, /^asked for block 1 it answers with what is none: /],
    [
      { slot: async () => ({ height: 1, rows: [{ ...rows[0]!, imported: 1n }] }) },
      /^of the slot from 900 it tells other energies than block 1 has sealed$/,
    ],
    [
      { violation: async () => ({ ...shown, detail: { last: 4 } }) },
      /^violation 1:1:0 against \w{16}: the node tells another detail of it than the block has sealed$/,
    ],
  ] as const) {
    assert.match((await complaint(change as Partial<ReceiptSource>)) ?? "nothing", words);
  }
});

test("what was answered otherwise is asked again until it is right, and what fails is asked again behind the others", async () => {
  const checks = createAnswerChecks();
  checks.note(block);
  const wrong = { block: async () => undefined };
  assert.notEqual(await checks.look(node(wrong), 1), undefined);
  assert.notEqual(await checks.look(node(wrong), 1), undefined);
  assert.equal(await checks.look(node(), 1), undefined);
  checks.note(block);
  await assert.rejects(checks.look(node({ block: () => Promise.reject(new Error("503")) }), 1), /503/);
  assert.notEqual(await checks.look(node(wrong), 1), undefined, "it was not let go of");
});
