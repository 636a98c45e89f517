import assert from "node:assert/strict";
import { test } from "node:test";
import { createDirectory, redialWait_ms } from "../../../tools/node/network/directory.js";
import { defaultPeerLimits } from "../../../tools/node/network/peer-network.js";

const self = "00".repeat(8);
const at = (id: string, port = 1) => ({ id, host: "127.0.0.1", port });
const a = "aa".repeat(8);
const b = "bb".repeat(8);

test("a changed list of addresses names the peers that moved, forgets the gone and passes over the node itself", () => {
  const directory = createDirectory(self, 2);
  assert.deepEqual(directory.readdress([at(self), at(a), at(b)]), []);
  assert.deepEqual([...directory.peers.keys()], [a, b]);
  const moved = directory.readdress([at(a, 2)]);
  assert.deepEqual(
    moved.map(({ id }) => id),
    [a, b],
  );
  assert.deepEqual(
    [...directory.peers.values()].map(({ id, address }) => [id, address?.port]),
    [[a, 2]],
  );
});

test("a node without an address is a guest, of whom there are so many at most, and a wrong name is nobody", () => {
  const directory = createDirectory(self, 2);
  assert.equal(directory.find(undefined), undefined);
  assert.equal(directory.find("node-1"), undefined);
  assert.equal(directory.find(self), undefined);
  const guest = directory.find(a);
  assert.equal(guest?.address, undefined);
  assert.equal(directory.find(a), guest);
  assert.notEqual(directory.find(b), undefined);
  assert.equal(directory.find("cc".repeat(8)), undefined);
  assert.deepEqual(directory.readdress([at(a)]), [guest]);
  assert.equal(directory.find(a)?.address?.port, 1);
});

test("the wait before the next attempt doubles up to the limit, and begins anew after a link that held", () => {
  const peer = createDirectory(self, 1).find(a)!;
  const limits = { ...defaultPeerLimits, redial_min_ms: 100, redial_max_ms: 500 };
  const waits = Array.from({ length: 4 }, () => redialWait_ms(peer, true, limits, 10_000, 1));
  assert.deepEqual(waits, [100, 200, 400, 500]);
  assert.equal(redialWait_ms(peer, false, limits, 10_000, 0), 500);
  peer.admitted_ms = 9_900;
  assert.equal(redialWait_ms(peer, true, limits, 10_000, 1), 500);
  peer.admitted_ms = 9_000;
  assert.equal(redialWait_ms(peer, true, limits, 10_000, 1), 100);
  assert.equal(redialWait_ms(peer, true, limits, 10_000, 1), 200);
});
