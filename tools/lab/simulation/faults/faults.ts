// What befalls a cluster while its faults last, drawn from the seed: crashes, partitions, slow and
// full disks, clocks that are off and step. Where the options say so, harm.ts lets the disk of one
// member come to harm.

import { CLOCK_SKEW_MAX_MS } from "../../../node/chain/blocks/sealer.js";
import type { Random } from "../../rig/random.js";
import type { Coverage } from "../coverage.js";
import type { ClusterOptions } from "../options.js";
import type { Network } from "../world/network.js";
import type { SimulatedNode } from "../world/node-world.js";
import type { Timeline } from "../world/timeline.js";
import { createHarm } from "./harm.js";

export interface Faults {
  start(): void;
  /** The faults end: everybody is up, in touch, and has room. */
  heal(): void;
  /** The node's disk is another one from now on. */
  renew(node: SimulatedNode): void;
  /** A node has stopped by itself, because its disk is full, as a rule: it comes back. */
  onStopped(node: SimulatedNode): void;
}

export interface FaultPorts {
  readonly options: ClusterOptions;
  readonly timeline: Timeline;
  readonly random: Random;
  readonly network: Network;
  readonly coverage: Coverage;
  readonly nodes: readonly SimulatedNode[];
  /** the member that a fault of one member befalls */
  readonly spare: SimulatedNode;
  onWiped(node: SimulatedNode): void;
  /** What is found on a damaged disk is on the new one. */
  onRepair(node: SimulatedNode): void;
  trace(line: string): void;
}

/** Calls of the outside within which a crash may strike: from a few frames to several blocks. */
const CRASH_CALLS_MAX = 300;
const CRASH_WRITES_MAX = 12;
const ADVERSARY_MS = 300;

export function createFaults(ports: FaultPorts): Faults {
  const { options, timeline, random, network, coverage, nodes, spare, trace } = ports;
  const harm = createHarm(ports);
  let over = false;

  const every = (mean_ms: number, event: () => void) => {
    if (mean_ms === 0) return;
    timeline.after(random.between(0.2, 1.8) * mean_ms, () => {
      if (over) return;
      event();
      every(mean_ms, event);
    });
  };

  const restart = (node: SimulatedNode) => {
    if (node.isUp) return;
    coverage.restarts += 1;
    trace(`${node.label} starts`);
    if (!node.start()) repair(node);
    network.connect(node);
  };

  /**
   * What an operator does with a store that cannot be read: `node repair`, after which the node
   * fetches its chains anew.
   */
  const repair = (node: SimulatedNode) => {
    coverage.disksRepaired += 1;
    trace(`${node.label} is repaired`);
    ports.onRepair(node);
    timeline.after(random.between(10, 500), () => restart(node));
  };

  const crash = () => {
    const node = random.pick(nodes);
    if (!node.isUp) return;
    const kind = random.below(5);
    if (kind === 0) node.stop();
    else if (kind === 1) node.kill();
    else if (kind === 2) node.killInWrite(1 + random.below(CRASH_WRITES_MAX));
    else node.killWithin(1 + random.below(CRASH_CALLS_MAX));
    if (kind > 1) {
      watch(node);
      return;
    }
    comeBack(node);
  };

  /** Until the fuse has burnt down. */
  const watch = (node: SimulatedNode) => {
    const life = node.life;
    const look = () => {
      if (node.life !== life) return;
      if (!node.isUp) {
        coverage.crashesInCalls += 1;
        comeBack(node);
      } else if (!over) timeline.after(50, look);
    };
    timeline.after(50, look);
  };

  const comeBack = (node: SimulatedNode) => {
    if (node === spare) harm.befall();
    timeline.after(random.between(0, 3_000), () => restart(node));
  };

  const slowDown = () => {
    const node = random.pick(nodes);
    node.disk.setDelay(random.between(0, options.slowDisk_ms));
    coverage.disksSlow += 1;
    timeline.after(random.between(200, 2_000), () => node.disk.setDelay(0));
  };

  const fill = () => {
    spare.disk.setFull(true);
    trace(`${spare.label} has a full disk`);
    timeline.after(random.between(200, 3_000), () => spare.disk.setFull(false));
  };

  const setClocks = () => {
    coverage.clockSteps += 1;
    for (const node of nodes) node.clock_ms = random.between(-options.skew_ms, options.skew_ms);
    if (options.fault === "clock") spare.clock_ms = random.pick([-1, 1]) * random.between(2, 20) * CLOCK_SKEW_MAX_MS;
  };

  const attack = () => {
    for (const node of nodes) {
      if (!node.isUp) continue;
      node.adversary?.tick((to, frame) => node.inject(to, frame));
      const accusation = node.adversary?.accuse();
      if (accusation === undefined) continue;
      const submitted = node.chains.get(accusation.chain)?.submit(accusation.notice);
      submitted?.catch(() => {}); // it has a full disk
    }
    timeline.after(over ? 8 * ADVERSARY_MS : random.between(0.2, 1.8) * ADVERSARY_MS, attack);
  };

  return {
    start() {
      setClocks();
      network.setConditions(options.conditions);
      if (options.isolated) network.isolate(spare);
      every(options.crashEvery_ms, crash);
      every(options.partitionEvery_ms, () => {
        trace("the network is split anew");
        if (random.chance(0.3)) network.heal();
        else network.partition();
      });
      if (options.skew_ms > 0) every(3_000, setClocks);
      if (options.slowDisk_ms > 0) every(1_500, slowDown);
      if (options.fault === "fullDisk") every(3_000, fill);
      if (["lostRecord", "damagedRecord", "damagedRow", "wiped"].includes(options.fault)) {
        every(1_500, () => {
          if (harm.isDone || !spare.isUp) return;
          spare.kill();
          comeBack(spare);
        });
      }
      if (nodes.some((node) => node.adversary !== undefined)) attack();
    },
    heal() {
      over = true;
      trace("everything heals");
      network.heal();
      for (const node of nodes) {
        node.disk.setFull(false);
        node.disk.setDelay(0);
        node.killWithin(Number.POSITIVE_INFINITY);
        node.killInWrite(Number.POSITIVE_INFINITY);
        if (!node.isUp) restart(node);
      }
    },
    renew(node) {
      node.kill();
      harm.wipe(node);
      restart(node);
    },
    onStopped(node) {
      timeline.after(random.between(100, 2_000), () => {
        if (node.disk.isDamaged && !node.isUp) repair(node);
        else restart(node);
      });
    },
  };
}
