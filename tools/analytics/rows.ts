// The rows of a sealed block: its readings register by register; operations are no readings.

import { formatObis } from "../../src/meter/obis.js";
import { unitName } from "../../src/meter/unit.js";
import type { Block } from "../../src/wire/block.js";
import { toHex } from "../../src/wire/bytes.js";
import { hasOperation } from "../../src/wire/operation.js";
import { parseRecord, type Register } from "../../src/wire/record.js";
import type { Row } from "./columns.js";

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

type OfRecord = Pick<Row, "height" | "leaf" | "record" | "meter" | "number" | "time_s" | "quality" | "hidden">;
const noRegister = { obis: null, value: null, scaler: null, unit: null, unit_code: null, age_s: null } as const;

/** In the order of the leaves and of the registers in each. Throws a WireError where a record cannot be read. */
export function* rowsOfBlock({ height, batches }: Block): Generator<Row> {
  let leaf = 0;
  for (const { records } of batches) {
    for (const bytes of records) {
      leaf += 1;
      if (hasOperation(bytes)) continue;
      const { kid, claims, hash } = parseRecord(bytes);
      const { seq: number, time_s, quality, registers = [], digests = [] } = claims;
      const of: OfRecord = {
        ...{ height, leaf, record: toHex(hash), meter: toHex(kid), number, time_s, quality, hidden: digests.length },
      };
      if (registers.length === 0) yield { ...of, ...noRegister };
      for (const register of registers) yield rowOf(of, register);
    }
  }
}

function rowOf(of: OfRecord, { obis, value, scaler, unit, age }: Register): Row {
  const whole = BigInt(value);
  return {
    ...of,
    obis: formatObis(obis),
    value: whole < INT64_MIN || whole > INT64_MAX ? null : whole,
    ...{ scaler, unit: unitName(unit), unit_code: unit, age_s: age ?? null },
  };
}
