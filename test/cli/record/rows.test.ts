// Rows of CSV say what the record says, whichever way it was read.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { toHex } from "../../../src/wire/bytes.js";
import { keyId } from "../../../src/wire/key.js";
import { signOperation } from "../../../src/wire/operation.js";
import { signRecord } from "../../../src/wire/record.js";
import { headOf, rowsOf } from "../../../tools/cli/record/rows.js";
import { recordView } from "../../../tools/cli/record/view.js";
import { csvRow, readCsv } from "../../../tools/files/csv.js";
import { decimal, timeText } from "../../../tools/terminal/output.js";
import { claims as anyClaims, operationClaims as anyOperation } from "../../wire/arbitraries.js";
import { signerNamed } from "../../wire/network.js";

const meter = signerNamed("a meter with rows");
const kid = keyId(meter.key);
const [columns] = readCsv(headOf("csv"));

test("a reading has a row a register, or one", () => {
  fc.assert(
    fc.property(anyClaims, (claims) => {
      const bytes = signRecord(claims, [], meter, kid);
      const record = recordView(bytes);
      assert.ok("meter" in record);
      const { seq, time, quality, registers, digests = [] } = record;
      const place = ["7", "3", toHex(kid), String(seq), timeText(1_000 * time), String(quality)];
      const rows = registers.map(({ obis, value, scaler, unit, age }) =>
        csvRow([...place, obis, decimal(value, scaler), unit, String(age ?? ""), String(digests.length), "", ""]),
      );
      const lone = csvRow([...place, "", "", "", "", String(digests.length), "", ""]);
      assert.equal(rowsOf("csv", { height: 7, leaf: 3, bytes }), registers.length === 0 ? lone : rows.join(""));
    }),
  );
});

test("each row has as many cells as the head", () => {
  fc.assert(
    fc.property(fc.oneof(anyClaims, anyOperation), (claims) => {
      const bytes = "type" in claims ? signOperation(claims, [], meter, kid) : signRecord(claims, [], meter, kid);
      for (const { cells } of readCsv(rowsOf("csv", { height: 1, leaf: 1, bytes }))) {
        assert.equal(cells.length, columns!.cells.length);
      }
    }),
  );
});

test("no unit needs quotes", () => {
  for (let unit = 0; unit < 256; unit += 1) {
    const registers = [{ obis: Uint8Array.of(1, 0, 1, 8, 0, 255), value: 1, scaler: 0, unit }];
    const claims = { service: 1, serviceId: 1, seq: 0, previous: new Uint8Array(0), time_s: 1, quality: 2, registers };
    const row = rowsOf("csv", { height: 1, leaf: 1, bytes: signRecord(claims, [], meter, kid) });
    assert.equal(readCsv(row)[0]!.cells.length, columns!.cells.length, String(unit));
  }
});
