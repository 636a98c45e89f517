// What has become of many violations is told without reading again what they share.

import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeValue, type Value } from "../../../src/wire/value.js";
import type { FoundViolation } from "../../../tools/ledger/violation-place.js";
import { caseStatesIn } from "../../../tools/node/chain/violation-cases.js";
import { stateKey } from "../../../tools/node/store/keys.js";
import type { StoreReader } from "../../../tools/node/store/store.js";

test("a page reads how far the contract was told, and what it keeps of a subject, once", () => {
  const subject = new Uint8Array(8).fill(3);
  const state: Readonly<Record<string, Value>> = {
    "kept/told": { "1": 50 },
    "said/0303030303030303": [["1:7:0", 6, null, "access/not-subject"]],
    "case/1:8:0": { state: "upheld" },
  };
  const keys = new Map(Object.keys(state).map((key) => [stateKey(5, `cases/${key}`).toString("hex"), key]));
  const read: string[] = [];
  const get = (_: unknown, key: Buffer) => {
    const name = keys.get(key.toString("hex"));
    if (name === undefined) return undefined;
    read.push(name);
    return encodeValue(state[name]!);
  };
  const stateOf = caseStatesIn({ get } as unknown as StoreReader);
  const states = Array.from({ length: 60 }, (_, height) => {
    const place = { service: 1, height, index: 0, time_ms: 1 };
    return stateOf({ ...place, violation: { kind: "gap", meter: subject, seq: 1, detail: 2 } } as FoundViolation);
  });
  assert.deepEqual(
    [states[6], states[7], states[8], states[50], states[51]],
    ["lapsed", "open", "upheld", "lapsed", "open"],
  );
  assert.deepEqual(read.sort(), ["case/1:8:0", "kept/told", "said/0303030303030303"]);
});
