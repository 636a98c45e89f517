import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { drawPlot } from "../../../tools/lab/bench/plot.js";

const plot = { title: "a < b", xName: "nodes", yName: "records/s", lines: [] as const };

test("draws every point within the picture, the larger value higher", () => {
  const value = fc.double({ min: 0, max: 1e6, noNaN: true });
  const points = fc.array(fc.tuple(fc.integer({ min: 1, max: 1e6 }), value), { minLength: 1, maxLength: 9 });
  fc.assert(
    fc.property(points, (list) => {
      const sorted = list.map(([x, y]) => ({ x, y })).sort((left, right) => left.x - right.x);
      const svg = drawPlot({ ...plot, lines: [{ name: "one", points: sorted }] });
      const drawn = [...svg.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)"/g)].map(([, x, y]) => [Number(x), Number(y)]);
      assert.equal(drawn.length, sorted.length);
      for (const [index, [x, y]] of drawn.entries()) {
        assert.ok(x! >= 80 && x! <= 490 && y! >= 40 && y! <= 350);
        for (const [other, [, lower]] of drawn.entries()) {
          if (sorted[index]!.y > sorted[other]!.y) assert.ok(y! <= lower!);
        }
      }
    }),
    { examples: [[[[1, 5e-324]]], [[[1, 0]]]] },
  );
});

test("escapes what a name holds, and refuses to draw nothing", () => {
  const svg = drawPlot({ ...plot, lines: [{ name: "x & y", points: [{ x: 1, y: 2 }] }] });
  assert.ok(svg.includes("a &#60; b") && svg.includes("x &#38; y"));
  assert.throws(() => drawPlot(plot), RangeError);
  assert.throws(() => drawPlot({ ...plot, lines: [{ name: "one", points: [{ x: 0, y: 1 }] }] }), RangeError);
});
