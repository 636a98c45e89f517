// `gridseal receipt verify`: the proof that one record is sealed, checked without any node.

import type { Command } from "commander";
import { equalBytes, toHex } from "../../../src/wire/bytes.js";
import { decodeHeader, headerHash } from "../../../src/wire/header.js";
import { LINEAGE_BYTES_MAX } from "../../../src/wire/lineage.js";
import { type AnyRecord, OPERATION_BYTES_MAX, parseAnyRecord } from "../../../src/wire/operation.js";
import { type Receipt, verifyReceipt } from "../../../src/wire/receipt.js";
import { isSlotProof, SLOT_PROOF_BYTES_MAX } from "../../../src/wire/slot-proof.js";
import { nodeVerify } from "../../crypto/signatures.js";
import { GridsealError, reasonOf } from "../../errors.js";
import { readGenesisFile } from "../../files/genesis-file.js";
import { readWhole } from "../../files/made-once.js";
import { networkText, pairs, printLines, secondText, toJson } from "../../terminal/output.js";
import { recordLines, recordView } from "../record/view.js";
import { nameOfChain } from "./chain-name.js";
import { readEffectOf } from "./effect.js";
import { readReceipt } from "./read-receipt.js";
import { verifySlot } from "./slot.js";

interface VerifyOptions {
  readonly genesis: string;
  readonly record?: string;
  readonly effect?: string;
  readonly json?: true;
}

export function registerVerify(receipt: Command): void {
  receipt
    .command("verify")
    .description("check a receipt with nothing but the genesis")
    .argument("<file>", "receipt")
    .requiredOption("--genesis <file>", "the network's genesis")
    .option("--record <file>", "the record that it must be for, with or without its disclosures")
    .option("--effect <file>", "the effect that it must be for, as `receipt get --save` made it")
    .option("--json", "print JSON")
    .action(verify);
}

async function verify(file: string, options: VerifyOptions): Promise<void> {
  const bytes = await readWhole(file, SLOT_PROOF_BYTES_MAX + LINEAGE_BYTES_MAX);
  const { genesis } = await readGenesisFile(options.genesis);
  if (isSlotProof(bytes)) {
    if (options.record !== undefined || options.effect !== undefined) {
      throw new GridsealError("USAGE", `${file} is the proof of a point's slot, of no record and no effect`);
    }
    return verifySlot(file, bytes, genesis, options.json ?? false);
  }
  const { receipt, lineage } = readReceipt(bytes, file);
  try {
    verifyReceipt(receipt, genesis, nodeVerify, lineage);
  } catch (cause) {
    throw new GridsealError("RECEIPT_INVALID", `${file} proves nothing: ${reasonOf(cause)}`, { cause });
  }
  const record = options.record === undefined ? undefined : await readRecordOf(receipt, file, options.record);
  const effect =
    options.effect === undefined ? undefined : await readEffectOf(receipt.recordHash, file, options.effect);
  const disclosed = record?.disclosures.map(({ label }) => label);
  const { network, chain, height, recordHash } = receipt;
  const { time_s } = decodeHeader(receipt.header);
  const name = nameOfChain(genesis, chain, lineage);
  const header = headerHash(receipt.header);
  // A receipt alone does not tell the one from the other.
  const what = effect !== undefined ? "effect" : record !== undefined ? "record" : "hash";
  if (options.json) {
    printLines([
      toJson({
        ...{
          ok: true,
          network,
          isTest: genesis.isTest,
          service: chain,
          name,
          height,
          time: time_s,
          header,
          recordHash,
          disclosed,
          effect,
        },
        record: record && recordView(record.stripped),
      }),
    ]);
    return;
  }
  printLines([
    `${file} is good: ${what === "hash" ? "what has this hash, a record or an effect," : `the ${what}`} is sealed`,
    ...pairs([
      [what, toHex(recordHash)],
      ...(effect === undefined ? [] : [["says", toJson(effect)] as const]),
      ["chain", `${name} (${chain}) of network ${networkText(genesis)}`],
      ["height", height],
      ["header", toHex(header)],
      ["timestamp", secondText(time_s)],
      ...(disclosed === undefined ? [] : [["disclosed", disclosed.join(", ") || "nothing"] as const]),
    ]),
    ...(record === undefined ? [] : recordLines(recordView(record.stripped)).map((line) => line.slice(2))),
  ]);
}

/** The record in the file with its disclosures, each of which opens a digest that its signer has signed. */
async function readRecordOf(receipt: Receipt, file: string, path: string): Promise<AnyRecord> {
  const bytes = await readWhole(path, OPERATION_BYTES_MAX);
  let record: AnyRecord;
  try {
    record = parseAnyRecord(bytes);
  } catch (cause) {
    throw new GridsealError("RECEIPT_INVALID", `${path} holds no record: ${reasonOf(cause)}`, { cause });
  }
  if (!equalBytes(record.hash, receipt.recordHash)) {
    throw new GridsealError("RECEIPT_INVALID", `${file} is for another record than ${path}`);
  }
  return record;
}
