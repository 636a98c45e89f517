// What subscribers are told of a sealed block, the same of one that has just come and of one that is read from the store.

import type { Block } from "../../../../src/wire/block.js";
import { toHex } from "../../../../src/wire/bytes.js";
import { entryText } from "../../../../src/wire/entry.js";
import { headerHash } from "../../../../src/wire/header.js";
import { noticesOf } from "../../../../src/wire/notice.js";
import { readOrder } from "../../../../src/wire/order.js";
import { decodeResults, type Violation } from "../../../ledger/violations.js";
import type { BlockEvent } from "../../../routes/events.js";

/** Throws a WireError where it is no block that a chain can have. */
export function blockEvent(block: Block): BlockEvent {
  return {
    service: block.chain,
    height: block.height,
    header: toHex(headerHash(block.header)),
    records: block.batches.reduce((sum, { records }) => sum + records.length, 0),
    violations: block.counter,
    found: decodeResults(block.results).violations.map(foundView),
    orders: block.batches.flatMap(({ notices }) => noticesOf(notices, "order").map((bytes) => readOrder(bytes).number)),
    time_ms: block.time_ms,
  };
}

/** The block has its proof. */
function foundView(violation: Violation): BlockEvent["found"][number] {
  switch (violation.kind) {
    case "equivocation":
      return { kind: violation.kind, node: toHex(violation.node), height: violation.height };
    case "falseAcknowledgement":
      return { kind: violation.kind, node: toHex(violation.node), number: violation.number };
    case "contract":
      return {
        ...{ kind: violation.kind, subject: toHex(violation.subject), entry: entryText(violation.entry) },
        ...{ contract: violation.contract, name: violation.name },
      };
    default:
      return { kind: violation.kind, meter: toHex(violation.meter), seq: violation.seq };
  }
}
