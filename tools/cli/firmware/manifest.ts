// What the commands about manifests share: an error of the format as the command's own, and the
// lines that show a manifest.

import { toHex } from "../../../src/wire/bytes.js";
import { WireError } from "../../../src/wire/error.js";
import type { Firmware } from "../../../src/wire/firmware.js";
import { GridsealError } from "../../errors.js";
import { pairs, printLines, toJson } from "../../terminal/output.js";

/** What the action returns. Throws FIRMWARE_INVALID where the format refuses it. */
export function refusingFirmware<Result>(action: () => Result): Result {
  try {
    return action();
  } catch (cause) {
    if (cause instanceof WireError) throw new GridsealError("FIRMWARE_INVALID", cause.message, { cause });
    throw cause;
  }
}

export function printFirmware(firmware: Firmware & { readonly signer: string }, json: boolean | undefined): void {
  if (json) return printLines([toJson(firmware)]);
  const { board, version, least, size, hash, file, signer } = firmware;
  printLines(
    pairs([
      ["board", board],
      ["version", version],
      ["least", least],
      ["image", file],
      ["bytes", size],
      ["SHA-256", toHex(hash)],
      ["update.signer", signer],
    ]),
  );
}
