// The invariants of what nodes hold: records that they answer for (I4), states that follow from
// their chains (I14), bounded pools (I17).

import { decodeBatch } from "../../../../src/wire/batch.js";
import { equalBytes, toHex } from "../../../../src/wire/bytes.js";
import type { Genesis, GenesisChain } from "../../../../src/wire/genesis.js";
import { noticesOf } from "../../../../src/wire/notice.js";
import { parseRecord, type Record } from "../../../../src/wire/record.js";
import { CONTRACTS_SERVICE } from "../../../ledger/governance.js";
import { ACCEPTED_PER_ORIGIN_MAX, BATCHES_PER_ORIGIN_MAX } from "../../../node/chain/batches/pool.js";
import type { SimulatedNode } from "../world/node-world.js";
import { numberKey, rowsOf } from "../world/tables.js";
import { difference, replayChain, stateOf } from "./replay.js";
import type { Fail } from "./violation.js";

/** Whether a record is on the node's disk: by itself, in a temporary block, or in a block. */
export function isDurable(node: SimulatedNode, record: Record): boolean {
  const { tables } = node.disk;
  const { service, seq } = record.claims;
  const key = numberKey(service, record.kid, seq);
  const admitted = tables.admitted.get(key);
  if (admitted !== undefined && equalBytes(admitted, record.stripped)) return true;
  if (tables.index.has(key)) return true;
  return rowsOf(tables.batches, service).some(([, { bytes }]) =>
    decodeBatch(bytes).batch.records.some((held) => equalBytes(held, record.stripped)),
  );
}

/**
 * Keys of the records that a repair must not lose: unsealed, in rows that are whole, of meters that
 * the node can present.
 */
export function heldRecords({ id, disk }: SimulatedNode): ReadonlySet<string> {
  const { tables } = disk;
  const presentable = new Set(
    [...tables.credentials.keys()].filter((key) => disk.isWhole("credentials", key)).map((key) => key.split("/")[1]),
  );
  const waiting = [...tables.admitted.keys()].filter((key) => disk.isWhole("admitted", key));
  for (const [key, { origin, bytes }] of tables.batches) {
    if (toHex(origin) !== id || !disk.isWhole("batches", key)) continue;
    const { chain, records } = decodeBatch(bytes).batch;
    for (const { kid, claims } of records.map(parseRecord)) waiting.push(numberKey(chain, kid, claims.seq));
  }
  return new Set(waiting.filter((key) => presentable.has(key.split("/")[1])));
}

/** Whether an order is on the node's disk: by itself, in a temporary block, or sealed. */
export function isOrderDurable({ disk: { tables } }: SimulatedNode, order: Uint8Array): boolean {
  const held = [
    ...rowsOf(tables.rulings, CONTRACTS_SERVICE).map(([, { bytes }]) => bytes),
    ...rowsOf(tables.batches, CONTRACTS_SERVICE).flatMap(([, { bytes }]) =>
      noticesOf(decodeBatch(bytes).batch.notices, "order"),
    ),
    ...rowsOf(tables.orders, 0).map(([, { bytes }]) => bytes),
  ];
  return held.some((bytes) => equalBytes(bytes, order));
}

/** I14: every correct node has the state that a replay of the first one's blocks gives. */
export function checkStates(
  genesis: Genesis,
  chains: readonly GenesisChain[],
  correct: readonly SimulatedNode[],
  fail: Fail,
): void {
  for (const chain of chains) {
    const holders = correct.filter((node) => node.chains.has(chain.service));
    if (holders.length === 0) continue;
    const replayed = replayChain(genesis, chain, holders[0]!.disk.tables);
    for (const node of holders) {
      const row = difference(replayed, stateOf(node.disk.tables, chain.service));
      if (row !== undefined)
        fail("I14 state is a function of the chain", `${node.label} chain ${chain.service} ${row}`);
    }
  }
}

/** I17: what peers and meters make a node hold has its limits. */
export function checkBounds(chains: readonly GenesisChain[], correct: readonly SimulatedNode[], fail: Fail): void {
  for (const node of correct) {
    for (const { service } of chains) {
      const held = new Map<string, number>();
      for (const [, batch] of rowsOf(node.disk.tables.batches, service)) {
        const origin = toHex(batch.origin);
        held.set(origin, (held.get(origin) ?? 0) + 1);
      }
      for (const [origin, number] of held) {
        const most = BATCHES_PER_ORIGIN_MAX + ACCEPTED_PER_ORIGIN_MAX;
        if (number > most) fail("I17 bounded pools", `${node.label} holds ${number} of ${origin}`);
      }
    }
  }
}
