// The authority's commands as a utility types them: from nothing to credentials, orders and an audited register. The passphrase
// comes by a file descriptor and stands in nothing that is printed or written.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { toHex } from "../../src/wire/bytes.js";
import { verifyOrder } from "../../src/wire/order.js";
import { nodeVerify } from "../../tools/crypto/signatures.js";
import { readGenesisFile } from "../../tools/files/genesis-file.js";
import { command } from "./command.js";

const passphrase = "planted passphrase 71";
const key = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
const where = ["--network", "grid", "--authority", "authority"];
let folder: string;
const printed: string[] = [];

/** Runs the command; file descriptor 3 has the passphrase. */
function run(...parameters: readonly string[]) {
  const descriptor = openSync(join(folder, "passphrase"), "r");
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...parameters], {
    cwd: folder,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe", descriptor],
  });
  closeSync(descriptor);
  printed.push(stdout, stderr);
  return { status, stdout, stderr };
}

function good(...parameters: readonly string[]): string {
  const { status, stdout, stderr } = run("authority", ...parameters);
  assert.equal(status, 0, `${parameters.join(" ")}: ${stderr}`);
  return stdout;
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "gridseal-authority-"));
  await writeFile(join(folder, "passphrase"), `${passphrase}\n`, { mode: 0o600 });
});
after(() => rm(folder, { recursive: true }));

test("makes an authority and founds a network with it", () => {
  assert.match(good("init", "authority", "--name", "street", "--passphrase-fd", "3"), /next +gridseal init DIR/);
  const plan = ["--network", "street", "--nodes", "1", "--meters", "1", "--authority", "authority"];
  const unasked = run("init", "grid", ...plan);
  assert.deepEqual([unasked.status, /name --passphrase-fd/.test(unasked.stderr)], [2, true]);
  const made = run("init", "grid", ...plan, "--passphrase-fd", "3");
  assert.equal(made.status, 0, made.stderr);
  const next = made.stdout.split("\n").filter((line) => line.startsWith("next: "));
  const typed = ["gridseal node run grid/nodes/node-1", "gridseal meter run grid/meters/meter-1", "gridseal provision"];
  assert.deepEqual(
    next.map((line, place) => line.startsWith(`next: ${typed[place]}`)),
    [true, true, true],
    made.stdout,
  );
});

test("registers, issues, assigns, lists and shows", () => {
  good("register", "organisation", "grid-co", "--name", "Grid, Co", "--eic", "10YDE-VE-------2", ...where);
  good("register", "participant", "anna", "--organisation", "grid-co", ...where);
  good("register", "point", "AT0001", "--scheme", "NAT", "--organisation", "grid-co", ...where);
  const mistyped = run(
    "authority",
    "register",
    "organisation",
    "x",
    "--name",
    "X",
    "--eic",
    "10YDE-VE-------3",
    ...where,
  );
  assert.deepEqual([mistyped.status, /no EIC/.test(mistyped.stderr)], [1, true]);
  const terms = ["--role", "regulator", "--role", "supplier", "--jurisdiction", "DE-BY"];
  const issued = JSON.parse(good("issue", "--id", "anna", "--public-key", key, ...terms, "--json", ...where));
  assert.deepEqual([issued.id, issued.roles, issued.services], ["anna", ["supplier", "regulator"], []]);
  assert.match(good("assign", "meter-1", "AT0001", ...where), /meter-1 measures point AT0001/);
  const listed = good("list", "--organisation", "grid-co", "--json", ...where)
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    listed.map(({ id, state, point }) => [id, state, point]),
    [
      ["meter-1", "valid", "AT0001"],
      ["anna", "valid", undefined],
    ],
  );
  assert.match(good("show", "anna", ...where), /organisation +grid-co(.|\n)*roles +supplier, regulator/);
});

test("what the register says of points becomes a sealed assignment, behind the orders that a network begins with", async () => {
  good("register", "point", "AT0002", "--scheme", "NAT", "--organisation", "grid-co", ...where);
  const signs = ["--passphrase-fd", "3", ...where];
  const moved = good("assign", "meter-1", "AT0002", "-o", "moved.cose", ...signs);
  assert.match(moved, /meter-1 measures point AT0002, no more AT0001\nmoved.cose: order 4, /);
  const { genesis } = await readGenesisFile(join(folder, "grid/genesis.cbor"));
  const { action } = verifyOrder(Uint8Array.from(await readFile(join(folder, "moved.cose"))), genesis, nodeVerify);
  assert.ok(action.type === "assign", "an order of assignments");
  const { meter } = JSON.parse(good("show", "meter-1", "--json", ...where)).credentials[0];
  const rows = action.assignments.map((row) => [row.point, toHex(row.meter), row.until_s, row.sign]);
  assert.deepEqual(rows, [["AT0002", meter, undefined, 1]]);
  const again = run("authority", "order", "assign", "--registered", "-o", "none.cose", ...signs);
  assert.deepEqual([again.status, /orders say already/.test(again.stderr)], [1, true]);
});

test("shows times as people read them; JSON keeps their seconds", () => {
  const [{ expires_s }] = JSON.parse(good("show", "meter-1", "--json", ...where)).credentials;
  const shown = good("show", "meter-1", ...where);
  assert.ok(shown.includes(new Date(1_000 * expires_s).toISOString().replace(".000Z", "Z")), shown);
  assert.doesNotMatch(shown, /\b\d{10}\b/);
});

test("suspends, resumes and ends by orders, each of which the register has too", () => {
  const { meter } = JSON.parse(good("show", "meter-1", "--json", ...where)).credentials[0];
  const stateAfter = (...order: readonly string[]) => {
    const [number] = order;
    good("order", ...order.slice(1), "--number", number!, "-o", `${number}.cose`, "--passphrase-fd", "3", ...where);
    return JSON.parse(good("show", "meter-1", "--json", ...where)).credentials[0].state;
  };
  assert.equal(stateAfter("4", "suspend", "meter-1"), "suspended");
  const unknown = run("authority", "order", "resume", "meter-77", "-o", "x.cose", "--passphrase-fd", "3", ...where);
  assert.deepEqual([unknown.status, /meter-77 is neither a key id of 16/.test(unknown.stderr)], [1, true]);
  // What was ordered here is known here: no node is asked.
  assert.equal(stateAfter("5", "resume", meter), "valid");
  const twice = ["order", "end", meter, "--from", "1:5", "--from", "1:6", "-o", "x.cose", ...where];
  assert.equal(run("authority", ...twice).status, 2);
  const refused = run("authority", "order", "resume", meter, "-o", "x.cose", "--passphrase-fd", "3", ...where);
  assert.deepEqual([refused.status, /is not suspended/.test(refused.stderr)], [1, true]);
});

test("revokes by an order, which the register has too, and audits", async () => {
  const [{ meter }] = [JSON.parse(good("show", "meter-1", "--json", ...where)).credentials[0]];
  const revoke = ["order", "revoke", "meter-1", "-o", "revoke.cose", ...where];
  assert.equal(run("authority", ...revoke).status, 2);
  good(...revoke, "--passphrase-fd", "3");
  const again = run("authority", "order", "revoke", "meter-1", "-o", "again.cose", "--passphrase-fd", "3", ...where);
  assert.deepEqual([again.status, /meter \w{16} is revoked already/.test(again.stderr)], [1, true], again.stderr);
  assert.match(good("list", "--state", "revoked", ...where), new RegExp(meter));
  const { head, issued, problems } = JSON.parse(good("audit", "--json", ...where));
  assert.deepEqual([issued, problems], [2, []]);
  assert.match(good("audit", "--head", head, ...where), /register +good/);
  const foreign = run("authority", "audit", "--head", `1:${"00".repeat(32)}`, ...where);
  assert.equal(foreign.status, 1);
  assert.match(foreign.stderr, /is not in the log/);
  const named = good("order", "register", "-o", "head.cose", "--passphrase-fd", "3", ...where);
  assert.match(named, new RegExp(`the register's head is ${head}`));
  good("export", "-o", "credentials.csv", ...where);
  const rows = (await readFile(join(folder, "credentials.csv"), "utf8")).split("\r\n");
  assert.equal(rows[1]!.split(",")[3], "revoked");
  good("export", "--what", "log", "-o", "log.jsonl", ...where);
  const last = (await readFile(join(folder, "log.jsonl"), "utf8")).trim().split("\n").at(-1)!;
  assert.equal(JSON.parse(last).change.to, "revoked");
});

test("takes no approver by a key that verifiers judge differently", () => {
  const smallOrder = "00".repeat(32);
  const { status, stderr } = run("authority", "approver", "add", "left", "--public-key", smallOrder, ...where);
  assert.equal(status, 2);
  assert.match(stderr, /judge alike: copy the whole of it/);
  assert.match(good("approver", "add", "left", "--public-key", key, ...where), /left grants and refuses enrolments/);
});

test("the passphrase stands in nothing that was printed or written", async () => {
  assert.ok(printed.length > 20 && !printed.join().includes(passphrase));
  for (const file of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!file.isFile() || file.name === "passphrase") continue;
    const bytes = await readFile(join(file.parentPath, file.name));
    assert.ok(!bytes.includes(passphrase), file.name);
  }
});
