// `gridseal receipt get` and `receipt verify`: the proof that one record is sealed, fetched from a node and checked without any.

import type { Command } from "commander";
import { concatBytes, equalBytes, toHex } from "../../src/wire/bytes.js";
import { chainOf, type Genesis } from "../../src/wire/genesis.js";
import { decodeHeader, headerHash } from "../../src/wire/header.js";
import { LINEAGE_BYTES_MAX, lineageUpTo } from "../../src/wire/lineage.js";
import { readOrder } from "../../src/wire/order.js";
import {
  decodeReceiptFile,
  RECEIPT_BYTES_MAX,
  type Receipt,
  type ReceiptFile,
  verifyReceipt,
} from "../../src/wire/receipt.js";
import { type Record as MeterRecord, parseRecord, RECORD_BYTES_MAX } from "../../src/wire/record.js";
import { nodeVerify } from "../crypto/signatures.js";
import { GridsealError, reasonOf } from "../errors.js";
import { readGenesisFile } from "../files/genesis-file.js";
import { createFile, readWhole } from "../files/made-once.js";
import type { SourceOptions } from "../sources/open.js";
import { openNodeSource } from "../sources/open.js";
import { chainOfSource } from "../sources/source.js";
import { id, whole, withNode } from "../terminal/arguments.js";
import { pairs, printLines, timeText, toJson } from "../terminal/output.js";

interface GetOptions extends SourceOptions {
  readonly service: string;
  readonly meter: Uint8Array;
  readonly seq: number;
  readonly output: string;
  readonly json?: true;
}

interface VerifyOptions {
  readonly genesis: string;
  readonly record?: string;
  readonly json?: true;
}

export function registerReceipt(program: Command): void {
  const receipt = program.command("receipt").description("proofs that records are sealed");
  withNode(receipt.command("get").description("fetch the receipt of a record"))
    .requiredOption("--service <name>", "name or number of the record's service")
    .requiredOption("--meter <id>", "the meter's id, 16 hex digits", id)
    .requiredOption("--seq <number>", "the record's sequence number", whole(0, Number.MAX_SAFE_INTEGER))
    .requiredOption("-o, --output <file>", "file to make")
    .option("--json", "print JSON")
    .action(getReceipt);
  receipt
    .command("verify")
    .description("check a receipt with nothing but the genesis")
    .argument("<file>", "receipt")
    .requiredOption("--genesis <file>", "the network's genesis")
    .option("--record <file>", "the record that it must be for, with or without its disclosures")
    .option("--json", "print JSON")
    .action(verify);
}

async function getReceipt(options: GetOptions): Promise<void> {
  const source = await openNodeSource(options);
  try {
    const { service, name } = await chainOfSource(source, options.service);
    const bytes = await source.receipt(service, options.meter, options.seq);
    const { receipt } = readReceipt(bytes, source.origin);
    const lineage = lineageUpTo(await source.lineage(service), receipt.height);
    await createFile(options.output, concatBytes(bytes, ...lineage));
    const summary = { file: options.output, service, name, meter: options.meter, seq: options.seq };
    printLines([
      options.json
        ? toJson({ ...summary, height: receipt.height, recordHash: receipt.recordHash })
        : `${options.output}: record ${options.seq} of meter ${toHex(options.meter)} in block ${receipt.height} of ${name}`,
    ]);
  } finally {
    await source.close();
  }
}

async function verify(file: string, options: VerifyOptions): Promise<void> {
  const { receipt, lineage } = readReceipt(await readWhole(file, RECEIPT_BYTES_MAX + LINEAGE_BYTES_MAX), file);
  const { genesis } = await readGenesisFile(options.genesis);
  try {
    verifyReceipt(receipt, genesis, nodeVerify, lineage);
  } catch (cause) {
    throw new GridsealError("RECEIPT_INVALID", `${file} proves nothing: ${reasonOf(cause)}`, { cause });
  }
  const record = options.record === undefined ? undefined : await readRecordOf(receipt, file, options.record);
  const disclosed = record?.disclosures.map(({ label }) => label);
  const { network, chain, height, recordHash } = receipt;
  const { time_s } = decodeHeader(receipt.header);
  const name = nameOf(genesis, chain, lineage);
  const header = headerHash(receipt.header);
  if (options.json) {
    printLines([
      toJson({ ok: true, network, service: chain, name, height, time: time_s, header, recordHash, disclosed }),
    ]);
    return;
  }
  printLines([
    `${file} is good: the record is sealed`,
    ...pairs([
      ["record", toHex(recordHash)],
      ["chain", `${name} (${chain}) of network ${network}`],
      ["height", height],
      ["header", toHex(header)],
      ["sealed", timeText(time_s * 1000)],
      ...(disclosed === undefined ? [] : [["disclosed", disclosed.join(", ") || "nothing"] as const]),
    ]),
  ]);
}

function readReceipt(bytes: Uint8Array, origin: string): ReceiptFile {
  try {
    return decodeReceiptFile(bytes);
  } catch (cause) {
    throw new GridsealError("RECEIPT_INVALID", `${origin} holds no receipt: ${reasonOf(cause)}`, { cause });
  }
}

/** The chain's name, as the genesis or the order has it that added it; the lineage has been verified. */
function nameOf(genesis: Genesis, chain: number, lineage: readonly Uint8Array[]): string {
  const known = chainOf(genesis, chain);
  if (known !== undefined) return known.name;
  const { action } = readOrder(lineage[0]!, genesis);
  return action.type === "chain" ? action.name : String(chain);
}

/** The record in the file with its disclosures, each of which opens a digest that the meter has signed. */
async function readRecordOf(receipt: Receipt, file: string, path: string): Promise<MeterRecord> {
  const bytes = await readWhole(path, RECORD_BYTES_MAX);
  let record: MeterRecord;
  try {
    record = parseRecord(bytes);
  } catch (cause) {
    throw new GridsealError("RECEIPT_INVALID", `${path} holds no record: ${reasonOf(cause)}`, { cause });
  }
  if (!equalBytes(record.hash, receipt.recordHash)) {
    throw new GridsealError("RECEIPT_INVALID", `${file} is for another record than ${path}`);
  }
  return record;
}
