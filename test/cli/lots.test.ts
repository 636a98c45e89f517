// Many meters at once, as maker, registrar and utility type it: a lot is shipped, received and labelled, a registrar is limited,
// requests are endorsed and answered, and a stopped registrar is heard no more.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { toHex } from "../../src/wire/bytes.js";
import { parseCredential } from "../../src/wire/credential.js";
import { encodeKey, keyId } from "../../src/wire/key.js";
import { createKeyFile, readKeyFile } from "../../tools/files/key-file.js";
import { createNetwork } from "../../tools/provisioning/network.js";
import { command } from "./command.js";

let folder: string;
const grid = ["--network", "grid"];
const genesis = ["--genesis", "grid/genesis.cbor"];

function run(line: string, ...more: readonly string[]) {
  const parameters = [command, ...line.split(" "), ...more];
  return spawnSync(process.execPath, parameters, { cwd: folder, encoding: "utf8" });
}

function good(line: string, ...more: readonly string[]): string {
  const { status, stdout, stderr } = run(line, ...more);
  assert.equal(status, 0, `${line}: ${stderr}`);
  return stdout;
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "gridseal-lots-"));
  const plan = { network: "street", nodes: 1, meters: 0, host: "127.0.0.1", basePort: 9_000, target: 0 };
  await createNetwork(
    join(folder, "grid"),
    { ...plan, chains: [{ service: 1, name: "trading", nodes: [1] }] },
    new Date(),
  );
});
after(() => rm(folder, { recursive: true }));

test("a lot goes from its maker to the utility, and its meters get credentials by a registrar's word", async () => {
  const [maker, buyer, fitter] = await Promise.all(
    ["maker", "buyer", "fitter"].map((name) => createKeyFile(join(folder, `${name}.json`))),
  );
  const hex = (signer: typeof maker) => toHex(encodeKey(signer!.key));
  good("authority register organisation works --name Works", ...grid);
  good("authority register participant purchaser --organisation works", ...grid);
  good("authority register participant fitter --organisation works", ...grid);
  good(`authority issue --id purchaser --role customer --public-key ${hex(buyer)}`, ...grid);
  good(`authority issue --id fitter --role registrar --public-key ${hex(fitter)}`, ...grid);

  const rows: string[] = [];
  for (const id of ["M1", "M2", "M3"]) {
    good(`request make --id ${id} --key ${id}.json --lot L1 -o ${id}.request`, ...genesis);
    rows.push(`${id},${JSON.parse(await readFile(join(folder, `${id}.json`), "utf8")).id},device,`);
  }
  await writeFile(join(folder, "devices.csv"), `id,key,origin,firmware\n${rows.join("\n")}\n`);
  good(`lot export devices.csv --lot L1 --key maker.json --to ${hex(maker)} -o L1.shipment`);
  good(`lot transfer L1.shipment --key maker.json --to ${hex(buyer)} -o L1b.shipment`);
  assert.match(good(`lot verify L1b.shipment --maker ${hex(maker)} --owner ${hex(buyer)}`), /devices +3/);
  assert.equal(run(`lot verify L1.shipment --owner ${hex(buyer)}`).status, 1);
  assert.match(
    good(`authority receive L1b.shipment --maker ${hex(maker)}`, ...grid),
    /L1 of works: 3 devices are registered, 0 transferred/,
  );
  good("lot labels L1b.shipment -o labels.svg");
  assert.equal((await readFile(join(folder, "labels.svg"), "utf8")).match(/<g /g)?.length, 3);

  good("authority registrar limit fitter --lot L1 --services trading --devices 2 --until 2100-01-01", ...grid);
  good("request endorse M1.request M2.request --key fitter.json -o some.requests", ...genesis);
  assert.match(good("authority batch some.requests --dry-run", ...grid), /line 1: M1: issued\nline 2: M2: issued/);
  assert.match(
    good("authority batch some.requests -o some.answers", ...grid),
    /2 issued, 0 renewed, 0 known, 0 refused/,
  );
  good("request show some.answers --save .", ...genesis);
  const credential = parseCredential(Uint8Array.from(await readFile(join(folder, "M2.credential"))));
  assert.equal(toHex(keyId(credential.key)), rows[1]!.split(",")[1]);

  good("authority registrar stop fitter --reason stolen", ...grid);
  assert.match(good("authority show fitter", ...grid), /registrar\n(?: .*\n)* +stopped +stolen/);
  good("authority register device unborn --lot L9", ...grid);
  assert.match(good("authority list --state registered --lot L9", ...grid), /^unborn +device +L9$/m);
  assert.doesNotMatch(good("authority list --state registered", ...grid), /^fitter /m);
  good("request endorse M1.request M3.request --key fitter.json -o more.requests", ...genesis);
  const answered = run("authority batch more.requests -o more.answers", ...grid);
  assert.deepEqual([answered.status, /1 of 2 requests were refused/.test(answered.stderr)], [1, true]);
  assert.match(
    answered.stdout,
    /line 2: M3: registrar fitter is stopped: stolen\n0 issued, 0 renewed, 1 known, 1 refused/,
  );
  assert.match(
    good("request show more.answers", ...genesis),
    /M1 .* credential\nM3 .* refused: registrar fitter is stopped/,
  );
  assert.equal(
    good("authority list --registrar fitter --json", ...grid)
      .trim()
      .split("\n").length,
    2,
  );
});

test("a table is tried and brought in, a key is replaced with its order, and the register is good", async () => {
  await writeFile(join(folder, "points.csv"), "id,scheme,organisation\nP1,NAT,works\n");
  assert.match(
    good("authority import points.csv --what points --dry-run", ...grid),
    /line 2: P1: registers\npoints: 1 would be/,
  );
  good("authority import points.csv --what points", ...grid);
  await writeFile(join(folder, "assigned.csv"), "id,lot,point\nM1,L1,P1\nM9,L2,P9\n");
  const bad = run("authority import assigned.csv", ...grid);
  assert.deepEqual([bad.status, bad.stdout], [1, "line 3: M9: there is no point P9\n"]);
  const { meter } = JSON.parse(good("authority show M1 --json", ...grid)).credentials[0];
  const made = JSON.parse(good("authority replace --id M1 --from 1:7 -o end.cose --json", ...grid));
  assert.equal(made.ended, meter);
  const states = JSON.parse(good("authority show M1 --json", ...grid)).credentials;
  assert.deepEqual(
    states.map((row: { meter: string; state: string }) => [row.meter, row.state]),
    [
      [meter, "replaced"],
      [made.meter, "valid"],
    ],
  );
  const again = run("authority replace --id M1 --from 1:7 --number 1 -o end.cose", ...grid);
  assert.deepEqual([again.status, /end.cose exists already/.test(again.stderr)], [1, true]);
  assert.deepEqual(JSON.parse(good("authority audit --json", ...grid)).problems, []);
});

test("a participant's request leads to a folder that --as takes, from answers or from a credential alone", async () => {
  good("authority register participant anna --organisation works", ...grid);
  const asked = good(
    "request make --id anna --role customer --services 1 --key anna.json -o anna.requests",
    ...genesis,
  );
  assert.match(asked, /next, there: gridseal authority batch anna.requests -o ANSWERS /);
  assert.match(
    asked,
    /then here: gridseal request accept ANSWERS --genesis grid.genesis.cbor --key anna.json -o DIR\n$/,
  );
  const answered = good("authority batch anna.requests -o anna.answers", ...grid);
  assert.match(answered, /next: send anna.answers back; .*: gridseal request accept anna.answers /);
  const other = run("request accept anna.answers --key buyer.json -o anna", ...genesis);
  assert.deepEqual([other.status, /has no answer for key/.test(other.stderr)], [1, true]);
  const taken = good("request accept anna.answers --key anna.json -o anna", ...genesis);
  assert.match(taken, /^you are anna: anna\n(?:.*\n)*next: gridseal session token URL --as anna, /);
  assert.match(good("session token http://node:9301 --as anna"), /^[\w-]+\.[\w-]+\n$/);
  const refused = run("request accept more.answers --key M3.json -o M3", ...genesis);
  assert.match(refused.stderr, /the authority has refused it: registrar fitter is stopped/);

  const hex = toHex(encodeKey((await readKeyFile(join(folder, "buyer.json"))).key));
  const words = `authority issue --id purchaser --force --role customer --public-key ${hex} -o buyer.cwt`;
  const issued = good(words, ...grid);
  assert.match(issued, /next: .* gridseal request accept buyer.cwt /);
  good("request accept buyer.cwt --key buyer.json -o buyer", ...genesis);
});
