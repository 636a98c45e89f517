// What becomes of the spare member's disk while it is down. Its record of the consensus is lost or
// damaged, a row is damaged, or all of it is another one.

import { heads } from "../../../node/chain/tables/heads.js";
import { chainKey } from "../../../node/store/keys.js";
import type { Coverage } from "../coverage.js";
import type { ClusterOptions } from "../options.js";
import type { SimulatedNode } from "../world/node-world.js";

export interface HarmPorts {
  readonly options: ClusterOptions;
  readonly coverage: Coverage;
  /** the member that it befalls */
  readonly spare: SimulatedNode;
  onWiped(node: SimulatedNode): void;
  trace(line: string): void;
}

export interface Harm {
  /** As the options have it, where the spare is down and it has not befallen it often enough. */
  befall(): void;
  readonly isDone: boolean;
  /** The node's disk is another one from now on. */
  wipe(node: SimulatedNode): void;
}

export function createHarm({ options, coverage, spare, onWiped, trace }: HarmPorts): Harm {
  /**
   * A disk that is lost again and again leaves several temporary blocks of one number with the
   * peers.
   */
  const harmsMax = options.fault === "wiped" || options.fault === "damagedRow" ? 4 : 1;
  let harms = 0;

  const wipe = (node: SimulatedNode) => {
    coverage.disksWiped += 1;
    node.disk.wipe();
    onWiped(node);
  };

  /**
   * While it is down. A node that never sealed cannot know that it has lost its record, unless its
   * disk is another.
   */
  const befall = () => {
    const { disk, chainNumbers } = spare;
    const kind = options.fault;
    if (harms >= harmsMax || spare.isUp) return;
    if (kind === "damagedRow") return harmRow();
    const chains = chainNumbers.filter((chain) => kind !== "lostRecord" || disk.rows.has(heads, chainKey(chain)));
    if (chains.length === 0) return;
    if (kind !== "lostRecord" && kind !== "damagedRecord" && kind !== "wiped") return;
    harms += 1;
    trace(`${spare.label} ${kind}`);
    if (kind === "wiped") wipe(spare);
    for (const chain of chains) {
      if (kind === "lostRecord") disk.loseConsensus(chain);
      if (kind === "damagedRecord") disk.damageConsensus(chain);
    }
    if (kind === "lostRecord") coverage.consensusRecordsLost += 1;
    if (kind === "damagedRecord") coverage.consensusRecordsDamaged += 1;
  };

  const harmRow = () => {
    const row = spare.disk.damageRow();
    if (row === undefined) return;
    harms += 1;
    coverage.rowsDamaged += 1;
    trace(`${spare.label} row ${row} is damaged`);
  };

  return {
    befall,
    wipe,
    get isDone() {
      return harms >= harmsMax;
    },
  };
}
