// The data records of an M-Bus telegram (EN 13757-3, section 6): DIF and DIFE say how a value is stored and which of its kind it is, VIF
// and VIFE what it is. What does not fit into the telegram refuses it.

/** One record; `start` and `end` are those of its value. */
export interface MbusRecord {
  /** Index of its DIF: its code is from there to where its value begins, or the text or length before that. */
  readonly codeStart: number;
  readonly codeEnd: number;
  /** Of the DIF: how the value is stored, 0 to 15; 13 has its length behind the VIF. */
  readonly format: number;
  /** 0 now, 1 highest, 2 lowest, 3 of a time of error. */
  readonly moment: number;
  readonly storage: number;
  readonly tariff: number;
  readonly unit: number;
  /** Index of the VIF. */
  readonly vif: number;
  readonly start: number;
  readonly end: number;
}

export interface MbusRecords {
  readonly records: readonly MbusRecord[];
  /** More of them come in another telegram. */
  readonly more: boolean;
  /** Bytes of the maker's own behind them. */
  readonly own: boolean;
}

export const variable = 13;
const extension = 0x80;
const extensionsMax = 10;
const recordsMax = 128;
const filler = 0x2f;
const ownData = 0x0f;
const moreFollow = 0x1f;
const special = 0x0f;
const textVif = 0x7c;
/** Bytes by format; -1 where it is behind the VIF, -2 where there is none such. */
const widths: readonly number[] = [0, 1, 2, 3, 4, 4, 6, 8, 0, 1, 2, 3, 4, -1, 6, -2];

/** The records between `start` and `end`; a text says why they cannot be read. */
export function scanRecords(bytes: Uint8Array, start: number, end: number): MbusRecords | string {
  const records: MbusRecord[] = [];
  let position = start;
  while (position < end) {
    const dif = bytes[position]!;
    if (dif === filler) position++;
    else if (dif === ownData || dif === moreFollow) {
      return { records, more: dif === moreFollow, own: position + 1 < end };
    } else if ((dif & special) === special) return `byte ${position} begins no record: 0x${dif.toString(16)}`;
    else {
      const record = scanRecord(bytes, position, end);
      if (record === undefined || records.length === recordsMax) return `the record at byte ${position} is cut off`;
      records.push(record);
      position = record.end;
    }
  }
  return { records, more: false, own: false };
}

function scanRecord(bytes: Uint8Array, codeStart: number, end: number): MbusRecord | undefined {
  const dif = bytes[codeStart]!;
  let storage = (dif >> 6) & 1;
  let tariff = 0;
  let unit = 0;
  let position = codeStart;
  for (let count = 0; (bytes[position]! & extension) !== 0; count++) {
    position++;
    if (count === extensionsMax || position >= end) return undefined;
    const dife = bytes[position]!;
    storage += (dife & 15) * 2 ** (4 * count + 1);
    tariff += ((dife >> 4) & 3) * 4 ** count;
    unit += ((dife >> 6) & 1) * 2 ** count;
  }
  const vif = position + 1;
  const codeEnd = endOfVif(bytes, vif, end);
  if (codeEnd === undefined) return undefined;
  const format = dif & 15;
  const width = widths[format]!;
  const start = width === -1 ? codeEnd + 1 : codeEnd;
  const last = start + (width === -1 ? variableWidth(bytes[codeEnd]!) : width);
  if (width === -2 || start > end || !(last <= end)) return undefined;
  return { codeStart, codeEnd, format, moment: (dif >> 4) & 3, storage, tariff, unit, vif, start, end: last };
}

/** Behind VIF, its text where it is one, and VIFEs. */
function endOfVif(bytes: Uint8Array, vif: number, end: number): number | undefined {
  let position = vif;
  if (position >= end) return undefined;
  let more = (bytes[position]! & extension) !== 0;
  const isText = (bytes[position]! & 0x7f) === textVif;
  position++;
  if (isText) position += 1 + (bytes[position] ?? end);
  for (let count = 0; more; count++) {
    if (count === extensionsMax || position >= end) return undefined;
    more = (bytes[position]! & extension) !== 0;
    position++;
  }
  return position <= end ? position : undefined;
}

/** By the length before the value: characters, decimal digits with or without a sign, binary numbers. */
function variableWidth(length: number): number {
  if (length < 0xc0) return length;
  if (length < 0xca) return length - 0xc0;
  if (length >= 0xd0 && length < 0xda) return length - 0xd0;
  if (length >= 0xe0 && length < 0xf0) return length - 0xe0;
  if (length >= 0xf0 && length < 0xf5) return 4 * (length - 0xec);
  if (length === 0xf5 || length === 0xf6) return 16 * (length - 0xf2);
  return Number.NaN;
}
