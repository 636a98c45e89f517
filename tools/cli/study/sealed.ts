// Studies as the mining chain has them.

import type { Genesis } from "../../../src/wire/genesis.js";
import { GridsealError } from "../../errors.js";
import type { Study } from "../../market/mining/kinds.js";
import { chainOfSource, type ReceiptSource } from "../../sources/source.js";
import { provedValue } from "../state/proved-value.js";

export interface AskedStudy {
  readonly chain: string;
  readonly contract: string;
  readonly id: string;
  /** without it the node is believed */
  readonly genesis: Genesis | undefined;
}

/** Rejects with NOT_FOUND where the chain has no such study, and with RECEIPT_INVALID where the node's proof does not hold. */
export async function sealedStudy(source: ReceiptSource, { chain, contract, id, genesis }: AskedStudy): Promise<Study> {
  const { service, name } = await chainOfSource(source, chain);
  const value = await provedValue(source, { service, contract, key: `study/${id}`, genesis });
  if (value === undefined || value === null) throw new GridsealError("NOT_FOUND", `chain ${name} has no study ${id}`);
  return value as unknown as Study;
}
