// I14: the state that a node keeps is a function of its chain. The chain is replayed from the
// genesis with the code of an audit, and every row of every correct node must have the bytes that
// come of it.

import { type Block, decodeBlock, encodeBlock } from "../../../../src/wire/block.js";
import { equalBytes, fromHex, toHex } from "../../../../src/wire/bytes.js";
import { parseCredential } from "../../../../src/wire/credential.js";
import type { Genesis, GenesisChain } from "../../../../src/wire/genesis.js";
import { headerHash } from "../../../../src/wire/header.js";
import { keyId } from "../../../../src/wire/key.js";
import { readOrder } from "../../../../src/wire/order.js";
import { outcomesIn } from "../../../../src/wire/outcome.js";
import { assertInvariant } from "../../../errors.js";
import type { EntriesResult } from "../../../ledger/entries.js";
import type { ChainView } from "../../../ledger/execution.js";
import { firstTip } from "../../../ledger/first-tip.js";
import { CONTRACTS_SERVICE, initialGovernance } from "../../../ledger/governance.js";
import { MemoryState } from "../../../ledger/memory-state.js";
import { replayWith } from "../../../ledger/replay.js";
import { DUE_PREFIX, dueKey, valueIn } from "../../../ledger/reserved-keys.js";
import { MemorySettlement } from "../../../ledger/settlement/memory-settlement.js";
import type { Settlement } from "../../../ledger/settlement/settle.js";
import { encodeMeterState, encodeOriginState } from "../../../ledger/state.js";
import { EMPTY_STATE, updateState } from "../../../ledger/state-map.js";
import { createGovernor, orderKey, sealedOrders } from "../../../node/chain/sealed-orders.js";
import { blocks } from "../../../node/chain/tables/blocks.js";
import { contractState } from "../../../node/chain/tables/contract-state.js";
import { credentials } from "../../../node/chain/tables/credentials.js";
import { heads } from "../../../node/chain/tables/heads.js";
import { index, locationIn, recordsIn } from "../../../node/chain/tables/runs.js";
import { counters, SLOTS_KEPT, settlements, slots } from "../../../node/chain/tables/settlement.js";
import { stateNodes } from "../../../node/chain/tables/state-nodes.js";
import { faults, meters, origins } from "../../../node/chain/tables/states.js";
import {
  blockKey,
  chainKey,
  idIn,
  idKey,
  type KeyOfChain,
  nodeKey,
  numberIn,
  numberKey,
  slotKey,
  stateKey,
  stateKeyIn,
} from "../../../node/store/keys.js";
import type { AnyTable, Table } from "../../../node/store/table.js";
import type { RunContracts } from "../world/contracts.js";
import { DiskRows } from "../world/rows.js";

type State = ReadonlyMap<string, string>;

/**
 * The rows that the blocks of a chain lead to, each as hex. Throws where a block does not follow
 * from those before.
 */
export async function replayChain(
  genesis: Genesis,
  chain: GenesisChain,
  rows: DiskRows,
  run: RunContracts,
): Promise<State> {
  const replayed = new DiskRows();
  const hashes = new Map<string, Uint8Array>();
  const service = chain.service;
  const contracts = new MemoryState();
  const settlement = new MemorySettlement();
  const view: ChainView = {
    meter: (kid) => replayed.get(meters, idKey(service, fromHex(kid)!)),
    origin: (node) => replayed.get(origins, idKey(service, fromHex(node)!)),
    faults: (node) => replayed.get(faults, idKey(service, fromHex(node)!)) ?? [],
    sealedHash: (kid, seq) => hashes.get(`${kid}/${seq}`),
    credential: (kid) => replayed.get(credentials, idKey(service, fromHex(kid)!)),
    state: contracts,
    settlement,
  };
  const known = createGovernor(genesis, rows).current;
  const governance = service === CONTRACTS_SERVICE ? initialGovernance(genesis) : known;
  let tip = firstTip({ genesis, chain, governance, view });
  let records = 0;
  for (let bytes = blockAt(rows, service, 1); bytes !== undefined; bytes = blockAt(rows, service, tip.height)) {
    const block = decodeBlock(bytes);
    const {
      execution,
      entries,
      settlement: settled,
      records: sealed,
      orders,
      nextMembers,
    } = await replayWith(tip, block, { run });
    checkDeadlines(block, contracts, entries.writes);
    contracts.apply(entries);
    settlement.apply(settled);
    putSettlement(replayed, service, settled);
    for (const [place, { kid, claims, hash }] of sealed.entries()) {
      replayed.put(index, numberKey(service, kid, claims.seq), {
        height: block.height,
        records: [{ leaf: place + 1, hash }],
      });
      hashes.set(`${toHex(kid)}/${claims.seq}`, hash);
    }
    for (const [kid, state] of execution.meters) replayed.put(meters, idKey(service, fromHex(kid)!), state);
    for (const [node, state] of execution.origins) replayed.put(origins, idKey(service, fromHex(node)!), state);
    for (const [node, heights] of execution.faults) replayed.put(faults, idKey(service, fromHex(node)!), heights);
    for (const order of orders) {
      const key = orderKey(readOrder(order, genesis).number);
      replayed.put(sealedOrders, key, { contractsHeight: block.height, bytes: order });
    }
    for (const credential of execution.credentials.values()) {
      replayed.put(credentials, idKey(service, keyId(parseCredential(credential).key)), credential);
    }
    for (const [key, value] of entries.writes) {
      if (value === undefined) replayed.delete(contractState, stateKey(service, key));
      else replayed.put(contractState, stateKey(service, key), value);
    }
    records += sealed.length;
    const { height, counter, time_ms, judgedAt } = block;
    const previous = headerHash(block.header);
    replayed.put(blocks, blockKey(service, height), bytes);
    const totals = { counter, time_ms, records, judgedAt, stateRoot: block.stateRoot };
    replayed.put(heads, chainKey(service), { height, headerHash: previous, ...totals });
    const after = { governance: execution.governance, members: nextMembers };
    tip = { ...tip, ...after, height: height + 1, previous, counter, time_ms, judgedAt };
  }
  // The map's nodes follow from all entries at once, whatever the order in which blocks have written them.
  const entries = new Map(replayed.all(contractState, service).map(({ key, row }) => [stateKeyIn(key), row]));
  const { root, added } = updateState(contracts, EMPTY_STATE, entries);
  assertInvariant(equalBytes(root, contracts.root), "a state's root is that of its entries");
  for (const [hash, node] of added) replayed.put(stateNodes, nodeKey(service, fromHex(hash)!), node);
  return stateOf(replayed, service);
}

function putSettlement(rows: DiskRows, service: number, { head, counters: read, closed }: Settlement): void {
  if (head !== undefined) rows.put(settlements, chainKey(service), head);
  for (const [meter, row] of read) rows.put(counters, idKey(service, fromHex(meter)!), row);
  for (const { slot, rows: own } of closed) {
    rows.put(slots, slotKey(service, slot.start_s), { height: head!.height, rows: own });
    rows.delete(slots, slotKey(service, slot.start_s - SLOTS_KEPT * slot.slot_s));
  }
}

/** I33: a deadline goes by falling due alone, as contracts of a simulation take none back. Throws where one is lost. */
function checkDeadlines(block: Block, before: MemoryState, writes: EntriesResult["writes"]): void {
  const fell = outcomesIn(block.results).flatMap(({ entry }) =>
    entry.kind === "due" ? [dueKey(entry.time_s, entry.contract, entry.key)] : [],
  );
  for (const [key, value] of writes) {
    const isLost = key.startsWith(DUE_PREFIX) && value === undefined && !fell.includes(key);
    if (isLost && valueIn(before, key) !== undefined)
      throw new Error(`I33 block ${block.height} loses deadline ${key}`);
  }
}

/** What a node keeps of a chain, but for what is local to it, each row as hex. */
export function stateOf(rows: DiskRows, service: number): State {
  const state = new Map<string, string>();
  const head = rows.get(heads, chainKey(service));
  if (head !== undefined) {
    state.set("head", toHex(heads.encode(head)));
  }
  for (const { key, row } of rows.all(blocks, service)) state.set(`block ${toHex(key)}`, toHex(sharedBytes(row)));
  for (const { key, row } of rows.all(meters, service)) state.set(`meter ${toHex(key)}`, toHex(encodeMeterState(row)));
  for (const { key, row } of rows.all(origins, service)) {
    state.set(`origin ${toHex(key)}`, toHex(encodeOriginState(row)));
  }
  for (const { key, row } of rows.all(contractState, service)) state.set(`entry ${toHex(key)}`, toHex(row));
  for (const { key, row } of rows.all(stateNodes, service)) state.set(`node ${toHex(key)}`, toHex(row));
  for (const table of [settlements, counters, slots] as readonly AnyTable[]) {
    for (const { key, row } of rows.all(table as Table<KeyOfChain, unknown, unknown>, service)) {
      state.set(`${table.name} ${toHex(key)}`, toHex(table.encode(row as never)));
    }
  }
  for (const { key, row } of rows.all(faults, service)) state.set(`faults ${toHex(key)}`, row.join(" "));
  for (const { key, row } of service === CONTRACTS_SERVICE ? rows.all(sealedOrders) : []) {
    state.set(`order ${toHex(key)}`, `${row.contractsHeight} ${toHex(row.bytes)}`);
  }
  for (const { key, row } of rows.all(credentials, service)) state.set(`credential ${toHex(key)}`, toHex(row));
  for (const { key, row } of rows.all(index, service)) {
    for (let behind = 0; behind < recordsIn(row); behind += 1) {
      const { height, leaf, hash } = locationIn(row, behind)!;
      state.set(`index ${toHex(idIn(key))}/${numberIn(key) + behind}`, `${height}/${leaf} ${toHex(hash)}`);
    }
  }
  return state;
}

/** The first row in which two states differ. */
export function difference(left: State, right: State): string | undefined {
  for (const [key, value] of left) if (right.get(key) !== value) return key;
  for (const key of right.keys()) if (!left.has(key)) return key;
  return undefined;
}

function blockAt(rows: DiskRows, service: number, height: number): Uint8Array | undefined {
  return rows.get(blocks, blockKey(service, height));
}

/** A block less what stands beside it: lock time and certificate are each node's own. */
function sharedBytes(bytes: Uint8Array): Uint8Array {
  const block: Block = { ...decodeBlock(bytes), lock_ms: 0, certificate: { round: 0, signatures: [] } };
  return encodeBlock(block);
}
