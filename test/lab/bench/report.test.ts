import assert from "node:assert/strict";
import { test } from "node:test";
import type { MeasuredPhase } from "../../../tools/lab/bench/measure-cluster.js";
import { composeReport, type Measurements, reportLines } from "../../../tools/lab/bench/report.js";

const phase: MeasuredPhase = {
  records: 60_000,
  seconds: 20,
  records_per_s: 3_000,
  p50_ms: 400,
  p99_ms: 900,
  max_ms: 1_000,
  cpu_s_per_1000_records: { "node-1": 0.12, "node-2": 0.12, "node-3": 0.12, "node-4": 0.12, "load generator": 0.02 },
};

function measurements(changed: Partial<Measurements["gridseal"]> = {}): Measurements {
  const gridseal: Measurements["gridseal"] = {
    record_bytes: 250,
    window: 32,
    verify: {
      before: { per_s: 21_000, cpu_s_per_1000: 0.07 },
      after: { per_s: 19_000, cpu_s_per_1000: 0.06 },
    },
    warmup_s: 60,
    saturated: phase,
    half: { ...phase, records_per_s: 1_500 },
    published: 100,
    sealed: 100,
    lost: 0,
    duplicated: 0,
    receipts: { receipted: 100, repeated: 0, refused: {}, verified: 2 },
    chains: [
      { service: 1, name: "trading", height: 9, header: "00", records: 100, violations: 0, time_ms: 1, pending: 0 },
    ],
  };
  const long = { ...gridseal, record_bytes: 1_300, saturated: { ...phase, records_per_s: 2_400 } };
  return {
    date: "2026-01-01T00:00:00.000Z",
    command: "node bench.js",
    nodes: 4,
    verifiers: 2,
    meters: 200,
    machine: {
      processor: "processor",
      cores: 2,
      memory_bytes: 2 ** 33,
      system: "linux",
      load_before: 0,
      synced_appends_per_s: 5_000,
      versions: { node: "v20" },
    },
    gridseal: { ...gridseal, ...changed },
    long: { registers: 80, gridseal: long },
    idle: { seconds: 20, cpu_percent: 0.5, written_bytes: 0, blocks: 0 },
    disk: { data_bytes: 30_000, bytes_per_record: 300, ratio: 1.2 },
    peers: {
      etcd: { skipped: "etcd is not installed" },
      jetstream: { ...phase, records_per_s: 6_000, unanswered: 0, inFlight: 768 },
      etcdUnverified: { ...phase, records_per_s: 12_000, unanswered: 0, inFlight: 768 },
    },
  };
}

test("divides the machine's verify rate among those who verify a record and compares", () => {
  const { ratios, faults } = composeReport(measurements());
  assert.deepEqual(ratios, {
    limit_per_s: 10_000,
    sealedToLimit: 0.3,
    verificationShare: 0.26,
    registersInProportion: 0.8,
    sealedToJetStream: 0.5,
    sealedToEtcdUnverified: 0.25,
  });
  assert.deepEqual(faults, []);
});

test("names what must not be", () => {
  const receipts = { receipted: 97, repeated: 0, refused: { busy: 2 }, verified: 2 };
  const chains = [
    { service: 1, name: "trading", height: 9, header: "00", records: 96, violations: 5, time_ms: 1, pending: 0 },
  ];
  const { faults } = composeReport(measurements({ lost: 3, duplicated: 1, sealed: 96, receipts, chains }));
  assert.equal(faults.length, 5);
  const { long } = measurements();
  const lossy = { ...long, gridseal: { ...long.gridseal, lost: 1 } };
  assert.deepEqual(composeReport({ ...measurements(), long: lossy }).faults, [
    "80 registers a record: 1 published records have no receipt",
  ]);
  const idle = { seconds: 20, blocks: 2 };
  assert.deepEqual(composeReport({ ...measurements(), idle }).faults, ["2 blocks were made of nothing"]);
});

test("prints every figure, and by name what was skipped", () => {
  const text = reportLines(composeReport(measurements())).join("\n");
  for (const part of [
    "21,000/s before",
    "0.30",
    "limit: verifications / 2 who verify",
    "skipped: etcd is not installed",
    "6,000 records/s",
    "0.50 % of a core",
    "15,000 registers/s, 3,000 records/s of 250 bytes",
    "192,000 registers/s, 2,400 records/s of 1300 bytes",
  ]) {
    assert.ok(text.includes(part), part);
  }
  assert.ok(!text.includes("FAULT"));
});

test("the ratio with a confidential group is stated where it was measured, and its faults are the report's", () => {
  const measured = measurements();
  assert.equal(composeReport(measured).ratios.confidentialToClear, undefined);
  const confidential = { ...measured.gridseal, saturated: { ...phase, records_per_s: 2_550 }, lost: 3 };
  const report = composeReport({ ...measured, confidential });
  assert.equal(report.ratios.confidentialToClear, 0.85);
  assert.ok(reportLines(report).some((line) => /confidential group \/ without +0\.85 +0\.80 or more/.test(line)));
  assert.deepEqual(report.faults, ["a confidential group a record: 3 published records have no receipt"]);
});
