// What befalls a running cluster, one fault at a time: each begins, lasts for a while, and is taken back.

import { statfs, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { setTimeout as pause } from "node:timers/promises";
import { STALL_MS } from "../../../src/agent/patience.js";
import type { Genesis } from "../../../src/wire/genesis.js";
import { readGenesisFile } from "../../files/genesis-file.js";
import { readNodeConfiguration } from "../../node/configuration.js";
import { defaultBudgetLimits } from "../../node/network/budget.js";
import { type LyingMember, startLyingMember } from "../fuzz/lying-member.js";
import { readMember } from "../fuzz/member-links.js";
import { readResident_bytes } from "../rig/process-usage.js";
import type { Random } from "../rig/random.js";
import { starvings } from "../simulation/faults/liar.js";
import type { SoakCluster, SoakNode } from "./cluster.js";

export interface Fault {
  readonly name: string;
  /** where it does not last as long as others */
  readonly seconds?: number;
  /** why it cannot be had here */
  missing?(cluster: SoakCluster): string | undefined;
  begin(cluster: SoakCluster, random: Random): Promise<Begun>;
}

export interface Begun {
  /** what was done, to whom */
  readonly what: string;
  /** nodes whose process this ends */
  readonly ends?: readonly SoakNode[];
  /** how long others may keep a node out for it */
  readonly keptOut_ms?: number;
  end(): Promise<void>;
}

/** Beyond what other nodes accept of a block's time, and what a node accepts of a record's. */
const CLOCK_OFF_MS = { least: 60_000, most: 7_200_000 } as const;
/** From a worn disk to one that is about to be given up. */
const SYNC_DELAY_MS = { least: 500, most: 3_000 } as const;
/** What waits for a disk waits at the meters. */
const RESIDENT_BYTES_MAX = 402_653_184;
const FILLER = "filler";
/** A meter that is starved has left after its patience and what it takes to notice, */
const NOTICED_MS = 10_000;
/** which the fault lasts a little longer than: the first record that is kept back may come some seconds after its begin. */
const LEAVE_S = 20;

const signalled = (node: SoakNode, signal: NodeJS.Signals) => {
  const { pid } = node.process;
  if (pid !== undefined) process.kill(pid, signal);
};
const nothing = async () => {};

const withoutPreloads = ({ hasPreloads }: SoakCluster) => (hasPreloads ? undefined : "no C compiler, or no preloading");

export const faults: readonly Fault[] = [
  {
    name: "kill",
    async begin({ nodes }, random) {
      const node = random.pick(nodes);
      signalled(node, "SIGKILL");
      return { what: node.name, ends: [node], end: nothing };
    },
  },
  {
    name: "kill-all",
    async begin({ nodes }) {
      for (const node of nodes) signalled(node, "SIGKILL");
      return { what: "every node", ends: nodes, end: nothing };
    },
  },
  {
    name: "freeze",
    async begin({ nodes }, random) {
      const node = random.pick(nodes);
      signalled(node, "SIGSTOP");
      return { what: node.name, end: async () => signalled(node, "SIGCONT") };
    },
  },
  {
    name: "isolate",
    async begin({ nodes }, random) {
      const node = random.pick(nodes);
      for (const link of node.links) link.cut();
      return { what: `${node.name} from all others`, end: async () => healed(node) };
    },
  },
  {
    name: "split",
    async begin({ nodes, linksBetween }, random) {
      const half = 1 + random.below(nodes.length - 1);
      const apart = nodes.flatMap((_, one) =>
        nodes.flatMap((_, other) => (one < half && other >= half ? linksBetween(one, other) : [])),
      );
      for (const link of apart) link.cut();
      return {
        what: `${half} nodes from ${nodes.length - half}`,
        async end() {
          for (const link of apart) link.heal();
        },
      };
    },
  },
  {
    name: "one-way",
    async begin({ nodes }, random) {
      const node = random.pick(nodes);
      const held = random.pick(["dialler", "dialled", "both"] as const);
      for (const link of node.links) link.hold(held);
      return { what: `bytes of ${held} on the links of ${node.name}`, end: async () => healed(node) };
    },
  },
  {
    name: "lying-member",
    async begin({ nodes, folder }, random) {
      const { genesis } = await readGenesisFile(join(folder, "genesis.cbor"));
      const node = random.pick(nodes);
      const flood = random.pick(SOAK_FLOODS);
      signalled(node, "SIGKILL");
      const liar = await startLiar(node, genesis, random);
      let isOver = false;
      const flooding = liar.flood(flood, () => isOver);
      return {
        what: `${node.name} floods the others with ${flood}`,
        ends: [node],
        keptOut_ms: defaultBudgetLimits.shut_max_ms,
        async end() {
          isOver = true;
          await flooding;
          await liar.close();
        },
      };
    },
  },
  {
    name: "broker",
    missing: ({ mosquitto }) => (mosquitto === undefined ? "mosquitto is not installed" : undefined),
    async begin({ mosquitto }) {
      await mosquitto!.kill();
      return { what: "mosquitto killed", end: async () => mosquitto!.start() };
    },
  },
  {
    name: "disk-full",
    missing: ({ smallDisk }) => (smallDisk === undefined ? "a file system in memory wants root" : undefined),
    async begin({ smallDisk, nodes }) {
      const filler = join(smallDisk!.folder, FILLER);
      const { bavail, bsize } = await statfs(smallDisk!.folder);
      await writeFile(filler, Buffer.alloc(bavail * bsize)).catch(nothing);
      const node = nodes[smallDisk!.node]!;
      return { what: `disk of ${node.name}`, ends: [node], end: () => unlink(filler) };
    },
  },
  {
    name: "slow-disk",
    missing: withoutPreloads,
    async begin({ nodes }, random) {
      const node = random.pick(nodes);
      const delay_ms = Math.round(random.between(SYNC_DELAY_MS.least, SYNC_DELAY_MS.most));
      await node.slowDisk(delay_ms);
      return {
        what: `each sync of ${node.name} takes ${delay_ms} ms longer`,
        async end() {
          const { pid } = node.process;
          const resident_bytes = pid === undefined ? 0 : (readResident_bytes(pid) ?? 0);
          await node.slowDisk(0);
          if (resident_bytes <= RESIDENT_BYTES_MAX) return;
          throw new Error(`${node.name} holds ${resident_bytes} bytes in memory while its disk is slow`);
        },
      };
    },
  },
  {
    name: "clock",
    missing: withoutPreloads,
    async begin({ nodes }, random) {
      const node = random.pick(nodes);
      const offset_ms = Math.round(random.between(CLOCK_OFF_MS.least, CLOCK_OFF_MS.most)) * random.pick([-1, 1]);
      await node.setClock(offset_ms);
      return { what: `${node.name} off by ${Math.round(offset_ms / 1000)} s`, end: () => node.setClock(0) };
    },
  },
  {
    name: "lying-broker",
    // Long enough for every meter that is starved to go elsewhere.
    seconds: STALL_MS / 1000 + LEAVE_S,
    async begin({ liar }, random) {
      const starving = random.pick(starvings);
      liar.lie(starving);
      return {
        what: `the meters' first broker would ${starving}`,
        async end() {
          const betrayed_ms = liar.betrayed_ms();
          liar.lie(undefined);
          if (starving === "refuse" || betrayed_ms < STALL_MS + NOTICED_MS) return;
          const seconds = Math.round(betrayed_ms / 1_000);
          throw new Error(
            `a meter stays for ${seconds} s with a broker that would ${starving}, and does not seal its records`,
          );
        },
      };
    },
  },
];

/** What a member floods the others with; what would be sealed against it is left out, as the end of a run wants no violation. */
const SOAK_FLOODS = ["bad signatures", "block requests", "body requests", "junk", "orders", "extremes"] as const;
const LISTEN_TRIES = 20;
const LISTEN_EVERY_MS = 100;

/** In the place of a node that was killed, whose port it holds until it is closed. */
async function startLiar(node: SoakNode, genesis: Genesis, random: Random): Promise<LyingMember> {
  const identity = await readMember(genesis, await readNodeConfiguration(join(node.home, "node.json")));
  for (let tries = 1; ; tries += 1) {
    try {
      return await startLyingMember(identity, random);
    } catch (error) {
      if (tries === LISTEN_TRIES) throw error;
      await pause(LISTEN_EVERY_MS);
    }
  }
}

function healed(node: SoakNode): void {
  for (const link of node.links) link.heal();
}
