// Orders of a node's folder: each is offered when the one before is sealed, once where it is taken, again where it is not.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createBringing } from "../../../../tools/node/parts/orders/bringing.js";
import type { OrderAnswer } from "../../../../tools/node/parts/orders/orders.js";

function bringingOf(count: number, answer: () => OrderAnswer["type"]) {
  const seen = { last: 0, offered: [] as number[], refused: [] as number[] };
  const bringing = createBringing({
    orders: new Map(Array.from({ length: count }, (_, index) => [index + 1, Uint8Array.of(index + 1)])),
    lastOrder: () => seen.last,
    async submit([number]) {
      seen.offered.push(number!);
      const type = answer();
      if (type === "taken") return { type, number: number! };
      return type === "passed-on" ? { type, number: number!, to: [] } : { type, reason: "no room" };
    },
    onRefused: (number) => seen.refused.push(number),
  });
  return { bringing, seen };
}

test("orders are offered one behind the other, each once where it is taken", async () => {
  const { bringing, seen } = bringingOf(2, () => "taken");
  for (let again = 0; again < 3; again += 1) await bringing.bring();
  assert.deepEqual([seen.offered, bringing.isDone], [[1], false]);
  seen.last = 1;
  for (let again = 0; again < 3; again += 1) await bringing.bring();
  seen.last = 2;
  await bringing.bring();
  assert.deepEqual([seen.offered, bringing.isDone], [[1, 2], true]);
});

test("an order that is passed on or refused is offered again, and its refusal said once", async () => {
  const answers: OrderAnswer["type"][] = ["refused", "unreachable", "passed-on", "taken"];
  const { bringing, seen } = bringingOf(1, () => answers.shift() ?? "malformed");
  for (let again = 0; again < 5; again += 1) await bringing.bring();
  assert.deepEqual([seen.offered, seen.refused], [[1, 1, 1, 1], [1]]);
});

test("a folder whose orders are sealed, or that others have taken the place of, brings none", async () => {
  const { bringing, seen } = bringingOf(2, () => "taken");
  seen.last = 7;
  await bringing.bring();
  assert.deepEqual([seen.offered, bringing.isDone], [[], true]);
});
