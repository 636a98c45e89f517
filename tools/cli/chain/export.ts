// `gridseal chain export`: a chain as a CBOR sequence (RFC 8742) of its blocks, from height 1, in
// one file.

import type { Command } from "commander";
import { createFile } from "../../files/made-once.js";
import { type SourceOptions, withNodeSource } from "../../sources/open.js";
import { chainOfSource } from "../../sources/source.js";
import { withNode } from "../../terminal/arguments.js";
import { countText, printLines, toJson } from "../../terminal/output.js";

interface ExportOptions extends SourceOptions {
  readonly output: string;
  readonly json?: true;
}

export function registerExport(chain: Command): void {
  withNode(chain.command("export").description("write a chain's blocks into a file that can be audited anywhere"))
    .argument("<service>", "name or number of the chain's service")
    .requiredOption("-o, --output <file>", "file to make")
    .option("--json", "print JSON")
    .action(exportChain);
}

async function exportChain(service: string, options: ExportOptions): Promise<void> {
  await withNodeSource(options, async (source) => {
    const chain = await chainOfSource(source, service);
    let blocks = 0;
    let bytes = 0;
    async function* counted(): AsyncGenerator<Uint8Array> {
      for await (const block of source.blocks(chain.service, 1)) {
        blocks += 1;
        bytes += block.length;
        yield block;
      }
    }
    await createFile(options.output, counted());
    const { name } = chain;
    printLines([
      options.json
        ? toJson({ service: chain.service, name, blocks, bytes, file: options.output })
        : `${options.output}: ${countText(blocks, "block")} of ${name}, ${bytes} bytes`,
    ]);
  });
}
