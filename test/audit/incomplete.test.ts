// What an audit cannot judge for want of input is incomplete, neither good nor bad: a chain without the orders that it obeys, a file
// that is cut off. What is wrong is bad with and without them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeBlock } from "../../src/wire/block.js";
import { auditNetwork } from "../../tools/audit/network.js";
import { GridsealError } from "../../tools/errors.js";
import { splitSequence } from "../../tools/sources/sequence.js";
import { CONTRACTS, exported, HEAT, history, network, TRADING } from "../wire/governed-network.js";

const { genesis } = network;
const good = history();

/** Audits the files of these services. */
async function audit(files: Readonly<Record<number, Uint8Array>>) {
  const open = (service: number) => {
    const bytes = files[service];
    return bytes === undefined
      ? undefined
      : () =>
          splitSequence(
            (async function* () {
              yield bytes;
            })(),
          );
  };
  const reports = await auditNetwork(genesis, { open, runContracts: undefined }, Object.keys(files).map(Number));
  return new Map(reports.map((report) => [report.service, report]));
}

const seen = (reports: Awaited<ReturnType<typeof audit>>, service: number) => {
  const { verdict, height, firstProblem } = reports.get(service)!;
  return [verdict, height, firstProblem?.lacks];
};

test("a chain that has obeyed an order is incomplete without the contracts chain, and good with it", async () => {
  const alone = await audit({ [TRADING]: exported(good.trading) });
  const at = good.trading.findIndex(({ judgedAt }) => judgedAt > 0);
  assert.deepEqual(seen(alone, TRADING), ["incomplete", at, "contracts"]);
  assert.match(alone.get(TRADING)!.firstProblem!.what, /contracts height 1 is not known: .* is not at hand/);
  const together = await audit({ [TRADING]: exported(good.trading), [CONTRACTS]: exported(good.contracts) });
  assert.deepEqual(seen(together, TRADING), ["good", good.trading.length, undefined]);
});

test("it is incomplete with a contracts chain that ends too early or is not good, and only then", async () => {
  const early = exported(good.contracts.slice(0, 1));
  const reports = await audit({ [TRADING]: exported(good.trading), [CONTRACTS]: early });
  assert.equal(reports.get(CONTRACTS)!.verdict, "good");
  assert.equal(reports.get(TRADING)!.verdict, "incomplete");
  assert.match(reports.get(TRADING)!.firstProblem!.what, /what is at hand of the contracts chain ends at 1/);
  const spoilt = exported(good.contracts);
  spoilt[spoilt.length - 40]! ^= 1;
  const beside = await audit({ [TRADING]: exported(good.trading), [CONTRACTS]: spoilt });
  assert.deepEqual([beside.get(CONTRACTS)!.verdict, beside.get(TRADING)!.verdict], ["bad", "incomplete"]);
});

test("an added chain is incomplete without the order that added it", async () => {
  const alone = await audit({ [HEAT]: exported(good.heat) });
  assert.deepEqual(seen(alone, HEAT), ["incomplete", 0, "contracts"]);
  assert.equal(alone.get(HEAT)!.name, "service-7");
});

test("a block that was changed or sealed by too few is bad, though it names orders that are not at hand", async () => {
  // Whoever changes a sealed block to name an order has a bad block, whatever is at hand.
  const [first, ...rest] = good.trading;
  const forged = { ...first!, judgedAt: 1 };
  const reports = await audit({ [TRADING]: exported([forged, ...rest]) });
  assert.deepEqual(seen(reports, TRADING), ["bad", 0, undefined]);
  // So has whoever seals one without a quorum.
  const lonely = { ...good.trading[0]!, certificate: { ...good.trading[0]!.certificate, signatures: [] } };
  assert.equal((await audit({ [TRADING]: exported([lonely, ...rest]) })).get(TRADING)!.verdict, "bad");
});

test("a file that is cut off is incomplete at every byte, and one with rubbish behind it is bad", async () => {
  const bytes = exported(good.contracts);
  const ends: number[] = [];
  for (const block of good.contracts) ends.push((ends.at(-1) ?? 0) + encodeBlock(block).length);
  for (let length = 1; length < bytes.length; length += 97) {
    if (ends.includes(length)) continue;
    const reports = await audit({ [CONTRACTS]: bytes.subarray(0, length) });
    const whole = ends.filter((end) => end < length).length;
    assert.deepEqual(seen(reports, CONTRACTS), ["incomplete", whole, "end"], `cut at ${length}`);
  }
  const rubbish = await audit({ [CONTRACTS]: Buffer.concat([bytes, Buffer.of(0xff)]) });
  assert.deepEqual(seen(rubbish, CONTRACTS), ["bad", good.contracts.length, undefined]);
});

test("an export that begins later is incomplete, one with a block left out is bad", async () => {
  const later = await audit({ [CONTRACTS]: exported(good.contracts.slice(1)) });
  assert.deepEqual(seen(later, CONTRACTS), ["incomplete", 0, "start"]);
  const [first, , ...rest] = good.contracts;
  const gap = await audit({ [CONTRACTS]: exported([first!, ...rest]) });
  assert.deepEqual(seen(gap, CONTRACTS), ["bad", 1, undefined]);
});

test("a node that has let go of the blocks leaves its chain incomplete", async () => {
  const open = () =>
    async function* (): AsyncGenerator<Uint8Array> {
      yield encodeBlock(good.contracts[0]!);
      throw new GridsealError("BLOCK_PRUNED", "the node does not keep that block any more");
    };
  const [report] = await auditNetwork(genesis, { open, runContracts: undefined }, [CONTRACTS]);
  assert.deepEqual([report!.verdict, report!.height, report!.firstProblem?.lacks], ["incomplete", 1, "pruned"]);
});
