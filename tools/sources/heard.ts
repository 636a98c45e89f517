// Which meters a node has sealed records of: what an authority compares with the credentials that it has issued.

import { toHex } from "../../src/wire/bytes.js";
import type { ReceiptSource } from "./source.js";

/** Key ids, as hex, of all meters with a sealed record on any chain. */
export async function heardMeters(source: ReceiptSource): Promise<ReadonlySet<string>> {
  const heard = new Set<string>();
  for (const { service } of await source.chains()) {
    for await (const { kid } of source.holders(service)) heard.add(toHex(kid));
  }
  return heard;
}
