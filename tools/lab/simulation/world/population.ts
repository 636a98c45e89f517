// Who takes part in a simulation: the nodes, faulty members among them, and the meters of the
// chains.

import { toHex } from "../../../../src/wire/bytes.js";
import type { Genesis, Member } from "../../../../src/wire/genesis.js";
import { CONTRACTS_SERVICE } from "../../../ledger/governance.js";
import { type BudgetLimits, defaultBudgetLimits } from "../../../node/network/budget.js";
import type { NotedRow } from "../../../node/store/writer.js";
import { jurisdictions } from "../../rig/contracts/generate.js";
import { createRandom, type Random } from "../../rig/random.js";
import type { Membership } from "../checks/membership.js";
import type { Coverage } from "../coverage.js";
import { createAdversary } from "../faults/adversary.js";
import { ADDED_SERVICE, type ClusterOptions, lackedBy } from "../options.js";
import { createAgentMeter } from "./agent-meter.js";
import { createDisk } from "./disk.js";
import type { Founding } from "./genesis.js";
import { createMeter, type MeterWorld, type SimulatedMeter } from "./meter.js";
import { createNode } from "./node.js";
import type { NodeWorld, SimulatedNode } from "./node-world.js";

/** Members that are not correct, the last ones. */
export function hostileMembers(genesis: Genesis, options: ClusterOptions): Member[] {
  const isHostile = options.fault === "twins" || options.fault === "byzantine";
  return isHostile ? genesis.nodes.slice(genesis.nodes.length - options.faulty) : [];
}

/**
 * Ids of members of which nobody may need anything, or not all the time: what the bounds of every
 * set of members count.
 */
export function unsoundMembers(genesis: Genesis, options: ClusterOptions): ReadonlySet<string> {
  const harmed = ["lostRecord", "damagedRecord", "damagedRow", "wiped", "clock"].includes(options.fault);
  const members = harmed ? genesis.nodes.slice(-1) : hostileMembers(genesis, options);
  return new Set(members.map(({ id }) => toHex(id)));
}

/** A correct node: neither an adversary's nor one of two copies. */
export function isCorrect(node: SimulatedNode): boolean {
  return node.adversary === undefined && node.copies === 1;
}

export interface NodePorts {
  readonly world: NodeWorld;
  readonly founding: Founding;
  readonly membership: Membership;
  readonly coverage: Coverage;
  onSigned(node: string, bytes: Uint8Array): void;
  onDurable(node: SimulatedNode, rows: readonly NotedRow[]): void;
}

/**
 * The nodes of all members, two of a member that is twins, and behind them those that join later.
 */
export function createNodes(options: ClusterOptions, ports: NodePorts): SimulatedNode[] {
  const { world, coverage, founding, membership } = ports;
  const { genesis, timeline, random } = world;
  const hostile = hostileMembers(genesis, options);
  const nodes: SimulatedNode[] = [];
  for (const [index, member] of founding.nodes.entries()) {
    const self = toHex(member.id);
    const isHostile = hostile.includes(member);
    const copies = isHostile && options.fault === "twins" ? 2 : 1;
    const signer = founding.signers[index]!;
    const follows = isFollowing(options, index) ? genesis.chains.map(({ service }) => service) : [];
    const others = world.ids.filter((id) => id !== self);
    for (let copy = 0; copy < copies; copy += 1) {
      const onDurable = (rows: readonly NotedRow[]) => ports.onDurable(node, rows);
      const onSigned = (bytes: Uint8Array) => ports.onSigned(self, bytes);
      const { behaviours, batch } = options;
      const budget = budgetOf(options.share);
      const node: SimulatedNode = createNode(world, {
        member,
        signer,
        label: `n${index + 1}${copy === 0 ? "" : "'"}`,
        copy,
        copies,
        batch,
        budget,
        follows,
        carries: options.governed,
        hides: options.hides,
        disk: createDisk({ timeline, random, coverage, onDurable }),
        adversary:
          isHostile && options.fault === "byzantine"
            ? createAdversary({ genesis, membership, self, others, signer, random, behaviours, coverage, onSigned })
            : undefined,
      });
      nodes.push(node);
    }
  }
  return nodes;
}

/** Who joins later follows all chains from the start; so does each second node where chains have members of their own. */
function isFollowing(options: ClusterOptions, index: number): boolean {
  return index >= options.members || (lackedBy(options) > 0 && index % 2 === 0);
}

/** The meters, and the one among them with the agent's own code, if there is one. */
export function createMeters(
  options: ClusterOptions,
  genesis: Genesis,
  world: MeterWorld,
): { readonly meters: SimulatedMeter[]; readonly agent: SimulatedMeter | undefined } {
  // Orders are the contracts chain's, records the others'; the added chain's meters offer theirs
  // before it is there.
  const services = genesis.chains.map(({ service }) => service).filter((service) => service !== CONTRACTS_SERVICE);
  if (options.addsChain) services.push(ADDED_SERVICE);
  const hasContracts = options.governed && options.contracts > 0;
  const lapses = createRandom(options.seed ^ 0x9b05688c);
  const meters = Array.from({ length: options.meters }, (_, index) => {
    const service = services[index % services.length]!;
    return createMeter(world, {
      name: `meter ${index + 1} of seed ${options.seed}`,
      service,
      asking: hasContracts ? index % 2 === 1 : index % 3 === 2,
      addressing: hasContracts,
      jurisdiction: hasContracts && index % 2 === 1 ? jurisdictions[(index >> 1) % jurisdictions.length] : undefined,
      counting: hasContracts ? index >> 1 : undefined,
      trusting: index % 2 === 0,
      hiding: options.hides,
      // No node's word holds for what comes when the credential has ended: who lapses keeps its records itself.
      lapse: options.lapses && index % 2 === 1 ? drawLapse(lapses, options.faults_ms) : undefined,
      forking: world.random.chance(0.15),
      forging: world.random.chance(options.behaviours.some((does) => does === "forge" || does === "perjure") ? 1 : 0.3),
    });
  });
  if (!options.agent) return { meters, agent: undefined };
  const agent = createAgentMeter(world, `agent of seed ${options.seed}`, services[0]!);
  return { meters: [...meters, agent], agent };
}

/** When a credential ends, and when a later one is there, both while faults last. */
function drawLapse(random: Random, faults_ms: number): readonly [number, number] {
  const ends_ms = random.between(0.2 * faults_ms, 0.5 * faults_ms);
  return [ends_ms, ends_ms + random.between(0.1 * faults_ms, 0.3 * faults_ms)];
}

/** A node's budget for each peer, with so much of the work that is anybody's share; what is waste stays what it is. */
function budgetOf(share: number): BudgetLimits {
  const { work_ms_per_s, work_burst_ms } = defaultBudgetLimits;
  return { ...defaultBudgetLimits, work_ms_per_s: share * work_ms_per_s, work_burst_ms: share * work_burst_ms };
}
