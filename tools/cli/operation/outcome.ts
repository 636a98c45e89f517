// What has become of a sealed operation, by the block that its receipt is of.

import { blockTree, decodeBlock } from "../../../src/wire/block.js";
import { equalBytes } from "../../../src/wire/bytes.js";
import { decodeHeader } from "../../../src/wire/header.js";
import { rootOfLevels } from "../../../src/wire/merkle.js";
import { type EntryOutcome, outcomesIn } from "../../../src/wire/outcome.js";
import type { Receipt } from "../../../src/wire/receipt.js";
import { decodeOutput } from "../../../src/wire/value.js";
import { valueToJson } from "../../contracts/value-json.js";
import { GridsealError, reasonOf } from "../../errors.js";
import { failures } from "../../ledger/outcome.js";
import { toJson } from "../../terminal/output.js";

export interface SealedOutcome {
  readonly type: EntryOutcome["type"];
  readonly words: string;
}

/** Throws CHAIN_INVALID where the bytes are not the block that the receipt, which has been verified, is of. */
export function sealedOutcome(bytes: Uint8Array, receipt: Receipt): SealedOutcome {
  try {
    const block = decodeBlock(bytes);
    const isSealed = equalBytes(rootOfLevels(blockTree(block)), decodeHeader(receipt.header).merkleRoot);
    if (!isSealed || !equalBytes(block.header, receipt.header)) throw new Error("it is another one");
    const isOf = ({ entry }: EntryOutcome) => entry.kind === "operation" && entry.leaf === receipt.leaf;
    const outcome = outcomesIn(block.results).find(isOf);
    if (outcome === undefined) throw new Error("it does not say what has become of the operation");
    return { type: outcome.type, words: wordsOf(outcome) };
  } catch (cause) {
    const what = `block ${receipt.height} is not the one of the receipt`;
    throw new GridsealError("CHAIN_INVALID", `${what}: ${reasonOf(cause)}`, { cause });
  }
}

function wordsOf(outcome: EntryOutcome): string {
  switch (outcome.type) {
    case "unhandled":
      return "unhandled, no contract takes it";
    case "expired":
      return "expired, it came too late";
    case "told":
      return "told to the contracts chain";
    case "done":
      return `done by ${outcome.contract}`;
    case "failed":
      return `failed in ${outcome.contract}: ${failures[outcome.reason]}`;
    case "denied": {
      const rules = outcome.denials.map(({ rule, body }) => `${rule} ${toJson(valueToJson(decodeOutput(body)))}`);
      return `denied by ${outcome.contract}: ${rules.join(", ")}`;
    }
  }
}
