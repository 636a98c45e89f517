// `gridseal firmware show`: a look at a manifest, and whether an image is its own.

import type { Command } from "commander";
import { toHex } from "../../../src/wire/bytes.js";
import { FIRMWARE_BYTES_MAX, IMAGE_BYTES_MAX, verifyFirmware } from "../../../src/wire/firmware.js";
import { sha256 } from "../../../src/wire/hash.js";
import { publicKeyFromHex } from "../../authority/issue.js";
import { nodeVerify } from "../../crypto/signatures.js";
import { GridsealError } from "../../errors.js";
import { readWhole } from "../../files/made-once.js";
import { printFirmware, refusingFirmware } from "./manifest.js";

interface ShowOptions {
  readonly signer: string;
  readonly image?: string;
  readonly json?: true;
}

export function registerShow(firmware: Command): void {
  firmware
    .command("show")
    .description("check a manifest, and with --image that it is that image's")
    .argument("<manifest>", "file that sign made")
    .requiredOption("--signer <hex>", "public key that must have signed it")
    .option("--image <file>", "image to compare")
    .option("--json", "print JSON")
    .action(show);
}

async function show(path: string, options: ShowOptions): Promise<void> {
  const manifest = await readWhole(path, FIRMWARE_BYTES_MAX);
  const firmware = refusingFirmware(() => verifyFirmware(manifest, publicKeyFromHex(options.signer), nodeVerify));
  if (options.image !== undefined) {
    const image = await readWhole(options.image, IMAGE_BYTES_MAX);
    if (toHex(sha256(image)) !== toHex(firmware.hash))
      throw new GridsealError("FIRMWARE_INVALID", `${options.image} is not the image of ${path}`);
  }
  printFirmware({ ...firmware, signer: options.signer }, options.json);
}
