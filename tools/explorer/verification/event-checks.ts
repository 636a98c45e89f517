// What a node's event tells of a block, which stands on the block's tile, against the block itself.

import type { Block } from "../../../src/wire/block.js";
import { toHex } from "../../../src/wire/bytes.js";
import { headerHash } from "../../../src/wire/header.js";
import { decodeResults } from "../../ledger/violations.js";
import type { BlockEvent } from "../../routes/events.js";

/** What it tells otherwise; undefined where it tells the same. Throws a WireError where the block's results are none. */
export function eventComplaint(event: BlockEvent, block: Block): string | undefined {
  if (event.header !== toHex(headerHash(block.header))) return "the node tells of another block than it serves";
  const records = block.batches.reduce((sum, batch) => sum + batch.records.length, 0);
  const told: readonly (readonly [name: string, told: number, sealed: number])[] = [
    ["records", event.records, records],
    ["violations", event.found.length, decodeResults(block.results).violations.length],
    ["violations of the chain", event.violations, block.counter],
    ["milliseconds as its time", event.time_ms, block.time_ms],
  ];
  const other = told.find(([, one, sealed]) => one !== sealed);
  return other && `the node tells of ${other[1]} ${other[0]}, the block has ${other[2]}`;
}
