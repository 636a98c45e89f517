// What anybody may have of a chain: it proves that its members have sealed these headers, and tells nothing of what they hold.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeBlock } from "../../src/wire/block.js";
import { decodePublicHead, encodePublicBlock, encodePublicHead, type PublicHead } from "../../src/wire/public-chain.js";
import { parseRecord } from "../../src/wire/record.js";
import { auditPublic } from "../../tools/audit/public.js";
import { splitSequence } from "../../tools/sources/sequence.js";
import { buildChain, type ChainBuilder, makeMeter, nodeSigners } from "./chain-builder.js";

const HEIGHT = 3;

function goodChain() {
  const chain = buildChain();
  const meter = makeMeter(1);
  chain.seal({ records: [meter.record(), meter.record()], credentials: [meter.credential] });
  for (let height = 2; height <= HEIGHT; height += 1) chain.seal({ records: [meter.record()] });
  return { chain, meter };
}

const headOf = ({ genesis }: ChainBuilder): PublicHead => {
  return { network: genesis.network, chain: genesis.chains[0]!.service, lineage: [] };
};
const publicBlocks = ({ blocks }: ChainBuilder) => blocks.map((bytes) => encodePublicBlock(decodeBlock(bytes)));

async function* yielding(items: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* items;
}

const audit = (chain: ChainBuilder, blocks: readonly Uint8Array[], head = headOf(chain)) =>
  auditPublic(chain.genesis, head, yielding(blocks));

test("headers that the members have signed are good, and the verdict is that the rest is not there", async () => {
  const { chain } = goodChain();
  const { verdict, height, header, firstProblem } = await audit(chain, publicBlocks(chain));
  assert.deepEqual([verdict, height, firstProblem?.lacks], ["incomplete", HEIGHT, "public"]);
  assert.equal(header.length, 64);
});

test("nothing of a record, a meter or what it hides is in it", () => {
  const { chain, meter } = goodChain();
  const written = Buffer.concat([encodePublicHead(headOf(chain)), ...publicBlocks(chain)]);
  const whole = Buffer.concat(chain.blocks);
  const records = chain.blocks.flatMap((bytes) => decodeBlock(bytes).batches.flatMap((batch) => batch.records));
  const planted = [meter.kid, meter.credential, ...records, ...records.map((bytes) => parseRecord(bytes).signature)];
  for (const secret of planted) {
    const bytes = Buffer.from(secret);
    assert.ok(whole.includes(bytes), "the whole chain has it");
    for (const form of [bytes, bytes.toString("hex"), bytes.toString("base64")]) assert.ok(!written.includes(form));
  }
});

test("a header that does not follow, one that others have signed, and another network are bad", async () => {
  const { chain } = goodChain();
  const good = publicBlocks(chain);
  const [first, second, third] = good as [Uint8Array, Uint8Array, Uint8Array];
  const cases = [
    { blocks: [first, third], height: 2, what: /does not name the one before/ },
    { blocks: [second], height: 1, what: /does not name the one before/ },
    { blocks: [first, first], height: 2, what: /does not name the one before/ },
  ];
  for (const { blocks, height, what } of cases) {
    const report = await audit(chain, blocks);
    assert.equal(report.verdict, "bad");
    assert.deepEqual([report.firstProblem?.height, report.height], [height, height - 1]);
    assert.match(report.firstProblem!.what, what);
  }
  const [block, other] = chain.blocks.map((bytes) => decodeBlock(bytes)) as [
    ReturnType<typeof decodeBlock>,
    ReturnType<typeof decodeBlock>,
  ];
  const swapped = encodePublicBlock({ header: block.header, certificate: other.certificate });
  assert.equal((await audit(chain, [swapped])).verdict, "bad");
  const few = { ...block.certificate, signatures: block.certificate.signatures.slice(0, nodeSigners.length / 2) };
  assert.equal((await audit(chain, [encodePublicBlock({ header: block.header, certificate: few })])).verdict, "bad");
  const abroad = await audit(chain, good, { ...headOf(chain), network: "other" });
  assert.match(abroad.firstProblem!.what, /network other/);
});

test("a file that is cut off lacks its end", async () => {
  const { chain } = goodChain();
  const bytes = Buffer.concat(publicBlocks(chain)).subarray(0, -7);
  const report = await auditPublic(chain.genesis, headOf(chain), splitSequence(yielding([bytes])));
  assert.deepEqual([report.verdict, report.firstProblem?.lacks, report.height], ["incomplete", "end", HEIGHT - 1]);
});

test("the head of something else is none, and whatever it is made into is refused with a reason", () => {
  const { chain } = goodChain();
  assert.equal(decodePublicHead(chain.blocks[0]!), undefined);
  const good = encodePublicHead(headOf(chain));
  assert.deepEqual(decodePublicHead(good), headOf(chain));
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1, max: 255 }), (place, change) => {
      const changed = Uint8Array.from(good);
      changed[place % changed.length]! ^= change;
      try {
        decodePublicHead(changed);
      } catch (error) {
        assert.equal((error as Error).name, "WireError");
      }
    }),
  );
});
