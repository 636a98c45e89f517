// While a block is being written the store is ahead of the chain's head.

import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeMessage } from "../../../../tools/consensus/messages.js";
import { decodeFrame, encodeFrame, encodeNeedBlocks, type Frame } from "../../../../tools/node/chain/frame.js";
import { blocks } from "../../../../tools/node/chain/tables/blocks.js";
import { createCluster, SERVICE } from "../cluster.js";

test("a proposal that comes while its block is being written is not judged by the state after it", async (t) => {
  const cluster = await createCluster(4);
  t.after(() => cluster.close());
  const late = cluster.nodes[3]!;
  const proposals: { readonly from: string; readonly frame: Frame }[] = [];
  cluster.passes = (from, to, bytes) => {
    if (to !== 3) return true;
    const frame = decodeFrame(bytes)!;
    if (frame.kind !== "consensus") return true;
    const message = decodeMessage(frame.payload);
    if (message.type === "proposal") proposals.push({ from: cluster.nodes[from]!.id, frame });
    return message.type === "status";
  };
  const { write } = late.store;
  let release = () => {};
  let isWritten = false;
  late.store.write = async (fill) => {
    let seals = false;
    await write((writer) =>
      fill({
        put(table, key, row) {
          if (table.name === blocks.name) seals = true;
          writer.put(table, key, row);
        },
        delete: (table, key) => writer.delete(table, key),
        erase: (table, key) => writer.erase(table, key),
      }),
    );
    if (!seals) return;
    isWritten = true;
    await new Promise<void>((resolve) => {
      release = resolve;
    });
  };
  const meter = await cluster.meter();
  await cluster.nodes[0]!.chain.admit(meter.next(), undefined);
  const [origin] = cluster.nodes;
  await cluster.until(() => origin!.chain.head.height === 1, "the others have sealed it");
  const question = decodeFrame(encodeFrame("needBlocks", SERVICE, encodeNeedBlocks(1)))!;
  await origin!.chain.onFrame(late.id, question);
  await cluster.until(() => isWritten, "the late node has the block from a peer, which is on disk");
  assert.equal(late.chain.head.height, 0);
  for (const { from, frame } of proposals) await late.chain.onFrame(from, frame);
  assert.ok(proposals.length > 0);
  assert.deepEqual(late.opposed, []);
  late.store.write = write;
  release();
  await cluster.until(() => late.chain.head.height === 1, "its head follows");
  assert.deepEqual(late.opposed, []);
});
