// I41: what a correct member lacks of what sealed readings hide, it has once the network heals: the ciphertext, and its part of the key.

import { fromHex, toHex } from "../../../../src/wire/bytes.js";
import type { Genesis } from "../../../../src/wire/genesis.js";
import { sealedDisclosures, sealedKey } from "../../../node/chain/tables/sealed-disclosures.js";
import { opensWith, partsHere } from "../../../node/disclosures/shares.js";
import type { Random } from "../../rig/random.js";
import { createSimulatedCiphers, simulatedCustody } from "../world/ciphers.js";
import type { SimulatedNode } from "../world/node-world.js";
import type { HiddenChecks, HiddenReading } from "./hidden.js";
import type { Membership } from "./membership.js";

export interface HoldingsPorts {
  readonly genesis: Genesis;
  readonly membership: Membership;
  readonly hidden: HiddenChecks;
  readonly random: Random;
}

/** What the nodes lack still, in words; of a faulty origin's records no more than that there is something. */
export function createHiddenHoldings({ genesis, membership, hidden, random }: HoldingsPorts) {
  const ciphers = createSimulatedCiphers(random);
  /** of whom it is known: a disk that is lost is lost before the faults end */
  const found = new Set<string>();

  const lackOf = (
    node: SimulatedNode,
    { chain, origin, record, day }: HiddenReading,
    members: readonly string[],
  ): string | undefined => {
    const place = { kid: record.kid, seq: record.claims.seq, recordHash: record.hash };
    const sealed = node.disk.rows.get(sealedDisclosures, sealedKey({ chain, origin }, place));
    if (sealed === undefined) return "no ciphertext";
    const isTrue = hidden.isTrue(origin, sealed);
    if (isTrue === false) return "another ciphertext";
    const self = fromHex(node.id)!;
    const ports = { genesis, self, ciphers, custody: simulatedCustody(node.id), store: node.disk.rows };
    const parts = partsHere(ports, { chain, meter: record.kid, day, id: sealed.envelope });
    if (opensWith(parts) || isTrue === undefined) return undefined;
    // Where fewer of its custodians are left than open it, a later member has a part of each one's share, and opens nothing.
    const left = parts.others.filter((id) => members.includes(id));
    const areFew = parts.envelope !== undefined && left.length < parts.envelope.threshold;
    return areFew && left.every((id) => parts.dealers.has(id)) ? undefined : "no share";
  };

  return (nodes: readonly SimulatedNode[]): string[] =>
    hidden.readings.flatMap((reading) => {
      const members = membership.current(reading.chain).map(({ id }) => toHex(id));
      return nodes.flatMap((node) => {
        const name = `${node.label}: ${reading.chain}/${toHex(reading.record.kid)}/${reading.record.claims.seq}`;
        if (!members.includes(node.id) || found.has(name)) return [];
        const lack = lackOf(node, reading, members);
        if (lack !== undefined) return [`${name} ${lack}`];
        found.add(name);
        return [];
      });
    });
}
