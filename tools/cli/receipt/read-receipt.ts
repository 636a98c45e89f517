// The receipt that a node's answer or a file holds.

import { decodeReceiptFile, type ReceiptFile } from "../../../src/wire/receipt.js";
import { GridsealError, reasonOf } from "../../errors.js";

export function readReceipt(bytes: Uint8Array, origin: string): ReceiptFile {
  try {
    return decodeReceiptFile(bytes);
  } catch (cause) {
    throw new GridsealError("RECEIPT_INVALID", `${origin} holds no receipt: ${reasonOf(cause)}`, { cause });
  }
}
