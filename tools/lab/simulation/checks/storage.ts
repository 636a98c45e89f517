// The invariants of what nodes hold: records that they answer for (I4), states that follow from
// their chains (I14), bounded pools (I17).

import { decodeBatch } from "../../../../src/wire/batch.js";
import { equalBytes, fromHex, toHex } from "../../../../src/wire/bytes.js";
import type { Genesis, GenesisChain } from "../../../../src/wire/genesis.js";
import { noticesOf } from "../../../../src/wire/notice.js";
import { type AnyRecord, parseAnyRecord } from "../../../../src/wire/operation.js";
import { reasonOf } from "../../../errors.js";
import { CONTRACTS_SERVICE } from "../../../ledger/governance.js";
import { executionRecord } from "../../../ledger/record-scan.js";
import { ACCEPTED_PER_ORIGIN_MAX, BATCHES_PER_ORIGIN_MAX } from "../../../node/chain/batches/pool.js";
import { sealedOrders } from "../../../node/chain/sealed-orders.js";
import { admitted } from "../../../node/chain/tables/admitted.js";
import { batches } from "../../../node/chain/tables/batches.js";
import { contractState } from "../../../node/chain/tables/contract-state.js";
import { credentials } from "../../../node/chain/tables/credentials.js";
import { locationOf } from "../../../node/chain/tables/runs.js";
import { sealedDisclosures, sealedKey } from "../../../node/chain/tables/sealed-disclosures.js";
import { waitingNotices } from "../../../node/chain/tables/waiting-notices.js";
import { chainIn, idIn, type KeyOfChain, numberKey, stateKeyIn } from "../../../node/store/keys.js";
import type { AnyTable, Table } from "../../../node/store/table.js";
import type { SimulatedContracts } from "../world/contracts.js";
import type { SimulatedNode } from "../world/node-world.js";
import { checkKept } from "./contracts.js";
import type { Membership } from "./membership.js";
import { difference, replayChain, stateOf } from "./replay.js";
import type { Fail } from "./violation.js";

/** Whether a record is on the node's disk: by itself, in a temporary block, or in a block. */
export function isDurable(node: SimulatedNode, record: AnyRecord): boolean {
  const { rows } = node.disk;
  const { service, seq } = record.claims;
  const waiting = rows.get(admitted, numberKey(service, record.kid, seq));
  if (waiting !== undefined && equalBytes(waiting, record.stripped)) return true;
  if (locationOf(rows, service, record.kid, seq) !== undefined) return true;
  return rows
    .all(batches, service)
    .some(({ row }) => decodeBatch(row).batch.records.some((held) => equalBytes(held, record.stripped)));
}

/**
 * Keys of the records that a repair must not lose: unsealed, in rows that are whole, of meters that
 * the node can present, with what it has encrypted where they hide something.
 */
export function heldRecords({ id, disk }: SimulatedNode): ReadonlySet<string> {
  const whole = <Key extends KeyOfChain, Row>(table: Table<Key, Row, never>) =>
    disk.rows.all(table).filter(({ key }) => disk.isWhole(table as AnyTable, key));
  const presentable = new Set(whole(credentials).map(({ key }) => toHex(idIn(key))));
  const encrypted = new Set(
    whole(sealedDisclosures)
      .filter(({ key, row }) => sealedKey({ chain: chainIn(key), origin: fromHex(id)! }, row).equals(key))
      .map(({ row }) => toHex(row.recordHash)),
  );
  const isWhole = (record: AnyRecord) => !executionRecord(record).hides || encrypted.has(toHex(record.hash));
  const waiting = whole(admitted)
    .filter(({ row }) => isWhole(parseAnyRecord(row)))
    .map(({ key }) => key);
  for (const { key, row } of whole(batches)) {
    if (toHex(idIn(key)) !== id) continue;
    const { chain, records } = decodeBatch(row).batch;
    for (const record of records.map((bytes) => parseAnyRecord(bytes)).filter(isWhole)) {
      waiting.push(numberKey(chain, record.kid, record.claims.seq));
    }
  }
  return new Set(waiting.filter((key) => presentable.has(toHex(idIn(key)))).map((key) => key.toString("hex")));
}

/** Whether an order is on the node's disk: by itself, in a temporary block, or sealed. */
export function isOrderDurable({ disk: { rows } }: SimulatedNode, order: Uint8Array): boolean {
  const held = [
    ...rows.all(waitingNotices, CONTRACTS_SERVICE).map(({ row }) => row.bytes),
    ...rows.all(batches, CONTRACTS_SERVICE).flatMap(({ row }) => noticesOf(decodeBatch(row).batch.notices, "order")),
    ...rows.all(sealedOrders).map(({ row }) => row.bytes),
  ];
  return held.some((bytes) => equalBytes(bytes, order));
}

export interface StatesPorts {
  readonly genesis: Genesis;
  readonly membership: Membership;
  readonly correct: readonly SimulatedNode[];
  readonly contracts: SimulatedContracts;
  readonly fail: Fail;
}

/** I14: every correct node has the state that a replay of the first one's blocks gives. I28: no failed run has left anything there. */
export async function checkStates({ genesis, membership, correct, contracts, fail }: StatesPorts): Promise<void> {
  for (const chain of membership.chains) {
    const holders = correct.filter((node) => node.chains.has(chain.service));
    if (holders.length === 0) continue;
    const first = holders[0]!;
    const where = `${first.label} chain ${chain.service}`;
    let replayed: Awaited<ReturnType<typeof replayChain>>;
    try {
      replayed = await replayChain(genesis, chain, first.disk.rows, contracts.reference);
    } catch (error) {
      return fail("I14 state is a function of the chain", `${where}: ${reasonOf(error)}`);
    }
    for (const node of holders) {
      const row = difference(replayed, stateOf(node.disk.rows, chain.service));
      if (row !== undefined)
        fail("I14 state is a function of the chain", `${node.label} chain ${chain.service} ${row}`);
    }
    for (const { key, row } of first.disk.rows.all(contractState, chain.service)) {
      const place = { service: chain.service, where: `${where}: ${stateKeyIn(key)}` };
      if (!stateKeyIn(key).startsWith("/")) checkKept(membership.contracts, place, row, fail);
    }
  }
}

/** I17: what peers and meters make a node hold has its limits. */
export function checkBounds(chains: readonly GenesisChain[], correct: readonly SimulatedNode[], fail: Fail): void {
  for (const node of correct) {
    for (const { service } of chains) {
      const held = new Map<string, number>();
      for (const { key } of node.disk.rows.all(batches, service)) {
        const origin = toHex(idIn(key));
        held.set(origin, (held.get(origin) ?? 0) + 1);
      }
      for (const [origin, number] of held) {
        const most = BATCHES_PER_ORIGIN_MAX + ACCEPTED_PER_ORIGIN_MAX;
        if (number > most) fail("I17 bounded pools", `${node.label} holds ${number} of ${origin}`);
      }
    }
  }
}
