// Which session has proved to be a meter's: the one that was first to bring a record of it which then went onto the chain in a temporary
// block of this node. A record that somebody has taken from another node's chain, however lately, is sealed there, and not in one.

import { equalBytes } from "../../../src/wire/bytes.js";
import { BoundedMap } from "../../bounded-map.js";
import type { SealedBlock } from "../chain/ports.js";

/** Records that wait to be sealed and would prove a session; of more, the longest noted are forgotten. */
const NOTED_MAX = 65_536;

export interface Proofs {
  /** A session has brought a record, whose signature is the meter's, and which this node has taken. */
  note(service: number, meter: string, seq: number, client: string): void;
  /** A block is stored: what it proves. */
  prove(sealed: SealedBlock): readonly { readonly client: string; readonly meter: string }[];
}

/** `self` is this node's id. */
export function createProofs(self: Uint8Array): Proofs {
  const noted = new BoundedMap<string, string>(NOTED_MAX);
  return {
    note(service, meter, seq, client) {
      const name = nameOf(service, meter, seq);
      if (!noted.has(name)) noted.set(name, client);
    },
    prove({ block, records }) {
      if (noted.size === 0) return [];
      const proved = new Map<string, { client: string; meter: string }>();
      let leaf = 0;
      for (const batch of block.batches) {
        const isOwn = equalBytes(batch.origin, self);
        for (let index = 0; index < batch.records.length; index += 1) {
          const { meter, seq } = records[leaf]!;
          leaf += 1;
          const name = nameOf(block.chain, meter, seq);
          const client = noted.get(name);
          if (client === undefined) continue;
          noted.delete(name);
          if (isOwn) proved.set(`${client} ${meter}`, { client, meter });
        }
      }
      return [...proved.values()];
    },
  };
}

function nameOf(service: number, meter: string, seq: number): string {
  return `${service}/${meter}/${seq}`;
}
