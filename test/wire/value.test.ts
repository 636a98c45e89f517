// What contracts put out is read back, however much of it a run may put out.

import assert from "node:assert/strict";
import { test } from "node:test";
import { CONTRACT_OUTPUT_MAX, decodeOutput, decodeValue, encodeValue } from "../../src/wire/value.js";
import { violationDetail } from "../../tools/contracts/told-violation.js";

test("reads back as much as a run may put out, in one text or in many items", () => {
  const text = "x".repeat(CONTRACT_OUTPUT_MAX - 5);
  const items = Array.from({ length: CONTRACT_OUTPUT_MAX - 5 }, () => 0);
  for (const value of [text, items]) assert.deepEqual(decodeOutput(encodeValue(value)), value);
  assert.throws(() => decodeOutput(encodeValue(`${text}x`)), { code: "limit" });
  assert.throws(() => decodeValue(encodeValue(text)), { code: "limit" }, "what somebody asks with is smaller");
});

test("shows a contract's violation with a long body", () => {
  const body = encodeValue("x".repeat(200_000));
  const place = { entry: { kind: "operation", leaf: 1 }, contract: "limits", name: "too-often" } as const;
  const shown = violationDetail({ kind: "contract", subject: new Uint8Array(8), body, ...place });
  assert.deepEqual(shown, { body: "x".repeat(200_000) });
});
