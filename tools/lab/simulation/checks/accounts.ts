// What nodes waste of each other's work, reckoned apart from the product's own budget: correct ones nothing (I19, I20), whoever else
// no more than a burst (I21). And whoever was kept out for it is let in again (I22).

import type { PeerWork } from "../../../node/network/budget.js";
import type { SimulatedNode } from "../world/node-world.js";
import type { Fail } from "./violation.js";

/** Milliseconds of CPU; a dropped frame counts by the byte, and once more. */
const waste_ms: Readonly<Partial<Record<PeerWork, number>>> = { failure: 0.1, unserved: 0.005, refused: 3e-4 };
const DROPPED_MS = 0.1;
const WINDOW_MS = 10_000;
/** The same for what temporary blocks cost beside their waste: no more than a share of it is read (I21). */
const work_ms: Readonly<Partial<Record<PeerWork, number>>> = { record: 0.01, repeat: 0.05 };
/** A burst, what comes back in the window, and the frame with which it is used up. */
const WORK_MAX_MS = 3_500;
/** One burst, what comes back in the window, and the frames that are under way when it is used up. */
const ANYBODY_MAX_MS = 700;
/** The longest that a node is kept out. */
const SHUT_MAX_MS = 120_000;

export interface Accounts {
  onCharged(node: SimulatedNode, peer: string, work: PeerWork, amount: number): void;
  onShut(node: SimulatedNode, peer: string): void;
  onKeptOut(node: SimulatedNode, peer: string): void;
}

interface Window {
  readonly since_ms: number;
  wasted_ms: number;
  worked_ms: number;
}

/** `share`: of the real budget, which a node has in this run. */
export function createAccounts(faulty: ReadonlySet<string>, share: number, now_ms: () => number, fail: Fail): Accounts {
  const windows = new Map<string, Window>();
  const shutAt = new Map<string, number>();
  const nameOf = (node: SimulatedNode, peer: string) => `${peer} by ${node.label} in its life ${node.life}`;
  return {
    onCharged(node, peer, work, amount) {
      const cost_ms = (waste_ms[work] ?? 0) * amount + (work === "refused" ? DROPPED_MS : 0);
      const worked_ms = (work_ms[work] ?? 0) * amount;
      if (cost_ms + worked_ms === 0) return;
      const name = nameOf(node, peer);
      const known = windows.get(name);
      const isOpen = known !== undefined && now_ms() - known.since_ms < WINDOW_MS;
      const window = isOpen ? known : { since_ms: now_ms(), wasted_ms: 0, worked_ms: 0 };
      windows.set(name, window);
      window.wasted_ms += cost_ms;
      window.worked_ms += worked_ms;
      if (window.worked_ms > share * WORK_MAX_MS) {
        fail(
          "I21 what a node makes another one do is bounded",
          `${name}: ${window.worked_ms.toFixed(1)} ms of records`,
        );
      }
      if (cost_ms === 0) return;
      const detail = `${name}: ${window.wasted_ms.toFixed(1)} ms`;
      if (!faulty.has(peer)) fail("I20 a correct node wastes nobody's work", detail);
      if (window.wasted_ms > ANYBODY_MAX_MS) fail("I21 what a node wastes of another's work is bounded", detail);
    },
    onShut(node, peer) {
      shutAt.set(nameOf(node, peer), now_ms());
      if (!faulty.has(peer)) fail("I19 no correct node is kept out", nameOf(node, peer));
    },
    onKeptOut(node, peer) {
      const since_ms = shutAt.get(nameOf(node, peer));
      if (since_ms !== undefined && now_ms() - since_ms <= SHUT_MAX_MS) return;
      fail("I22 who was kept out is let in again", nameOf(node, peer));
    },
  };
}
