// `gridseal nvs build`: an image of an NVS partition from a table in the syntax of ESP-IDF's nvs_partition_gen, for a maker.

import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { Command } from "commander";
import { createFile, readWhole, refuseExisting } from "../../files/made-once.js";
import { SECRET } from "../../files/private-files.js";
import { nvsImage, PAGE_BYTES } from "../../provisioning/nvs/image.js";
import { readNvsTable } from "../../provisioning/nvs/table.js";
import { whole } from "../../terminal/arguments.js";
import { printLines, toJson } from "../../terminal/output.js";

interface BuildOptions {
  readonly out: string;
  readonly bytes: number;
  readonly json?: true;
}

const TABLE_BYTES_MAX = 8_388_608;
/** Of the boards' partitions (hosts/esp32). */
const BYTES = 0x6000;
const BYTES_MAX = 1_024 * PAGE_BYTES;

export function registerBuild(nvs: Command): void {
  nvs
    .command("build")
    .description("make the image of an NVS partition from a table")
    .argument("<table>", "CSV with the columns key, type, encoding, value, as nvs_partition_gen reads it")
    .requiredOption("-o, --out <file>", "file to make, for its owner alone")
    .option("--bytes <count>", "size of the partition, a multiple of 4096", whole(0, BYTES_MAX), BYTES)
    .option("--json", "print JSON")
    .action(build);
}

async function build(table: string, { out, bytes, json }: BuildOptions): Promise<void> {
  await refuseExisting(out);
  const text = new TextDecoder().decode(await readWhole(table, TABLE_BYTES_MAX));
  const values = readNvsTable(text, (path) => readFileSync(resolve(dirname(table), path)));
  await createFile(out, nvsImage(values, bytes), SECRET);
  printLines([
    json
      ? toJson({ file: out, values: values.length, bytes })
      : `${out}: ${values.length} values in ${bytes} bytes\nnext: write it at the offset of the board's NVS partition, 0x9000 on Gridseal's`,
  ]);
}
