// I24, what must come of it: where a correct member finds that a record of a temporary block is not
// its meter's, the node that has signed the block is named once the network heals.

import { toHex } from "../../../../src/wire/bytes.js";
import type { Genesis } from "../../../../src/wire/genesis.js";
import { type ReadBatch, readBatch } from "../../../ledger/compose.js";
import { decodeFrame } from "../../../node/chain/frame.js";
import { simulatedVerify } from "../world/keys.js";
import type { SimulatedNode } from "../world/node-world.js";
import type { FalseWordChecks } from "./false-words.js";
import type { Membership } from "./membership.js";

export interface RefutationChecks {
  /** A faulty node sends it. */
  onSent(frame: Uint8Array): void;
  /** A correct node has found that the record's signature does not verify. */
  note(node: SimulatedNode, chain: number, record: Uint8Array): void;
  /** What a correct member has found in its present life and no block records, by name. */
  open(): string[];
}

/** With which the encoding of a record ends. */
const SIGNATURE_BYTES = 64;

interface Found {
  readonly by: SimulatedNode;
  readonly life: number;
  readonly chain: number;
  /** names the record */
  readonly record: string;
}

export function createRefutationChecks(
  genesis: Genesis,
  membership: Membership,
  falseWords: Pick<FalseWordChecks, "isProved">,
): RefutationChecks {
  /** by record: ids of those who have signed temporary blocks with it */
  const origins = new Map<string, Set<string>>();
  const known = new WeakSet<Uint8Array>();
  const found = new Map<string, Found>();

  const isNamed = ({ chain, record }: Found) =>
    [...(origins.get(`${chain}/${record}`) ?? [])].some((origin) => falseWords.isProved(chain, origin));

  const isStillThere = ({ by, life, chain }: Found) =>
    by.isUp && by.life === life && membership.current(chain).some(({ id }) => toHex(id) === by.id);

  return {
    onSent(bytes) {
      if (known.has(bytes)) return;
      known.add(bytes);
      const frame = decodeFrame(bytes);
      const read = frame?.kind === "batch" ? signedBatch(genesis, membership, frame.payload) : undefined;
      for (const record of read?.records ?? []) {
        const key = `${read!.batch.chain}/${nameOf(record.bytes)}`;
        origins.set(key, (origins.get(key) ?? new Set<string>()).add(toHex(read!.batch.origin)));
      }
    },
    note(by, chain, bytes) {
      const record = nameOf(bytes);
      // Who only follows the chain takes nothing for its next block.
      const isSealer = by.chains.get(chain)?.standing.members.includes(by.id) ?? false;
      if (isSealer) found.set(`${by.label}/${chain}/${record}`, { by, life: by.life, chain, record });
    },
    open: () =>
      [...found.values()]
        .filter((one) => isStillThere(one) && !isNamed(one))
        .map(({ by, chain, record }) => `${by.label} of chain ${chain}: record ${record.slice(0, 16)}`),
  };
}

/** By its signature. */
function nameOf(record: Uint8Array): string {
  return toHex(record.subarray(-SIGNATURE_BYTES));
}

/** Undefined where it is none, or not signed by its origin: nobody looks at its records. */
function signedBatch(genesis: Genesis, membership: Membership, payload: Uint8Array): ReadBatch | undefined {
  try {
    const read = readBatch(genesis.hash, payload);
    const key = membership.nodeOf(toHex(read.batch.origin))?.key;
    return key !== undefined && simulatedVerify(key, read.signedBytes, read.signature) ? read : undefined;
  } catch {
    return undefined;
  }
}
