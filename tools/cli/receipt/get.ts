// `gridseal receipt get`: the proof that one record is sealed, fetched from a node.

import type { Command } from "commander";
import { concatBytes, toHex } from "../../../src/wire/bytes.js";
import { lineageUpTo } from "../../../src/wire/lineage.js";
import { createFile } from "../../files/made-once.js";
import { type SourceOptions, withNodeSource } from "../../sources/open.js";
import { chainOfSource } from "../../sources/source.js";
import { id, whole, withNode } from "../../terminal/arguments.js";
import { printLines, toJson } from "../../terminal/output.js";
import { readReceipt } from "./read-receipt.js";

interface GetOptions extends SourceOptions {
  readonly service: string;
  readonly meter: Uint8Array;
  readonly seq: number;
  readonly output: string;
  readonly json?: true;
}

export function registerGet(receipt: Command): void {
  withNode(receipt.command("get").description("fetch the receipt of a record"))
    .requiredOption("--service <name>", "name or number of the record's service")
    .requiredOption("--meter <id>", "the meter's id, 16 hex digits", id)
    .requiredOption("--seq <number>", "the record's sequence number", whole(0, Number.MAX_SAFE_INTEGER))
    .requiredOption("-o, --output <file>", "file to make")
    .option("--json", "print JSON")
    .action(get);
}

async function get(options: GetOptions): Promise<void> {
  await withNodeSource(options, async (source) => {
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
  });
}
