// `gridseal lot transfer`: the owner of a lot hands it on.

import type { Command } from "commander";
import { toHex } from "../../../src/wire/bytes.js";
import { keyId, type PublicKey } from "../../../src/wire/key.js";
import { handOn } from "../../authority/lots/shipment.js";
import { GridsealError, reasonOf } from "../../errors.js";
import { readKeyFile } from "../../files/key-file.js";
import { createFile, refuseExisting } from "../../files/made-once.js";
import { printLines, toJson } from "../../terminal/output.js";
import { publicKey, readLot } from "./read-lot.js";

interface TransferOptions {
  readonly key: string;
  readonly to: PublicKey;
  readonly out: string;
  readonly json?: true;
}

export function registerTransfer(lot: Command): void {
  lot
    .command("transfer")
    .description("hand a lot on to its next owner")
    .argument("<file>", "shipment file")
    .requiredOption("--key <file>", "key file of its owner")
    .requiredOption("--to <hex>", "the next owner's public key", publicKey)
    .requiredOption("-o, --out <file>", "file to make")
    .option("--json", "print JSON")
    .action(transfer);
}

async function transfer(file: string, options: TransferOptions): Promise<void> {
  const { to, out } = options;
  await refuseExisting(out);
  const { shipment, bytes } = await readLot(file);
  const owner = await readKeyFile(options.key);
  let handed: Uint8Array;
  try {
    handed = handOn(bytes, { to, time_s: Math.floor(Date.now() / 1_000) }, owner);
  } catch (cause) {
    throw new GridsealError("SHIPMENT_INVALID", `${file} cannot be handed on: ${reasonOf(cause)}`, { cause });
  }
  await createFile(out, handed);
  const next = toHex(keyId(to));
  printLines([
    options.json
      ? toJson({ file: out, lot: shipment.lot, owner: next })
      : `${out}: lot ${shipment.lot} is key ${next}'s`,
  ]);
}
