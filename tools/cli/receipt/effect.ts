// The receipt of an effect: made of its block, as a record's is; its bytes say what it is of.

import { InvalidArgumentError } from "commander";
import { blockTree, decodeBlock, effectLeaves } from "../../../src/wire/block.js";
import { concatBytes, equalBytes } from "../../../src/wire/bytes.js";
import { decodeCbor } from "../../../src/wire/cbor.js";
import { entryFromArray, entryText } from "../../../src/wire/entry.js";
import { WireError } from "../../../src/wire/error.js";
import { sha256 } from "../../../src/wire/hash.js";
import { lineageUpTo } from "../../../src/wire/lineage.js";
import { outcomeSaid } from "../../../src/wire/outcome.js";
import { receiptEncoder } from "../../../src/wire/receipt.js";
import { asArray } from "../../../src/wire/shape.js";
import { decodeSlotItem } from "../../../src/wire/slot.js";
import { decodeOutput } from "../../../src/wire/value.js";
import { GridsealError, reasonOf } from "../../errors.js";
import { createFile, readWhole } from "../../files/made-once.js";
import { type SourceOptions, withNodeSource } from "../../sources/open.js";
import { chainOfSource } from "../../sources/source.js";
import { printLines, toJson } from "../../terminal/output.js";

/** The largest value of a contract, and what stands around it. */
const EFFECT_BYTES_MAX = 1_048_576;

export interface EffectPlace {
  readonly height: number;
  /** among the outcomes and effects of the block, from 0 */
  readonly index: number;
}

export function effectPlace(text: string): EffectPlace {
  const match = /^([1-9][0-9]{0,12})[/]([0-9]{1,4})$/.exec(text);
  if (match === null) throw new InvalidArgumentError("It must be HEIGHT/INDEX.");
  return { height: Number(match[1]), index: Number(match[2]) };
}

interface GetEffectOptions extends SourceOptions {
  readonly service: string;
  readonly out: string;
  readonly save?: string;
  readonly json?: true;
}

/** Makes the receipt of an effect from its block. Rejects with NOT_FOUND where the block has no such effect. */
export async function getEffect({ height, index }: EffectPlace, options: GetEffectOptions): Promise<void> {
  await withNodeSource(options, async (source) => {
    const { service, name } = await chainOfSource(source, options.service);
    const bytes = await source.block(service, height);
    const block = bytes === undefined ? undefined : decodeBlock(bytes);
    const item = block === undefined ? undefined : effectLeaves(block)[index];
    if (block === undefined || item === undefined) {
      throw new GridsealError("NOT_FOUND", `block ${height} of ${name} has no effect ${index}`);
    }
    const records = block.batches.reduce((sum, batch) => sum + batch.records.length, 0);
    const receipt = receiptEncoder(block, blockTree(block))(1 + records + index, sha256(item));
    const lineage = lineageUpTo(await source.lineage(service), height);
    await createFile(options.out, concatBytes(receipt, ...lineage));
    if (options.save !== undefined) await createFile(options.save, item);
    const effect = effectView(item);
    printLines([
      options.json
        ? toJson({ file: options.out, service, name, height, index, effect })
        : `${options.out}: effect ${index} of block ${height} of ${name}: ${toJson(effect)}`,
    ]);
  });
}

/** What an effect's bytes say. Throws a WireError where they are none. */
export function effectView(bytes: Uint8Array) {
  const items = asArray(decodeCbor(bytes, { size: EFFECT_BYTES_MAX, items: 16_384 }), "effect");
  const [kind, chain, height, entry] = items;
  if (kind === "gs1/slot") return { kind, ...decodeSlotItem(bytes) };
  const place = { kind, chain, height, entry: entryText(entryFromArray(entry)) };
  if (kind === "gs1/outcome") {
    const [outcome, contract, used, detail] = items.slice(4);
    const { denials, ...said } = outcomeSaid(outcome, detail);
    const denied = denials?.map(({ rule, body }) => ({ rule, body: decodeOutput(body) }));
    return { ...place, ...said, ...(denied !== undefined && { denials: denied }), contract, used };
  }
  if (kind !== "gs1/effect" && kind !== "gs1/message") throw new WireError("shape", "it is no effect of a block");
  const [, contract, name, body, service, number, hops] = items.slice(4);
  const value = decodeOutput(body as Uint8Array);
  return { ...place, contract, name, body: value, ...(service !== undefined && { service, number, hops }) };
}

/** The effect in the file, which the receipt must be of. */
export async function readEffectOf(hash: Uint8Array, file: string, path: string) {
  const bytes = await readWhole(path, EFFECT_BYTES_MAX);
  if (!equalBytes(sha256(bytes), hash)) {
    throw new GridsealError("RECEIPT_INVALID", `${file} is for something else than ${path}`);
  }
  try {
    return effectView(bytes);
  } catch (cause) {
    throw new GridsealError("RECEIPT_INVALID", `${path} holds no effect: ${reasonOf(cause)}`, { cause });
  }
}
