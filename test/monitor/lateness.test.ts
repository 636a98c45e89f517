// Whose rhythm the monitor keeps: that of who measures.

import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "../../src/wire/bytes.js";
import { keyId } from "../../src/wire/key.js";
import { signOperation } from "../../src/wire/operation.js";
import { metersIn } from "../../tools/monitor/lateness.js";
import { makeMeter } from "../audit/chain-builder.js";
import { signerNamed } from "../wire/network.js";

test("a participant that has asked at times is no meter that is late", () => {
  const meter = makeMeter(1);
  const signer = signerNamed("participant");
  const claims = { service: 1, serviceId: 0, seq: 0, previous: new Uint8Array(0), time_s: 1, quality: 2 };
  const asked = signOperation({ ...claims, type: 1, body: null }, [], signer, keyId(signer.key));
  assert.deepEqual(metersIn([meter.record(), asked, meter.record()]), [toHex(meter.kid)]);
});
