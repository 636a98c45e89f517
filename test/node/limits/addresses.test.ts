import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  addressGroup,
  createAddressBuckets,
  createAddressCounts,
  LOOPBACK,
} from "../../../tools/node/limits/addresses.js";

test("counts an IPv4 address by itself, however it is written, and loopback as one", () => {
  assert.equal(addressGroup("192.0.2.7"), "192.0.2.7");
  assert.equal(addressGroup("::ffff:192.0.2.7"), "192.0.2.7");
  assert.equal(addressGroup("::FFFF:192.0.2.7"), "192.0.2.7");
  assert.notEqual(addressGroup("192.0.2.8"), addressGroup("192.0.2.7"));
  for (const address of ["127.0.0.1", "127.9.8.7", "::ffff:127.0.0.2", "::1"]) {
    assert.equal(addressGroup(address), LOOPBACK, address);
  }
});

test("counts the /64 of an IPv6 address as one, however it is written", () => {
  const group = addressGroup("2001:db8:0:7::1");
  for (const address of ["2001:0DB8:0000:0007:ffff:1:2:3", "2001:db8::7:0:0:0:9", "2001:db8:0:7:1::192.0.2.1"]) {
    assert.equal(addressGroup(address), group, address);
  }
  assert.notEqual(addressGroup("2001:db8:0:8::1"), group);
  assert.equal(addressGroup("fe80::1%eth0"), addressGroup("fe80::2%eth1"));
});

test("what is no address is counted together, and apart from any address", () => {
  for (const address of [undefined, "", "node", "1.2.3", ":::"]) assert.equal(addressGroup(address), "unknown");
});

test("gives an address no more than it may have, and forgets who has none", () => {
  const counts = createAddressCounts((group) => (group === "b" ? 1 : 2));
  assert.deepEqual([counts.take("a"), counts.take("a"), counts.take("a")], [true, true, false]);
  assert.deepEqual([counts.take("b"), counts.take("b")], [true, false]);
  counts.release("a");
  assert.equal(counts.of("a"), 1);
  assert.equal(counts.take("a"), true);
  counts.release("b");
  counts.release("b");
  assert.equal(counts.of("b"), 0);
});

test("who has used its tokens waits until they have come back, and nobody else does", () => {
  const buckets = createAddressBuckets(() => ({ tokens_s: 10, tokens_max: 20 }), 100);
  assert.equal(buckets.wait_ms("a", 0), 0);
  buckets.charge("a", 25, 0);
  assert.equal(buckets.wait_ms("a", 0), 500);
  assert.equal(buckets.wait_ms("b", 0), 0);
  assert.equal(buckets.wait_ms("a", 499), 1);
  assert.equal(buckets.wait_ms("a", 501), 0);
});

test("over any time an address is served what its bucket held and what has come back, and one answer more", () => {
  const steps = fc.array(fc.record({ pause_ms: fc.nat(2_000), tokens: fc.integer({ min: 1, max: 50 }) }));
  fc.assert(
    fc.property(steps, (list) => {
      const buckets = createAddressBuckets(() => ({ tokens_s: 10, tokens_max: 20 }), 100);
      let now_ms = 0;
      let served = 0;
      for (const { pause_ms, tokens } of list) {
        now_ms += pause_ms;
        if (buckets.wait_ms("a", now_ms) > 0) continue;
        buckets.charge("a", tokens, now_ms);
        served += tokens;
      }
      assert.ok(served <= 20 + (10 * now_ms) / 1000 + 50);
    }),
  );
});

test("keeps no more buckets than it may, and none that is full again", () => {
  const buckets = createAddressBuckets(() => ({ tokens_s: 10, tokens_max: 20 }), 3);
  for (let index = 0; index < 10; index += 1) buckets.charge(`a${index}`, 5, 0);
  assert.equal(buckets.size, 3);
  buckets.charge("b", 5, 10_000);
  buckets.charge("b", 5, 10_000);
  buckets.charge("b", 5, 10_000);
  assert.equal(buckets.size, 1);
});

test("a clock that goes back gives and takes nothing", () => {
  const buckets = createAddressBuckets(() => ({ tokens_s: 10, tokens_max: 20 }), 3);
  buckets.charge("a", 30, 10_000);
  assert.equal(buckets.wait_ms("a", 5_000), 1_000);
});
