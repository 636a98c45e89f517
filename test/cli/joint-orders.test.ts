// Orders that two of three keys sign, as the people who hold them type it; the states of all credentials; where nodes stand.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { verifyOrder } from "../../src/wire/order.js";
import { nodeVerify } from "../../tools/crypto/signatures.js";
import { readGenesisFile } from "../../tools/files/genesis-file.js";
import { command } from "./command.js";

let folder: string;

/** Runs the command; file descriptor 3 has the passphrase. */
function run(line: string) {
  const descriptor = openSync(join(folder, "passphrase"), "r");
  const parameters = [command, ...line.split(" ")];
  const ran = spawnSync(process.execPath, parameters, {
    ...{ cwd: folder, encoding: "utf8" as const },
    stdio: ["ignore", "pipe", "pipe", descriptor],
  });
  closeSync(descriptor);
  return ran;
}

function good(line: string): string {
  const { status, stdout, stderr } = run(line);
  assert.equal(status, 0, `${line}: ${stderr}`);
  return stdout;
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "gridseal-joint-"));
  await writeFile(join(folder, "passphrase"), "a passphrase of many words\n", { mode: 0o600 });
});
after(() => rm(folder, { recursive: true }));

test("an order is complete with the second signature, whoever gives it, and says what it does before", async () => {
  good("authority init authority --name street --passphrase-fd 3");
  const [second, third] = ["second", "third"].map(
    (name) => JSON.parse(good(`authority key ${name}.json --passphrase-fd 3 --json`)).publicKey as string,
  );
  const plan = "init grid --network street --nodes 2 --meters 1 --no-contracts --authority authority --passphrase-fd 3";
  const few = run(`${plan} --order-key ${second} --order-signatures 3`);
  assert.deepEqual([few.status, /--order-signatures must be 1 to 2/.test(few.stderr)], [2, true]);
  good(`${plan} --order-key ${second} --order-key ${third} --order-signatures 2 --location DE --location node-2=AT-9`);
  const { genesis } = await readGenesisFile(join(folder, "grid/genesis.cbor"));
  assert.deepEqual(
    genesis.nodes.map(({ location }) => location),
    ["DE", "AT-9"],
  );
  const where = "--network grid --authority authority";
  const { meter } = JSON.parse(good(`authority show meter-1 --json ${where}`)).credentials[0];
  assert.match(
    good(`authority order suspend ${meter} -o one.cose --passphrase-fd 3 ${where}`),
    /1 of 2 signatures; next: gridseal order sign/,
  );
  const read = async (name: string) => Uint8Array.from(await readFile(join(folder, name)));
  const one = await read("one.cose");
  assert.throws(() => verifyOrder(one, genesis, nodeVerify), /1 of 2 signatures/);
  const sign = (key: string, from: string, to: string) =>
    run(`order sign ${from} --genesis grid/genesis.cbor --key ${key} --passphrase-fd 3 -o ${to}`);
  const signed = sign("third.json", "one.cose", "two.cose");
  assert.equal(signed.status, 0, signed.stderr);
  assert.match(signed.stderr, new RegExp(`order 1, suspended: ${meter}`));
  assert.match(signed.stdout, /has 2 of 2 signatures/);
  assert.equal(verifyOrder(await read("two.cose"), genesis, nodeVerify).number, 1);
  for (const [key, from, message] of [
    ["authority/root.json", "one.cose", /signed by this key already/],
    ["second.json", "two.cose", /its signatures already/],
    ["second.json", "grid/genesis.cbor", /cannot be signed/],
  ] as const) {
    const refused = sign(key, from, "none.cose");
    assert.equal(refused.status, 1);
    assert.match(refused.stderr, message);
  }
  // What waits for signatures is known in the folder: the next order is upon it.
  assert.match(good(`authority order resume ${meter} -o three.cose --passphrase-fd 3 ${where}`), /order 2, resumed/);
});

test("the states of all credentials are written as a list for its address alone", async () => {
  const where = "--network grid --authority authority";
  const unnamed = run(`authority export --what status-list -o states.cwt ${where}`);
  assert.deepEqual([unnamed.status, /name its --uri/.test(unnamed.stderr)], [2, true]);
  assert.match(
    good(`authority export --what status-list --uri https://street.example/states -o states.cwt ${where}`),
    /status-list, 1 states/,
  );
  assert.ok((await readFile(join(folder, "states.cwt"))).includes("application/statuslist+cwt"));
  assert.equal(JSON.parse(good(`authority export --what cose -o all.cose --json ${where}`)).count, 1);
});

test("a contract is proposed with its source, signed by two, and followed by its parameters and its end", async () => {
  const { genesis } = await readGenesisFile(join(folder, "grid/genesis.cbor"));
  const where = "--network grid --authority authority --passphrase-fd 3";
  good("contract new limits");
  const terms = "limits/limits.ts --service 1 --name limits --revision 1 --type 40000 --from 10";
  let propose = `contract propose ${terms}`;
  const alone = run(`${propose} --number 20 -o alone.cose ${where}`);
  assert.deepEqual(
    [alone.status, /0 of 2 members of chain 1 have run .*, and it takes 2/.test(alone.stderr)],
    [1, true],
  );
  for (const node of ["node-1", "node-2"]) good(`contract ready ${terms} --node grid/nodes/${node} -o ${node}.ready`);
  const foreign = run(`${propose} --number 20 --budget 999 --ready node-1.ready -o foreign.cose ${where}`);
  assert.match(foreign.stderr, /node-1.ready is no READY for this contract: its budget is 1000, and the order's 999/);
  const later = run(`${propose} --number 20 --type 40001 --ready node-1.ready -o later.cose ${where}`);
  assert.match(later.stderr, /its types is 40000, and the order's 40000 40001/);
  propose += " --ready node-1.ready --ready node-2.ready";
  assert.match(good(`${propose} --number 20 -o install.cose ${where}`), /order 20, .*limits 1, source [0-9a-f]{64}/);
  good("order sign install.cose --genesis grid/genesis.cbor --key second.json --passphrase-fd 3 -o installed.cose");
  const bytes = Uint8Array.from(await readFile(join(folder, "installed.cose")));
  const { action, source } = verifyOrder(bytes, genesis, nodeVerify);
  assert.ok(action.type === "install" && source?.includes("limit-reached"));
  assert.deepEqual([action.types, action.fromHeight, action.budget], [[40_000], 10, 1_000]);
  const change = "--service 1 --from 11";
  const set = good(`contract parameters limits limit=7 open=true ${change} --in DE --number 21 -o set.cose ${where}`);
  assert.match(set, /parameters of limits in DE: limit 7, open true/);
  const day = {
    jurisdiction: "DE",
    contract: "limits",
    dated: "2026-11-30",
    parameters: { limit: 7, limit_law: "Art. 1" },
  };
  await writeFile(join(folder, "set.json"), JSON.stringify(day));
  const dated = `contract parameters limits limit=8 --set set.json ${change} --in DE --number 21 -o dated.cose ${where}`;
  assert.match(good(dated), /parameters of limits in DE: limit 8, limit_law Art. 1, dated 2026-11-30/);
  await writeFile(join(folder, "other.json"), JSON.stringify({ ...day, contract: "caps" }));
  const refused = run(dated.replace("set.json", "other.json").replace("dated.cose", "other.cose"));
  assert.match(refused.stderr, /other.json is a set of the contract caps, not of limits/);
  await writeFile(join(folder, "other.json"), JSON.stringify({ ...day, parameters: { limit: 1.5 } }));
  const shapeless = run(dated.replace("set.json", "other.json").replace("dated.cose", "other.cose"));
  assert.match(shapeless.stderr, /other.json has no set of parameters: .parameters.limit/);
  assert.match(good(`contract retire limits ${change} --number 22 -o end.cose ${where}`), /limits is retired/);
  const again = run(`${propose} --number 23 -o again.cose ${where}`);
  assert.deepEqual([again.status, /version 1 of limits is not above 1/.test(again.stderr)], [1, true]);
  await writeFile(join(folder, "limits/limits.vectors.json"), '[{"name": "a", "expect": {"failed": "budget"}}]');
  const failing = run(`${propose.replace("--revision 1", "--revision 2")} --number 23 -o bad.cose ${where}`);
  assert.deepEqual([failing.status, /comes to something else/.test(failing.stderr)], [1, true]);
});
