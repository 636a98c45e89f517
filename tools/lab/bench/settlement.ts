// What a settlement costs, alone on one core: a reading with it and without, and the close of a slot of many points.
// Run by itself: node --import tsx tools/lab/bench/settlement.ts [points]

import { toHex } from "../../../src/wire/bytes.js";
import type { Genesis } from "../../../src/wire/genesis.js";
import { keyId } from "../../../src/wire/key.js";
import { parseRecord, signRecord } from "../../../src/wire/record.js";
import { nodeVerify, signerFromSeed } from "../../crypto/signatures.js";
import { execute } from "../../ledger/execution.js";
import { initialGovernance } from "../../ledger/governance.js";
import { MemoryState } from "../../ledger/memory-state.js";
import { type ExecutionRecord, readSignedRecords } from "../../ledger/record-scan.js";
import { MemorySettlement } from "../../ledger/settlement/memory-settlement.js";
import { settle } from "../../ledger/settlement/settle.js";
import { emptyMeterState, encodeMeterState } from "../../ledger/state.js";
import { counters, slots } from "../../node/chain/tables/settlement.js";
import { encodeRow } from "../../node/store/table.js";

const POINTS = Number(process.argv[2] ?? 10_000);
const SLOT_S = 900;
const OPEN_S = 1_790_000_100;
/** Records of one block. */
const TOGETHER = 1_000;
const plan = { slot_s: SLOT_S, lateness_s: 3_600, gapMax_s: 3_600 };

const signer = signerFromSeed(new Uint8Array(32).fill(1));
const own = keyId(signer.key);

/** A record of each meter, with the registers of a household: two tariffs each way, and power. */
function recordsAt(time_s: number, seq: number): Uint8Array[] {
  return Array.from({ length: POINTS }, (_, meter) => {
    const kid = new Uint8Array(8);
    new DataView(kid.buffer).setUint32(4, meter);
    const counter = (group: number, tariff: number, value: number) => {
      return { obis: Uint8Array.of(1, 0, group, 8, tariff, 255), value, scaler: 0, unit: 30 };
    };
    const registers = [
      ...[counter(1, 1, 1_000 + seq * 100), counter(1, 2, 5_000), counter(2, 1, 0), counter(2, 2, 7)],
      { obis: Uint8Array.of(1, 0, 1, 7, 0, 255), value: 300, scaler: 0, unit: 27 },
    ];
    const previous = new Uint8Array(seq === 0 ? 0 : 32);
    return signRecord({ service: 1, serviceId: 0, seq, previous, time_s, quality: 2, registers }, [], signer, kid);
  });
}

function inBlocks(records: readonly ExecutionRecord[]): ExecutionRecord[][] {
  return Array.from({ length: Math.ceil(records.length / TOGETHER) }, (_, block) =>
    records.slice(block * TOGETHER, (block + 1) * TOGETHER),
  );
}

/** Milliseconds that it takes. */
function taken(work: () => void): number {
  const begin = performance.now();
  work();
  return performance.now() - begin;
}

const view = new MemorySettlement();
const meters = new Map<string, typeof emptyMeterState>();
const governance = initialGovernance({ chains: [], nodes: [] } as unknown as Genesis);
const chainView = {
  ...{ meter: (kid: string) => meters.get(kid) ?? emptyMeterState, origin: () => undefined, faults: () => [] },
  ...{ sealedHash: () => undefined, credential: () => undefined, state: new MemoryState(), settlement: view },
};
let height = 0;
const totals = { rules: 0, settlement: 0, rows: 0 };

function seal(records: readonly ExecutionRecord[], time_s: number) {
  height += 1;
  const time_ms = 1_000 * time_s;
  const place = { service: 1, height, governance, judgedAt: 0, time_ms, view: chainView };
  totals.rules += taken(() => {
    const execution = execute(place, [{ origin: own, number: height, notices: [], records }]);
    for (const [kid, state] of execution.meters) {
      encodeMeterState(state);
      meters.set(kid, state);
    }
  });
  let settlement: ReturnType<typeof settle> | undefined;
  const settling = { height, time_ms, judgedAt: 0, plan, asking: ["metering"], assignments: new Map(), view };
  const settle_ms = taken(() => {
    settlement = settle(settling, records);
  });
  view.apply(settlement!);
  const rows_ms = taken(() => {
    for (const row of settlement!.counters.values()) encodeRow(counters, row);
  });
  return { settle_ms, rows_ms, closed: settlement!.closed };
}

const rounds = [0, 1, 2, 3, 4].map((seq) =>
  readSignedRecords(recordsAt(OPEN_S + seq * 180, seq)).map(({ record }) => record),
);
for (const [round, records] of rounds.entries()) {
  for (const block of inBlocks(records)) {
    const { settle_ms, rows_ms } = seal(block, OPEN_S + round * 180);
    if (round < 2) continue;
    totals.settlement += settle_ms;
    totals.rows += rows_ms;
  }
  if (round < 2) totals.rules = 0;
}
const count = 3 * POINTS;
const sample = rounds[0]!.slice(0, 500).map(({ bytes }) => parseRecord(bytes));
const verify_ms = taken(() => {
  for (const { signedBytes, signature } of sample) nodeVerify(signer.key, signedBytes, signature);
});
const beyond = readSignedRecords(recordsAt(OPEN_S + SLOT_S, 5)).map(({ record }) => record);
const last = inBlocks(beyond).map((block) => seal(block, OPEN_S + SLOT_S));
const closing = last.at(-1)!;
const [slot] = closing.closed;
const writing_ms = taken(() => void encodeRow(slots, { height, rows: slot?.rows ?? [] }));
const again_ms = taken(() => void seal([], OPEN_S + SLOT_S + 1));
const µs = (ms: number, of: number) => Math.round((10_000 * ms) / of) / 10;
const rules = µs(totals.rules, count);
const added = µs(totals.settlement + totals.rows, count);
const verify = µs(verify_ms, sample.length);
process.stdout.write(
  `${JSON.stringify({
    points: POINTS,
    reading: { verify_us: verify, rules_us: rules, settlement_us: added, ratio: 1 + added / (verify + rules) },
    close: { points: slot?.rows.length, block_ms: closing.settle_ms, rows_ms: writing_ms, idle_block_ms: again_ms },
    meter: toHex(rounds[0]![0]!.hash).length,
  })}\n`,
);
