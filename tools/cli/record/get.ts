// `gridseal record get`: a sealed record by its number, shown, and its bytes in a file that `receipt verify --record` takes.

import type { Command } from "commander";
import { SEQ_MAX } from "../../../src/wire/bounds.js";
import { GridsealError } from "../../errors.js";
import { createFile } from "../../files/made-once.js";
import type { FoundRecord } from "../../routes/record-rows.js";
import { holderNamed } from "../../sources/named-holder.js";
import { type SourceOptions, withSource } from "../../sources/open.js";
import { serviceIn } from "../../sources/source.js";
import { whole, withNode } from "../../terminal/arguments.js";
import { printLines, toJson } from "../../terminal/output.js";
import { noteTold } from "../told.js";
import { recordLines, recordView } from "./view.js";

interface GetOptions extends SourceOptions {
  readonly meter: string;
  readonly seq: number;
  readonly service?: string;
  readonly out?: string;
  readonly json?: true;
}

export function registerGet(record: Command): void {
  withNode(record.command("get").description("get a sealed record of a meter or a participant"))
    .argument("[file]", "exported chain")
    .requiredOption("--meter <meter>", "ID of the meter or participant, or its key id")
    .requiredOption("--seq <number>", "its number", whole(0, SEQ_MAX))
    .option("--service <name>", "name or number of the chain's service; a file has but one")
    .option("-o, --out <file>", "file to make with the record's bytes")
    .option("--json", "print JSON")
    .action(get);
}

async function get(file: string | undefined, options: GetOptions): Promise<void> {
  await withSource(file, options, async (source) => {
    const service = await serviceIn(source, file, options.service);
    const meter = await holderNamed({ source, file, service }, options.meter);
    const found = await firstOf(source.records(service, meter, options.seq));
    const name = `record ${options.seq} of ${options.meter}`;
    if (found?.seq !== options.seq) throw new GridsealError("RECORD_UNKNOWN", `${source.origin} has no ${name}`);
    const { height, leaf, bytes } = found;
    if (bytes === undefined) {
      throw new GridsealError(
        "BLOCK_PRUNED",
        `${name} is sealed in block ${height}, which ${source.origin} keeps no more`,
      );
    }
    if (options.out !== undefined) await createFile(options.out, bytes);
    const view = recordView(bytes);
    printLines(
      options.json
        ? [toJson({ height, leaf, ...view })]
        : [`leaf ${leaf} of block ${height}`, ...recordLines(view).map((line) => line.slice(2))],
    );
    noteTold(source.origin, "`receipt get`, then `receipt verify --record` prove it", options);
  });
}

async function firstOf(records: AsyncIterable<FoundRecord>): Promise<FoundRecord | undefined> {
  for await (const found of records) return found;
  return undefined;
}
