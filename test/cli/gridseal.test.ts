// The command as people run it: what it prints where, and its exit status.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { blockTree, decodeBlock } from "../../src/wire/block.js";
import { concatBytes, toHex } from "../../src/wire/bytes.js";
import type { CborValue } from "../../src/wire/cbor.js";
import { encodeSign1, parseSign1 } from "../../src/wire/cose.js";
import { sha256 } from "../../src/wire/hash.js";
import { receiptEncoder } from "../../src/wire/receipt.js";
import { digestsOf, encodeDisclosure, parseRecord } from "../../src/wire/record.js";
import { buildChain, type ChainBuilder, makeGenesis, makeMeter } from "../audit/chain-builder.js";
import { exported, history, network } from "../wire/governed-network.js";
import { command } from "./command.js";

let folder: string;
let chain: ChainBuilder;
let record: Uint8Array;
let opened: Uint8Array;
const hidden = { obis: Uint8Array.of(1, 0, 1, 7, 0, 255), value: 750, scaler: 0, unit: 27 };

function run(...parameters: string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...parameters], {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, GRIDSEAL_DEBUG: "" },
  });
  return { status, stdout, stderr };
}

/** A reason and a remedy, a line each, and no stack. */
function assertComplaint(stderr: string, reason: RegExp): void {
  const lines = stderr.trimEnd().split("\n");
  assert.equal(lines.length, 2, stderr);
  assert.match(lines[0]!, /^gridseal: /);
  assert.match(lines[0]!, reason);
  assert.match(lines[1]!, /^ {2}\S/);
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "gridseal-"));
  chain = buildChain();
  const meter = makeMeter(1);
  opened = encodeDisclosure({ salt: new Uint8Array(16).fill(5), label: "power", registers: [hidden] });
  record = meter.record({ digests: digestsOf([opened]) });
  chain.seal({ records: [record], credentials: [meter.credential] });
  chain.seal({ records: [meter.record()] });
  await writeFile(join(folder, "genesis.cbor"), makeGenesis().bytes);
  await writeFile(join(folder, "trading.cbor"), concatBytes(...chain.blocks));
  const block = decodeBlock(chain.blocks[0]!);
  await writeFile(join(folder, "receipt.cbor"), receiptEncoder(block, blockTree(block))(1, sha256(record)));
  await writeFile(join(folder, "record.cbor"), record);
  await writeFile(join(folder, "other.cbor"), meter.record());
});
after(() => rm(folder, { recursive: true }));

test("makes a network and says in JSON what is in it", async () => {
  const { status, stdout } = run("init", "network", "--nodes", "1", "--meters", "1", "--services", "heat=6", "--json");
  assert.equal(status, 0);
  const made = JSON.parse(stdout);
  assert.deepEqual(made.chains.at(-1), { service: 6, name: "heat", nodes: ["node-1"] });
  assert.equal(made.genesis, toHex(sha256(Uint8Array.from(await readFile(join(folder, "network/genesis.cbor"))))));
  const seed = JSON.parse(await readFile(join(folder, "network/authority/key.json"), "utf8")).seed as string;
  assert.ok(!stdout.includes(seed));
  const again = run("init", "network");
  assert.equal(again.status, 1);
  assertComplaint(again.stderr, /network exists already/);
});

test("a name of nothing, where an ID or a key id is asked for, is answered with where those are", () => {
  const making = ["--network", "network", "-o", "order.cose"];
  const revoke = run("authority", "order", "revoke", "meter-9", ...making);
  assert.equal(revoke.status, 1);
  assertComplaint(revoke.stderr, /meter-9 is neither a key id of 16 .*`gridseal authority list`/);
  const chain = run("authority", "order", "chain", "7", "solar", "--member", "node-9", ...making);
  assert.equal(chain.status, 1);
  assertComplaint(chain.stderr, /node-9 is no name or key id of a node of the network, which has node-1 [0-9a-f]{16}$/);
});

test("prints its version", async () => {
  const { version } = JSON.parse(await readFile(new URL("../../package.json", import.meta.url), "utf8"));
  for (const option of ["--version", "-V"]) {
    const { status, stdout, stderr } = run(option);
    assert.deepEqual([status, stdout, stderr], [0, `${version}\n`, ""]);
  }
});

test("alone it says what it can do, and help leads to every subcommand", () => {
  const alone = run();
  assert.deepEqual([alone.status, alone.stderr], [0, ""]);
  assert.match(alone.stdout, /^Usage: gridseal .*\n[\s\S]*\n {2}chain .*sealed chains\n/);
  for (const words of [[], ["chain"], ["chain", "show"], ["authority", "order", "revoke"]]) {
    const help = run("help", ...words);
    assert.deepEqual([help.status, help.stderr], [0, ""], words.join(" "));
    assert.equal(help.stdout, run(...words, "--help").stdout, words.join(" "));
    assert.ok(help.stdout.startsWith(["Usage: gridseal", ...words].join(" ")), words.join(" "));
  }
});

test("ends misuse with status 2, a reason and a remedy", () => {
  for (const [parameters, reason] of [
    [["init"], /missing required argument 'dir'/],
    [["init", "x", "--nodes", "0"], /'--nodes <count>' argument '0' is invalid/],
    [["chain"], /subcommand is missing: list, show, export, audit, slots$/],
    [["authority", "order"], /subcommand is missing: members, withdraw, chain, revoke/],
    [["bogus"], /unknown command 'bogus'/],
    [["chain", "audit", "trading.cbor"], /--genesis/],
    [["chain", "list"], /name what to read/],
  ] as const) {
    const { status, stdout, stderr } = run(...parameters);
    assert.equal(status, 2, parameters.join(" "));
    assert.equal(stdout, "");
    assertComplaint(stderr, reason);
  }
});

test("audits an exported chain, and fails where it is not good", async () => {
  const good = run("chain", "audit", "trading.cbor", "--genesis", "genesis.cbor", "--json");
  assert.equal(good.status, 0, good.stderr);
  const [report] = JSON.parse(good.stdout);
  assert.equal(report.height, 2);
  assert.equal(report.records, 2);
  assert.equal(report.firstProblem, undefined);
  const bytes = concatBytes(...chain.blocks);
  bytes[bytes.length - 40]! ^= 1;
  await writeFile(join(folder, "bad.cbor"), bytes);
  const bad = run("chain", "audit", "bad.cbor", "--genesis", "genesis.cbor");
  assert.equal(bad.status, 1);
  assert.match(bad.stdout, /BAD at 2/);
  assertComplaint(bad.stderr, /chain trading, block 2: /);
});

test("an audit of all files of a folder passes over the genesis, and says of what is no chain that it is none", async () => {
  const audit = (...files: string[]) => run("chain", "audit", ...files, "--genesis", "genesis.cbor");
  const beside = audit("genesis.cbor", "trading.cbor");
  assert.equal(beside.status, 0, beside.stderr);
  const alone = audit("genesis.cbor");
  assert.equal(alone.status, 2);
  assert.equal(alone.stdout, "");
  assertComplaint(alone.stderr, /no chain among/);
  const with3 = audit("genesis.cbor", "receipt.cbor", "trading.cbor");
  assert.equal(with3.status, 3);
  assert.match(with3.stdout, /trading +2 .* good\n/);
  assert.match(with3.stdout, /receipt\.cbor is no chain: does not begin with a block/);
  assertComplaint(with3.stderr, /receipt\.cbor is no chain/);
  await writeFile(join(folder, "empty.cbor"), "");
  const json = run("chain", "audit", "empty.cbor", "trading.cbor", "--genesis", "genesis.cbor", "--json");
  assert.equal(json.status, 3);
  const [report, none] = JSON.parse(json.stdout);
  assert.deepEqual(
    [report.verdict, none],
    ["good", { file: "empty.cbor", verdict: "no-chain", what: "holds no block" }],
  );
});

test("an audit of what is not all there is INCOMPLETE, with status 3 and its own remedy, and BAD outdoes it", async () => {
  const governed = history();
  await writeFile(join(folder, "governed.cbor"), network.genesisBytes);
  await writeFile(join(folder, "street.cbor"), exported(governed.trading));
  await writeFile(join(folder, "contracts.cbor"), exported(governed.contracts));
  await writeFile(join(folder, "cut.cbor"), exported(governed.contracts).subarray(0, -9));
  const bytes = exported(governed.heat);
  bytes[bytes.length - 40]! ^= 1;
  await writeFile(join(folder, "bad-heat.cbor"), bytes);
  const audit = (...files: string[]) => run("chain", "audit", ...files, "--genesis", "governed.cbor");
  const alone = audit("street.cbor");
  assert.equal(alone.status, 3);
  assert.match(alone.stdout, /INCOMPLETE at 2\n/);
  assertComplaint(alone.stderr, /, block 2: contracts height 1 is not known/);
  assert.match(alone.stderr, /chain export contracts/);
  const cut = audit("cut.cbor");
  assert.equal(cut.status, 3);
  assertComplaint(cut.stderr, /it is cut off/);
  assert.match(cut.stderr, /fetch the rest/);
  assert.equal(audit("street.cbor", "contracts.cbor").status, 0);
  const both = audit("contracts.cbor", "bad-heat.cbor", "record.cbor");
  assert.equal(both.status, 1);
  assertComplaint(both.stderr, /chain heat, block /);
});

test("lists and shows a chain from a file, its registers to the last digit", () => {
  assert.match(run("chain", "list", "trading.cbor").stdout, /1 {2}trading +2 +2 +0/);
  const { stdout, status } = run("chain", "show", "1", "trading.cbor", "--json");
  assert.equal(status, 0);
  const block = JSON.parse(stdout);
  assert.equal(block.size, chain.blocks[0]!.length);
  const [sealed] = block.data.batches[0].records;
  assert.equal(sealed.hash, toHex(parseRecord(record).hash));
  assert.equal(sealed.bytes, toHex(record));
  assert.deepEqual(sealed.registers, [{ obis: "1-0:1.8.1*255", value: 1000, scaler: 0, unit: "Wh" }]);
  const text = run("chain", "show", "2", "trading.cbor").stdout;
  for (const part of ["1 format", "2 size", "3 header", "4 action counter", "5 data record", "6 lock time"]) {
    assert.match(text, new RegExp(`^${part}`, "m"));
  }
  assert.match(text, /1-0:1\.8\.1\*255 +1001 Wh/);
  assert.equal(run("chain", "show", "3", "trading.cbor").status, 1);
  assert.equal(run("chain", "show", String(2 ** 40 - 2), "trading.cbor").status, 1);
  for (const height of [2 ** 40 - 1, 2 ** 40, 2 ** 53 - 1]) {
    assert.equal(run("chain", "show", String(height), "trading.cbor").status, 2, `no height ${height}`);
  }
});

test("a record with disclosures is good with a receipt where each opens a digest that the meter signed, and says which", async () => {
  const { protected: header, payload, signature } = parseSign1(record, 16_384);
  const other = encodeDisclosure({
    salt: new Uint8Array(16).fill(5),
    label: "power",
    registers: [{ ...hidden, value: 751 }],
  });
  const verify = async (unprotected: ReadonlyMap<number, CborValue>) => {
    await writeFile(join(folder, "disclosed.cbor"), encodeSign1(header, unprotected, payload, signature));
    return run(
      "receipt",
      "verify",
      "receipt.cbor",
      "--genesis",
      "genesis.cbor",
      "--record",
      "disclosed.cbor",
      "--json",
    );
  };
  const good = await verify(new Map([[17, [opened]]]));
  assert.deepEqual([good.status, JSON.parse(good.stdout).disclosed], [0, ["power"]]);
  assert.deepEqual(JSON.parse((await verify(new Map())).stdout).disclosed, []);
  const cases: readonly (readonly [ReadonlyMap<number, CborValue>, RegExp])[] = [
    [new Map([[17, [other]]]), /digest is not in the payload/],
    [new Map([[17, [opened, opened]]]), /digest is not in the payload/],
    [new Map<number, CborValue>([[16, 1]]), /unknown key 16/],
    [
      new Map<number, CborValue>([
        [16, 1],
        [17, [opened]],
      ]),
      /unknown key 16/,
    ],
    [new Map([[17, []]]), /1 to 16 disclosures/],
  ];
  for (const [unprotected, reason] of cases) {
    const refused = await verify(unprotected);
    assert.equal(refused.status, 1, refused.stdout);
    assertComplaint(refused.stderr, reason);
  }
});

test("verifies a receipt with the genesis alone, and for its own record only", () => {
  const verify = (...more: string[]) => run("receipt", "verify", "receipt.cbor", "--genesis", "genesis.cbor", ...more);
  const good = verify("--record", "record.cbor", "--json");
  assert.equal(good.status, 0, good.stderr);
  assert.equal(JSON.parse(good.stdout).recordHash, toHex(parseRecord(record).hash));
  const other = verify("--record", "other.cbor");
  assert.equal(other.status, 1);
  assertComplaint(other.stderr, /is for another record/);
  const foreign = run("receipt", "verify", "receipt.cbor", "--genesis", "network/genesis.cbor");
  assert.equal(foreign.status, 1);
  assertComplaint(foreign.stderr, /proves nothing/);
});
