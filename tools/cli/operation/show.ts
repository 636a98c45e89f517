// `gridseal operation show`: an operation in a file, or a sealed one by its participant and number.

import type { Command } from "commander";
import { SEQ_MAX } from "../../../src/wire/bounds.js";
import { hasOperation, OPERATION_BYTES_MAX, type Operation, parseOperation } from "../../../src/wire/operation.js";
import { GridsealError, reasonOf } from "../../errors.js";
import { readWhole } from "../../files/made-once.js";
import { holderNamed } from "../../sources/named-holder.js";
import { type SourceOptions, withSource } from "../../sources/open.js";
import { serviceIn } from "../../sources/source.js";
import { whole, withNode } from "../../terminal/arguments.js";
import { printLines, toJson } from "../../terminal/output.js";
import { operationLines, operationView } from "./view.js";

interface ShowOptions extends SourceOptions {
  readonly participant?: string;
  readonly seq?: number;
  readonly service?: string;
  readonly json?: true;
}

export function registerShow(operation: Command): void {
  withNode(operation.command("show").description("show an operation, signed or sealed"))
    .argument("[file]", "operation; with --participant and --seq an exported chain")
    .option("--participant <participant>", "ID or key id of who has signed a sealed one")
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
  return withSource(file, options, async (source) => {
    const chain = await serviceIn(source, file, service);
    const signer = await holderNamed({ source, file, service: chain }, participant);
    for await (const { seq: number, height, bytes } of source.records(chain, signer, seq)) {
      if (number !== seq) break;
      if (bytes === undefined) {
        throw new GridsealError(
          "BLOCK_PRUNED",
          `block ${height}, which has it, is not kept by ${source.origin} any more`,
        );
      }
      if (hasOperation(bytes)) return readOperation(bytes, source.origin);
    }
    throw unknown(source.origin, participant, seq);
  });
}

function readOperation(bytes: Uint8Array, origin: string): Operation {
  try {
    return parseOperation(bytes);
  } catch (cause) {
    throw new GridsealError("FILE_INVALID", `${origin} holds no operation: ${reasonOf(cause)}`, { cause });
  }
}

function unknown(origin: string, participant: string, seq: number): GridsealError {
  return new GridsealError("RECORD_UNKNOWN", `${origin} has no operation ${seq} of participant ${participant}`);
}
