// What is sealed so far, as the options of a command of the authority name it.

import { governanceOf } from "../../authority/orders.js";
import { readGenesisFile } from "../../files/genesis-file.js";
import { type Governance, initialGovernance } from "../../ledger/governance.js";
import { withNodeSource } from "../../sources/open.js";

export interface GovernanceOptions {
  readonly network: string;
  readonly api?: string;
  readonly data?: string;
}

/** What is sealed so far: of the node that the options name, else nothing. */
export async function governanceFor(options: GovernanceOptions): Promise<Governance> {
  const { genesis } = await readGenesisFile(`${options.network}/genesis.cbor`);
  if (options.api === undefined && options.data === undefined) return initialGovernance(genesis);
  const path = `${options.network}/genesis.cbor`;
  return withNodeSource({ ...options, genesis: path }, (source) => governanceOf(genesis, source.orders()));
}
