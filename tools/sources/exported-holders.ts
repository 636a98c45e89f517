// Who signs records in an exported chain, as a node tells it of its own (routes/holders.ts): read from the blocks, not audited.

import type { Block } from "../../src/wire/block.js";
import { toHex } from "../../src/wire/bytes.js";
import { parseCredential } from "../../src/wire/credential.js";
import { keyId } from "../../src/wire/key.js";
import { noticesOf } from "../../src/wire/notice.js";
import { GridsealError } from "../errors.js";
import { SEQUENCE_WINDOW } from "../ledger/execution.js";
import { readRecord } from "../ledger/record-scan.js";
import type { HolderRow } from "../routes/holders.js";
import { readBlocks } from "./file.js";

export interface ExportedHolders {
  readonly service: number;
  /** of the newest block */
  readonly time_ms: number;
  /** in the order of their ids */
  readonly holders: readonly HolderRow[];
}

interface Known {
  readonly kid: Uint8Array;
  readonly credential: Uint8Array;
  high: number;
  time_s: number | undefined;
  sealed_s: number | undefined;
  /** ranges below the highest number that are not sealed and may still come, both ends included */
  gaps: readonly (readonly [number, number])[];
}

/** Rejects with FILE_UNREADABLE or CHAIN_INVALID. */
export async function exportedHolders(file: string): Promise<ExportedHolders> {
  const known = new Map<string, Known>();
  let newest: Block | undefined;
  await readBlocks(file, (block) => {
    newest = block;
    readBlock(known, block);
  });
  if (newest === undefined) throw new GridsealError("CHAIN_INVALID", `${file} holds no block`);
  const holders = [...known.keys()].sort().flatMap((id): HolderRow[] => {
    const { gaps, ...holder } = known.get(id)!;
    const missing = gaps.reduce((sum, [first, last]) => sum + last - first + 1, 0);
    return holder.high < 0 ? [] : [{ ...holder, missing }];
  });
  return { service: newest.chain, time_ms: newest.time_ms, holders };
}

function readBlock(known: Map<string, Known>, { batches, time_ms }: Block): void {
  const sealed_s = Math.floor(time_ms / 1_000);
  for (const { notices, records } of batches) {
    for (const credential of noticesOf(notices, "credential")) {
      const kid = keyId(parseCredential(credential).key);
      const before = known.get(toHex(kid));
      const none = { high: -1, time_s: undefined, sealed_s: undefined, gaps: [] };
      // A renewed one takes the place of the one before.
      known.set(toHex(kid), { ...(before ?? none), kid, credential });
    }
    for (const bytes of records) {
      const { kid, claims } = readRecord(bytes);
      const holder = known.get(toHex(kid));
      if (holder !== undefined) note(holder, claims, sealed_s);
    }
  }
}

/** As the rules of a chain count numbers: a gap behind the window is closed. */
function note(holder: Known, { seq, time_s }: { readonly seq: number; readonly time_s: number }, sealed_s: number) {
  if (seq > holder.high) {
    const open = holder.gaps.filter(([, last]) => last >= seq - SEQUENCE_WINDOW);
    holder.gaps = seq > holder.high + 1 ? [...open, [holder.high + 1, seq - 1]] : open;
    Object.assign(holder, { high: seq, time_s, sealed_s });
    return;
  }
  holder.gaps = holder.gaps.flatMap(([first, last]): (readonly [number, number])[] => {
    if (seq < first || seq > last) return [[first, last]];
    return [...(first < seq ? [[first, seq - 1] as const] : []), ...(seq < last ? [[seq + 1, last] as const] : [])];
  });
}
