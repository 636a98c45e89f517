// I14: the state that a node keeps is a function of its chain. The chain is replayed from the
// genesis with the code of an audit, and every row of every correct node must have the bytes that
// come of it.

import { type Block, decodeBlock, encodeBlock } from "../../../../src/wire/block.js";
import { fromHex, toHex } from "../../../../src/wire/bytes.js";
import { encodeCbor } from "../../../../src/wire/cbor.js";
import { parseCredential } from "../../../../src/wire/credential.js";
import type { Genesis, GenesisChain } from "../../../../src/wire/genesis.js";
import { headerHash } from "../../../../src/wire/header.js";
import { keyId } from "../../../../src/wire/key.js";
import { readOrder } from "../../../../src/wire/order.js";
import type { ChainView } from "../../../ledger/execution.js";
import { firstTip } from "../../../ledger/first-tip.js";
import { CONTRACTS_SERVICE, initialGovernance } from "../../../ledger/governance.js";
import { replayBlock } from "../../../ledger/replay.js";
import { encodeMeterState, encodeOriginState } from "../../../ledger/state.js";
import { createGovernor } from "../../../node/chain/sealed-orders.js";
import { blockKey, emptyTables, idKey, numberKey, orderKey, rowsOf, type Tables } from "../world/tables.js";

type State = ReadonlyMap<string, string>;

/**
 * The rows that the blocks of a chain lead to, each as hex. Throws where a block does not follow
 * from those before.
 */
export function replayChain(genesis: Genesis, chain: GenesisChain, tables: Tables): State {
  const replayed = emptyTables();
  const hashes = new Map<string, Uint8Array>();
  const service = chain.service;
  const view: ChainView = {
    meter: (kid) => replayed.meters.get(`${service}/${kid}`),
    origin: (node) => replayed.origins.get(`${service}/${node}`),
    faults: (node) => replayed.faults.get(`${service}/${node}`) ?? [],
    sealedHash: (kid, seq) => hashes.get(numberKey(service, fromHex(kid)!, seq)),
  };
  const known = createGovernor(genesis, { orders: () => rowsOf(tables.orders, 0).map(([, order]) => order) }).current;
  const governance = service === CONTRACTS_SERVICE ? initialGovernance(genesis) : known;
  let tip = firstTip({ genesis, chain, governance, view });
  let records = 0;
  for (let bytes = blockAt(tables, service, 1); bytes !== undefined; bytes = blockAt(tables, service, tip.height)) {
    const block = decodeBlock(bytes);
    const { execution, records: sealed, orders, nextMembers } = replayBlock(tip, block);
    for (const [index, record] of sealed.entries()) {
      const key = numberKey(service, record.kid, record.claims.seq);
      replayed.index.set(key, { height: block.height, leaf: index + 1 });
      hashes.set(key, record.hash);
    }
    for (const [kid, state] of execution.meters) replayed.meters.set(`${service}/${kid}`, state);
    for (const [node, state] of execution.origins) replayed.origins.set(`${service}/${node}`, state);
    for (const [node, heights] of execution.faults) replayed.faults.set(`${service}/${node}`, heights);
    for (const order of orders) {
      const key = orderKey(readOrder(order, genesis).number);
      replayed.orders.set(key, { contractsHeight: block.height, bytes: order });
    }
    for (const credential of execution.credentials.values()) {
      replayed.credentials.set(idKey(service, keyId(parseCredential(credential).key)), credential);
    }
    records += sealed.length;
    const { height, counter, time_ms, judgedAt } = block;
    const previous = headerHash(block.header);
    replayed.blocks.set(blockKey(service, height), bytes);
    replayed.heads.set(String(service), { height, headerHash: previous, counter, time_ms, records, judgedAt });
    const after = { governance: execution.governance, members: nextMembers };
    tip = { ...tip, ...after, height: height + 1, previous, counter, time_ms, judgedAt };
  }
  return stateOf(replayed, service);
}

/** What a node keeps of a chain, but for what is local to it, each row as hex. */
export function stateOf(tables: Tables, service: number): State {
  const state = new Map<string, string>();
  const head = tables.heads.get(String(service));
  if (head !== undefined) {
    const { height, counter, time_ms, records, judgedAt } = head;
    state.set("head", toHex(encodeCbor([height, head.headerHash, counter, time_ms, records, judgedAt])));
  }
  for (const [key, bytes] of rowsOf(tables.blocks, service)) state.set(`block ${key}`, toHex(sharedBytes(bytes)));
  for (const [key, meter] of rowsOf(tables.meters, service)) state.set(`meter ${key}`, toHex(encodeMeterState(meter)));
  for (const [key, origin] of rowsOf(tables.origins, service)) {
    state.set(`origin ${key}`, toHex(encodeOriginState(origin)));
  }
  for (const [key, heights] of rowsOf(tables.faults, service)) state.set(`faults ${key}`, heights.join(" "));
  for (const [key, order] of service === CONTRACTS_SERVICE ? rowsOf(tables.orders, 0) : []) {
    state.set(`order ${key}`, `${order.contractsHeight} ${toHex(order.bytes)}`);
  }
  for (const [key, bytes] of rowsOf(tables.credentials, service)) state.set(`credential ${key}`, toHex(bytes));
  for (const [key, { height, leaf }] of rowsOf(tables.index, service)) state.set(`index ${key}`, `${height}/${leaf}`);
  return state;
}

/** The first row in which two states differ. */
export function difference(left: State, right: State): string | undefined {
  for (const [key, value] of left) if (right.get(key) !== value) return key;
  for (const key of right.keys()) if (!left.has(key)) return key;
  return undefined;
}

function blockAt(tables: Tables, service: number, height: number): Uint8Array | undefined {
  return tables.blocks.get(blockKey(service, height));
}

/** A block less what stands beside it: lock time and certificate are each node's own. */
function sharedBytes(bytes: Uint8Array): Uint8Array {
  const block: Block = { ...decodeBlock(bytes), lock_ms: 0, certificate: { round: 0, signatures: [] } };
  return encodeBlock(block);
}
