// I24: who says of a temporary block what is not true is named for it, once, with a proof, and no
// correct node is.

import { toHex } from "../../../../src/wire/bytes.js";
import { parseCredential } from "../../../../src/wire/credential.js";
import { parseAnyRecord } from "../../../../src/wire/operation.js";
import { decodeDisproof } from "../../../ledger/disproof.js";
import type { FalseAcknowledgement } from "../../../ledger/violations.js";
import { simulatedVerify } from "../world/keys.js";
import type { Fail } from "./violation.js";

export interface FalseWordChecks {
  /** A block that is durable on a correct node for the first time says so. */
  check(where: string, chain: number, violation: FalseAcknowledgement): void;
  isProved(chain: number, node: string): boolean;
  /** nodes, on a chain each */
  readonly count: number;
}

export function createFalseWordChecks(faulty: ReadonlySet<string>, fail: Fail): FalseWordChecks {
  const proved = new Set<string>();
  return {
    check(where, chain, { node, evidence }) {
      const accused = `${chain}/${toHex(node)}`;
      if (!faulty.has(toHex(node))) fail("I24 no word of a correct node is proved false", `${accused} in ${where}`);
      if (proved.has(accused)) fail("I24 evidence of a false word is sealed once", `${accused} in ${where}`);
      proved.add(accused);
      const { credential, record } = decodeDisproof(evidence).bad;
      const { signedBytes, signature } = parseAnyRecord(record);
      if (!simulatedVerify(parseCredential(credential).key, signedBytes, signature)) return;
      fail("I24 the record of a false word does not verify", where);
    },
    isProved: (chain, node) => proved.has(`${chain}/${node}`),
    get count() {
      return proved.size;
    },
  };
}
