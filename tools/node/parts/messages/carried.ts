// A sealed message as it is carried: its bytes, its receipt, and by which order its chain's members sealed it.

import { blockTree, decodeBlock } from "../../../../src/wire/block.js";
import { equalBytes } from "../../../../src/wire/bytes.js";
import { memberSetHash } from "../../../../src/wire/genesis.js";
import { sha256 } from "../../../../src/wire/hash.js";
import { encodeCarried } from "../../../../src/wire/message.js";
import { effectItems, outcomesIn } from "../../../../src/wire/outcome.js";
import { receiptEncoder } from "../../../../src/wire/receipt.js";
import { type Governance, governedChain } from "../../../ledger/governance.js";
import { blocks } from "../../chain/tables/blocks.js";
import { type OutgoingPlace, outgoingPlace } from "../../chain/tables/outgoing.js";
import { blockKey } from "../../store/keys.js";
import type { StoreReader } from "../../store/store.js";

export interface MessageName {
  readonly source: number;
  readonly target: number;
  readonly number: number;
}

/** The message as it is carried; undefined where its block is not here, or its records are let go of. */
export function carriedFrom(store: StoreReader, governance: Governance, name: MessageName): Uint8Array | undefined {
  const place = outgoingPlace(store, name.source, { service: name.target, number: name.number });
  return place === undefined ? undefined : carriedAt(store, governance, name.source, place);
}

function carriedAt(store: StoreReader, governance: Governance, source: number, { height, index }: OutgoingPlace) {
  const bytes = store.get(blocks, blockKey(source, height));
  if (bytes === undefined) return undefined;
  const block = decodeBlock(bytes);
  const item = effectItems(block, outcomesIn(block.results))[index];
  const orderedAt = orderOf(governance, source, height, block.memberSet);
  if (item === undefined || orderedAt === undefined) return undefined;
  const records = block.batches.reduce((sum, batch) => sum + batch.records.length, 0);
  const receipt = receiptEncoder(block, blockTree(block))(1 + records + index, sha256(item));
  return encodeCarried(item, receipt, orderedAt);
}

/** Contracts height of the newest order by which these are the members of the height; undefined where none is known here. */
function orderOf(governance: Governance, service: number, height: number, memberSet: Uint8Array): number | undefined {
  const governed = governedChain(governance, service);
  if (governed === undefined) return undefined;
  const isSet = ({ members }: { readonly members: Parameters<typeof memberSetHash>[0] }) =>
    equalBytes(memberSetHash(members), memberSet);
  const order = governed.orders.findLast((known) => known.effectiveHeight <= height && isSet(known));
  return order?.contractsHeight ?? (isSet(governed.chain) ? governed.contractsHeight : undefined);
}
