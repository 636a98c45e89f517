// A slot's auction: to the last unit as the market's vectors, and what must hold of any bids.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { type Bid, clear } from "../../tools/market/auction.js";
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
