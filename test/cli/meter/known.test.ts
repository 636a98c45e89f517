// The meters of a node: what it tells is held to nothing but its form.

import assert from "node:assert/strict";
import { test } from "node:test";
import { metersOfNode } from "../../../tools/cli/meter/known.js";
import type { ReceiptSource } from "../../../tools/sources/source.js";

test("a node that tells a credential that is none is said to", async () => {
  const row = { kid: new Uint8Array(8).fill(3), high: 7, missing: 0, credential: Uint8Array.of(0) };
  const source = {
    origin: "http://node:1",
    genesis: async () => ({ chains: [], nodes: [] }),
    async *orders() {},
    chains: async () => [{ service: 1, name: "trading" }],
    async *holders() {
      yield { ...row, time_s: undefined, sealed_s: undefined };
    },
  } as unknown as ReceiptSource;
  await assert.rejects(metersOfNode(source, undefined), {
    code: "CHAIN_INVALID",
    message: /^http:\/\/node:1: the credential of 0303030303030303 on trading cannot be read: /,
  });
});
