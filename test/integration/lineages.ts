// What must hold of a chain whose members have changed, or which was added: a receipt's file alone leads from the genesis to the
// members that the sealed orders give, by the stranger's code and by the command's.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { StrangerChainReport } from "../wire/stranger.js";
import { followLineage, sequenceOf, verifyReceipt } from "../wire/stranger-receipt.js";
import { gridseal, gridsealJson } from "./processes.js";

/** Whether orders have made the chain, or other members than its first ones have sealed blocks of it. */
export function isGoverned({ chain, members, orders }: StrangerChainReport): boolean {
  return orders.chains.get(chain)!.sets[0]!.at > 0 || members.some((set) => set.join() !== members[0]!.join());
}

/** Fetches the receipt of the newest record of a chain that the stranger has verified, with its lineage, and proves it twice. */
export async function verifyNewestReceipt(
  report: StrangerChainReport,
  genesis: string,
  data: string,
  folder: string,
): Promise<void> {
  const newest = report.records.at(-1);
  if (newest === undefined) return;
  const file = join(folder, `${report.chain}.receipt`);
  const which = ["--service", String(report.chain), "--meter", newest.meter, "--seq", String(newest.seq)];
  const got = await gridseal("receipt", "get", "--data", data, "--genesis", genesis, ...which, "--out", file);
  assert.equal(got.status, 0, got.errors);
  const [genesisBytes, bytes] = await Promise.all([readFile(genesis), readFile(file)]);
  const { chain, height, record, header } = verifyReceipt(genesisBytes, bytes);
  assert.deepEqual([chain, height, record], [report.chain, newest.height, newest.hash]);
  const verified = await gridsealJson("receipt", "verify", file, "--genesis", genesis);
  const { ok, service, height: sealed, recordHash, header: named } = verified as Readonly<Record<string, unknown>>;
  assert.deepEqual([ok, service, sealed, recordHash, named], [true, chain, height, record, header]);
  assertSameMembers(report, genesisBytes, sequenceOf(bytes).slice(1), height);
}

/** Fails unless a lineage leads to those who have sealed the blocks up to this height, and to nobody else. */
export function assertSameMembers(
  { chain, members }: StrangerChainReport,
  genesisBytes: Uint8Array,
  lineage: readonly Uint8Array[],
  height: number,
): void {
  const sets = followLineage(genesisBytes, chain, lineage);
  for (let at = 1; at <= height; at += 1) {
    const proved = sets.findLast(({ from }) => from <= at)!.members.map(({ id }) => id);
    assert.deepEqual(proved, members[at - 1], `members of block ${at} of chain ${chain}`);
  }
}
