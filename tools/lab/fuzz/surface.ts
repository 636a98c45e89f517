// What is attacked, one way in at a time: MQTT, the links between nodes, HTTP. Each sends as fast as the node takes it.

import type { Random } from "../rig/random.js";

/** A way into a node. */
export interface Surface {
  readonly name: string;
  /** messages that were written to a connection the node had accepted */
  readonly sent: number;
  /** connections that the node ended, or never accepted */
  readonly ended: number;
  /** Sends the next few messages; resolves when the node has taken them or has had its time. Never rejects. */
  sendSome(random: Random): Promise<void>;
  close(): Promise<void>;
}

/** A sample of what was seen, replaced at random, so that a message can be made of another one. */
export function createReservoir(size: number) {
  const kept: Uint8Array[] = [];
  return {
    get isEmpty() {
      return kept.length === 0;
    },
    keep(bytes: Uint8Array, random: Random): void {
      if (kept.length < size) kept.push(bytes);
      else kept[random.below(size)] = bytes;
    },
    pick: (random: Random): Uint8Array => random.pick(kept),
  };
}
