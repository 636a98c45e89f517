// Who takes part in a simulation: the nodes, faulty members among them, and the meters of the chains.

import { toHex } from "../../src/wire/bytes.js";
import type { Genesis, GenesisChain, Member } from "../../src/wire/genesis.js";
import type { Signer } from "../../src/wire/key.js";
import { createAdversary } from "./adversary.js";
import { createAgentMeter } from "./agent-meter.js";
import type { Coverage } from "./coverage.js";
import { createDisk, type Row } from "./disk.js";
import { createMeter, type MeterWorld, type SimulatedMeter } from "./meter.js";
import { createNode, type NodeWorld, type SimulatedNode } from "./node.js";
import type { ClusterOptions } from "./options.js";

/** Members that are not correct, the last ones. */
export function hostileMembers(genesis: Genesis, options: ClusterOptions): Member[] {
  const isHostile = options.fault === "twins" || options.fault === "byzantine";
  return isHostile ? genesis.nodes.slice(genesis.nodes.length - options.faulty) : [];
}

/** A correct node: neither an adversary's nor one of two copies. */
export function isCorrect(node: SimulatedNode): boolean {
  return node.adversary === undefined && node.copies === 1;
}

export interface NodePorts {
  readonly world: NodeWorld;
  readonly signers: readonly Signer[];
  readonly coverage: Coverage;
  onSigned(node: string, bytes: Uint8Array): void;
  onDurable(node: SimulatedNode, rows: readonly Row[]): void;
}

/** The nodes of all members; two of a member that is twins. */
export function createNodes(options: ClusterOptions, ports: NodePorts): SimulatedNode[] {
  const { world, coverage } = ports;
  const { genesis, timeline, random } = world;
  const hostile = hostileMembers(genesis, options);
  const nodes: SimulatedNode[] = [];
  for (const [index, member] of genesis.nodes.entries()) {
    const self = toHex(member.id);
    const isHostile = hostile.includes(member);
    const copies = isHostile && options.fault === "twins" ? 2 : 1;
    const signer = ports.signers[index]!;
    for (let copy = 0; copy < copies; copy += 1) {
      const onDurable = (rows: readonly Row[]) => ports.onDurable(node, rows);
      const onSigned = (bytes: Uint8Array) => ports.onSigned(self, bytes);
      const { behaviours, batch } = options;
      const node: SimulatedNode = createNode(world, {
        member,
        signer,
        label: `n${index + 1}${copy === 0 ? "" : "'"}`,
        copy,
        copies,
        batch,
        disk: createDisk({ timeline, random, coverage, onDurable }),
        adversary:
          isHostile && options.fault === "byzantine"
            ? createAdversary({ genesis, self, signer, random, behaviours, coverage, onSigned })
            : undefined,
      });
      nodes.push(node);
    }
  }
  return nodes;
}

/** The meters, and the one among them with the agent's own code, if there is one. */
export function createMeters(
  options: ClusterOptions,
  genesis: Genesis,
  worldOf: (chain: GenesisChain) => MeterWorld,
): { readonly meters: SimulatedMeter[]; readonly agent: SimulatedMeter | undefined } {
  const meters = Array.from({ length: options.meters }, (_, index) => {
    const chain = genesis.chains[index % genesis.chains.length]!;
    const world = worldOf(chain);
    return createMeter(world, {
      name: `meter ${index + 1} of seed ${options.seed}`,
      service: chain.service,
      trusting: index % 2 === 0,
      forking: world.random.chance(0.15),
      forging: world.random.chance(options.behaviours.includes("forge") ? 1 : 0.3),
    });
  });
  if (!options.agent) return { meters, agent: undefined };
  const [chain] = genesis.chains;
  const agent = createAgentMeter(worldOf(chain!), `agent of seed ${options.seed}`, chain!.service);
  return { meters: [...meters, agent], agent };
}
