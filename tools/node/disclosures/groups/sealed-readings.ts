// Sealed records of a meter with the time of the block that has each: by it they count in a slot, or came too late.

import { decodeBlockViews } from "../../../../src/wire/block.js";
import { HEIGHT_MAX } from "../../../../src/wire/bounds.js";
import { equalBytes } from "../../../../src/wire/bytes.js";
import { decodeHeader } from "../../../../src/wire/header.js";
import { parseRecord } from "../../../../src/wire/record.js";
import { BoundedMap } from "../../../bounded-map.js";
import { sealedRecordsOf } from "../../chain/sealed-records.js";
import { blocks, outlines } from "../../chain/tables/blocks.js";
import { blockKey } from "../../store/keys.js";
import type { PartReader, StoreReader } from "../../store/store.js";
import type { ComputingPorts } from "./computing.js";

/** Blocks whose time is remembered. */
const TIMES_MAX = 4_096;

/** Reads them; a block's time once, as long as it is remembered. */
export function readsSealed(store: PartReader): ComputingPorts["sealedReading"] {
  const times = new BoundedMap<string, number>(TIMES_MAX);
  const timeOf = (chain: number, height: number): number | undefined => {
    const name = `${chain}/${height}`;
    const known = times.get(name);
    if (known !== undefined) return known;
    const bytes = store.get(blocks, blockKey(chain, height));
    if (bytes === undefined) return undefined;
    const { time_s } = decodeHeader(decodeBlockViews(bytes).header);
    times.set(name, time_s);
    return time_s;
  };
  return (chain, meter, seq, hash) => {
    const found = sealedRecordsOf(store, chain, meter, seq).next().value;
    const isIt = found !== undefined && found.seq === seq && equalBytes(found.hash, hash);
    if (!isIt || found.bytes === undefined) return undefined;
    const sealed_s = timeOf(chain, found.height);
    return sealed_s === undefined ? undefined : { claims: parseRecord(found.bytes).claims, sealed_s };
  };
}

/** UTC seconds of the newest block whose records the node has let go of; 0 where it has all. */
export function letGoUntil_s(store: StoreReader, chain: number): number {
  const range = { start: blockKey(chain, HEIGHT_MAX), end: blockKey(chain, 0), reverse: true, limit: 1 };
  const [newest] = store.range(outlines, range);
  return newest === undefined ? 0 : decodeHeader(newest.row.header).time_s;
}
