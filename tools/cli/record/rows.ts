// Sealed records as rows for other programs: a line of CSV for each register (RFC 4180), or a line of JSON for each record.

import { toHex } from "../../../src/wire/bytes.js";
import { csvRow } from "../../files/csv.js";
import { decimal, timeText, toJson } from "../../terminal/output.js";
import { type RecordView, recordView } from "./view.js";

export type RowFormat = "csv" | "jsonl";

/** A record with its place in the chain. */
export interface PlacedRecord {
  readonly height: number;
  /** from 1 */
  readonly leaf: number;
  readonly bytes: Uint8Array;
}

const columns = [
  ...["height", "leaf", "signer", "number", "time", "quality"],
  ...["obis", "value", "unit", "age_s", "confidential", "type", "body"],
];

/** What stands before the rows. */
export function headOf(format: RowFormat): string {
  return format === "csv" ? csvRow(columns) : "";
}

/** The rows of a record, each with its end of line. Throws a WireError where it is none. */
export function rowsOf(format: RowFormat, { height, leaf, bytes }: PlacedRecord): string {
  const record = recordView(bytes);
  if (format === "jsonl") return `${toJson({ height, leaf, ...record, bytes: undefined })}\n`;
  const signer = toHex("participant" in record ? record.participant : record.meter);
  const place = `${height},${leaf},${signer},${record.seq},${timeText(record.time * 1_000)},${record.quality},`;
  let rows = "";
  for (const cells of cellsOf(record)) rows += place + csvRow(cells.map(String));
  return rows;
}

/** From the column `obis` on. A record without a register has one row. */
function cellsOf(record: RecordView): readonly (readonly (string | number)[])[] {
  const { digests = [] } = record;
  if ("participant" in record) return [["", "", "", "", digests.length, record.type, toJson(record.body)]];
  if (record.registers.length === 0) return [["", "", "", "", digests.length, "", ""]];
  return record.registers.map(({ obis, value, scaler, unit, age }) => {
    return [obis, decimal(value, scaler), unit, age ?? "", digests.length, "", ""];
  });
}
