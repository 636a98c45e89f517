// What a chain says of another one: no proposer is believed, and no chain waits for the other.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { toHex } from "../../../../src/wire/bytes.js";
import type { Certificate } from "../../../../src/wire/certificate.js";
import { headerHash } from "../../../../src/wire/header.js";
import type { ProvedAnchor } from "../../../../tools/ledger/proposal.js";
import { decodeFrame } from "../../../../tools/node/chain/frame.js";
import { createCluster, SERVICE, type TestCluster, type TestMeter } from "../cluster.js";

const OTHER = 3;
const LIAR = 3;

async function twoChains(t: TestContext) {
  const cluster = await createCluster(4, 0, 4, [SERVICE, OTHER]);
  t.after(() => cluster.close());
  const meters = new Map([
    [SERVICE, await cluster.meter(SERVICE)],
    [OTHER, await cluster.meter(OTHER)],
  ]);
  /** One more record is sealed on the nodes of these places. */
  const seal = async (service: number, at: readonly number[] = [0, 1, 2, 3]) => {
    const meter: TestMeter = meters.get(service)!;
    const nodes = at.map((index) => cluster.nodes[index]!.chains.get(service)!);
    const wanted = nodes[0]!.head.records + 1;
    assert.equal(await nodes[0]!.admit(meter.next(), undefined), "admitted");
    await cluster.until(() => nodes.every(({ head }) => head.records === wanted), `record ${wanted} of ${service}`);
  };
  return { cluster, seal };
}

function anchorsOf({ nodes }: TestCluster, node = 0) {
  return nodes[node]!.sealed.filter(({ block }) => block.chain === SERVICE).flatMap(({ block }) => block.anchors);
}

/** Whether what is sealed of the other chain is what its blocks are. */
function isTrue(
  { nodes }: TestCluster,
  { chain, height, headerHash: named }: ProvedAnchor | { chain: number; height: number; headerHash: Uint8Array },
) {
  const block = nodes[0]!.sealed.find(
    (sealed) => sealed.block.chain === chain && sealed.block.height === height,
  )?.block;
  return block !== undefined && toHex(headerHash(block.header)) === toHex(named);
}

const lies: Readonly<Record<string, (real: ProvedAnchor, certificate: Certificate) => Partial<ProvedAnchor>>> = {
  "the next height with a hash of its own": ({ height }) => ({
    height: height + 1,
    headerHash: new Uint8Array(32).fill(0xee),
  }),
  "the next height under the hash and the certificate of the one before": ({ height }) => ({ height: height + 1 }),
  "a far height": () => ({ height: 1_000_000, headerHash: new Uint8Array(32).fill(0xee) }),
  "another block at a height that all have": () => ({ height: 1, headerHash: new Uint8Array(32).fill(0xee) }),
  "a next block that only it has signed, as often as a quorum": ({ height }, { round, signatures }) => ({
    height: height + 1,
    headerHash: new Uint8Array(32).fill(0xee),
    certificate: { round, signatures: signatures.map(() => signatures[0]!) },
  }),
};

for (const [name, lie] of Object.entries(lies)) {
  test(`no member anchors ${name}`, async (t) => {
    const { cluster, seal } = await twoChains(t);
    await seal(OTHER);
    let lied = 0;
    cluster.anchors = (node, service) => {
      const real = cluster.nodes[node]!.chains.get(OTHER)!.newest!;
      if (node !== LIAR || service !== SERVICE) return undefined;
      lied += 1;
      return [{ ...real, ...lie(real, real.certificate) }];
    };
    while (lied === 0 || cluster.nodes[0]!.chain.head.height < 5) await seal(SERVICE);
    const named = anchorsOf(cluster);
    assert.ok(named.length >= 5 && named.every((anchor) => isTrue(cluster, anchor)));
    const reasons = cluster.nodes.slice(0, 3).flatMap(({ opposed }) => opposed);
    assert.ok(
      reasons.length > 0 && reasons.every((reason) => /^anchor .* of chain 3 (is not proved|contradicts)/.test(reason)),
    );
  });
}

test("a member that has nothing of the other chain takes an anchor by its certificate", async (t) => {
  const { cluster, seal } = await twoChains(t);
  const without = 3;
  cluster.passes = (_from, to, frame) => to !== without || decodeFrame(frame)!.chain !== OTHER;
  const others = [0, 1, 2];
  await seal(OTHER, others);
  await cluster.kill(2); // from here on nothing is sealed without that member's vote
  cluster.passes = (_from, to, frame) => to !== without || decodeFrame(frame)!.chain !== OTHER;
  for (let count = 0; count < 4; count += 1) await seal(SERVICE, [0, 1, 3]);
  assert.equal(cluster.nodes[without]!.chains.get(OTHER)!.head.height, 0);
  assert.ok(anchorsOf(cluster).length >= 2 && anchorsOf(cluster).every((anchor) => isTrue(cluster, anchor)));
  assert.deepEqual(cluster.nodes[without]!.opposed, []);
});

test("a chain goes on while another one that it has anchored stands still", async (t) => {
  const { cluster, seal } = await twoChains(t);
  await seal(OTHER);
  await seal(SERVICE);
  cluster.passes = (_from, _to, frame) => decodeFrame(frame)!.chain !== OTHER;
  for (let count = 0; count < 3; count += 1) await seal(SERVICE);
  assert.deepEqual(
    cluster.nodes.flatMap(({ opposed }) => opposed),
    [],
  );
});
