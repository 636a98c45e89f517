// A sealed record as it is printed: a reading with its registers, an operation with what it asks.

import { formatObis } from "../../../src/meter/obis.js";
import { unitName } from "../../../src/meter/unit.js";
import { toHex } from "../../../src/wire/bytes.js";
import { type AnyRecord, isOperation, type Operation, parseAnyRecord } from "../../../src/wire/operation.js";
import type { Register } from "../../../src/wire/record.js";
import { countText, decimal, timeText } from "../../terminal/output.js";
import { operationLines, operationView } from "../operation/view.js";

export type RecordView = ReturnType<typeof recordView>;

export function recordView(bytes: Uint8Array) {
  const record = parseAnyRecord(bytes);
  return isOperation(record) ? operationView(record) : readingView(record, bytes);
}

function readingView({ hash, kid, claims }: Exclude<AnyRecord, Operation>, bytes: Uint8Array) {
  const { time_s, registers = [], ...others } = claims;
  return { hash, meter: kid, time: time_s, ...others, registers: registers.map(registerView), bytes };
}

function registerView({ obis, value, scaler, unit, age }: Register) {
  return { obis: formatObis(obis), value, scaler, unit: unitName(unit), ...(age !== undefined && { age }) };
}

export function recordLines(record: RecordView): string[] {
  return "participant" in record ? operationLines(record) : readingLines(record);
}

function readingLines(record: ReturnType<typeof readingView>): string[] {
  const { meter, seq, time, quality, serviceId, hash, registers, digests = [] } = record;
  const values = registers.map(({ value, scaler }) => decimal(value, scaler));
  const width = Math.max(0, ...values.map((value) => value.length));
  return [
    `  record ${seq} of meter ${toHex(meter)}, service id ${serviceId}, ${timeText(time * 1000)} quality ${quality}`,
    `    hash ${toHex(hash)}`,
    ...registers.map(({ obis, unit }, index) =>
      `    ${obis.padEnd(18)} ${values[index]!.padStart(width)} ${unit}`.trimEnd(),
    ),
    ...(digests.length === 0 ? [] : [`    and ${countText(digests.length, "confidential group")}`]),
  ];
}
