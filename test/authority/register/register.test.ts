// The register of the authority: what each change makes of it, that an update is all or nothing and lasts, and that an audit
// finds whatever is changed behind the log's back.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import { open } from "lmdb";
import { auditRegister } from "../../../tools/authority/register/audit.js";
import type { Change } from "../../../tools/authority/register/changes.js";
import { createRegister, openRegister, type Register } from "../../../tools/authority/register/register.js";
import { credentialRowId, currentCredential, type NewCredential } from "../../../tools/authority/register/rows.js";

const NOW_S = 1_790_000_000;

async function folderIn(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "gridseal-register-"));
  t.after(() => rm(folder, { recursive: true }));
  return join(folder, "register");
}

function credential(subject: string, meter: string, statusIndex: number): NewCredential {
  return {
    ...{ meter, subject, key: `a0${meter}`, credential: "00".repeat(8), statusIndex, services: [1] },
    ...{ roles: ["meter"], bytes: "", notBefore_s: NOW_S, expires_s: NOW_S + 1000 },
  };
}

const device = (id: string): Change => ({ type: "device", device: { id } });
const issue = (subject: string, meter: string, index: number, forced = false): Change => ({
  type: "issue",
  credential: credential(subject, meter, index),
  forced,
});
const state = (meter: string, to: "suspended" | "valid" | "revoked" | "replaced"): Change => ({
  type: "state",
  meter,
  to,
  reason: "test",
});

/** An example with a row in every table. */
const whole: readonly Change[] = [
  {
    type: "organisation",
    organisation: { id: "grid", name: "Netz AG", eic: "10YDE-VE-------2", contact: "a@b.example" },
  },
  { type: "participant", participant: { id: "anna", organisation: "grid" } },
  { type: "point", point: { id: "AT001", scheme: "NAT", organisation: "grid" } },
  device("M1"),
  { type: "assign", device: "M1", point: "AT001" },
  issue("M1", "0000000000000001", 0),
  issue("anna", "0000000000000002", 1),
];

test("an update is there after a restart, for its owner alone, and an audit finds the register good", async (t) => {
  const path = await folderIn(t);
  const made = await createRegister(path);
  made.update(NOW_S, () => whole);
  await made.close();
  for (const file of ["data.mdb", "lock.mdb"]) assert.equal((await stat(join(path, file))).mode & 0o777, 0o600);
  const register = openRegister(path);
  t.after(() => register.close());
  assert.equal(register.issued, 2);
  assert.equal(register.head.number, whole.length);
  assert.deepEqual(register.get("assignments", "M1"), { device: "M1", point: "AT001", from_s: NOW_S });
  assert.equal(currentCredential(register, "anna")?.meter, "0000000000000002");
  assert.deepEqual(auditRegister(register), { head: register.head, issued: 2, problems: [] });
  await assert.rejects(createRegister(path), { code: "FILE_EXISTS" });
});

test("each entry names the SHA-256 of the one before, as anybody can compute", async (t) => {
  const register = await createRegister(await folderIn(t));
  t.after(() => register.close());
  register.update(NOW_S, () => whole);
  let previous = "00".repeat(32);
  for (const bytes of register.entries()) {
    assert.equal(JSON.parse(Buffer.from(bytes).toString()).previous, previous);
    previous = createHash("sha256").update(bytes).digest("hex");
  }
  assert.equal(register.head.hash, previous);
});

test("of an update with a change that does not apply nothing is kept", async (t) => {
  const register = await createRegister(await folderIn(t));
  t.after(() => register.close());
  register.update(NOW_S, () => whole);
  const before = register.head;
  assert.throws(() => register.update(NOW_S, () => [device("M2"), device("M1")]), {
    code: "REGISTER_REFUSED",
    message: /device M1 is registered already/,
  });
  assert.throws(
    () =>
      register.update(NOW_S, () => {
        throw new RangeError("no");
      }),
    RangeError,
  );
  assert.deepEqual(register.head, before);
  assert.equal(register.get("devices", "M2"), undefined);
  assert.deepEqual(auditRegister(register).problems, []);
});

test("refuses what does not belong together, and says why", async (t) => {
  const register = await createRegister(await folderIn(t));
  t.after(() => register.close());
  register.update(NOW_S, () => [...whole, device("M2"), state("0000000000000002", "revoked")]);
  const cases: readonly (readonly [Change, RegExp])[] = [
    [{ type: "organisation", organisation: { id: "x", name: "X", eic: "10YDE-VE-------3" } }, /no EIC/],
    [{ type: "organisation", organisation: { id: "x", name: "X", gln: "4012345000008" } }, /no GLN/],
    [{ type: "organisation", organisation: { id: "grid", name: "X" } }, /registered already/],
    [{ type: "participant", participant: { id: "bert", organisation: "none" } }, /no organisation none/],
    [{ type: "participant", participant: { id: "M1", organisation: "grid" } }, /is a device/],
    [device("anna"), /is a participant/],
    [{ type: "point", point: { id: "P", scheme: "NAT", organisation: "none" } }, /no organisation none/],
    [{ type: "assign", device: "M9", point: "AT001" }, /no device M9/],
    [{ type: "assign", device: "M1", point: "AT002" }, /no point AT002/],
    [{ type: "assign", device: "M1", point: "AT001" }, /assigned to point AT001 already/],
    [issue("M9", "0000000000000009", 2), /no device or participant M9/],
    [issue("M1", "0000000000000009", 2), /ID M1 has a credential since 2026-09-21/],
    [issue("M2", "0000000000000001", 2), /key 0000000000000001 has a credential since 2026-09-21/],
    [issue("M2", "0000000000000009", 3), /status index 3 is not the next one, 2/],
    [{ type: "renew", credential: credential("M2", "0000000000000009", 2) }, /M2 has no credential/],
    [{ type: "renew", credential: credential("anna", "0000000000000009", 2) }, /anna has no credential/],
    [{ type: "renew", credential: credential("M1", "0000000000000002", 2) }, /is that of anna/],
    [state("0000000000000009", "revoked"), /has no credential/],
    [state("0000000000000001", "valid"), /is valid, not to be valid/],
    [state("0000000000000002", "valid"), /is revoked, not to be valid/],
    [state("0000000000000002", "suspended"), /is revoked, not to be suspended/],
    [{ type: "wish" } as unknown as Change, /type is not known/],
  ];
  for (const [change, message] of cases) {
    assert.throws(() => register.update(NOW_S, () => [change]), { code: "REGISTER_REFUSED", message });
  }
});

test("a credential is suspended and resumed, renewed by another key, and the old key can still be revoked", async (t) => {
  const register = await createRegister(await folderIn(t));
  t.after(() => register.close());
  const [first, second] = ["0000000000000001", "0000000000000002"];
  register.update(NOW_S, () => [device("M1"), issue("M1", first!, 0), state(first!, "suspended")]);
  assert.equal(currentCredential(register, "M1")?.state, "suspended");
  const renew: Change = { type: "renew", credential: credential("M1", second!, 1) };
  assert.throws(() => register.update(NOW_S, () => [renew]), /is suspended: resume it first/);
  register.update(NOW_S, () => [state(first!, "valid"), renew]);
  assert.equal(currentCredential(register, "M1")?.meter, second);
  assert.equal(register.get("credentials", credentialRowId(0))?.state, "renewed");
  register.update(NOW_S, () => [state(first!, "revoked")]);
  assert.equal(register.get("credentials", credentialRowId(0))?.state, "revoked");
  assert.deepEqual(auditRegister(register).problems, []);
});

/** Changes to a handful of devices and keys, most of which apply at some time. */
const meters = fc.constantFrom("0000000000000001", "0000000000000002", "0000000000000003");
const ids = fc.constantFrom("M1", "M2", "M3");
type Wish = (index: number) => Change;
const wishes: fc.Arbitrary<Wish> = fc.oneof(
  ids.map(
    (id): Wish =>
      () =>
        device(id),
  ),
  ids.map(
    (id): Wish =>
      () => ({ type: "point", point: { id: `P-${id}`, scheme: "NAT" } }),
  ),
  fc.tuple(ids, ids).map(
    ([id, at]): Wish =>
      () => ({ type: "assign", device: id, point: `P-${at}` }),
  ),
  fc.tuple(ids, meters, fc.boolean()).map(
    ([id, meter, forced]): Wish =>
      (index) =>
        issue(id, meter, index, forced),
  ),
  fc.tuple(ids, meters).map(
    ([id, meter]): Wish =>
      (index) => ({ type: "renew", credential: credential(id, meter, index) }),
  ),
  fc
    .tuple(meters, fc.constantFrom("suspended" as const, "valid" as const, "revoked" as const, "replaced" as const))
    .map(
      ([meter, to]): Wish =>
        () =>
          state(meter, to),
    ),
);

test("whatever is asked of it, an audit finds it good, and status indexes are given once each", async (t) => {
  const root = await folderIn(t);
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(wishes, { maxLength: 30 }), async (asked) => {
      run += 1;
      const register = await createRegister(`${root}-${run}`);
      try {
        for (const wish of asked) {
          try {
            register.update(NOW_S, (view) => [wish(view.issued)]);
          } catch (thrown) {
            assert.equal((thrown as { code?: string }).code, "REGISTER_REFUSED");
          }
        }
        assert.deepEqual(auditRegister(register).problems, []);
        const indexes = [...register.rows("credentials")].map(({ row }) => row.statusIndex);
        assert.deepEqual(
          indexes,
          indexes.map((_, place) => place),
        );
      } finally {
        await register.close();
      }
    }),
    { numRuns: 15 },
  );
});

/** Changes a register's bytes without its log: by LMDB itself, as whoever holds the disk could. */
async function tamper(path: string, table: string, change: (rows: Map<string, Buffer>) => void): Promise<void> {
  const root = open<Buffer, Buffer>({ path, noSubdir: false, maxDbs: 16, keyEncoding: "binary", encoding: "binary" });
  const rows = root.openDB<Buffer, Buffer>({ name: table, keyEncoding: "binary", encoding: "binary" });
  const held = new Map<string, Buffer>();
  for (const { key, value } of rows.getRange()) held.set(key.toString("hex"), Buffer.from(value));
  const before = [...held.keys()];
  change(held);
  await root.transaction(() => {
    for (const key of before) if (!held.has(key)) rows.remove(Buffer.from(key, "hex"));
    for (const [key, value] of held) rows.put(Buffer.from(key, "hex"), value);
  });
  await root.close();
}

const text = (value: Buffer, from: string, to: string) => Buffer.from(value.toString().replace(from, to));
const edit = (from: string, to: string) => (rows: Map<string, Buffer>) => {
  for (const [key, value] of rows) rows.set(key, text(value, from, to));
};
const drop = (place: number) => (rows: Map<string, Buffer>) => {
  rows.delete([...rows.keys()].at(place)!);
};

const tampered: readonly (readonly [string, string, (rows: Map<string, Buffer>) => void, RegExp])[] = [
  ["an entry that is changed", "log", edit("Netz AG", "Netz UG"), /entry 2: it does not name the hash/],
  ["an entry that is taken out", "log", drop(3), /entry 4: it is not numbered 4/],
  ["the last entry taken out", "log", drop(-1), /the head is not that of the last entry/],
  ["an entry that is no JSON", "log", edit("{", ""), /entry 1: it is no JSON/],
  ["a row that is changed", "credentials", edit('"valid"', '"revoked"'), /credentials, row 0000000000: it is not/],
  ["a row that is taken out", "points", drop(0), /points, row AT001: it is missing/],
  [
    "a row that no change made",
    "devices",
    (rows) => rows.set(Buffer.from("M7").toString("hex"), Buffer.from('{"id":"M7"}')),
    /devices, row M7: no change in the log makes it/,
  ],
  ["an assignment that is moved", "assignments", edit("AT001", "AT002"), /assignments, row M1: it is not/],
];

for (const [what, table, change, message] of tampered) {
  test(`an audit finds ${what}`, async (t) => {
    const path = await folderIn(t);
    const made = await createRegister(path);
    made.update(NOW_S, () => whole);
    await made.close();
    await tamper(path, table, change);
    const register = openRegister(path);
    t.after(() => register.close());
    assert.match(auditRegister(register).problems.join("\n"), message);
  });
}

test("a register that lost its end is told by a head that was kept, and one that grew is not", async (t) => {
  const shorter = await createRegister(await folderIn(t));
  const longer = await createRegister(await folderIn(t));
  t.after(() => Promise.all([shorter.close(), longer.close()]));
  const fill = (register: Register, changes: readonly Change[]) => register.update(NOW_S, () => changes);
  fill(shorter, whole.slice(0, 4));
  fill(longer, whole);
  assert.match(auditRegister(shorter, longer.head).problems.join(), /entry 7 with the hash .* is not in the log/);
  assert.deepEqual(auditRegister(longer, shorter.head).problems, []);
});

test("a register whose file was cut off is refused with words, wherever it was cut", async (t) => {
  const path = await folderIn(t);
  const made = await createRegister(path);
  made.update(NOW_S, () => [...whole, ...Array.from({ length: 400 }, (_, number) => device(`D${number}`))]);
  await made.close();
  const file = join(path, "data.mdb");
  const bytes = await readFile(file);
  for (const length of [1, 4_096, 8_192, Math.floor(bytes.length / 2), bytes.length - 4_096]) {
    await writeFile(file, bytes.subarray(0, length));
    assert.throws(
      () => openRegister(path),
      { code: "REGISTER_DAMAGED", message: /truncated|no database/ },
      `${length}`,
    );
  }
  await writeFile(file, bytes);
  const register = openRegister(path);
  t.after(() => register.close());
  assert.deepEqual(auditRegister(register).problems, []);
});

test("opening refuses a folder without a register, and a file that is none", async (t) => {
  assert.throws(() => openRegister("/nowhere"), { code: "FILE_UNREADABLE" });
  const path = await folderIn(t);
  await (await createRegister(path)).close();
  await tamper(path, "log", () => undefined);
  const root = open<Buffer, Buffer>({ path, noSubdir: false, maxDbs: 16, keyEncoding: "binary", encoding: "binary" });
  await root.put(Buffer.from("meta"), Buffer.from("{"));
  await root.close();
  assert.throws(() => openRegister(path), { code: "REGISTER_DAMAGED", message: /head is no JSON/ });
});
