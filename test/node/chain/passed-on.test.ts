import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeFrame } from "../../../tools/node/chain/frame.js";
import { createCluster } from "./cluster.js";

test("what a quorum has accepted is sealed although its origin has lost it and one other node alone knows", async (t) => {
  const cluster = await createCluster(4);
  t.after(() => cluster.close());
  const origin = 3;
  let isKnown = false;
  cluster.passes = (from, to, bytes) => {
    if (from !== origin) return true;
    if (isKnown) return false;
    if (decodeFrame(bytes)!.kind !== "accepted") return true;
    isKnown = to === 0;
    return isKnown;
  };
  const meter = await cluster.meter();
  const record = meter.next();
  await cluster.nodes[origin]!.chain.admit(record, undefined);
  await cluster.until(() => isKnown, "one node is told of the acceptance");
  await new Promise((resolve) => setTimeout(resolve, 100)); // a frame is lost where its sender is gone before it arrives
  await cluster.kill(origin);
  cluster.passes = () => true;
  await cluster.restart(origin, true);
  await cluster.until(() => cluster.nodes.every(({ chain }) => chain.head.records === 1), "the record is sealed");
  assert.ok(cluster.nodes.every(({ chain }) => chain.known(record) === "sealed"));
});
