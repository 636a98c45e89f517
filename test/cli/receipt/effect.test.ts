// What the leaf of an outcome says to a person: words for its kind and its reason, and denials with what they say.

import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeCbor } from "../../../src/wire/cbor.js";
import { type EntryOutcome, effectItems } from "../../../src/wire/outcome.js";
import { effectView } from "../../../tools/cli/receipt/effect.js";

const entry = { kind: "operation", leaf: 1 } as const;
const ran = { entry, contract: "limits", used: 3 } as const;

function shown(outcome: EntryOutcome) {
  const [item] = effectItems({ chain: 1, height: 5 }, [outcome]);
  return effectView(item!) as Readonly<Record<string, unknown>>;
}

test("an outcome is shown by its word, with the reason of a failure and the rules of a denial", () => {
  const done = shown({ ...ran, type: "done", effects: [] });
  assert.deepEqual([done.outcome, done.contract, done.used, "reason" in done], ["done", "limits", 3, false]);
  const failed = shown({ ...ran, type: "failed", reason: "budget" });
  assert.deepEqual([failed.outcome, failed.reason], ["failed", "budget"]);
  const denials = [{ rule: "limit-reached", body: encodeCbor(new Map([["limit", 7]])) }];
  const denied = shown({ ...ran, type: "denied", effects: [], denials });
  assert.equal(denied.outcome, "denied");
  assert.deepEqual(
    (denied.denials as { rule: string }[]).map(({ rule }) => rule),
    ["limit-reached"],
  );
  for (const type of ["unhandled", "expired"] as const) assert.equal(shown({ entry, type }).outcome, type);
});

test("a message is shown with where it goes, its number, and how many before it led to it", () => {
  const to = { service: 2, number: 7, hops: 3 };
  const body = encodeCbor(new Map([["limit", 7]]));
  const [, item] = effectItems({ chain: 1, height: 5 }, [
    { ...ran, type: "done", effects: [{ name: "limit", body, to }] },
  ]);
  const { service, number, hops } = effectView(item!) as Readonly<Record<string, unknown>>;
  assert.deepEqual({ service, number, hops }, to);
});

test("a leaf with a kind or a reason that there is not is no effect", () => {
  const leaf = (kind: number, detail: number | null) =>
    encodeCbor(["gs1/outcome", 1, 5, [0, 1], kind, "limits", 3, detail]);
  assert.throws(() => effectView(leaf(9, null)), /outcome kind 9 is not known/);
  assert.throws(() => effectView(leaf(3, 99)), /failure 99 is not known/);
});
