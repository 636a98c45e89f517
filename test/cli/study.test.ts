// `gridseal analytics export` and `gridseal study run | verify` over an exported chain: what they print, where they end with which status.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { FROM_S, householdChain } from "../analytics/tables.js";
import { makeGenesis } from "../audit/chain-builder.js";
import { command } from "./command.js";

let folder: string;
let ids: readonly string[];
const at = (name: string) => join(folder, name);
const time = (time_s: number) => new Date(1_000 * time_s).toISOString().replace(".000Z", "Z");
const period = ["--service", "trading", "--from", time(FROM_S), "--to", time(FROM_S + 3_600)];

function gridseal(...args: readonly string[]) {
  return spawnSync(process.execPath, [command, ...args], { encoding: "utf8" });
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "gridseal-study-"));
  const built = householdChain([{ taken: [100, 50, 20, 30] }, { taken: [10, 10, 10, 10] }]);
  ids = built.ids;
  await writeFile(at("trading.cbor"), Buffer.concat(built.chain.blocks));
  await writeFile(at("genesis.cbor"), makeGenesis().bytes);
  const { status, stderr } = gridseal("analytics", "export", folder, "-o", at("tables"), "--format", "both");
  assert.equal(status, 0, stderr);
});
after(() => rm(folder, { recursive: true }));

test("an export says of each chain what is in it, and against what it was verified", async () => {
  const { status, stdout } = gridseal("analytics", "export", folder, "-o", at("other"), "--services", "1");
  assert.equal(status, 0);
  assert.match(stdout, /trading +1 to 1 +10 +2 +10 +0 +[0-9a-f]{16}/);
  assert.match(stdout, /verified against genesis [0-9a-f]{16} of network audited/);
  const again = gridseal("analytics", "export", folder, "-o", at("other"));
  assert.deepEqual([again.status, /exists already/.test(again.stderr)], [1, true]);
});

test("an export of a chain whose bytes were changed ends with 1 and leaves nothing", async () => {
  const bytes = await readFile(at("trading.cbor"));
  bytes[bytes.length - 300]! ^= 1;
  const exports = await mkdtemp(join(tmpdir(), "gridseal-study-"));
  await writeFile(join(exports, "trading.cbor"), bytes);
  await writeFile(join(exports, "genesis.cbor"), makeGenesis().bytes);
  const { status, stderr } = gridseal("analytics", "export", exports, "-o", join(exports, "tables"));
  assert.ok(status !== 0 && !existsSync(join(exports, "tables")), stderr);
  await rm(exports, { recursive: true });
});

test("a height that the chain has not, a service that it has not, and no genesis are said", () => {
  for (const [args, what] of [
    [["--to-height", "9"], /ends at block 1, before 9/],
    [["--from-height", "9"], /ends at block 1/],
    [["--services", "heat"], /has no service heat/],
    [["--services", "3"], /no blocks of chain 3/],
    [["--from-height", "3", "--to-height", "2"], /--from-height is behind --to-height/],
    [["--api", "http://127.0.0.1:1"], /name one source/],
  ] as const) {
    const { status, stderr } = gridseal("analytics", "export", folder, "-o", at("none"), ...args);
    assert.ok(status !== 0, args.join(" "));
    assert.match(stderr, what);
  }
});

test("a study of a kind is of groups alone, unless members are asked for", () => {
  const few = gridseal("study", "run", "load-curve", at("tables"), ...period);
  assert.equal(few.status, 1);
  assert.match(few.stderr, /2 members have data, and figures are of groups of at least 100/);
  const { status, stdout } = gridseal("study", "run", "quality", at("tables"), ...period, "--audience", "members");
  assert.equal(status, 0);
  for (const id of ids) assert.match(stdout, new RegExp(id));
  assert.ok(
    stdout.split("\n").every((line) => line.length <= 80),
    stdout,
  );
});

test("what a study came to is verified by running it again; what was changed of it is named", async () => {
  const study = {
    kind: "load-curve",
    service: 1,
    from: time(FROM_S),
    to: time(FROM_S + 3_600),
    members: ids,
    least: 2,
  };
  await writeFile(at("study.json"), JSON.stringify(study));
  assert.equal(gridseal("study", "run", at("study.json"), at("tables"), "-o", at("result.json")).status, 0);
  const verify = (result: string) =>
    gridseal("study", "verify", at("study.json"), at("tables"), "--result", at(result));
  assert.match(verify("result.json").stdout, /^the same: [0-9a-f]{64}\nof 2 members, read up to block 1/);
  const text = await readFile(at("result.json"), "utf8");
  for (const [from, to, what] of [
    [/"group":2/, '"group":3', /its group is 3, and here 2/],
    [/"energy_mWh":\d+/, '"energy_mWh":1', /has other figures/],
  ] as const) {
    await writeFile(at("lie.json"), text.replace(from, to));
    const { status, stderr } = verify("lie.json");
    if (from.test(text)) assert.deepEqual([status, what.test(stderr)], [1, true], stderr);
  }
  await writeFile(at("none.json"), "{}");
  assert.match(verify("none.json").stderr, /is no result that study run has made/);
});

test("a file and options that say the same twice, and neither result nor study, are refused", () => {
  assert.match(gridseal("study", "run", at("study.json"), at("tables"), "--service", "1").stderr, /for a kind alone/);
  assert.match(gridseal("study", "run", "quality", at("tables")).stderr, /a kind needs --service, --from and --to/);
  assert.match(
    gridseal("study", "verify", at("study.json"), at("tables")).stderr,
    /either --result FILE or --study NAME/,
  );
  assert.equal(gridseal("study", "run", "nothing.json", at("tables")).status, 1);
});
