import assert from "node:assert/strict";
import { test } from "node:test";
import { planChains } from "../../tools/cli/init.js";

test("plans the paper's five chains, and those that are added, over all nodes unless they are named", () => {
  const chains = planChains({ nodes: 3, services: "heat=6,water=70", chain: ["dispatch=node-3,node-1", "70=node-2"] });
  assert.deepEqual(
    chains.map(({ service, name, nodes }) => [service, name, ...nodes]),
    [
      [1, "trading", 1, 2, 3],
      [2, "credit", 1, 2, 3],
      [3, "dispatch", 3, 1],
      [4, "mining", 1, 2, 3],
      [5, "contracts", 1, 2, 3],
      [6, "heat", 1, 2, 3],
      [70, "water", 2],
    ],
  );
});

test("refuses plans that say nothing, say it twice or name what is not there", () => {
  for (const services of [
    "heat",
    "heat=",
    "heat=0",
    "heat=65536",
    "Heat=6",
    "heat=1",
    "trading=6",
    "a=6,b=6",
    "a=6,a=7",
    "",
  ]) {
    assert.throws(() => planChains({ nodes: 4, services }), { code: "USAGE" }, services);
  }
  for (const chain of [["water=node-1"], ["1=node-5"], ["1=node-0"], ["1="], ["1"], ["1=node-1", "trading=node-2"]]) {
    assert.throws(() => planChains({ nodes: 4, chain }), { code: "USAGE" }, chain.join());
  }
});
