import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { verifyEd25519 } from "../../src/agent/ed25519.js";
import { createMembers, type Members } from "../../src/agent/members.js";
import { createReceiptJudge } from "../../src/agent/receipts.js";
import type { Verify } from "../../src/wire/key.js";
import { decodeReceipt, encodeReceipt, type Receipt } from "../../src/wire/receipt.js";
import { createSealer } from "../../tools/firmware/sealer.js";
import { simulatedStores } from "./norFlash.js";

const sealer = createSealer("receipts");
const records = Array.from({ length: 5 }, (_, index) => Uint8Array.of(index + 1));
const receipts = sealer.seal(1, records);

/** A judge, and how many signatures it has checked. */
function counting(isExpected = (_hash: Uint8Array): boolean => true) {
  const checks = { signatures: 0 };
  const verify: Verify = (key, message, signature) => {
    checks.signatures += 1;
    return verifyEd25519(key, message, signature);
  };
  const { keyValue } = simulatedStores(0, 1);
  const known = createMembers(sealer.genesis, [1, 2, 3], verify, keyValue);
  const lacked: number[] = [];
  const members: Pick<Members, "at" | "lack"> = {
    at: (service, height) => known.at(service, height),
    lack: (service) => void lacked.push(service),
  };
  return { checks, lacked, judge: createReceiptJudge(sealer.genesis, members, verify, isExpected) };
}

const altered = (change: Partial<Receipt>): Uint8Array => encodeReceipt({ ...decodeReceipt(receipts[0]!), ...change });

describe("receipts", () => {
  test("are good where they prove the record sealed, at one check of each member's signature a block", () => {
    const { checks, judge } = counting();
    for (const receipt of receipts) assert.equal(judge(receipt, 1).kind, "sealed");
    assert.equal(checks.signatures, 3, "a quorum of four");
    assert.equal(judge(sealer.seal(1, records)[0]!, 1).kind, "sealed");
    assert.equal(checks.signatures, 6);
  });

  test("of one block by nodes whose certificates differ cost the signatures of the first", () => {
    const { checks, judge } = counting();
    const all = sealer.seal(1, records, [0, 1, 2, 3]).map(decodeReceipt);
    const without = (receipt: Receipt, index: number): Uint8Array =>
      encodeReceipt({
        ...receipt,
        certificate: { round: 0, signatures: receipt.certificate.signatures.filter((_, member) => member !== index) },
      });
    for (const [index, receipt] of all.entries()) assert.equal(judge(without(receipt, index % 4), 1).kind, "sealed");
    assert.equal(checks.signatures, 3);
  });

  test("of a block that a certificate has proved are good whatever theirs is, those of the same header elsewhere are not", () => {
    const { checks, judge } = counting();
    const { signatures } = decodeReceipt(receipts[0]!).certificate;
    const forged = signatures.map((one) => ({ ...one, signature: new Uint8Array(64) }));
    const withForged = altered({ certificate: { round: 0, signatures: forged } });
    assert.equal(judge(withForged, 1).kind, "wrong receipt");
    assert.equal(judge(receipts[1]!, 1).kind, "sealed");
    const before = checks.signatures;
    assert.equal(judge(withForged, 1).kind, "sealed");
    assert.equal(checks.signatures, before);
    assert.equal(judge(altered({ chain: 2 }), 2).kind, "wrong receipt");
    assert.equal(judge(altered({ height: decodeReceipt(receipts[0]!).height + 1 }), 1).kind, "wrong receipt");
  });

  test("of more blocks than are remembered are checked again", () => {
    const { checks, judge } = counting();
    const blocks = Array.from({ length: 9 }, () => sealer.seal(1, records)[0]!);
    for (const receipt of blocks) assert.equal(judge(receipt, 1).kind, "sealed");
    assert.equal(judge(blocks[8]!, 1).kind, "sealed");
    assert.equal(checks.signatures, 9 * 3);
    assert.equal(judge(blocks[0]!, 1).kind, "sealed");
    assert.equal(checks.signatures, 10 * 3);
  });

  test("are refused with the reason where anything in them is wrong, also after a good one of another block", () => {
    const { judge } = counting();
    assert.equal(judge(sealer.seal(1, records)[0]!, 1).kind, "sealed");
    const good = decodeReceipt(receipts[0]!);
    const forged = {
      round: 0,
      signatures: good.certificate.signatures.map((one) => ({ ...one, signature: new Uint8Array(64) })),
    };
    const cases: readonly (readonly [Uint8Array, number, RegExp])[] = [
      [receipts[0]!, 3, /chain 1 came for 3/],
      [altered({ recordHash: new Uint8Array(32) }), 1, /path does not lead/],
      [altered({ leaf: 0 }), 1, /metadata/],
      [altered({ network: "other" }), 1, /network other/],
      [altered({ height: good.height + 1 }), 1, /does not verify/],
      [altered({ certificate: forged }), 1, /does not verify/],
    ];
    for (const [bytes, service, reason] of cases) {
      const judgement = judge(bytes, service);
      assert.ok(judgement.kind === "wrong receipt");
      assert.match(judgement.reason, reason);
    }
  });

  test("by others than the members that are known accuse nobody, cost no signature check, and lack the members", () => {
    const { checks, judge, lacked } = counting();
    const { certificate } = decodeReceipt(receipts[0]!);
    const signed = (signatures: typeof certificate.signatures) => altered({ certificate: { round: 0, signatures } });
    const [first, ...others] = certificate.signatures;
    const cases: readonly (readonly [Uint8Array, number, RegExp])[] = [
      [signed(others), 1, /2 have signed it, of those known 3 would have to/],
      [signed([...others, first!]), 1, /not the members that are known, in their order/],
      [signed([...others, { ...first!, node: new Uint8Array(8) }]), 1, /not the members that are known/],
      [altered({ chain: 99 }), 99, /no members of chain 99 are known/],
    ];
    for (const [bytes, service, reason] of cases) {
      const judgement = judge(bytes, service);
      assert.ok(judgement.kind === "unknown members");
      assert.match(judgement.reason, reason);
      assert.deepEqual(judgement.recordHash, decodeReceipt(receipts[0]!).recordHash);
    }
    assert.equal(checks.signatures, 0);
    assert.deepEqual(lacked, [1, 1, 1, 99]);
  });

  test("of records that nobody waits for cost no signature check", () => {
    const { checks, judge } = counting(() => false);
    assert.deepEqual(judge(receipts[0]!, 1), { kind: "stray receipt" });
    assert.equal(checks.signatures, 0);
  });

  test("of any bytes never throw, and no altered byte makes a good one, but a tree size that asks for the same path", () => {
    const one = counting().judge;
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => assert.notEqual(one(bytes, 1).kind, "sealed")));
    fc.assert(
      fc.property(fc.nat(receipts[0]!.length - 1), fc.integer({ min: 1, max: 255 }), (index, flip) => {
        const { judge } = counting();
        const bytes = receipts[0]!.slice();
        bytes[index]! ^= flip;
        if (judge(bytes, 1).kind !== "sealed") return;
        // The size is no claim of its own (PROTOCOL.md, section 14).
        const good = decodeReceipt(receipts[0]!);
        assert.deepEqual({ ...decodeReceipt(bytes), size: good.size }, good);
      }),
      { numRuns: 60, examples: [[49, 1]] },
    );
  });
});
