// A slot's auction: to the last unit as the market's vectors, and what must hold of any bids.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { type Bid, clear, ties } from "../../tools/market/auction.js";
import { shared } from "../shared.js";

const vectors = shared("vectors/market/auction.json");
const band = { floor: -50n, cap: 100n };

test("clearings are those of the market's vectors", { skip: vectors.skip }, () => {
  interface Vector {
    cap: number;
    floor: number;
    orders: { side: "buy" | "sell"; price: number; volume: number }[];
    price: number | null;
    volume: number;
    fills: number[];
  }
  const cases = JSON.parse(readFileSync(vectors.path, "utf8")) as Vector[];
  assert.ok(cases.length > 0);
  for (const { cap, floor, orders, ...expected } of cases) {
    const bids = orders.map(({ side, price, volume }) => ({ side, price: BigInt(price), volume: BigInt(volume) }));
    const { price, volume, fills } = clear(bids, { floor: BigInt(floor), cap: BigInt(cap) });
    const found = { price: price === null ? null : Number(price), volume: Number(volume), fills: fills.map(Number) };
    assert.deepEqual(found, expected, JSON.stringify(orders));
  }
});

const bid: fc.Arbitrary<Bid> = fc.record({
  side: fc.constantFrom("buy" as const, "sell" as const),
  price: fc.bigInt(-50n, 100n),
  volume: fc.oneof(fc.bigInt(0n, 5n), fc.bigInt(0n, 1_000_000n)),
});
const bids = fc.array(bid, { maxLength: 30 });

test("what is bought is sold, at a price that every filled bid takes and no open one betters", () => {
  fc.assert(
    fc.property(bids, (bids) => {
      const { price, volume, fills } = clear(bids, band);
      const traded = { buy: 0n, sell: 0n };
      for (const [index, { side, price: own, volume: wanted }] of bids.entries()) {
        const fill = fills[index]!;
        traded[side] += fill;
        assert.ok(fill >= 0n && fill <= wanted);
        if (price === null) continue;
        if (fill > 0n) assert.ok(side === "buy" ? own >= price : own <= price);
        if (fill < wanted) assert.ok(side === "buy" ? own <= price : own >= price);
      }
      assert.equal(traded.buy, volume);
      assert.equal(traded.sell, volume);
      assert.equal(price === null, volume === 0n);
    }),
  );
});

test("a bid that trades nothing changes no other one's trades where it is taken away", () => {
  fc.assert(
    fc.property(bids, (bids) => {
      const { fills } = clear(bids, band);
      const isOpen = fills.map((fill) => fill === 0n);
      const others = bids.filter((_, index) => !isOpen[index]);
      assert.deepEqual(
        clear(others, band).fills,
        fills.filter((_, index) => !isOpen[index]),
      );
    }),
  );
});

test("who is served first at a price changes neither price nor volume, nor what trades of the price's bids together", () => {
  const preferring = fc.array(fc.tuple(bid, fc.boolean()), { maxLength: 30 });
  fc.assert(
    fc.property(preferring, (drawn) => {
      const bids = drawn.map(([each, isPreferred]) => ({ ...each, price: each.price / 20n, isPreferred }));
      const byTime = clear(bids, band);
      const levels = (fills: readonly bigint[]) => {
        const sums = new Map<string, bigint>();
        for (const [index, { side, price }] of bids.entries()) {
          sums.set(`${side} ${price}`, (sums.get(`${side} ${price}`) ?? 0n) + fills[index]!);
        }
        return sums;
      };
      for (const tie of ties) {
        const { price, volume, fills } = clear(bids, { ...band, tie });
        assert.deepEqual([price, volume, levels(fills)], [byTime.price, byTime.volume, levels(byTime.fills)], tie);
        for (const [index, fill] of fills.entries()) assert.ok(fill >= 0n && fill <= bids[index]!.volume);
      }
    }),
  );
});

test("of equal prices the earlier bid, the preferred one, or each by its volume is served", () => {
  const bids: Bid[] = [
    { side: "sell", price: 5n, volume: 10n },
    { side: "buy", price: 9n, volume: 8n },
    { side: "buy", price: 9n, volume: 4n, isPreferred: true },
    { side: "buy", price: 9n, volume: 3n },
  ];
  assert.deepEqual(clear(bids, { ...band, tie: "time" }).fills, [10n, 8n, 2n, 0n]);
  assert.deepEqual(clear(bids, { ...band, tie: "reward" }).fills, [10n, 6n, 4n, 0n]);
  // 10/15 of 8, 4 and 3: 5.33, 2.67 and 2, the unit that is left to the largest remainder.
  assert.deepEqual(clear(bids, { ...band, tie: "share" }).fills, [10n, 5n, 3n, 2n]);
  assert.deepEqual(clear(bids, band).fills, [10n, 8n, 2n, 0n], "by time where nothing else is said");
});
