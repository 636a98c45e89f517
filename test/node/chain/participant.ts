// Somebody who asks things of a cluster's chain: signs operations with a credential that all its nodes have.

import { toHex } from "../../../src/wire/bytes.js";
import { issueCredential, issuerName } from "../../../src/wire/credential.js";
import { keyId, type Signer } from "../../../src/wire/key.js";
import { type Operation, type OperationClaims, parseOperation, signOperation } from "../../../src/wire/operation.js";
import type { Value } from "../../../src/wire/value.js";
import { generateSeed, signerFromSeed } from "../../../tools/crypto/signatures.js";
import { credentials } from "../../../tools/node/chain/tables/credentials.js";
import { idKey } from "../../../tools/node/store/keys.js";
import { SERVICE, type TestCluster } from "./cluster.js";

export interface Participant {
  readonly id: string;
  next(type: number, body?: Value, until_s?: number): Operation;
}

export async function participantOf(cluster: TestCluster): Promise<Participant> {
  const signer: Signer = signerFromSeed(generateSeed());
  const kid = keyId(signer.key);
  const credential = issueCredential(
    {
      issuer: issuerName({ network: "test", authority: cluster.authority.key }),
      ...{ subject: `customer-${toHex(kid)}`, notBefore_s: 0, expires_s: 4_000_000_000, id: kid, key: signer.key },
      ...{ statusIndex: 0, services: [SERVICE], roles: ["customer"], jurisdiction: "DE-BY" },
    },
    cluster.authority,
  );
  for (const node of cluster.nodes) {
    if (node.up) await node.store.write((writer) => writer.put(credentials, idKey(0, kid), credential));
  }
  let seq = 0;
  let previous: Uint8Array = new Uint8Array(0);
  return {
    id: toHex(kid),
    next(type, body = null, until_s) {
      const claims: OperationClaims = {
        ...{ service: SERVICE, serviceId: 1, seq, previous, time_s: 1_700_000_000, quality: 2, type, body },
        ...(until_s !== undefined && { until_s }),
      };
      const operation = parseOperation(signOperation(claims, [], signer, kid));
      seq += 1;
      previous = operation.hash;
      return operation;
    },
  };
}
