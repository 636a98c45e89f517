// What must come of a run once its faults are over: everything sealed everywhere within bounds (I9,
// I11, I24), and then silence (I10).

import { toHex } from "../../../../src/wire/bytes.js";
import { localTimeouts } from "../../../consensus/types.js";
import { DUE_PREFIX, deadlineIn } from "../../../ledger/reserved-keys.js";
import { contractState } from "../../../node/chain/tables/contract-state.js";
import { stateKeyIn } from "../../../node/store/keys.js";
import type { Cluster } from "../assembly.js";
import type { ClusterOptions } from "../options.js";
import { EPOCH_MS } from "../world/timeline.js";

/** After the faults everything must be sealed everywhere within this time. */
export const LIVENESS_MS = 240_000;
const LACKING = "I41 what a member lacks of what readings hide it has once the network heals";
/** Beyond two heartbeats, with which a member that has lost its record asks for vouches. */
const QUIET_MS = 65_000;
const IDLE_MS = 70_000;
/** Within which a member verifies what it has only stored, where nothing else is to be verified. */
const LATE_MS = 10_000;

/** Whether what was promised, ordered and seen is sealed, and every correct node has it. */
export function isQuiet(cluster: Cluster): boolean {
  const { correct, meters, agent, membership, membershipFaults, blockChecks, evidenceChecks } = cluster;
  return (
    membershipFaults.isDone &&
    correct.every((node) => node.isUp) &&
    meters.every((meter) => meter === agent || meter.waiting === 0) &&
    membership.chains.every(({ service }) => isEverywhere(cluster, service)) &&
    blockChecks.missing().length === 0 &&
    evidenceChecks.open().length === 0 &&
    evidenceChecks.refutations.open().length === 0 &&
    unsettled(cluster).length === 0 &&
    cluster.lacking(correct).length === 0
  );
}

/** Messages that wait for another chain, and deadlines that have passed and fall due nowhere; without a contracts chain nothing. */
function unsettled({ options, membership, correct, timeline }: Cluster): string[] {
  if (!options.governed) return [];
  const services = membership.chains.map(({ service }) => service);
  const waiting = membership.contracts.messages.waiting((service) => services.includes(service));
  const now_s = (EPOCH_MS + timeline.now_ms()) / 1_000;
  const late = services.filter((service) => {
    const one = correct.find((node) => node.chains.has(service));
    const keys = one?.disk.rows.all(contractState, service).map(({ key }) => stateKeyIn(key)) ?? [];
    return keys.some((key) => key.startsWith(DUE_PREFIX) && deadlineIn(key).time_s <= now_s);
  });
  return [...waiting, ...late.map((service) => `deadlines of ${service}`)];
}

/** Whether the records of one chain are sealed, and every correct node has its blocks. */
export function isLevel(cluster: Cluster, service: number): boolean {
  const { meters, agent, blockChecks } = cluster;
  return (
    meters.every((meter) => meter === agent || meter.service !== service || meter.waiting === 0) &&
    isEverywhere(cluster, service) &&
    !blockChecks.missing().some((name) => name.startsWith(`${service}/`))
  );
}

/** Whether every correct node that runs the chain has its newest block. */
function isEverywhere({ correct, membership, blockChecks }: Cluster, service: number): boolean {
  const height = blockChecks.heights.get(service) ?? 0;
  const members = membership.current(service).map(({ id }) => toHex(id));
  return correct.every((node) => {
    const head = node.chains.get(service)?.head;
    return head === undefined ? !members.includes(node.id) : head.height === height;
  });
}

/** I9, and what it takes. */
export async function runUntilQuiet(cluster: Cluster): Promise<void> {
  const { timeline, nodes, meters, blockChecks, evidenceChecks, membershipFaults, fail, afterEach } = cluster;
  let looked = 0;
  const done = await timeline.run(timeline.now_ms() + LIVENESS_MS, afterEach, () => {
    looked += 1;
    return looked % 16 === 0 && isQuiet(cluster);
  });
  if (done || isQuiet(cluster)) return;
  const where = nodes.map((node) => {
    const heads = [...node.chains].map(([service, chain]) => `${service}/${chain.head.height}`);
    return `${node.label} ${node.isUp ? heads.join(" ") : "down"}`;
  });
  const waiting = meters.map((meter) => `${meter.name}: ${meter.waiting}`);
  const missing = blockChecks.missing().slice(0, 4);
  const open = evidenceChecks.open();
  if (open.length > 0) fail("I11 an equivocation that is seen is sealed once the network heals", open.join("; "));
  const unnamed = evidenceChecks.refutations.open();
  if (unnamed.length > 0) fail("I24 a false word that is found is sealed once the network heals", unnamed.join("; "));
  const lacking = cluster.lacking(cluster.correct).slice(0, 4);
  if (missing.length === 0 && lacking.length > 0) fail(LACKING, lacking.join("; "));
  const unsaid = unsettled(cluster);
  const orders = membershipFaults.isDone ? [] : ["an order waits"];
  const all = [...where, ...waiting, ...missing, ...unsaid, ...orders].join("; ");
  fail("I9 everything promised is sealed once the network heals", all);
  afterEach();
}

/** Whether somebody goes on attacking when the network has healed. */
export function isHostile({ fault }: ClusterOptions): boolean {
  return fault === "twins" || fault === "byzantine";
}

/** I10: heartbeats alone, where nobody is hostile, and nothing is written. I25. */
export async function checkIdle({
  options,
  timeline,
  membership,
  nodes,
  idle,
  checks,
  correct,
  fail,
  afterEach,
}: Cluster): Promise<void> {
  await timeline.run(timeline.now_ms() + QUIET_MS, afterEach);
  Object.assign(idle, { sends: 0, others: 0 });
  const { writes } = checks;
  await timeline.run(timeline.now_ms() + IDLE_MS, afterEach);
  const isVerified = (node: Cluster["correct"][number]) =>
    [...node.chains].every(([, chain]) => chain.standing.unverified === 0);
  // Who is hostile may have sent something a moment ago.
  if (!correct.every(isVerified))
    await timeline.run(timeline.now_ms() + LATE_MS, afterEach, () => correct.every(isVerified));
  const behind = correct.filter((node) => !isVerified(node));
  if (behind.length > 0) {
    fail("I25 what a member has only stored it verifies later", behind.map(({ label }) => label).join(" "));
  }
  if (isHostile(options)) return;
  const links = nodes.length * (nodes.length - 1) * membership.chains.length;
  const most = links * (Math.ceil(IDLE_MS / localTimeouts.heartbeat_ms) + 1);
  if (idle.others > 0 || idle.sends > most || checks.writes > writes) {
    fail("I10 an idle cluster sends heartbeats alone", JSON.stringify({ ...idle, writes: checks.writes - writes }));
  }
}
