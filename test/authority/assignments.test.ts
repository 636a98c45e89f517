// What the register says of points and orders do not say yet: one open row a meter, the one before ended where it begins.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fromHex, toHex } from "../../src/wire/bytes.js";
import { assignmentsDue } from "../../tools/authority/assignments.js";
import type { RegisterView, TableName, Tables } from "../../tools/authority/register/rows.js";
import { assign, type OrderedAssignments } from "../../tools/ledger/assignments.js";

const METER = "feb2c20f354b30c5";
const SECOND = "feb2c20f354b30c6";

/** A register of one device with credentials of these keys and states. */
function registerOf(credentials: readonly (readonly [meter: string, state: string])[]): RegisterView {
  const rows: Readonly<Record<string, unknown>> = {
    "subjects/device": credentials.map((_, index) => index),
    ...Object.fromEntries(
      credentials.map(([meter, state], index) => [`credentials/${String(index).padStart(10, "0")}`, { meter, state }]),
    ),
  };
  const get = <Name extends TableName>(table: Name, id: string) => rows[`${table}/${id}`] as Tables[Name] | undefined;
  return { issued: credentials.length, get };
}

const rowsDue = (view: RegisterView, point: string, from_s: number, ordered: OrderedAssignments = new Map()) =>
  assignmentsDue(view, [{ device: "device", point, from_s }], ordered).map((row) => [
    ...[toHex(row.meter), row.point, row.from_s, row.until_s],
  ]);

function ordered(point: string, from_s: number, until_s?: number): OrderedAssignments {
  const row = { point, meter: fromHex(METER)!, from_s, until_s, sign: 1, capacity: 5n } as const;
  const assigned = assign(new Map(), { type: "assign", assignments: [row] }, 3);
  assert.ok(assigned.type === "assigned", "an order that applies");
  return assigned.assignments;
}

test("a device counts for its point by the keys of credentials that stand, and by no other", () => {
  const view = registerOf([
    [METER, "valid"],
    [METER, "valid"],
    [SECOND, "replaced"],
  ]);
  assert.deepEqual(rowsDue(view, "P", 100), [[METER, "P", 100, undefined]]);
  assert.deepEqual(rowsDue(registerOf([]), "P", 100), [], "before it has a credential");
});

test("a device that moves ends at the point before, and what orders say is not said again", () => {
  const view = registerOf([[METER, "valid"]]);
  assert.deepEqual(rowsDue(view, "P", 100, ordered("P", 50)), []);
  assert.deepEqual(rowsDue(view, "Q", 100, ordered("P", 50)), [
    [METER, "P", 50, 100],
    [METER, "Q", 100, undefined],
  ]);
  assert.deepEqual(rowsDue(view, "P", 100, ordered("P", 50, 80)), [[METER, "P", 100, undefined]], "it was ended");
});

test("the rows of a move apply upon the orders before, with the capacity that is known", () => {
  const before = ordered("P", 50);
  const rows = assignmentsDue(registerOf([[METER, "valid"]]), [{ device: "device", point: "Q", from_s: 100 }], before);
  assert.deepEqual(
    rows.map(({ capacity }) => capacity),
    [5n, 5n],
  );
  assert.equal(assign(before, { type: "assign", assignments: rows }, 4).type, "assigned");
});
