// The authority of a simulation: while everything else goes on it admits, removes and replaces members, adds a chain, rules of meters
// and orders contracts. It submits its orders to one node after the other until they are sealed. Whatever it orders, the faulty of no
// set are more than that set bears.

import { toHex } from "../../../../src/wire/bytes.js";
import type { Genesis, Member } from "../../../../src/wire/genesis.js";
import type { Signer } from "../../../../src/wire/key.js";
import { type Action, type Ready, readyBytes } from "../../../../src/wire/order.js";
import { defaultVerifiers, faults } from "../../../../src/wire/quorum.js";
import type { Random } from "../../rig/random.js";
import type { Membership } from "../checks/membership.js";
import { isOrderDurable } from "../checks/storage.js";
import type { Fail } from "../checks/violation.js";
import type { Coverage } from "../coverage.js";
import { ADDED_SERVICE, type ClusterOptions } from "../options.js";
import type { SimulatedNode } from "../world/node-world.js";
import { isCorrect } from "../world/population.js";
import type { Timeline } from "../world/timeline.js";
import type { AssignmentFaults } from "./assignments.js";
import type { ContractFaults } from "./contracts.js";
import type { OrderSigning } from "./order-signing.js";
import type { RulingFaults } from "./rulings.js";

const ADDED_NAME = "added";
const MEMBERS_MAX = 7;
/** Draws until a change is found that the bounds allow. */
const DRAWS_MAX = 16;

export interface MembershipFaults {
  start(): void;
  /** No further changes are drawn; what is issued is still to be sealed. */
  heal(): void;
  /** Whether all that it has issued is sealed, and all that it must do is done. */
  readonly isDone: boolean;
}

export interface MembershipFaultPorts {
  readonly options: ClusterOptions;
  readonly genesis: Genesis;
  readonly signing: OrderSigning;
  readonly rulings: RulingFaults;
  readonly contracts: ContractFaults;
  readonly assignments: AssignmentFaults;
  readonly timeline: Timeline;
  readonly random: Random;
  readonly nodes: readonly SimulatedNode[];
  /** all nodes with their keys, in the order of `signers` */
  readonly members: readonly Member[];
  readonly signers: readonly Signer[];
  /** ids of nodes that are or will be faulty */
  readonly unsound: ReadonlySet<string>;
  readonly heights: ReadonlyMap<number, number>;
  readonly membership: Membership;
  readonly coverage: Coverage;
  readonly fail: Fail;
  trace(line: string): void;
}

export function createMembershipFaults(ports: MembershipFaultPorts): MembershipFaults {
  const { options, signing, rulings, contracts, timeline, random, nodes, signers, membership, coverage } = ports;
  let left = options.changes;
  let rulingsLeft = options.rulings;
  let contractsLeft = options.governed ? options.contracts : 0;
  let assignmentsLeft = contractsLeft > 0 ? options.assignments : 0;
  let isCalm = false;
  let addsChain = options.addsChain;
  const draws = createDraws(ports);
  let issued: { readonly number: number; readonly bytes: Uint8Array } | undefined;

  const issue = (action: Action, source?: string) => {
    const number = membership.lastOrder + 1;
    const bytes = signing.sign(number, action, source);
    issued = { number, bytes };
    membership.issue(bytes);
    rulings.onIssued(action);
    ports.trace(`the authority issues order ${number}: ${describe(action)}`);
  };

  const draw = () => {
    const ruling = isCalm ? rulings.resume() : rulingsLeft > 0 && random.chance(0.5) ? rulings.draw() : undefined;
    if (ruling !== undefined) {
      if (ruling.type !== "resume") rulingsLeft -= 1;
      return issue(ruling);
    }
    const assignment = assignmentsLeft > 0 && random.chance(0.4) ? ports.assignments.draw() : undefined;
    if (assignment !== undefined) {
      assignmentsLeft -= 1;
      return issue(assignment);
    }
    const contract = contractsLeft > 0 && random.chance(0.8) ? contracts.draw() : undefined;
    if (contract !== undefined) {
      contractsLeft -= 1;
      return issue(contract.action, contract.source);
    }
    if (left === 0 && !addsChain) return;
    for (let count = 0; count < DRAWS_MAX; count += 1) {
      const wantsChain = addsChain && (left === 0 || random.chance(0.4));
      const action = wantsChain ? draws.chain() : draws.members();
      if (action === undefined) continue;
      if (action.type === "chain") addsChain = false;
      else left -= 1;
      return issue(action);
    }
    left = Math.max(0, left - 1);
  };

  /**
   * Out of turn, not the authority's, or of a node that has not said that it is ready: no node may
   * take it.
   */
  const offend = (node: SimulatedNode) => {
    const action = draws.members();
    if (action?.type !== "members") return;
    const bytes = random.pick([
      () => signing.sign(membership.lastOrder + 5, action),
      () => signing.unsigned(membership.lastOrder + 1, action, signers[0]!),
      () => (action.ready.length === 0 ? undefined : signing.sign(membership.lastOrder + 1, { ...action, ready: [] })),
    ])();
    if (bytes === undefined) return;
    coverage.ordersRefused += 1;
    void node.submitOrder(bytes).then((answer) => {
      if (answer?.type === "taken") ports.fail("I12 an order that does not hold is refused", node.label);
    });
  };

  /** Of an engine that no node has, without its source, or of a version that is there: no node may take it. */
  const offendByContract = (node: SimulatedNode) => {
    const offence = contracts.offend();
    if (offence === undefined) return;
    coverage.ordersRefused += 1;
    const bytes = signing.sign(membership.lastOrder + 1, offence.action, offence.source);
    void node.submitOrder(bytes).then((answer) => {
      if (answer?.type === "taken") ports.fail("I12 an order that does not hold is refused", node.label);
    });
  };

  const submit = (node: SimulatedNode, bytes: Uint8Array) =>
    void node.submitOrder(bytes).then((answer) => {
      if (answer?.type !== "taken" || !isCorrect(node) || isOrderDurable(node, bytes)) return;
      ports.fail("I4 an order is durable before its submitter is told", node.label);
    });

  const tick = () => {
    timeline.after(random.between(200, 1_200), tick);
    if (issued !== undefined && issued.number <= membership.lastOrder) issued = undefined;
    const isMore = left > 0 || addsChain || options.rulings > 0 || contractsLeft > 0 || assignmentsLeft > 0;
    if (issued === undefined && isMore) draw();
    const node = random.pick(nodes);
    if (!node.isUp) return;
    if (issued !== undefined) {
      const { bytes } = issued;
      submit(node, bytes);
      // Whoever submits may lose patience and say it again, while the first is being written.
      if (random.chance(0.5)) timeline.after(random.between(0.1, 4), () => submit(node, bytes));
    }
    if (left > 0 && node.adversary === undefined && random.chance(0.2)) offend(node);
    if (contractsLeft > 0 && node.adversary === undefined && random.chance(0.4)) {
      offendByContract(node);
    }
  };

  return {
    start() {
      if (options.changes > 0 || options.addsChain || options.rulings > 0 || contractsLeft > 0)
        timeline.after(random.between(0, 2_000), tick);
    },
    heal() {
      left = 0;
      contractsLeft = 0;
      assignmentsLeft = 0;
      isCalm = true;
    },
    get isDone() {
      return (
        !addsChain && rulings.resume() === undefined && (issued === undefined || issued.number <= membership.lastOrder)
      );
    },
  };
}

/** Changes of members, and the chain that is added, as the bounds allow them; undefined where one that is drawn does not keep them. */
function createDraws(ports: MembershipFaultPorts) {
  const { genesis, random, members, signers, unsound, membership } = ports;

  const isBearable = (set: readonly Member[]) =>
    set.length > 0 &&
    set.length <= MEMBERS_MAX &&
    set.filter(({ id }) => unsound.has(toHex(id))).length <= faults(set.length);

  const readyOf = (chain: number, { id }: Member): Ready => {
    const signer = signers[members.findIndex((member) => toHex(member.id) === toHex(id))]!;
    return { node: id, signature: signer.sign(readyBytes(genesis.hash, chain, id)) };
  };

  const has = (set: readonly Member[], { id }: Member) => set.some((member) => toHex(member.id) === toHex(id));

  /** One comes, one goes, or both; now and then the same ones propose in another order. */
  const drawSet = (before: readonly Member[]): readonly Member[] => {
    const strangers = members.filter((member) => !has(before, member));
    const kind = random.below(8);
    // It would be rid of the faulty first.
    const faulty = before.findIndex(({ id }) => unsound.has(toHex(id)));
    const gone = faulty >= 0 && random.chance(0.5) ? faulty : random.below(before.length);
    const come = strangers.length === 0 || kind === 0 ? [] : [random.pick(strangers)];
    if (kind === 0) return [...before.slice(1), before[0]!];
    if (kind <= 2) return [...before, ...come];
    if (kind <= 4) return before.toSpliced(gone, 1);
    return before.toSpliced(gone, 1, ...come);
  };

  const drawMembers = (): Action | undefined => {
    const { service: chain } = random.pick(membership.chains);
    const before = membership.ordered(chain);
    const set = drawSet(before.members);
    const verifiers = random.pick([defaultVerifiers(set.length), defaultVerifiers(set.length), set.length]);
    const isSame = namesOf(set) === namesOf(before.members) && verifiers === before.verifiers;
    if (isSame || !isBearable(set)) return undefined;
    const height = ports.heights.get(chain) ?? 0;
    const effectiveHeight = Math.max(before.effectiveHeight + 1, height + random.below(4));
    const ready = set.filter((member) => !has(before.members, member)).map((member) => readyOf(chain, member));
    return { type: "members", chain, effectiveHeight, members: set, ready, verifiers };
  };

  const drawChain = (): Action | undefined => {
    const set = genesis.nodes.filter(() => random.chance(0.8));
    if (!isBearable(set)) return undefined;
    return {
      type: "chain",
      service: ADDED_SERVICE,
      name: ADDED_NAME,
      members: set,
      target: 0,
      verifiers: defaultVerifiers(set.length),
    };
  };

  return { members: drawMembers, chain: drawChain };
}

function describe(action: Action): string {
  if (action.type === "revoke") return "revokes meters";
  if (action.type === "ban") return "bans nodes";
  if (action.type === "suspend" || action.type === "resume") return `${action.type}s meters`;
  if (action.type === "end") return "ends a meter";
  if (action.type === "register") return "names its register's head";
  if (action.type === "withdraw") return `takes order ${action.order} back`;
  if (action.type === "assign") return "assigns meters";
  if (action.type === "install") return `installs ${action.name} ${action.version} on chain ${action.service}`;
  if (action.type === "parameters") return `sets parameters of ${action.contract} on chain ${action.service}`;
  if (action.type === "retire") return `retires ${action.name} on chain ${action.service}`;
  const names = namesOf(action.members);
  if (action.type === "chain") return `chain ${action.service} of ${names}`;
  return `chain ${action.chain} from ${action.effectiveHeight} on of ${names}`;
}

function namesOf(members: readonly Member[]): string {
  return members.map(({ name }) => name).join(" ");
}
