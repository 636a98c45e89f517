import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createPlaces } from "../../../tools/node/api/places.js";

const terms = { places_max: 4, reserve_max: 2, ofAddress: (group: string) => (group === "home" ? 4 : 3) };

function filled(asking: boolean, groups: readonly string[] = ["a", "a", "a", "b"]) {
  const places = createPlaces<number>(terms);
  for (const [index, group] of groups.entries()) {
    assert.equal(places.open(index, group).type, "placed");
    if (asking) places.ask(index);
  }
  return places;
}

test("who asks nothing makes room: the longest of the address that has most", () => {
  const places = filled(false);
  assert.deepEqual(places.open(10, "c"), { type: "placed", instead: 0 });
  assert.equal(places.placed, 4);
  places.ask(1);
  assert.deepEqual(places.open(11, "c"), { type: "placed", instead: 2 });
});

test("an address that has all of its places makes room for itself, though others have idle ones", () => {
  const places = filled(false, ["b", "a", "a", "a"]);
  assert.deepEqual(places.open(10, "a"), { type: "placed", instead: 1 });
  for (const connection of [2, 3, 10]) places.ask(connection);
  assert.deepEqual(places.open(11, "a"), { type: "reserve", instead: undefined });
});

test("where everybody asks, what comes gets the reserve, and gives it up to the next unless it asks", () => {
  const places = filled(true);
  assert.equal(places.isReserve(0), false);
  for (const connection of [10, 11]) {
    assert.deepEqual(places.open(connection, "c"), { type: "reserve", instead: undefined });
    assert.equal(places.isReserve(connection), true);
  }
  places.ask(10);
  assert.deepEqual(places.open(12, "c"), { type: "reserve", instead: 11 });
  places.ask(12);
  assert.deepEqual(places.open(13, "c"), { type: "full" });
  places.close(10);
  assert.deepEqual(places.open(14, "c"), { type: "reserve", instead: undefined });
  places.close(0);
  assert.deepEqual(places.open(15, "c"), { type: "placed", instead: undefined });
});

test("a connection that was answered is idle again, behind those that are so for longer", () => {
  const places = filled(false);
  places.ask(0);
  places.answered(0);
  assert.deepEqual(places.open(10, "c"), { type: "placed", instead: 1 });
});

test("whatever comes and goes, no limit is exceeded, nobody who asks is closed, and the count is right", () => {
  const steps = fc.array(
    fc.tuple(fc.constantFrom("open", "ask", "answered", "close"), fc.nat(30), fc.constantFrom("a", "b", "c", "home")),
    { maxLength: 200 },
  );
  fc.assert(
    fc.property(steps, (list) => {
      const places = createPlaces<number>(terms);
      const open = new Map<number, { group: string; asks: boolean; isReserve: boolean }>();
      for (const [index, [step, at, group]] of list.entries()) {
        const connection = [...open.keys()][at % Math.max(1, open.size)];
        if (step === "open") {
          const admission = places.open(index, group);
          if (admission.type === "full") continue;
          if (admission.instead !== undefined) {
            assert.equal(open.get(admission.instead)?.asks, false);
            open.delete(admission.instead);
          }
          open.set(index, { group, asks: false, isReserve: admission.type === "reserve" });
        } else if (connection !== undefined) {
          places[step](connection);
          if (step === "close") open.delete(connection);
          else open.get(connection)!.asks = step === "ask";
        }
        const placed = [...open.values()].filter(({ isReserve }) => !isReserve);
        assert.equal(places.placed, placed.length);
        assert.ok(placed.length <= terms.places_max && open.size - placed.length <= terms.reserve_max);
        for (const of of ["a", "b", "c", "home"]) {
          assert.ok(placed.filter(({ group: other }) => other === of).length <= terms.ofAddress(of));
        }
      }
    }),
  );
});
