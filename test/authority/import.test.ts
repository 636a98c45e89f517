// Tables that are brought into the register: what a dry run says is what comes of it, all rows or none.

import assert from "node:assert/strict";
import { test } from "node:test";
import { importTable } from "../../tools/authority/import.js";
import { auditRegister } from "../../tools/authority/register/audit.js";
import { NOW_S, testAuthority } from "./authority.js";

const dry = { isDry: true, now_s: NOW_S } as const;
const real = { isDry: false, now_s: NOW_S } as const;

test("a dry run says what each row would do and does nothing, the run does it, and a second run nothing more", async (t) => {
  const { register } = await testAuthority(t);
  assert.deepEqual(
    importTable(register, "id,scheme,organisation\r\nP1,NAT,works\r\nP2,NAT,\r\n", { table: "points", ...real }).map(
      ({ does }) => does,
    ),
    ["registers", "registers"],
  );
  const devices = "id;lot;key;owner;point\nM1;L1;0123456789abcdef;works;P1\nM2;L1;;;\nM3;L2;;;P2\n";
  const before = register.head;
  const would = importTable(register, devices, { table: "devices", ...dry });
  assert.deepEqual(
    would.map(({ line, id, does }) => [line, id, does]),
    [
      [2, "M1", "registers"],
      [3, "M2", "registers"],
      [4, "M3", "registers"],
    ],
  );
  assert.deepEqual(register.head, before);
  assert.deepEqual(importTable(register, devices, { table: "devices", ...real }), would);
  assert.deepEqual(register.get("devices", "M1"), { id: "M1", lot: "L1", key: "0123456789abcdef", owner: "works" });
  assert.equal(register.get("assignments", "M3")?.point, "P2");
  const moved = devices.replace("M3;L2;;;P2", "M3;L2;;;P1");
  assert.deepEqual(
    importTable(register, moved, { table: "devices", ...real }).map(({ does }) => does),
    ["nothing", "nothing", "assigns"],
  );
  assert.deepEqual(auditRegister(register).problems, []);
});

test("one bad row keeps all others out, and every bad row is named with its line", async (t) => {
  const { register } = await testAuthority(t);
  const before = register.head;
  const text = "id,lot,key,owner,point\nM1,,,,\n../x,,,,\nM2,,12,,\nM3,,,nobody,\nM4,,,,P9\n,L1,,,\nM1,L7,,,\n";
  const rows = importTable(register, text, { table: "devices", ...real });
  assert.deepEqual(
    rows.map(({ line, problem }) => [line, problem?.slice(0, 26)]),
    [
      [2, undefined],
      [3, 'ID "../x" must be 1 to 64 '],
      [4, "12 is no key id of 16 hex "],
      [5, "there is no organisation n"],
      [6, "there is no point P9"],
      [7, "column id is empty"],
      [8, "device M1 is registered al"],
    ],
  );
  assert.deepEqual(register.head, before);
});

test("refuses a table whose columns are not those of its kind, or that has no rows", async (t) => {
  const { register } = await testAuthority(t);
  for (const [text, message] of [
    ["id,colour\na,b\n", /no column "colour"/],
    ["lot\nL1\n", /has the columns id/],
    ["id,id\na,b\n", /each once/],
    ["id,lot\n", /1 to 50000 rows/],
    ['id,lot\n"a', /line 2: a quoted cell does not end/],
  ] as const) {
    assert.throws(() => importTable(register, text, { table: "devices", ...dry }), { code: "FILE_INVALID", message });
  }
});
