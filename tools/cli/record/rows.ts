// Sealed records as rows for other programs: a line of CSV for each register (RFC 4180), or a line of JSON for each record.

import { formatObis } from "../../../src/meter/obis.js";
import { unitName } from "../../../src/meter/unit.js";
import { toHex } from "../../../src/wire/bytes.js";
import { csvRow } from "../../files/csv.js";
import { type ScannedReading, scanReading } from "../../ledger/reading-scan.js";
import { csvCell } from "../../printable.js";
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
export function rowsOf(format: RowFormat, placed: PlacedRecord): string {
  const { height, leaf, bytes } = placed;
  if (format === "jsonl") return `${toJson({ height, leaf, ...recordView(bytes), bytes: undefined })}\n`;
  const reading = scanReading(bytes);
  return reading === undefined ? wholeRows(placed) : readingRows(placed, reading);
}

/** As nearly all records are, of which a chain has millions: no cell needs quotes. A far year begins with a plus. */
function readingRows({ height, leaf }: PlacedRecord, reading: ScannedReading): string {
  const { meter, seq, time_s, quality, registers, digests } = reading;
  const place = `${height},${leaf},${meter},${seq},${csvCell(timeText(time_s * 1_000))},${quality},`;
  if (registers.length === 0) return `${place},,,,${digests},,\r\n`;
  let rows = "";
  for (const { obis, value, scaler, unit, age } of registers) {
    rows += `${place}${formatObis(obis)},${decimal(value, scaler)},${unitName(unit)},${age ?? ""},${digests},,\r\n`;
  }
  return rows;
}

function wholeRows({ height, leaf, bytes }: PlacedRecord): string {
  const record = recordView(bytes);
  const signer = toHex("participant" in record ? record.participant : record.meter);
  const place = `${height},${leaf},${signer},${record.seq},${csvCell(timeText(record.time * 1_000))},${record.quality},`;
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
