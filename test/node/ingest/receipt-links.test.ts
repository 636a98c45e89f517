import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeReceipt, decodeSentReceipt, encodeSentReceipt, LINKS_MAX } from "../../../src/wire/receipt.js";
import { createSealer } from "../../../tools/firmware/sealer.js";
import { createReceiptLinks } from "../../../tools/node/ingest/receipt-links.js";
import { verifySentReceipts } from "../../wire/stranger-receipt.js";

const sealer = createSealer("links");
const receipts = Array.from({ length: 60 }, (_, index) => sealer.seal(1, [Uint8Array.of(index)])[0]!);
const headers = receipts.map((receipt) => decodeReceipt(receipt).header);

/** What a node sends a meter that has records in these blocks, of the first block that it announces on. */
function sentTo(blocks: ReadonlySet<number>, first = 0): { readonly block: number; readonly bytes: Uint8Array }[] {
  const links = createReceiptLinks();
  const sent: { readonly block: number; readonly bytes: Uint8Array }[] = [];
  for (let block = first; block < receipts.length; block += 1) {
    if (blocks.has(block))
      sent.push({ block, bytes: encodeSentReceipt(receipts[block]!, links.before(1, "meter", block + 1)) });
    links.sealed(1, block + 1, headers[block]!);
  }
  return sent;
}

test("sends the headers that lie between a meter's receipts, and a stranger proves all of them by the newest", () => {
  const blocks = fc.uniqueArray(fc.nat(receipts.length - 1), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(blocks, fc.nat(20), (chosen, first) => {
      const sent = sentTo(new Set(chosen), first);
      let line: Uint8Array[] = [];
      let last: number | undefined;
      for (const { block, bytes } of sent) {
        const { receipt, links } = decodeSentReceipt(bytes);
        assert.equal(receipt.height, block + 1);
        const lack = last === undefined ? 0 : block - last - 1;
        assert.equal(links.length, lack <= LINKS_MAX ? lack * 80 : 0);
        if (lack > LINKS_MAX) line = [];
        line.push(bytes);
        last = block;
      }
      if (line.length === 0) return;
      const heights = verifySentReceipts(sealer.genesisBytes, line);
      assert.deepEqual(
        heights,
        sent.slice(sent.length - line.length).map(({ block }) => block + 1),
      );
    }),
    { numRuns: 50 },
  );
});

test("a stranger refuses receipts whose line is broken", () => {
  const [first, second] = sentTo(new Set([3, 9]));
  const changed = second!.bytes.slice();
  changed[changed.length - 1]! ^= 1;
  assert.throws(() => verifySentReceipts(sealer.genesisBytes, [first!.bytes, changed]), /hash of the header before/);
  assert.throws(() => verifySentReceipts(sealer.genesisBytes, [first!.bytes, receipts[9]!]), /hash of the header/);
});

test("forgets meters of which no receipt was sent for longer than it knows headers, and chains do not mix", () => {
  const links = createReceiptLinks();
  links.before(1, "meter", 1);
  links.sealed(1, 1, headers[0]!);
  links.sealed(2, 1, headers[1]!);
  assert.deepEqual(links.before(2, "meter", 2), []);
  for (let height = 2; height <= LINKS_MAX + 2; height += 1) links.sealed(1, height, headers[height - 1]!);
  assert.deepEqual(links.before(1, "meter", LINKS_MAX + 3), [], "none was sent among these");
});

test("refuses what stands behind a receipt and is not 1 to 16 headers", () => {
  const tails = [Uint8Array.of(0x40), new Uint8Array([0x58, 79, ...new Uint8Array(79)]), Uint8Array.of(1)];
  const tooMany = encodeSentReceipt(receipts[0]!, headers.slice(0, LINKS_MAX + 1));
  for (const bytes of [...tails.map((tail) => new Uint8Array([...receipts[0]!, ...tail])), tooMany])
    assert.throws(() => decodeSentReceipt(bytes), /behind a receipt stand/);
});
