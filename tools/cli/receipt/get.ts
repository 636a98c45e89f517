// `gridseal receipt get`: the proof that one record is sealed, or one effect of a block, fetched from a node.

import type { Command } from "commander";
import { concatBytes, toHex } from "../../../src/wire/bytes.js";
import { lineageUpTo } from "../../../src/wire/lineage.js";
import { GridsealError } from "../../errors.js";
import { createFile } from "../../files/made-once.js";
import { holderNamed } from "../../sources/named-holder.js";
import { type SourceOptions, withNodeSource } from "../../sources/open.js";
import { chainOfSource } from "../../sources/source.js";
import { moment, whole, withNode } from "../../terminal/arguments.js";
import { printLines, toJson } from "../../terminal/output.js";
import { type EffectPlace, effectPlace, getEffect } from "./effect.js";
import { readReceipt } from "./read-receipt.js";
import { getSlot } from "./slot.js";

interface GetOptions extends SourceOptions {
  readonly service: string;
  readonly meter?: string;
  readonly seq?: number;
  readonly effect?: EffectPlace;
  readonly slot?: number;
  readonly point?: string;
  readonly save?: string;
  readonly out: string;
  readonly json?: true;
}

export function registerGet(receipt: Command): void {
  withNode(receipt.command("get").description("fetch the receipt of a record, of an effect, or of a point in a slot"))
    .requiredOption("--service <name>", "name or number of the record's service")
    .option("--meter <meter>", "ID or key id of the meter or participant")
    .option("--seq <number>", "the record's sequence number", whole(0, Number.MAX_SAFE_INTEGER))
    .option("--effect <height/index>", "an effect of a block, from 0, instead of a record", effectPlace)
    .option("--slot <time>", "begin of a closed slot, as 2026-03-29T00:00:00Z, instead of a record", moment)
    .option("--point <id>", "the point in the slot; a meter's key id where it is assigned to none")
    .option("--save <file>", "file to make with the effect's bytes, which its receipt names by their hash")
    .requiredOption("-o, --out <file>", "file to make")
    .option("--json", "print JSON")
    .action(get);
}

async function get(options: GetOptions): Promise<void> {
  const { meter: asked, seq, effect, slot, point } = options;
  if (effect !== undefined) return getEffect(effect, options);
  if (slot !== undefined && point !== undefined) return getSlot({ start_s: slot, point }, options);
  if (asked === undefined || seq === undefined) {
    throw new GridsealError(
      "USAGE",
      "name a record with --meter and --seq, an effect with --effect, or a point's slot with --slot and --point",
    );
  }
  await withNodeSource(options, async (source) => {
    const { service, name } = await chainOfSource(source, options.service);
    const meter = await holderNamed({ source, file: undefined, service }, asked);
    const bytes = await source.receipt(service, meter, seq);
    const { receipt } = readReceipt(bytes, source.origin);
    const lineage = lineageUpTo(await source.lineage(service), receipt.height);
    await createFile(options.out, concatBytes(bytes, ...lineage));
    const summary = { file: options.out, service, name, meter, seq };
    if (options.json) {
      return printLines([toJson({ ...summary, height: receipt.height, recordHash: receipt.recordHash })]);
    }
    const genesis = options.genesis ?? "FILE";
    printLines([
      `${options.out}: record ${seq} of meter ${toHex(meter)} in block ${receipt.height} of ${name}, not checked yet`,
      `next: gridseal receipt verify ${options.out} --genesis ${genesis}`,
    ]);
  });
}
