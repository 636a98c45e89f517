// What the benchmark found: the JSON document, the ratios in it, and the table for people.

import { pairs, table } from "../../terminal/output.js";
import { REGISTERS_DEFAULT } from "../rig/records.js";
import type { Machine } from "./machine.js";
import {
  type ClusterMeasurement,
  type DiskMeasurement,
  type IdleMeasurement,
  limitOf,
  type MeasuredPhase,
} from "./measure-cluster.js";
import type { PeerMeasurement } from "./peers.js";

export interface Measurements {
  readonly date: string;
  readonly command: string;
  readonly nodes: number;
  /** of them those that verify a record before it is sealed */
  readonly verifiers: number;
  readonly meters: number;
  readonly machine: Machine;
  readonly gridseal: ClusterMeasurement;
  /** the same with so many registers in a record */
  readonly long: { readonly registers: number; readonly gridseal: ClusterMeasurement };
  /** the same with one confidential group in a record; absent where it was not asked for */
  readonly confidential?: ClusterMeasurement;
  readonly idle: IdleMeasurement;
  readonly disk: DiskMeasurement;
  /** `etcd`, `jetstream`: each record is verified once and stored; `etcdUnverified`: stored as it comes */
  readonly peers: Readonly<Record<"etcd" | "jetstream" | "etcdUnverified", PeerMeasurement>>;
}

export interface Report extends Measurements {
  readonly version: 1;
  readonly ratios: {
    /**
     * (mean verify rate right before and after saturation) / verifiers: so many nodes verify
     * every record before it is sealed
     */
    readonly limit_per_s: number;
    readonly sealedToLimit: number;
    /**
     * of the CPU time that a record takes at saturation, load generator included, what its
     * verifications take. Unlike the ratio of rates it holds on a machine that has other work.
     * Absent where the system does not tell
     */
    readonly verificationShare?: number;
    /**
     * registers a second in long records, by those in usual ones and by how much more a record
     * holds: 1 is in proportion
     */
    readonly registersInProportion: number;
    /** records a second with one confidential group in each, by those without */
    readonly confidentialToClear?: number;
    readonly sealedToEtcd?: number;
    readonly sealedToJetStream?: number;
    readonly sealedToEtcdUnverified?: number;
  };
  /** what must not be, in words; empty where all is well */
  readonly faults: readonly string[];
}

export function composeReport(measured: Measurements): Report {
  const limit_per_s = limitOf(measured.gridseal, measured.verifiers);
  const sealed_per_s = measured.gridseal.saturated.records_per_s;
  const { etcd, jetstream, etcdUnverified } = measured.peers;
  return {
    version: 1,
    ...measured,
    ratios: {
      limit_per_s,
      sealedToLimit: sealed_per_s / limit_per_s,
      ...verificationShare(measured),
      ...(measured.confidential !== undefined && {
        confidentialToClear: measured.confidential.saturated.records_per_s / sealed_per_s,
      }),
      registersInProportion: measured.long.gridseal.saturated.records_per_s / sealed_per_s,
      ...("skipped" in etcd ? {} : { sealedToEtcd: sealed_per_s / etcd.records_per_s }),
      ...("skipped" in jetstream ? {} : { sealedToJetStream: sealed_per_s / jetstream.records_per_s }),
      ...("skipped" in etcdUnverified ? {} : { sealedToEtcdUnverified: sealed_per_s / etcdUnverified.records_per_s }),
    },
    faults: faultsOf(measured),
  };
}

function verificationShare({ verifiers, gridseal }: Measurements): Pick<Report["ratios"], "verificationShare"> {
  const spent_s = Object.values(gridseal.saturated.cpu_s_per_1000_records).reduce((sum, cpu_s) => sum + cpu_s, 0);
  const { verify } = gridseal;
  const verifying_s = ((verify.before.cpu_s_per_1000 + verify.after.cpu_s_per_1000) / 2) * verifiers;
  return spent_s > 0 ? { verificationShare: verifying_s / spent_s } : {};
}

/** Only what is wrong on any machine, however slow. */
function faultsOf({ gridseal, long, confidential, idle }: Measurements): string[] {
  const hidden = confidential === undefined ? [] : recordFaultsOf(confidential);
  const inLong = recordFaultsOf(long.gridseal).map((fault) => `${long.registers} registers a record: ${fault}`);
  const idling = idle.blocks > 0 ? [`${idle.blocks} blocks were made of nothing`] : [];
  const inHidden = hidden.map((fault) => `a confidential group a record: ${fault}`);
  return [...recordFaultsOf(gridseal), ...inLong, ...inHidden, ...idling];
}

function recordFaultsOf(gridseal: ClusterMeasurement): string[] {
  const faults: string[] = [];
  if (gridseal.lost > 0) faults.push(`${gridseal.lost} published records have no receipt`);
  if (gridseal.duplicated > 0) faults.push(`${gridseal.duplicated} records are sealed twice`);
  if (gridseal.sealed < gridseal.receipts.receipted) faults.push("there are receipts of records that no chain holds");
  const refused = Object.entries(gridseal.receipts.refused).map(([reason, count]) => `${count} ${reason}`);
  if (refused.length > 0) faults.push(`good records were refused: ${refused.join(", ")}`);
  const violations = gridseal.chains.reduce((sum, chain) => sum + chain.violations, 0);
  if (violations > 0) faults.push(`${violations} violations were found in good records`);
  return faults;
}

/** The report as lines for a terminal. */
export function reportLines(report: Report): string[] {
  const { machine, gridseal, idle, disk } = report;
  return [
    ...pairs([
      ["machine", `${machine.processor}, ${machine.cores} cores, ${Math.round(machine.memory_bytes / 2 ** 30)} GiB`],
      ["disk", `${rate(machine.synced_appends_per_s)} synced appends/s`],
      ["versions", Object.entries(machine.versions).flat().join(" ")],
      [
        "load",
        `${report.meters} meters on ${report.nodes} nodes, records of ${gridseal.record_bytes.toFixed(0)} bytes`,
      ],
    ]),
    "",
    ...table(["measured", "value", "goal"], rowsOf(report)),
    "",
    ...phaseTable(gridseal),
    "",
    ...pairs([
      [
        "records",
        `${gridseal.published} published, ${gridseal.sealed} sealed, ${gridseal.lost} lost, ${gridseal.duplicated} twice`,
      ],
      [
        "receipts",
        `${gridseal.receipts.receipted} matched, ${gridseal.receipts.verified} verified in full, ${gridseal.receipts.repeated} came again`,
      ],
      [
        "chains",
        gridseal.chains.map(({ name, height, records }) => `${name} ${records} in ${height} blocks`).join(", "),
      ],
      ["idle", `${idle.blocks} blocks, ${idle.written_bytes ?? "?"} bytes written in ${idle.seconds} s by all nodes`],
      ["store", `${disk.data_bytes} bytes on one node`],
    ]),
    ...report.faults.map((fault) => `FAULT: ${fault}`),
  ];
}

function rowsOf({
  ratios,
  gridseal,
  long,
  idle,
  disk,
  peers,
  verifiers,
}: Report): (readonly [string, string, string])[] {
  const peer = (name: string, result: PeerMeasurement, ratio: number | undefined, goal: string) =>
    "skipped" in result
      ? ([name, `skipped: ${result.skipped}`, goal] as const)
      : ([
          name,
          `${rate(result.records_per_s)} records/s, p99 ${result.p99_ms.toFixed(0)} ms, Gridseal × ${ratio?.toFixed(2)}`,
          goal,
        ] as const);
  return [
    [
      "Ed25519 verifications",
      `${rate(gridseal.verify.before.per_s)}/s before, ${rate(gridseal.verify.after.per_s)}/s after`,
      "",
    ],
    [`limit: verifications / ${verifiers} who verify`, `${rate(ratios.limit_per_s)} records/s`, ""],
    ["Gridseal sealed", `${rate(gridseal.saturated.records_per_s)} records/s after ${gridseal.warmup_s} s of load`, ""],
    ["sealed / limit", ratios.sealedToLimit.toFixed(2), "0.80 or more"],
    ["verification's share of CPU time", ratios.verificationShare?.toFixed(2) ?? "unknown", ""],
    [...registersRow(REGISTERS_DEFAULT, gridseal), ""],
    [...registersRow(long.registers, long.gridseal), ""],
    [
      `${long.registers} / ${REGISTERS_DEFAULT} registers, in proportion`,
      ratios.registersInProportion.toFixed(2),
      "0.85 or more",
    ],
    ...confidentialRows(ratios),
    ["disk / signed record", `${disk.ratio.toFixed(2)} (${disk.bytes_per_record.toFixed(0)} bytes)`, "1.50 or less"],
    [
      "idle, all nodes",
      idle.cpu_percent === undefined ? "unknown" : `${idle.cpu_percent.toFixed(2)} % of a core`,
      "under 2 %",
    ],
    peer("verified once, etcd, 3 servers, fsync", peers.etcd, ratios.sealedToEtcd, "× 1.30 or more"),
    peer("verified once, JetStream R3, no fsync each", peers.jetstream, ratios.sealedToJetStream, "× 1.20 or more"),
    peer("unverified, etcd, 3 servers, fsync", peers.etcdUnverified, ratios.sealedToEtcdUnverified, ""),
  ];
}

function confidentialRows({ confidentialToClear: ratio }: Report["ratios"]): (readonly [string, string, string])[] {
  return ratio === undefined ? [] : [["with a confidential group / without", ratio.toFixed(2), "0.80 or more"]];
}

function registersRow(count: number, { saturated, half, record_bytes }: ClusterMeasurement) {
  const rates = `${rate(saturated.records_per_s * count)} registers/s, ${rate(saturated.records_per_s)} records/s`;
  const value = `${rates} of ${record_bytes.toFixed(0)} bytes, p99 at half ${half.p99_ms.toFixed(0)} ms`;
  return [`${count} registers a record`, value] as const;
}

function phaseTable({ saturated, half, window }: ClusterMeasurement): string[] {
  const processes = Object.keys(saturated.cpu_s_per_1000_records);
  const row = (name: string, phase: MeasuredPhase) => [
    name,
    rate(phase.records_per_s),
    phase.p50_ms.toFixed(0),
    phase.p99_ms.toFixed(0),
    ...processes.map((process) => (phase.cpu_s_per_1000_records[process] ?? Number.NaN).toFixed(3)),
  ];
  return [
    `publish to receipt in ms, and CPU seconds per 1000 records by process; closed loop with ${window} under way a meter, then open loop:`,
    ...table(["load", "records/s", "p50", "p99", ...processes], [row("saturated", saturated), row("half", half)]),
  ];
}

function rate(per_s: number): string {
  return Math.round(per_s).toLocaleString("en-US");
}
