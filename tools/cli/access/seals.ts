// Seals of the receipts that one opening reads: the lineage is verified once, and a block's header with its certificate once, however many
// of its records are opened.

import { toHex } from "../../../src/wire/bytes.js";
import { encodeCbor } from "../../../src/wire/cbor.js";
import { certificateToArray } from "../../../src/wire/certificate.js";
import { WireError } from "../../../src/wire/error.js";
import type { Genesis } from "../../../src/wire/genesis.js";
import type { Verify } from "../../../src/wire/key.js";
import { type MembersFrom, memberSets, membersAt } from "../../../src/wire/lineage.js";
import { type Sealed, verifySealOf } from "../../../src/wire/receipt.js";
import { BoundedMap } from "../../bounded-map.js";

/** Seals that are known, above what a month of quarters of an hour has: of more, the one that was met first is verified again. */
const SEALS_MAX = 4_096;

export interface SealTerms {
  readonly genesis: Genesis;
  readonly service: number;
  /** orders and certificates that lead to the chain's members */
  readonly lineage: readonly Uint8Array[];
  readonly verify: Verify;
}

/** Throws a WireError unless a quorum of the chain's members of its height has signed it. */
export type VerifySeal = (sealed: Sealed) => void;

/** Only what was verified is known again, by all of its bytes; what was refuted is judged anew. */
export function sealVerifier({ genesis, service, lineage, verify }: SealTerms): VerifySeal {
  const known = new BoundedMap<string, true>(SEALS_MAX);
  let sets: readonly MembersFrom[] | undefined;
  return (sealed) => {
    if (sealed.chain !== service) throw new WireError("unproven", `it is sealed on chain ${sealed.chain}`);
    const { height, header, certificate } = sealed;
    const name = toHex(encodeCbor([height, header, certificateToArray(certificate)]));
    if (known.has(name)) return;
    sets ??= memberSets(genesis, service, lineage, verify);
    const members = membersAt(sets, height);
    if (members === undefined) throw new WireError("unproven", "it is of height 0, which no block has");
    verifySealOf(sealed, genesis, members, verify);
    known.set(name, true);
  };
}
