// Violations in exported chains: what has become of one is told where the contracts chain is at hand, and nowhere else.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { decodeBlock, encodeBlock } from "../../../src/wire/block.js";
import { metersOfFiles } from "../../../tools/cli/meter/known.js";
import { exportedViolations } from "../../../tools/cli/violation/exported.js";
import { CONTRACTS_SERVICE } from "../../../tools/ledger/governance.js";
import { encodeResults } from "../../../tools/ledger/violations.js";
import { buildChain, makeMeter } from "../../audit/chain-builder.js";

test("a file that holds no blocks, or one that is cut off, is an invalid chain", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "gridseal-exported-"));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, "chain.cbor");
  for (const bytes of [[0], [0x82], [0xff], [0x80]]) {
    await writeFile(file, Uint8Array.from(bytes));
    for (const read of [() => exportedViolations([file], {}), () => metersOfFiles([file], undefined)]) {
      await assert.rejects(read, { code: "CHAIN_INVALID" }, `bytes ${bytes}`);
    }
  }
});

test("without the contracts chain what has become of a violation is not known, and no state is said", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "gridseal-violations-"));
  t.after(() => rm(folder, { recursive: true }));
  const chain = buildChain();
  const meter = makeMeter(1);
  chain.seal({ records: [meter.record()], credentials: [meter.credential] });
  chain.seal({ records: [meter.record({ seq: 1, previous: new Uint8Array(32) })] });
  const results = encodeResults({ violations: [], outcomes: [], slots: [] });
  const contracts = encodeBlock({ ...decodeBlock(chain.blocks[0]!), chain: CONTRACTS_SERVICE, results });
  const [trading, cases] = [join(folder, "trading.cbor"), join(folder, "contracts.cbor")];
  await writeFile(trading, Buffer.concat(chain.blocks));
  await writeFile(cases, contracts);
  const listed = async (...files: readonly string[]) => {
    const { all, hasCases } = await exportedViolations(files, {});
    return [...all.map(({ id, kind, state }) => `${id} ${kind} ${state}`), hasCases];
  };
  assert.deepEqual(await listed(trading), ["1:2:0 link ?", false]);
  assert.deepEqual(await listed(trading, cases), ["1:2:0 link open", true]);
  assert.deepEqual((await exportedViolations([trading], { state: "open" })).all, []);
});
