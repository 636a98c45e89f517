// What the commands for lots share: the shipment file they are given, and the key they are told.

import { InvalidArgumentError } from "commander";
import type { PublicKey } from "../../../src/wire/key.js";
import { publicKeyFromHex } from "../../authority/issue.js";
import { readShipment, SHIPMENT_BYTES_MAX, type Shipment } from "../../authority/lots/shipment.js";
import { GridsealError, reasonOf } from "../../errors.js";
import { readWhole } from "../../files/made-once.js";

/** Reads a shipment file and checks its signatures. Throws FILE_UNREADABLE, or SHIPMENT_INVALID for what is none. */
export async function readLot(path: string): Promise<{ readonly shipment: Shipment; readonly bytes: Uint8Array }> {
  const bytes = await readWhole(path, SHIPMENT_BYTES_MAX);
  try {
    return { shipment: readShipment(bytes), bytes };
  } catch (cause) {
    throw new GridsealError("SHIPMENT_INVALID", `${path} is no shipment file: ${reasonOf(cause)}`, { cause });
  }
}

/** A public key in hex, as an option. */
export function publicKey(text: string): PublicKey {
  try {
    return publicKeyFromHex(text);
  } catch (cause) {
    throw new InvalidArgumentError(reasonOf(cause));
  }
}
