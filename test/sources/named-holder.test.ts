// Who signs, named by an ID or by a key id: of a node, of exported chains, and with two keys of one ID.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { toHex } from "../../src/wire/bytes.js";
import { openApiSource } from "../../tools/sources/api.js";
import { openFileSource } from "../../tools/sources/file.js";
import { holderInFiles, holderNamed, holderOnAny } from "../../tools/sources/named-holder.js";
import type { ReceiptSource } from "../../tools/sources/source.js";
import { buildChain, makeMeter } from "../audit/chain-builder.js";
import { createNodeApi } from "../node/api/api.js";
import { SERVICE } from "../node/chain/cluster.js";

test("a node knows its signers by their IDs, and takes any key id as it is", async (t) => {
  const { base, meter, seal } = await createNodeApi(t);
  await seal();
  const source = openApiSource(base);
  const place = { source, file: undefined, service: SERVICE };
  const name = `meter-${toHex(meter.kid)}`;
  assert.deepEqual(await holderNamed(place, name), meter.kid);
  assert.deepEqual(await holderOnAny(source, name), meter.kid);
  assert.equal(toHex(await holderNamed(place, "0011223344556677")), "0011223344556677");
  const unknown = {
    code: "NOT_FOUND",
    message: /^house-9 is no key id of 16 .*nobody with the ID house-9 has signed on http/,
  };
  await assert.rejects(holderNamed(place, "house-9"), unknown);
  await assert.rejects(holderOnAny(source, "house-9"), unknown);
});

test("an export names them too, and an ID of two keys is asked for which", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "gridseal-named-"));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, "chain.cbor");
  const chain = buildChain();
  const [one, two] = [makeMeter(1), makeMeter(2)];
  chain.seal({ records: [one.record(), two.record()], credentials: [one.credential, two.credential] });
  await writeFile(file, Buffer.concat(chain.blocks));
  const place = { source: openFileSource(file), file, service: 0 };
  assert.deepEqual(await holderNamed(place, "meter-2"), two.kid);
  assert.deepEqual(await holderInFiles([file, file], "meter-1"), one.kid);
  const both = {
    origin: "a node",
    chains: async () => [{ service: 1 }],
    async *holders() {
      for (const { kid } of [one, two]) yield { kid, credential: one.credential };
    },
  } as unknown as ReceiptSource;
  const ids = [one.kid, two.kid].map(toHex).sort().join(", ");
  await assert.rejects(holderOnAny(both, "meter-1"), {
    code: "NOT_FOUND",
    message: `meter-1 is the ID of 2 keys on a node, say which: ${ids}`,
  });
  await assert.rejects(holderOnAny(both, "node-1", ["00112233445566aa", "00112233445566bb"]), /is the ID of 2 keys/);
  assert.equal(toHex(await holderOnAny(both, "node-1", ["00112233445566aa"])), "00112233445566aa");
});
