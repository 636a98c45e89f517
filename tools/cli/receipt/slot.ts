// The proof of a point's slot: its row among the slot's rows, and the receipt of the slot's leaf.

import { blockTree, decodeBlock, effectLeaves, slotsIn } from "../../../src/wire/block.js";
import { concatBytes, toHex } from "../../../src/wire/bytes.js";
import type { Genesis } from "../../../src/wire/genesis.js";
import { sha256 } from "../../../src/wire/hash.js";
import { lineageUpTo } from "../../../src/wire/lineage.js";
import { receiptEncoder } from "../../../src/wire/receipt.js";
import { encodePointRow, type PointRow } from "../../../src/wire/slot.js";
import { decodeSlotProofFile, proofOfRow, verifySlotProof } from "../../../src/wire/slot-proof.js";
import { nodeVerify } from "../../crypto/signatures.js";
import { GridsealError, reasonOf } from "../../errors.js";
import { createFile } from "../../files/made-once.js";
import { type SourceOptions, withNodeSource } from "../../sources/open.js";
import { chainOfSource, type ReceiptSource } from "../../sources/source.js";
import { decimal, networkText, pairs, printLines, timeText, toJson } from "../../terminal/output.js";
import { doubtText } from "../chain/doubt-text.js";

interface GetSlotOptions extends SourceOptions {
  readonly service: string;
  readonly out: string;
  readonly json?: true;
}

/** Makes the proof of a point's slot. Rejects with NOT_FOUND where the chain has no such slot, or the slot no such point. */
export async function getSlot(
  { start_s, point }: { readonly start_s: number; readonly point: string },
  options: GetSlotOptions,
): Promise<void> {
  await withNodeSource(options, async (source) => {
    const { service, name } = await chainOfSource(source, options.service);
    const slot = await source.slot(service, start_s);
    const when = timeText(start_s * 1_000);
    if (slot === undefined)
      throw new GridsealError("NOT_FOUND", `${source.origin} has no closed slot of ${name} at ${when}`);
    const index = slot.rows.findIndex((row) => row.point === point);
    if (index < 0) throw new GridsealError("NOT_FOUND", `the slot at ${when} of ${name} has no point ${point}`);
    const sealed = await sealedLeaf(source, { service, start_s, height: slot.height });
    const proof = proofOfRow(slot.rows.map(encodePointRow), index, sealed);
    const lineage = lineageUpTo(await source.lineage(service), slot.height);
    await createFile(options.out, concatBytes(proof, ...lineage));
    const row = rowView(slot.rows[index]!);
    printLines([
      options.json
        ? toJson({ file: options.out, service, name, height: slot.height, start: start_s, ...row })
        : `${options.out}: point ${point} in the slot at ${when} of ${name}: ${rowText(slot.rows[index]!)}`,
    ]);
  });
}

/** The leaf of a closed slot, with its receipt. */
async function sealedLeaf(
  source: ReceiptSource,
  { service, start_s, height }: { readonly service: number; readonly start_s: number; readonly height: number },
) {
  const bytes = await source.block(service, height);
  if (bytes === undefined) throw new GridsealError("NOT_FOUND", `${source.origin} has no block ${height}`);
  const block = decodeBlock(bytes);
  const slots = slotsIn(block.results);
  const place = slots.findIndex((slot) => slot.start_s === start_s);
  const leaves = effectLeaves(block);
  const index = leaves.length - slots.length + place;
  const leaf = place < 0 ? undefined : leaves[index];
  if (leaf === undefined) {
    throw new GridsealError(
      "CHAIN_INVALID",
      `block ${height} of ${source.origin} does not close the slot at ${start_s} s`,
    );
  }
  const records = block.batches.reduce((sum, batch) => sum + batch.records.length, 0);
  const receipt = receiptEncoder(block, blockTree(block))(1 + records + index, sha256(leaf));
  return { leaf, receipt };
}

/** Verifies a proof in a file and prints what it proves. Throws RECEIPT_INVALID. */
export function verifySlot(file: string, bytes: Uint8Array, genesis: Genesis, json: boolean): void {
  try {
    const { row, slot, receipt } = verifySlotProof(decodeSlotProofFile(bytes), genesis, nodeVerify);
    const { network, chain, height } = receipt;
    const { start_s, slot_s } = slot;
    if (json) {
      printLines([
        toJson({
          ...{ ok: true, network, isTest: genesis.isTest, service: chain, height },
          ...{ start: start_s, length: slot_s, ...rowView(row) },
        }),
      ]);
      return;
    }
    printLines([
      `${file} is good: the energies of point ${row.point} are sealed`,
      ...pairs([
        ["slot", `${timeText(start_s * 1_000)}, ${slot_s} s`],
        ["energies", rowText(row)],
        ["chain", `${chain} of network ${networkText(genesis)}`],
        ["height", height],
        ["root", toHex(slot.root)],
      ]),
    ]);
  } catch (cause) {
    throw new GridsealError("RECEIPT_INVALID", `${file} proves nothing: ${reasonOf(cause)}`, { cause });
  }
}

export function rowView({ point, imported, exported, quality, doubts }: PointRow) {
  return { point, imported_mWh: imported, exported_mWh: exported, quality, doubts };
}

function rowText({ imported, exported, quality, doubts }: PointRow): string {
  const text = (energy: bigint | null) => (energy === null ? "unknown" : `${decimal(energy, -3)} Wh`);
  return `taken ${text(imported)}, given ${text(exported)}, quality ${quality}, doubts ${doubtText(doubts)}`;
}
