// What the network is ordered so far, as the options of a command of the authority name it.

import { issuedGovernance } from "../../authority/issued-orders.js";
import { governanceOf } from "../../authority/orders.js";
import { readGenesisFile } from "../../files/genesis-file.js";
import type { Governance } from "../../ledger/governance.js";
import { withNodeSource } from "../../sources/open.js";
import { type AuthorityOptions, authorityFolder } from "./authority-options.js";

export interface GovernanceOptions extends AuthorityOptions {
  readonly api?: string;
  readonly data?: string;
  /** of the order to make */
  readonly number?: number;
}

/** What is sealed so far, by the node that the options name; else what this authority has ordered. */
export async function governanceFor(options: GovernanceOptions): Promise<Governance> {
  const path = `${options.network}/genesis.cbor`;
  const { genesis } = await readGenesisFile(path);
  if (options.api === undefined && options.data === undefined) {
    return issuedGovernance(authorityFolder(options), genesis, options.number);
  }
  return withNodeSource({ ...options, genesis: path }, (source) => governanceOf(genesis, source.orders()));
}
