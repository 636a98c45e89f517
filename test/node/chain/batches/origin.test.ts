import assert from "node:assert/strict";
import { test } from "node:test";
import type { Writer } from "../../../../tools/node/store/writer.js";
import { createCluster, SERVICE, type TestCluster, type TestNode } from "../cluster.js";

/** Names of the tables that a write puts rows into. */
function tablesOf(fill: (writer: Writer) => void): ReadonlySet<string> {
  const names = new Set<string>();
  fill({ put: (table) => void names.add(table.name), delete() {}, erase() {} } as Writer);
  return names;
}

const isSealedOn = (nodes: readonly TestNode[], record: Parameters<TestNode["chain"]["known"]>[0]) =>
  nodes.every(({ chain }) => chain.known(record) === "sealed");

/**
 * A node that has lost its store cuts number 0 again. It fetches the block in which that number is sealed already while `hold` has the
 * write of its own temporary block under way. Returns the record of that one.
 */
async function overtaken(cluster: TestCluster, hold: (store: TestNode["store"]) => { release(): void }) {
  const origin = cluster.nodes[3]!;
  const meter = await cluster.meter();
  const first = meter.next();
  await origin.chain.admit(first, undefined);
  await cluster.until(() => isSealedOn(cluster.nodes, first), "its first record is sealed under number 0");
  await cluster.kill(3);
  cluster.passes = (from, to) => from !== 3 && to !== 3;
  await cluster.restart(3, true);
  const held = hold(origin.store);
  const other = await cluster.meter();
  const record = other.next();
  await origin.chain.admit(record, undefined);
  await cluster.until(() => origin.chain.pendingRecords === 0, "it is being cut");
  cluster.passes = () => true;
  for (const node of cluster.nodes.slice(0, 3)) {
    node.chain.onPeer(origin.id);
    origin.chain.onPeer(node.id);
  }
  await cluster.until(() => origin.chain.head.height === 1, "it has fetched the block");
  held.release();
  return record;
}

/** When the write of the temporary block is done, and when the node comes to know that. */
type Moment =
  | "before the block, known behind it"
  | "before the block, known while that is written"
  | "behind the block";

/** Holds writes of temporary blocks back, or what is said of them, until it is released or the moment comes. */
function holdCuts(store: TestNode["store"], moment: Moment): { release(): void } {
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const { write } = store;
  store.write = async (fill) => {
    const tables = tablesOf(fill);
    if (tables.has("blocks")) {
      const written = write(fill);
      if (moment === "before the block, known while that is written") open();
      return written;
    }
    if (!tables.has("batches")) return write(fill);
    if (moment !== "behind the block") await write(fill);
    await gate;
    if (moment === "behind the block") await write(fill);
  };
  return { release: open };
}

const moments: readonly Moment[] = [
  "before the block, known behind it",
  "before the block, known while that is written",
  "behind the block",
];
for (const moment of moments) {
  for (const isKilled of [true, false]) {
    const end = isKilled ? ", and the node killed then" : "";
    test(`a temporary block whose number a block takes away gives back what is in it: written ${moment}${end}`, async (t) => {
      const cluster = await createCluster(4, 0, 4, [SERVICE], (index) => (index === 3 ? 300 : 20));
      t.after(() => cluster.close());
      const record = await overtaken(cluster, (store) => holdCuts(store, moment));
      if (isKilled) {
        await new Promise((resolve) => setTimeout(resolve, 0));
        await cluster.kill(3);
        await cluster.restart(3);
      }
      await cluster.until(() => isSealedOn(cluster.nodes, record), "what was acknowledged is sealed");
    });
  }
}

test("records of a temporary block that no quorum seals are counted as not sealed", async (t) => {
  const cluster = await createCluster(4, 0, 4, [SERVICE]);
  t.after(() => cluster.close());
  const origin = cluster.nodes[0]!;
  cluster.passes = () => false;
  const meter = await cluster.meter();
  await origin.chain.admit(meter.next(), undefined);
  await cluster.until(() => origin.chain.pendingRecords === 0, "it is cut");
  await cluster.until(() => origin.chain.standing.waits, "it waits");
  assert.equal(origin.chain.unsealedRecords, 1, "it is not sealed");
  cluster.passes = () => true;
  for (const node of cluster.nodes) for (const other of cluster.nodes) if (node !== other) node.chain.onPeer(other.id);
  await cluster.until(() => origin.chain.unsealedRecords === 0, "it is sealed");
});
