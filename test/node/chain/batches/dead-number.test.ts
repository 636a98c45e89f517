import assert from "node:assert/strict";
import { test } from "node:test";
import { fromHex } from "../../../../src/wire/bytes.js";
import { makeBatch } from "../../../../tools/ledger/compose.js";
import { executionRecord } from "../../../../tools/ledger/record-scan.js";
import { BATCH_WINDOW } from "../../../../tools/ledger/state.js";
import { decodeFrame, encodeFrame } from "../../../../tools/node/chain/frame.js";
import { storedBatches } from "../../../../tools/node/chain/tables/batches.js";
import { origins } from "../../../../tools/node/chain/tables/states.js";
import { idKey } from "../../../../tools/node/store/keys.js";
import { createCluster, SERVICE } from "../cluster.js";

test("an origin whose peers hold two temporary blocks of one number leaves that number behind", async (t) => {
  const cluster = await createCluster(4);
  t.after(() => cluster.close());
  const origin = cluster.nodes[3]!;
  const id = fromHex(origin.id)!;
  // What earlier selves of it, whose disks are lost, had sent to one peer each: none of them can have a quorum any more.
  for (const index of [0, 1, 2]) {
    const meter = await cluster.meter();
    const record = meter.next();
    const notices = [{ kind: "credential" as const, bytes: meter.credential }];
    const batch = { chain: SERVICE, origin: id, number: 0, notices, records: [record.stripped] };
    const { bytes } = makeBatch(cluster.genesis.hash, batch, [executionRecord(record)], (message) =>
      origin.signer.sign(message),
    );
    await cluster.nodes[index]!.chain.onFrame(origin.id, decodeFrame(encodeFrame("batch", SERVICE, bytes))!);
  }
  const meter = await cluster.meter();
  const records = [meter.next(), meter.next()];
  const isSealed = (index: number) => cluster.nodes.every(({ chain }) => chain.known(records[index]!) === "sealed");
  await origin.chain.admit(records[0]!, undefined);
  await cluster.until(() => isSealed(0), "what was cut under the dead number is sealed under another");
  await cluster.until(
    () => (origin.store.get(origins, idKey(SERVICE, id))?.next ?? 0) > BATCH_WINDOW,
    "the dead number is closed",
  );
  await origin.chain.admit(records[1]!, undefined);
  await cluster.until(() => isSealed(1), "the origin goes on");
  for (const node of cluster.nodes) {
    assert.deepEqual(node.store.get(origins, idKey(SERVICE, id))?.beyond, []);
    assert.deepEqual(storedBatches(node.store, SERVICE), [], "nothing waits for a quorum that it cannot have");
  }
});
