// `gridseal operation show`: an operation in a file, or a sealed one by its participant and number.

import type { Command } from "commander";
import { decodeBlock } from "../../../src/wire/block.js";
import { SEQ_MAX } from "../../../src/wire/bounds.js";
import { equalBytes, toHex } from "../../../src/wire/bytes.js";
import { hasOperation, OPERATION_BYTES_MAX, type Operation, parseOperation } from "../../../src/wire/operation.js";
import { decodeReceipt } from "../../../src/wire/receipt.js";
import { GridsealError, reasonOf } from "../../errors.js";
import { readWhole } from "../../files/made-once.js";
import { openFileSource } from "../../sources/file.js";
import { type SourceOptions, withNodeSource } from "../../sources/open.js";
import { type ChainSource, chainOfSource } from "../../sources/source.js";
import { id, whole, withNode } from "../../terminal/arguments.js";
import { printLines, toJson } from "../../terminal/output.js";
import { operationLines, operationView } from "./view.js";

interface ShowOptions extends SourceOptions {
  readonly participant?: Uint8Array;
  readonly seq?: number;
  readonly service?: string;
  readonly json?: true;
}

export function registerShow(operation: Command): void {
  withNode(operation.command("show").description("show an operation, signed or sealed"))
    .argument("[file]", "operation; with --participant and --seq an exported chain")
    .option("--participant <id>", "id of who has signed a sealed one, 16 hex digits", id)
    .option("--seq <number>", "its number", whole(0, SEQ_MAX))
    .option("--service <name>", "name or number of its service; an exported chain has but one")
    .option("--json", "print JSON")
    .action(show);
}

async function show(file: string | undefined, options: ShowOptions): Promise<void> {
  const operation = await find(file, options);
  const view = operationView(operation);
  printLines(options.json ? [toJson(view)] : operationLines(view).map((line) => line.slice(2)));
}

async function find(file: string | undefined, options: ShowOptions): Promise<Operation> {
  const { participant, seq, service } = options;
  if (participant === undefined || seq === undefined) {
    if (file === undefined) throw new GridsealError("USAGE", "name a file, or --participant and --seq of a sealed one");
    return readOperation(await readWhole(file, OPERATION_BYTES_MAX), file);
  }
  if (file !== undefined) return findIn(await openFileSource(file), participant, seq);
  if (service === undefined) throw new GridsealError("USAGE", "name the operation's service with --service");
  return withNodeSource(options, async (source) => {
    const { service: chain } = await chainOfSource(source, service);
    const { height, recordHash } = decodeReceipt(await source.receipt(chain, participant, seq));
    const block = await source.block(chain, height);
    const records = block === undefined ? [] : recordsOf(block, source.origin);
    const bytes = records.find((record) => hasOperation(record) && equalBytes(parseOperation(record).hash, recordHash));
    if (bytes === undefined) throw unknown(source.origin, participant, seq);
    return readOperation(bytes, source.origin);
  });
}

async function findIn(source: ChainSource, participant: Uint8Array, seq: number): Promise<Operation> {
  for await (const block of source.blocks(0, 1)) {
    for (const bytes of recordsOf(block, source.origin).filter(hasOperation)) {
      const operation = readOperation(bytes, source.origin);
      if (equalBytes(operation.kid, participant) && operation.claims.seq === seq) return operation;
    }
  }
  throw unknown(source.origin, participant, seq);
}

function recordsOf(block: Uint8Array, origin: string): readonly Uint8Array[] {
  try {
    return decodeBlock(block).batches.flatMap(({ records }) => records);
  } catch (cause) {
    throw new GridsealError("CHAIN_INVALID", `${origin} cannot be read: ${reasonOf(cause)}`, { cause });
  }
}

function readOperation(bytes: Uint8Array, origin: string): Operation {
  try {
    return parseOperation(bytes);
  } catch (cause) {
    throw new GridsealError("USAGE", `${origin} holds no operation: ${reasonOf(cause)}`, { cause });
  }
}

function unknown(origin: string, participant: Uint8Array, seq: number): GridsealError {
  return new GridsealError("RECORD_UNKNOWN", `${origin} has no operation ${seq} of participant ${toHex(participant)}`);
}
