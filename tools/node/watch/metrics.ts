// What a node counts, for Prometheus. Names and meanings stand here alone; docs/metrics.md lists them.

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { packageVersion } from "../../files/package-version.js";

/** Adds what Prometheus' clients tell of every process: CPU, memory, files, event loop; and which version it is. */
export function watchProcess({ registry, build }: Metrics): void {
  build.set({ version: packageVersion(), node: process.version }, 1);
  collectDefaultMetrics({ register: registry });
}

export type Metrics = ReturnType<typeof createMetrics>;

export function createMetrics() {
  const registry = new Registry();
  const registers = [registry];
  return {
    registry,
    ...ingestMetrics(registers),
    ...chainMetrics(registers),
    ...peerMetrics(registers),
    ...nodeMetrics(registers),
  };
}

/** Of what meters publish, and what they are told. */
function ingestMetrics(registers: Registry[]) {
  return {
    admitted: new Counter({
      name: "gridseal_records_admitted_total",
      help: "Records that this node checked and took",
      labelNames: ["service"],
      registers,
    }),
    refused: new Counter({
      name: "gridseal_publishes_refused_total",
      help: "Publishes that this node refused, by reason",
      labelNames: ["reason"],
      registers,
    }),
    refusedMeters: new Counter({
      name: "gridseal_meter_refusals_total",
      help: "Publishes of a meter that this node refused, of the 64 certified meters that were refused last",
      labelNames: ["meter", "reason"],
      registers,
    }),
    repeated: new Counter({
      name: "gridseal_records_repeated_total",
      help: "Records published again, answered with their receipt or left waiting",
      labelNames: ["state"],
      registers,
    }),
    unacknowledged: new Counter({
      name: "gridseal_records_unacknowledged_total",
      help: "Records left without PUBACK because the node was busy, or no member of their chain",
      registers,
    }),
    receipts: new Counter({
      name: "gridseal_receipts_published_total",
      help: "Receipts published to meters",
      registers,
    }),
    connections: new Gauge({
      name: "gridseal_mqtt_connections",
      help: "MQTT clients at this node's own broker, or 1 where the shared broker is connected",
      registers,
    }),
    brokerConnected: new Gauge({
      name: "gridseal_broker_connected",
      help: "0 while the shared broker is not connected",
      registers,
    }),
  };
}

/** Of the chains. */
function chainMetrics(registers: Registry[]) {
  return {
    sealed: new Counter({
      name: "gridseal_records_sealed_total",
      help: "Records sealed on this node's chains",
      labelNames: ["service"],
      registers,
    }),
    height: new Gauge({
      name: "gridseal_chain_height",
      help: "Height of the newest sealed block",
      labelNames: ["service"],
      registers,
    }),
    violations: new Gauge({
      name: "gridseal_chain_violations",
      help: "Violations on the chain",
      labelNames: ["service"],
      registers,
    }),
    chain: new Gauge({
      name: "gridseal_chain_info",
      help: "1 for each chain that this node has, with its name",
      labelNames: ["service", "name"],
      registers,
    }),
    blockTime: new Gauge({
      name: "gridseal_chain_block_timestamp_seconds",
      help: "Timestamp of the newest sealed block",
      labelNames: ["service"],
      registers,
    }),
    waiting: new Gauge({
      name: "gridseal_records_waiting",
      help: "Records of this node's meters that are in no temporary block yet",
      labelNames: ["service"],
      registers,
    }),
    unverified: new Gauge({
      name: "gridseal_temporary_blocks_unverified",
      help: "Temporary blocks that this node has stored and is to verify later",
      labelNames: ["service"],
      registers,
    }),
    disclosuresMissing: new Gauge({
      name: "gridseal_disclosures_missing",
      help: "Sealed readings whose sealed disclosures this member lacks, and asks its peers for",
      labelNames: ["service"],
      registers,
    }),
    sharesMissing: new Gauge({
      name: "gridseal_shares_missing",
      help: "Envelopes of sealed readings of which this member has no share, and asks its peers for one",
      labelNames: ["service"],
      registers,
    }),
    missingSince: new Gauge({
      name: "gridseal_disclosures_missing_since_seconds",
      help: "Time since when the oldest of them is missing, 0 where nothing is",
      labelNames: ["service"],
      registers,
    }),
    rounds: new Counter({
      name: "gridseal_consensus_rounds_failed_total",
      help: "Rounds that ended without a block before the one that was decided",
      labelNames: ["service"],
      registers,
    }),
    sealing: new Histogram({
      name: "gridseal_sealing_seconds",
      help: "Of each temporary block of this node: from its oldest record's admission to the block on disk here",
      buckets: [0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 2, 5, 10, 30, 60],
      registers,
    }),
  };
}

/** Of other nodes. */
function peerMetrics(registers: Registry[]) {
  return {
    peers: new Gauge({ name: "gridseal_peers_connected", help: "Connected nodes", registers }),
    peerConnected: new Gauge({
      name: "gridseal_peer_connected",
      help: "Whether a member of this node's chains is connected",
      labelNames: ["node"],
      registers,
    }),
    peerFramesRefused: new Counter({
      name: "gridseal_peer_frames_refused_total",
      help: "Frames of other nodes that were dropped as malformed or unproven",
      registers,
    }),
    messagesWaiting: new Gauge({
      name: "gridseal_messages_waiting",
      help: "Messages of contracts of one chain that another chain has not taken yet, by their services",
      labelNames: ["from", "to"],
      registers,
    }),
    contractFaults: new Counter({
      name: "gridseal_contract_faults_total",
      help: "Times that contracts could not be run for a fault of this machine",
      registers,
    }),
    runsPostponed: new Counter({
      name: "gridseal_contract_runs_postponed_total",
      help: "Runs that a block left no room for, each time that a block was judged so here",
      labelNames: ["service"],
      registers,
    }),
    runsEndless: new Counter({
      name: "gridseal_contract_runs_endless_total",
      help: "Runs that failed because contracts answer each other without end, each time that a block was judged so here",
      labelNames: ["service"],
      registers,
    }),
    peerMessagesDropped: new Counter({
      name: "gridseal_peer_messages_dropped_total",
      help: "Messages of other nodes that this node had no use for, by reason",
      labelNames: ["reason"],
      registers,
    }),
    peerDelays: new Counter({
      name: "gridseal_peer_delays_total",
      help: "Times that a node was read more slowly because it made this one work more than its share",
      labelNames: ["node"],
      registers,
    }),
    peersShutOut: new Counter({
      name: "gridseal_peers_shut_out_total",
      help: "Times that a node lost its link for a while because of what is not valid in its frames",
      labelNames: ["node"],
      registers,
    }),
    peersDouble: new Counter({
      name: "gridseal_peers_double_total",
      help: "Times that an earlier run of a node came again behind a later one: two processes have its key",
      labelNames: ["node"],
      registers,
    }),
    peerConnectionsRefused: new Counter({
      name: "gridseal_peer_connections_refused_total",
      help: "Connections at the peers' port that this node ended, by reason",
      labelNames: ["reason"],
      registers,
    }),
  };
}

/** Of the node itself. */
function nodeMetrics(registers: Registry[]) {
  return {
    build: new Gauge({
      name: "gridseal_build_info",
      help: "1, with the version of Gridseal and of Node",
      labelNames: ["version", "node"],
      registers,
    }),
    apiRefused: new Counter({
      name: "gridseal_api_refused_total",
      help: "Connections and requests at the API that this node closed or refused to protect itself, by reason",
      labelNames: ["reason"],
      registers,
    }),
    clockOffset: new Gauge({
      name: "gridseal_clock_offset_seconds",
      help: "How far the times of the newest blocks are ahead of this node's clock",
      registers,
    }),
    diskFree: new Gauge({
      name: "gridseal_disk_free_bytes",
      help: "Free bytes of the disk that the store is on",
      registers,
    }),
    diskSize: new Gauge({
      name: "gridseal_disk_size_bytes",
      help: "Size of the disk that the store is on",
      registers,
    }),
    storeSize: new Gauge({ name: "gridseal_store_bytes", help: "Size of the store's file", registers }),
    health: new Gauge({
      name: "gridseal_health",
      help: "The verdict of GET /health: 0 pass, 1 warn, 2 fail",
      registers,
    }),
    problems: new Gauge({
      name: "gridseal_health_problems",
      help: "Chains, or nodes, for which the check of GET /health does not pass",
      labelNames: ["check"],
      registers,
    }),
  };
}
