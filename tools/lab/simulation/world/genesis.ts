// The network of a simulation: its authority, its nodes and its chains, whose members propose in
// different orders.

import { type Genesis, issueGenesis, type Member, verifyGenesis } from "../../../../src/wire/genesis.js";
import { keyId, type Signer } from "../../../../src/wire/key.js";
import { CONTRACTS_SERVICE } from "../../../ledger/governance.js";
import { type ClusterOptions, lackedBy } from "../options.js";
import { simulatedSigner, simulatedVerify } from "./keys.js";

const NETWORK = "simulation";
/** A target that one hash in 256 meets. */
const EASY_TARGET = 0x2000ffff;

export interface Founding {
  readonly genesis: Genesis;
  readonly authority: Signer;
  /** those whose signatures orders need, where the authority's alone is not enough */
  readonly ordering: readonly Signer[];
  /**
   * those of the genesis and behind them those that join later, with their signers in the same
   * order
   */
  readonly nodes: readonly Member[];
  readonly signers: readonly Signer[];
}

export function createGenesis(options: ClusterOptions): Founding {
  const authority = simulatedSigner("authority");
  const all = options.members + options.joiners;
  const signers = Array.from({ length: all }, (_, index) => simulatedSigner(`node ${index + 1}`));
  const nodes: Member[] = signers.map(({ key }, index) => ({ id: keyId(key), key, name: `node-${index + 1}` }));
  const members = nodes.slice(0, options.members);
  const lacked = lackedBy(options);
  const size = options.members - lacked;
  const verifiers = Math.min(options.verifiers, size);
  const from = (first: number) => [...members.slice(first), ...members.slice(0, first)].slice(0, size);
  const chains = Array.from({ length: options.chains }, (_, index) => ({
    service: index + 1,
    name: `chain-${index + 1}`,
    members: from(lacked === 0 ? index : ((index + 1) * lacked) % options.members),
    target: options.mined && index === 0 ? EASY_TARGET : 0,
    verifiers,
  }));
  if (options.governed) {
    chains.push({ service: CONTRACTS_SERVICE, name: "contracts", members: from(0), target: 0, verifiers });
  }
  const ordering = options.joint ? [authority, ...[2, 3].map((number) => simulatedSigner(`authority ${number}`))] : [];
  const bytes = issueGenesis(
    {
      ...{ network: NETWORK, time_s: 1, nodes: members, chains },
      ...(options.joint && { ordering: { signatures: 2, keys: ordering.map(({ key }) => key) } }),
    },
    authority,
  );
  const genesis = verifyGenesis(bytes, simulatedVerify);
  return { genesis, nodes: [...genesis.nodes, ...nodes.slice(options.members)], signers, authority, ordering };
}
