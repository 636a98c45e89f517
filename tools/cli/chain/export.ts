// `gridseal chain export`: a chain in one file, as a CBOR sequence (RFC 8742) of its blocks from height 1, or its records as rows for
// other programs.

import { type Command, Option } from "commander";
import { decodeBlockViews } from "../../../src/wire/block.js";
import { encodePublicBlock, encodePublicHead } from "../../../src/wire/public-chain.js";
import { GridsealError, reasonOf } from "../../errors.js";
import { createFile } from "../../files/made-once.js";
import { type SourceOptions, withNodeSource } from "../../sources/open.js";
import { chainOfSource, type ReceiptSource } from "../../sources/source.js";
import { withNode } from "../../terminal/arguments.js";
import { countText, printLines, toJson } from "../../terminal/output.js";
import { type Step, withProgress } from "../../terminal/progress.js";
import { headOf, type RowFormat, rowsOf } from "../record/rows.js";

/** Of rows, written at once; of a character of text. */
const CHUNK_BYTES = 1_048_576;
const UTF8_BYTES_MAX = 3;

interface ExportOptions extends SourceOptions {
  readonly out: string;
  readonly format: "cbor" | RowFormat;
  readonly public?: true;
  readonly json?: true;
}

export function registerExport(chain: Command): void {
  withNode(
    chain
      .command("export")
      .description("write a chain's blocks into a file that can be audited anywhere, or its records as rows"),
  )
    .argument("<service>", "name or number of the chain's service")
    .requiredOption("-o, --out <file>", "file to make")
    .addOption(
      new Option("--format <form>", "blocks as CBOR, or records as rows")
        .choices(["cbor", "csv", "jsonl"])
        .default("cbor"),
    )
    .option("--public", "what anybody may have: headers, certificates and what leads to the members")
    .option("--json", "print JSON")
    .action(exportChain);
}

async function exportChain(service: string, options: ExportOptions): Promise<void> {
  if (options.public && options.format !== "cbor") {
    throw new GridsealError("USAGE", "--public writes no records, and so no rows: leave --format out");
  }
  printLines([await withProgress((tell) => writeChain(service, options, tell))]);
}

/** Makes the file, and says what is in it. */
function writeChain(service: string, options: ExportOptions, tell: (step: Step) => void): Promise<string> {
  return withNodeSource(options, async (source) => {
    const chain = await chainOfSource(source, service);
    let blocks = 0;
    let bytes = 0;
    async function* counted(): AsyncGenerator<Uint8Array> {
      for await (const block of source.blocks(chain.service, 1)) {
        blocks += 1;
        tell({ what: `exporting ${chain.name}`, done: blocks, total: chain.height, unit: "block" });
        yield block;
      }
    }
    const { format } = options;
    const whole = format === "cbor" ? counted() : rowsIn(counted(), format, source.origin);
    const chunks = options.public ? publicIn(counted(), source, chain.service) : whole;
    async function* written(): AsyncGenerator<Uint8Array> {
      for await (const chunk of chunks) {
        bytes += chunk.length;
        yield chunk;
      }
    }
    await createFile(options.out, written());
    const { name } = chain;
    if (options.json) return toJson({ service: chain.service, name, blocks, bytes, file: options.out });
    const of = options.public ? "headers of " : format === "cbor" ? "" : "records of ";
    const what = `${of}${countText(blocks, "block")}`;
    return `${options.out}: ${what} of ${name}, ${bytes} bytes`;
  });
}

/** What anybody may have of the blocks. Rejects with CHAIN_INVALID where one cannot be read. */
async function* publicIn(
  blocks: AsyncIterable<Uint8Array>,
  source: ReceiptSource,
  chain: number,
): AsyncGenerator<Uint8Array> {
  const { network } = await source.genesis();
  yield encodePublicHead({ network, chain, lineage: await source.lineage(chain) });
  for await (const bytes of blocks) yield publicBlockOf(bytes, source.origin);
}

function publicBlockOf(bytes: Uint8Array, origin: string): Uint8Array {
  try {
    return encodePublicBlock(decodeBlockViews(bytes));
  } catch (cause) {
    throw new GridsealError("CHAIN_INVALID", `${origin}: a block cannot be read: ${reasonOf(cause)}`, { cause });
  }
}

/** Rows of many records at a time, in memory that the next ones are written into. Rejects with CHAIN_INVALID where a block cannot be read. */
async function* rowsIn(
  blocks: AsyncIterable<Uint8Array>,
  format: RowFormat,
  origin: string,
): AsyncGenerator<Uint8Array> {
  let buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  let length = buffer.write(headOf(format));
  for await (const bytes of blocks) {
    // Record by record: the text of a whole block, of many pieces, would outlive a collection.
    for (const rows of rowsOfBlock(bytes, format, origin)) {
      const most = UTF8_BYTES_MAX * rows.length;
      if (length + most > buffer.length) {
        yield buffer.subarray(0, length);
        if (most > buffer.length) buffer = Buffer.allocUnsafe(most);
        length = 0;
      }
      length += buffer.write(rows, length);
    }
  }
  yield buffer.subarray(0, length);
}

function* rowsOfBlock(bytes: Uint8Array, format: RowFormat, origin: string): Generator<string> {
  try {
    const { height, batches } = decodeBlockViews(bytes);
    let leaf = 0;
    for (const { records } of batches) {
      for (const record of records) {
        leaf += 1;
        yield rowsOf(format, { height, leaf, bytes: record });
      }
    }
  } catch (cause) {
    throw new GridsealError("CHAIN_INVALID", `${origin}: a block cannot be read: ${reasonOf(cause)}`, { cause });
  }
}
