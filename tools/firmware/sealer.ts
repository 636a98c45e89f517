// A cluster in a few lines, for what tries the agent alone: four keys, or one, that seal whatever stripped records they are given, and the
// receipts of it.

import { createHash } from "node:crypto";
import { precommitBytes } from "../../src/wire/certificate.js";
import { issueCredential, issuerName } from "../../src/wire/credential.js";
import { type Genesis, issueGenesis, verifyGenesis } from "../../src/wire/genesis.js";
import { encodeHeader, headerHash } from "../../src/wire/header.js";
import { keyId, type PublicKey, type Signer } from "../../src/wire/key.js";
import { inclusionPath, leafHash, merkleLevels, rootOfLevels } from "../../src/wire/merkle.js";
import { encodeReceipt } from "../../src/wire/receipt.js";
import { nodeVerify, signerFromSeed } from "../crypto/signatures.js";

export interface Sealer {
  readonly genesis: Genesis;
  readonly genesisBytes: Uint8Array;
  /** Seals the records, without their disclosures, as the chain's next block, by these of the members, else by a quorum; a receipt each. */
  seal(chain: number, records: readonly Uint8Array[], by?: readonly number[]): Uint8Array[];
  credential(key: PublicKey, services: readonly number[]): Uint8Array;
}

export const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash("sha256").update(bytes).digest());

/** A sealer of so many members, 1 to 4: each that signs costs the meter a verification. */
export function createSealer(network: string, services: readonly number[] = [1, 2, 3], members = 4): Sealer {
  const signer = (name: string): Signer => signerFromSeed(sha256(Buffer.from(`${network} ${name}`)));
  const authority = signer("authority");
  const signers = ["a", "b", "c", "d"].slice(0, members).map(signer);
  const nodes = signers.map(({ key }, index) => ({ id: keyId(key), key, name: `node-${index}` }));
  const chains = services.map((service) => ({
    service,
    name: `service-${service}`,
    members: nodes,
    target: 0,
    verifiers: nodes.length,
  }));
  const genesisBytes = issueGenesis({ network, time_s: 1_790_000_000, nodes, chains }, authority);
  const genesis = verifyGenesis(genesisBytes, nodeVerify);
  const heights = new Map<number, number>();
  const heads = new Map<number, Uint8Array>();

  return {
    genesis,
    genesisBytes,
    seal(chain, records, by = [0, 1, 3].slice(0, members)) {
      const height = (heights.get(chain) ?? 0) + 1;
      heights.set(chain, height);
      const hashes = records.map(sha256);
      const levels = merkleLevels([new Uint8Array(32).fill(height), ...hashes].map(leafHash));
      const previous = heads.get(chain) ?? genesis.hash;
      const time_s = genesis.time_s + height;
      const header = encodeHeader({
        version: 1,
        previous,
        merkleRoot: rootOfLevels(levels),
        time_s,
        target: 0,
        nonce: 0,
      });
      const hash = headerHash(header);
      heads.set(chain, hash);
      const signed = precommitBytes(genesis.hash, chain, height, 0, hash);
      const signatures = by.map((index) => ({
        node: nodes[index]!.id,
        signature: signers[index]!.sign(signed),
      }));
      return hashes.map((recordHash, index) => {
        const leaf = { recordHash, leaf: index + 1, size: hashes.length + 1, path: inclusionPath(levels, index + 1) };
        return encodeReceipt({ network, chain, height, ...leaf, header, certificate: { round: 0, signatures } });
      });
    },
    credential(key, permitted) {
      const who = { issuer: issuerName(genesis), subject: "meter", notBefore_s: 0, expires_s: 4_000_000_000 };
      const rest = { id: new Uint8Array(8), key, statusIndex: 0, services: permitted, roles: ["meter" as const] };
      return issueCredential({ ...who, ...rest }, authority);
    },
  };
}
