// `gridseal firmware bundle`: everything that a new board's flash gets, signed, in a folder that needs no network.

import type { Command } from "commander";
import { toHex } from "../../../src/wire/bytes.js";
import { VERSION_MAX } from "../../../src/wire/firmware.js";
import { readKeyFile } from "../../files/key-file.js";
import { nameOf } from "../../flash/compose-bundle.js";
import { createBundle } from "../../provisioning/flash/bundle-folder.js";
import { whole } from "../../terminal/arguments.js";
import { pairs, printLines, toJson } from "../../terminal/output.js";

interface BundleOptions {
  readonly board: string;
  readonly version: number;
  readonly key: string;
  readonly out: string;
  readonly json?: true;
}

export function registerBundle(firmware: Command): void {
  firmware
    .command("bundle")
    .description("make the signed folder that `gridseal flash` puts on a new board")
    .argument("<build>", "folder in which the build for the board left bootloader, partition table and image")
    .requiredOption("--board <name>", "board that it is built for")
    .requiredOption("--version <number>", "its version, as its build says", whole(1, VERSION_MAX))
    .requiredOption("--key <file>", "key file of the maker, or of the network's authority")
    .requiredOption("-o, --out <folder>", "folder to make")
    .option("--json", "print JSON")
    .action(bundle);
}

async function bundle(build: string, { board, version, key, out, json }: BundleOptions): Promise<void> {
  const signer = await readKeyFile(key);
  const { chip, flashBytes, parts } = await createBundle(out, { build, board, version }, signer);
  const signedBy = toHex(signer.key.x);
  if (json)
    return printLines([
      toJson({ folder: out, board, version, chip: nameOf(chip), flashBytes, parts, signer: signedBy }),
    ]);
  printLines([
    ...pairs([
      ["board", board],
      ["version", version],
      ["chip", nameOf(chip)],
      ["flash", `${flashBytes / 1_048_576} MB`],
      ...parts.map(({ file, offset, size }) => [`0x${offset.toString(16)}`, `${file}, ${size} bytes`] as const),
      ["signer", signedBy],
    ]),
    `next: gridseal flash ${out} --signer ${signedBy} --port PORT`,
  ]);
}
