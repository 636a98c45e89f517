import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeMessage } from "../../../../tools/consensus/messages.js";
import { decodeFrame, type FrameKind } from "../../../../tools/node/chain/frame.js";
import { createCluster } from "../cluster.js";

test("a node that knows a polka and not its proposal fetches the body, and passes the polka on", async (t) => {
  const cluster = await createCluster(4);
  t.after(() => cluster.close());
  const last = 3;
  const seen = new Set<FrameKind>();
  let hasPassedOn = false;
  cluster.passes = (from, to, bytes) => {
    const frame = decodeFrame(bytes)!;
    if (from === last || to === last) seen.add(frame.kind);
    if (frame.kind !== "consensus") return true;
    const message = decodeMessage(frame.payload);
    if (from === last && message.type === "polka") hasPassedOn = true;
    // Nothing is decided, and what the others agree on never comes as a proposal.
    return !(message.type === "precommit" && message.id !== null) && !(to === last && message.type === "proposal");
  };
  const meter = await cluster.meter();
  await cluster.nodes[0]!.chain.admit(meter.next(), undefined);
  await cluster.until(() => hasPassedOn, "the polka is passed on by who had its body from a peer");
  assert.ok(seen.has("needBody") && seen.has("body"));
  cluster.passes = () => true;
  await cluster.until(() => cluster.nodes.every(({ chain }) => chain.head.height === 1), "the block is sealed");
});
