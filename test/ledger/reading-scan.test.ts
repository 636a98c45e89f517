// What a table shows of a reading is what the whole parser reads of it.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { toHex } from "../../src/wire/bytes.js";
import { keyId } from "../../src/wire/key.js";
import { signOperation } from "../../src/wire/operation.js";
import { parseRecord, type Register, signRecord } from "../../src/wire/record.js";
import { scanReading } from "../../tools/ledger/reading-scan.js";
import { claims as anyClaims, operationClaims as anyOperation } from "../wire/arbitraries.js";
import { signerNamed } from "../wire/network.js";

const meter = signerNamed("scanned meter");
const kid = keyId(meter.key);

const plain = ({ obis, value, ...others }: Register) => ({ obis: toHex(obis), value: BigInt(value), ...others });

test("reads of a reading what the whole parser reads, or leaves it to that", () => {
  let scanned = 0;
  fc.assert(
    fc.property(anyClaims, (claims) => {
      const bytes = signRecord(claims, [], meter, kid);
      const reading = scanReading(bytes);
      if (reading === undefined) return;
      scanned += 1;
      const { seq, time_s, quality, registers = [], digests = [] } = parseRecord(bytes).claims;
      assert.deepEqual(
        { ...reading, registers: reading.registers.map(plain) },
        { meter: toHex(kid), seq, time_s, quality, registers: registers.map(plain), digests: digests.length },
      );
    }),
  );
  assert.ok(scanned > 20, `${scanned} of 100 were read without the whole parser`);
});

test("leaves operations and what is no record to the whole parser", () => {
  fc.assert(
    fc.property(anyOperation, (claims) => assert.equal(scanReading(signOperation(claims, [], meter, kid)), undefined)),
  );
  assert.equal(scanReading(new Uint8Array(200)), undefined);
  assert.equal(scanReading(new Uint8Array(0)), undefined);
});
