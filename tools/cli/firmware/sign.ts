// `gridseal firmware sign`: the signed manifest of an image.

import { basename } from "node:path";
import type { Command } from "commander";
import { toHex } from "../../../src/wire/bytes.js";
import { IMAGE_BYTES_MAX, issueFirmware } from "../../../src/wire/firmware.js";
import { sha256 } from "../../../src/wire/hash.js";
import { readKeyFile } from "../../files/key-file.js";
import { createFile, readWhole } from "../../files/made-once.js";
import { whole } from "../../terminal/arguments.js";
import { printFirmware, refusingFirmware } from "./manifest.js";

const VERSION_MAX = 0x7fffffff;

interface SignOptions {
  readonly board: string;
  readonly version: number;
  readonly least: number;
  readonly key: string;
  readonly out: string;
  readonly json?: true;
}

export function registerSign(firmware: Command): void {
  firmware
    .command("sign")
    .description("make the manifest of an image, to be served beside it")
    .argument("<image>", "image, as the build for the board makes it")
    .requiredOption("--board <name>", "board that it is built for")
    .requiredOption("--version <number>", "its version, as its build says", whole(1, VERSION_MAX))
    .option("--least <number>", "oldest version that takes it", whole(0, VERSION_MAX), 0)
    .requiredOption("--key <file>", "key file of the maker, or of the network's authority")
    .requiredOption("-o, --out <file>", "manifest to make")
    .option("--json", "print JSON")
    .action(sign);
}

async function sign(path: string, options: SignOptions): Promise<void> {
  const image = await readWhole(path, IMAGE_BYTES_MAX);
  const signer = await readKeyFile(options.key);
  const { board, version, least } = options;
  const firmware = { board, version, least, size: image.length, hash: sha256(image), file: basename(path) };
  const manifest = refusingFirmware(() => issueFirmware(firmware, signer));
  await createFile(options.out, manifest);
  printFirmware({ ...firmware, signer: toHex(signer.key.x) }, options.json);
}
