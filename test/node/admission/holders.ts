// Holders of credentials of a network of the tests' own, and the judge of their tokens, with orders as they are put.

import { toHex } from "../../../src/wire/bytes.js";
import { type Credential, issueCredential, issuerName, type Role } from "../../../src/wire/credential.js";
import { issueGenesis, verifyGenesis } from "../../../src/wire/genesis.js";
import { keyId } from "../../../src/wire/key.js";
import { freshToken } from "../../../tools/crypto/fresh-token.js";
import { generateSeed, nodeVerify, signerFromSeed } from "../../../tools/crypto/signatures.js";
import { type Governance, initialGovernance } from "../../../tools/ledger/governance.js";
import { createTokenJudge } from "../../../tools/node/admission/token-judge.js";

export const NOW_S = 1_800_000_000;
const authority = signerFromSeed(generateSeed());
export const nodeSigner = signerFromSeed(generateSeed());
const member = { id: keyId(nodeSigner.key), key: nodeSigner.key, name: "node-1" };
const chain = { service: 1, name: "trading", members: [member], target: 0, verifiers: 1 };
const terms = { network: "test", time_s: 1, nodes: [member], chains: [chain] };
export const genesisBytes = issueGenesis(terms, authority);
export const genesis = verifyGenesis(genesisBytes, nodeVerify);

export function createHolder(overrides: Partial<Credential> = {}, roles: readonly Role[] = ["meter"], by = authority) {
  const signer = signerFromSeed(generateSeed());
  const kid = keyId(signer.key);
  const credential = issueCredential(
    {
      ...{ issuer: issuerName(genesis), subject: "holder", notBefore_s: NOW_S - 9, expires_s: NOW_S + 900, id: kid },
      ...{ key: signer.key, statusIndex: 0, services: [1], roles },
      ...overrides,
    },
    by,
  );
  const token = (url = "mqtt://broker.example:1883", at_s = NOW_S) =>
    freshToken({ signer, credential, genesis: genesis.hash }, url, at_s * 1_000);
  return { id: toHex(kid), kid, signer, credential, token };
}

export function nodeToken(signer = nodeSigner): string {
  return freshToken({ signer, genesis: genesis.hash }, "mqtt://broker.example", NOW_S * 1_000);
}

export const nodeId = toHex(member.id);

/** The judge, its clock standing; orders and clock can be changed. */
export function createJudge() {
  const state = { governance: initialGovernance(genesis) as Governance, now_s: NOW_S, verified: 0 };
  const judge = createTokenJudge({
    genesis,
    governance: () => state.governance,
    now_ms: () => state.now_s * 1_000,
    verify: async (...signed) => {
      state.verified += 1;
      return nodeVerify(...signed);
    },
  });
  return { state, judge };
}
