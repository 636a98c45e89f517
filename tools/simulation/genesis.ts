// The network of a simulation: its authority, its nodes and its chains, whose members propose in different orders.

import { type Genesis, issueGenesis, type Member, verifyGenesis } from "../../src/wire/genesis.js";
import { keyId, type Signer } from "../../src/wire/key.js";
import { simulatedSigner, simulatedVerify } from "./keys.js";
import type { ClusterOptions } from "./options.js";

const NETWORK = "simulation";
/** A target that one hash in 256 meets. */
const EASY_TARGET = 0x2000ffff;

export function createGenesis(options: ClusterOptions): { genesis: Genesis; signers: Signer[]; authority: Signer } {
  const authority = simulatedSigner("authority");
  const signers = Array.from({ length: options.members }, (_, index) => simulatedSigner(`node ${index + 1}`));
  const members: Member[] = signers.map(({ key }, index) => ({ id: keyId(key), key, name: `node-${index + 1}` }));
  const chains = Array.from({ length: options.chains }, (_, index) => ({
    service: index + 1,
    name: `chain-${index + 1}`,
    members: [...members.slice(index), ...members.slice(0, index)],
    target: options.mined && index === 0 ? EASY_TARGET : 0,
  }));
  const bytes = issueGenesis({ network: NETWORK, time_s: 1, nodes: members, chains }, authority);
  return { genesis: verifyGenesis(bytes, simulatedVerify), signers, authority };
}
