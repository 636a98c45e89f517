// What a node holds on disk of other nodes' temporary blocks that no quorum has accepted (I17): so many bytes of each origin, and so
// many records in those whose records were all sealed when they came.

import { decodeBatch } from "../../../../src/wire/batch.js";
import { decodeBlockViews } from "../../../../src/wire/block.js";
import { toHex } from "../../../../src/wire/bytes.js";
import { sha256 } from "../../../../src/wire/hash.js";
import { BATCH_BYTES_PER_ORIGIN_MAX, SPENT_RECORDS_PER_ORIGIN_MAX } from "../../../node/chain/batches/pool.js";
import { acceptances, batches } from "../../../node/chain/tables/batches.js";
import { blocks } from "../../../node/chain/tables/blocks.js";
import { heads } from "../../../node/chain/tables/heads.js";
import { type BlockKey, chainIn, chainKey, heightIn, idIn, type NumberKey } from "../../../node/store/keys.js";
import { decodeRow } from "../../../node/store/table.js";
import type { NotedRow } from "../../../node/store/writer.js";
import type { SimulatedNode } from "../world/node-world.js";
import { nameOf } from "../world/rows.js";
import type { Fail } from "./violation.js";

/** What was sealed so long before a row was written was sealed when its frame came. */
const ON_ITS_WAY_MS = 3_000;

export interface Holdings {
  onDurable(node: SimulatedNode, rows: readonly NotedRow[]): void;
}

interface Sealed {
  readonly height: number;
  readonly at_ms: number;
}

export function createHoldings(now_ms: () => number, fail: Fail): Holdings {
  /** by node and chain, and by hash: where each record is sealed on its disk, and since when */
  const sealed = new Map<string, Map<string, Sealed>>();
  /** by node and row: records in those that held nothing new */
  const spent = new Map<string, Map<string, number>>();

  const sealedOf = (node: SimulatedNode, chain: number) => within(sealed, `${node.id}/${chain}`);

  const isOld = (node: SimulatedNode, chain: number, record: Uint8Array): boolean => {
    const place = sealedOf(node, chain).get(toHex(sha256(record)));
    const height = node.disk.rows.get(heads, chainKey(chain))?.height ?? 0;
    return place !== undefined && place.height <= height && now_ms() - place.at_ms > ON_ITS_WAY_MS;
  };

  const noteBlock = (node: SimulatedNode, key: BlockKey, bytes: Uint8Array) => {
    const ofChain = sealedOf(node, chainIn(key));
    const place = { height: heightIn(key), at_ms: now_ms() };
    for (const record of decodeBlockViews(bytes).batches.flatMap(({ records }) => records)) {
      ofChain.set(toHex(sha256(record)), place);
    }
  };

  const noteBatch = (node: SimulatedNode, key: NumberKey, bytes: Uint8Array) => {
    const { chain, records, notices } = decodeBatch(bytes).batch;
    const isBare = notices.every(({ kind }) => kind === "credential");
    const isSpent = isBare && records.every((record) => isOld(node, chain, record));
    const ofNode = within(spent, node.id);
    if (isSpent) ofNode.set(nameOf(key), records.length);
    else ofNode.delete(nameOf(key));
  };

  const check = (node: SimulatedNode, chain: number) => {
    const held = new Map<string, { bytes: number; records: number }>();
    for (const { key, row } of node.disk.rows.all(batches, chain)) {
      const origin = toHex(idIn(key));
      if (origin === node.id || node.disk.rows.has(acceptances, key)) continue;
      const sum = held.get(origin) ?? { bytes: 0, records: 0 };
      sum.bytes += row.length;
      sum.records += spent.get(node.id)?.get(nameOf(key)) ?? 0;
      held.set(origin, sum);
    }
    for (const [origin, { bytes, records }] of held) {
      const isBounded = bytes <= BATCH_BYTES_PER_ORIGIN_MAX && records <= SPENT_RECORDS_PER_ORIGIN_MAX;
      const detail = `${node.label} holds ${bytes} bytes of ${origin}, and ${records} records that were sealed`;
      if (!isBounded) fail("I17 bounded pools", detail);
    }
  };

  return {
    onDurable(node, rows) {
      const touched = new Set<number>();
      for (const { table, key, row } of rows) {
        if (row === undefined) continue;
        if (table.name === blocks.name) noteBlock(node, key as BlockKey, decodeRow(blocks, row));
        if (table.name !== batches.name) continue;
        noteBatch(node, key as NumberKey, decodeRow(batches, row));
        touched.add(chainIn(key as NumberKey));
      }
      for (const chain of touched) check(node, chain);
    },
  };
}

function within<Key, Value>(of: Map<string, Map<Key, Value>>, name: string): Map<Key, Value> {
  const known = of.get(name) ?? new Map<Key, Value>();
  of.set(name, known);
  return known;
}
