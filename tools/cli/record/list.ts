// `gridseal record list`: the sealed records of a meter or a participant, between two moments, with their places in the chain.

import { type Command, Option } from "commander";
import { isOperation } from "../../../src/wire/operation.js";
import { holderNamed } from "../../sources/named-holder.js";
import { type SourceOptions, withSource } from "../../sources/open.js";
import { recordsBetween, type SealedRecord } from "../../sources/records-between.js";
import { serviceIn } from "../../sources/source.js";
import { moment, whole, withNode } from "../../terminal/arguments.js";
import { countText, printLines, printNote, printText, table, timeText } from "../../terminal/output.js";
import { noteTold } from "../told.js";
import { headOf, type RowFormat, rowsOf } from "./rows.js";

interface ListOptions extends SourceOptions {
  readonly meter: string;
  readonly service?: string;
  readonly from?: number;
  readonly to?: number;
  readonly limit: number;
  readonly format: RowFormat | "table";
}

export function registerList(record: Command): void {
  withNode(record.command("list").description("list the sealed records of a meter or a participant"))
    .argument("[file]", "exported chain")
    .requiredOption("--meter <meter>", "ID of the meter or participant, or its key id")
    .option("--service <name>", "name or number of the chain's service; a file has but one")
    .option("--from <time>", "not before, as 2026-03-29T00:00:00Z", moment)
    .option("--to <time>", "before", moment)
    .option("--limit <number>", "at most so many", whole(1, 10_000_000), 1_000)
    .addOption(new Option("--format <form>", "what is printed").choices(["table", "csv", "jsonl"]).default("table"))
    .action(list);
}

async function list(file: string | undefined, options: ListOptions): Promise<void> {
  const { from: from_s, to: to_s, limit, format } = options;
  await withSource(file, options, async (source) => {
    const service = await serviceIn(source, file, options.service);
    const meter = await holderNamed({ source, file, service }, options.meter);
    const rows: string[][] = [];
    const told = { count: 0, isCut: false, latest_s: 0, next: from_s === undefined ? 0 : undefined };
    if (format !== "table") printText(headOf(format));
    for await (const sealed of recordsBetween(source, service, meter, { from_s, to_s })) {
      told.isCut = told.count === limit;
      if (told.isCut) break;
      told.count += 1;
      const missing = missingBefore(sealed, told);
      if (missing !== undefined && format === "table") rows.push(missing);
      noteClock(sealed, told);
      if (format === "table") rows.push(cellsOf(sealed));
      else if (sealed.bytes !== undefined) printText(rowsOf(format, { ...sealed, bytes: sealed.bytes }));
      else printNote(`record ${sealed.seq} is sealed in block ${sealed.height}, whose records are gone here`);
    }
    if (format === "table") printLines(table(["NUMBER", "TIME", "BLOCK", "LEAF", "WHAT IT SAYS"], rows));
    if (format === "table") noteTold(source.origin, "`receipt get` and `receipt verify` prove one of them", options);
    if (told.count === 0) printNote(`${source.origin} has no such record of ${options.meter}`);
    if (told.isCut) printNote(`there are more than these ${limit}: --limit gives more`);
  });
}

/** Numbers between one record and the next, which are not sealed: a line of their own. */
function missingBefore({ seq }: SealedRecord, told: { next?: number | undefined }): string[] | undefined {
  const { next } = told;
  told.next = seq + 1;
  if (next === undefined || next >= seq) return undefined;
  const numbers = next === seq - 1 ? String(next) : `${next}-${seq - 1}`;
  return [numbers, "-", "-", "-", "missing: not sealed"];
}

/** Records are looked for by time as if no clock were ever put back. */
function noteClock({ seq, record }: SealedRecord, told: { latest_s: number }): void {
  const time_s = record?.claims.time_s;
  if (time_s === undefined) return;
  if (time_s < told.latest_s) {
    printNote(`the clock was put back before record ${seq}: with --from or --to some may be missing here`);
  }
  told.latest_s = time_s;
}

function cellsOf({ seq, height, leaf, record }: SealedRecord): string[] {
  const place = [String(height), String(leaf)];
  if (record === undefined) return [String(seq), "-", ...place, "its block's records are gone here"];
  return [String(seq), timeText(record.claims.time_s * 1_000), ...place, contentOf(record)];
}

function contentOf(record: NonNullable<SealedRecord["record"]>): string {
  if (isOperation(record)) return `operation of type ${record.claims.type}`;
  const { registers = [], digests = [] } = record.claims;
  const hidden = digests.length === 0 ? "" : `, ${countText(digests.length, "confidential group")}`;
  return `${countText(registers.length, "register")}${hidden}`;
}
