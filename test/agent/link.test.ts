import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { BACKOFF_FIRST_MS, BACKOFF_MAX_MS, CONNECT_TIMEOUT_MS, createLink } from "../../src/agent/link.js";

const half = (): number => 0.5;

describe("link", () => {
  test("tries the brokers in turn and spaces the rounds out", () => {
    const link = createLink(["mqtt://a", "mqtt://b"], () => 0.999_999);
    const urls: string[] = [];
    const pauses_ms: number[] = [];
    let now_ms = 0;
    for (let attempt = 0; attempt < 20; attempt += 1) {
      const begun = link.begin(now_ms)!;
      urls.push(begun.url);
      assert.ok(link.lost(begun.connection, now_ms));
      assert.ok(link.state.kind === "waiting");
      pauses_ms.push(link.state.until_ms - now_ms);
      assert.equal(link.begin(link.state.until_ms - 1), undefined);
      now_ms = link.state.until_ms;
    }
    assert.deepEqual(urls.slice(0, 4), ["mqtt://a", "mqtt://b", "mqtt://a", "mqtt://b"]);
    assert.deepEqual(pauses_ms.slice(0, 6), [1000, 1000, 2000, 2000, 4000, 4000]);
    assert.equal(pauses_ms.at(-1), BACKOFF_MAX_MS);
  });

  test("begins with short pauses again once a broker has acknowledged something, not when it only accepts", () => {
    const link = createLink(["mqtt://a"], () => 0);
    const fail = (now_ms: number, proved: boolean): number => {
      const { connection } = link.begin(now_ms)!;
      assert.ok(link.connected(connection, now_ms));
      if (proved) link.proved();
      assert.ok(link.lost(connection, now_ms));
      return link.state.kind === "waiting" ? link.state.until_ms - now_ms : Number.NaN;
    };
    assert.deepEqual([fail(0, false), fail(100_000, false), fail(200_000, false)], [500, 1000, 2000]);
    assert.equal(fail(300_000, true), BACKOFF_FIRST_MS / 2);
  });

  test("hears nothing of a connection that it has given up", () => {
    const link = createLink(["mqtt://a"], half);
    const old = link.begin(0)!.connection;
    assert.equal(link.begin(0), undefined, "one at a time");
    assert.deepEqual(link.state, { kind: "connecting", connection: old, until_ms: CONNECT_TIMEOUT_MS });
    assert.ok(link.lost(old, 5));
    assert.equal(link.lost(old, 6), false);
    const { connection } = link.begin(10_000)!;
    assert.equal(link.connected(old, 10_001), false);
    assert.equal(link.lost(old, 10_001), false);
    assert.ok(link.connected(connection, 10_002));
    assert.equal(link.connected(connection, 10_003), false);
    assert.deepEqual(link.state, { kind: "connected", connection, since_ms: 10_002 });
  });

  test("waits between half and the whole of a pause", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), fc.nat(40), (fraction, failures) => {
        const link = createLink(["mqtt://a", "mqtt://b", "mqtt://c"], () => fraction);
        let now_ms = 0;
        for (let index = 0; index <= failures; index += 1) {
          link.lost(link.begin(now_ms)!.connection, now_ms);
          if (link.state.kind !== "waiting") return assert.fail("it waits");
          const pause_ms = link.state.until_ms - now_ms;
          assert.ok(pause_ms >= BACKOFF_FIRST_MS / 2 && pause_ms <= BACKOFF_MAX_MS);
          now_ms = link.state.until_ms;
        }
      }),
    );
  });
});
