// I11, what must come of it: an equivocation that a correct member has seen, or holds evidence of,
// is sealed once the network heals.

import { toHex } from "../../../../src/wire/bytes.js";
import type { Genesis } from "../../../../src/wire/genesis.js";
import type { Statement } from "../../../consensus/types.js";
import { FAULTS_MAX } from "../../../ledger/execution.js";
import { readNotice } from "../../../ledger/notices.js";
import { waitingNotices } from "../../../node/chain/tables/waiting-notices.js";
import type { SimulatedNode } from "../world/node-world.js";
import { isCorrect } from "../world/population.js";
import type { BlockChecks } from "./blocks.js";
import type { Membership } from "./membership.js";
import { createRefutationChecks, type RefutationChecks } from "./refutations.js";

export interface EvidenceChecks {
  /**
   * A correct node reports an equivocation, which counts where it is a member of the chain as far
   * as it knows.
   */
  note(node: SimulatedNode, chain: number, statement: Statement): void;
  /**
   * What a correct member has seen in its present life, or has on disk, and no block records, by
   * name.
   */
  open(): string[];
  readonly refutations: RefutationChecks;
}

interface Case {
  readonly chain: number;
  /** who equivocated, as hex, and at which height; or whose word on a temporary block was false */
  readonly accused: string;
  readonly height: number;
}

interface Report extends Case {
  readonly by: SimulatedNode;
  readonly life: number;
}

/** In the place of a height: the word of a node on a temporary block was false. */
export const FALSE_WORD = 0;

export function createEvidenceChecks(
  genesis: Genesis,
  nodes: readonly SimulatedNode[],
  membership: Membership,
  blockChecks: Pick<BlockChecks, "convictions" | "falseWords">,
): EvidenceChecks {
  const reports: Report[] = [];

  const isMember = (chain: number, { id }: SimulatedNode) =>
    membership.current(chain).some((member) => toHex(member.id) === id);

  const isClosed = ({ chain, accused, height }: Case) => {
    if (height === FALSE_WORD) return blockChecks.falseWords.isProved(chain, accused);
    const convictions = blockChecks.convictions(chain, accused);
    return convictions.includes(height) || convictions.length >= FAULTS_MAX;
  };

  const held = (node: SimulatedNode): Case[] =>
    membership.chains.flatMap(({ service: chain }) =>
      node.disk.rows.all(waitingNotices, chain).flatMap(({ row }) => {
        const notice = readNotice(genesis.hash, row);
        if (notice.kind !== "evidence") return [];
        const height = notice.violation === "equivocation" ? notice.number : FALSE_WORD;
        return [{ chain, accused: toHex(notice.node), height }];
      }),
    );

  return {
    refutations: createRefutationChecks(genesis, membership, blockChecks.falseWords),
    note(by, chain, { node: accused, height }) {
      // Who only follows the chain takes nothing for its next block.
      const isSealer = by.chains.get(chain)?.standing.members.includes(by.id) ?? false;
      if (isSealer) reports.push({ chain, accused, height, by, life: by.life });
    },
    open() {
      const seen = reports.filter(({ by, life, chain }) => by.isUp && by.life === life && isMember(chain, by));
      const kept = nodes.filter(isCorrect).flatMap((node) => held(node).filter(({ chain }) => isMember(chain, node)));
      const open = [...seen, ...kept].filter((found) => !isClosed(found));
      return open.map(
        ({ chain, accused, height }) =>
          `${accused} ${height === FALSE_WORD ? "lied" : "equivocated"} at ${chain}/${height}`,
      );
    },
  };
}
