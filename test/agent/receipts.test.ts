import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { verifyEd25519 } from "../../src/agent/ed25519.js";
import { createMembers, type Members } from "../../src/agent/members.js";
import { createReceiptJudge, DEFER_MS, DISTRUST_MS, type Judgement, QUIET_MS } from "../../src/agent/receipts.js";
import { toHex } from "../../src/wire/bytes.js";
import type { Verify } from "../../src/wire/key.js";
import { decodeReceipt, encodeReceipt, encodeSentReceipt, LINKS_MAX, type Receipt } from "../../src/wire/receipt.js";
import { nodeVerify } from "../../tools/crypto/signatures.js";
import { createSealer } from "../../tools/firmware/sealer.js";
import { simulatedStores } from "./norFlash.js";

const sealer = createSealer("receipts");
const records = Array.from({ length: 5 }, (_, index) => Uint8Array.of(index + 1));
const receipts = sealer.seal(1, records);

/** A judge, and how many signatures it has checked. */
function counting(
  isExpected = (_hash: Uint8Array): boolean => true,
  check: Verify = verifyEd25519,
  deferral_ms?: number,
) {
  const checks = { signatures: 0 };
  const verify: Verify = (key, message, signature) => {
    checks.signatures += 1;
    return check(key, message, signature);
  };
  const { keyValue } = simulatedStores(0, 1);
  const known = createMembers(sealer.genesis, [1, 2, 3], verify, keyValue);
  const lacked: number[] = [];
  const members: Pick<Members, "at" | "lack"> = {
    at: (service, height) => known.at(service, height),
    lack: (service) => void lacked.push(service),
  };
  const deferring = createReceiptJudge(sealer.genesis, members, verify, isExpected, deferral_ms);
  let uptime_ms = 0;
  /** Each comes so long after the one before that none is deferred. */
  const judge = (bytes: Uint8Array, service: number): Judgement => {
    uptime_ms += DEFER_MS;
    return deferring.judge(bytes, service, uptime_ms);
  };
  return { checks, lacked, judge, deferring };
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

describe("deferred receipts", () => {
  /** One chain's blocks, whose header each names the one before, in an order of their own. */
  const chain = createSealer("receipts");
  const blocks = Array.from({ length: 40 }, (_, index) => chain.seal(1, [Uint8Array.of(index)])[0]!);
  const hashOf = (index: number): Uint8Array => decodeReceipt(blocks[index]!).recordHash;
  /** The receipt of a block with the headers of those behind another one. */
  const sent = (index: number, last = index - 1): Uint8Array => {
    const links: Uint8Array[] = [];
    for (let at = index - 1; at > last; at -= 1) links.push(decodeReceipt(blocks[at]!).header);
    return encodeSentReceipt(blocks[index]!, links);
  };
  const forged = (index: number, last?: number): Uint8Array => {
    const good = decodeReceipt(blocks[index]!);
    const signatures = good.certificate.signatures.map((one) => ({ ...one, signature: new Uint8Array(64) }));
    const bad = encodeReceipt({ ...good, certificate: { round: 0, signatures } });
    return last === undefined ? bad : new Uint8Array([...bad, ...sent(index, last).subarray(blocks[index]!.length)]);
  };

  test("of a minute cost one certificate, the newest, blocks that hold nothing of the meter between them", () => {
    const { checks, deferring } = counting();
    assert.equal(deferring.judge(sent(0), 1, 0).kind, "sealed");
    for (const [at_ms, bytes] of [
      [10_000, sent(1)],
      [20_000, sent(2)],
      [30_000, sent(9, 2)],
      [45_000, sent(26, 9)],
    ] as const) {
      assert.equal(deferring.judge(bytes, 1, at_ms).kind, "deferred");
      assert.equal(deferring.settle(at_ms, false), undefined);
    }
    assert.equal(checks.signatures, 3, "those of the first");
    assert.equal(deferring.wakeAt_ms(false), DEFER_MS);
    assert.deepEqual(deferring.settle(DEFER_MS, false), { kind: "proved", service: 1 });
    assert.equal(checks.signatures, 6);
    assert.equal(deferring.wakeAt_ms(false), Number.POSITIVE_INFINITY);
    assert.equal(deferring.judge(sent(27), 1, DEFER_MS + 1).kind, "deferred");
    assert.equal(deferring.wakeAt_ms(false), DEFER_MS + 1 + QUIET_MS, "no other follows");
    assert.equal(deferring.judge(sent(26), 1, DEFER_MS).kind, "sealed", "the block is known");
    assert.equal(checks.signatures, 6);
  });

  test("are none where the host defers nothing, and wait as long as it says where that is less", () => {
    const { checks, deferring: cheap } = counting(undefined, undefined, 0);
    for (const index of [0, 1, 2]) assert.equal(cheap.judge(sent(index), 1, 1_000 * index).kind, "sealed");
    assert.equal(checks.signatures, 9);
    assert.equal(cheap.wakeAt_ms(false), Number.POSITIVE_INFINITY);
    const { deferring: brief } = counting(undefined, undefined, 3_000);
    brief.judge(sent(0), 1, 0);
    assert.equal(brief.judge(sent(1), 1, 2_000).kind, "deferred");
    assert.equal(brief.wakeAt_ms(false), 3_000);
    assert.deepEqual(brief.settle(3_000, false), { kind: "proved", service: 1 });
  });

  test("are checked at once where their places are needed, the chain first whose receipts are due first", () => {
    const two = createSealer("receipts");
    const { deferring } = counting();
    const other = Array.from({ length: 2 }, () => two.seal(2, records)[0]!);
    assert.equal(deferring.judge(other[0]!, 2, 0).kind, "sealed");
    assert.equal(deferring.judge(sent(0), 1, 1).kind, "sealed");
    assert.equal(deferring.judge(sent(1), 1, 2).kind, "deferred");
    assert.equal(deferring.judge(other[1]!, 2, 3).kind, "deferred");
    assert.deepEqual(deferring.settle(4, true), { kind: "proved", service: 1 });
    assert.deepEqual(deferring.settle(5, true), { kind: "proved", service: 2 });
    assert.equal(deferring.settle(6, true), undefined);
  });

  test("are of an unbroken line: what does not lead to the one before is checked alone", () => {
    const [link] = [decodeReceipt(blocks[3]!).header];
    const apart: readonly (readonly [string, Uint8Array])[] = [
      ["a header is missing", sent(4, 3)],
      ["it is another one", encodeSentReceipt(blocks[4]!, [decodeReceipt(blocks[2]!).header])],
      ["a byte of it is changed", encodeSentReceipt(blocks[4]!, [link!.with(79, link![79]! ^ 1)])],
      [
        "they are in the wrong order",
        encodeSentReceipt(
          blocks[5]!,
          [3, 4].map((at) => decodeReceipt(blocks[at]!).header),
        ),
      ],
      ["it is an older block", sent(1)],
    ];
    for (const [why, bytes] of apart) {
      const { checks, deferring } = counting();
      deferring.judge(sent(0), 1, 0);
      assert.equal(deferring.judge(sent(2), 1, 1).kind, "deferred");
      assert.equal(deferring.judge(bytes, 1, 2).kind, "sealed", why);
      assert.equal(checks.signatures, 6, why);
      assert.deepEqual(deferring.settle(DEFER_MS + 2, false), { kind: "proved", service: 1 });
    }
  });

  test("prove nothing where no quorum has signed the newest, and none is deferred for a while then", () => {
    const { checks, deferring } = counting();
    assert.equal(deferring.judge(sent(0), 1, 0).kind, "sealed");
    assert.equal(deferring.judge(sent(1), 1, 1).kind, "deferred");
    assert.equal(deferring.judge(forged(3, 1), 1, 2).kind, "deferred");
    const verdict = deferring.settle(DEFER_MS, false)!;
    assert.ok(verdict.kind === "unproved" && verdict.service === 1);
    assert.match(verdict.reason, /does not verify/);
    const before = checks.signatures;
    assert.equal(deferring.judge(forged(3), 1, DEFER_MS + 1).kind, "wrong receipt", "the block is not known");
    for (const index of [1, 2, 3]) assert.equal(deferring.judge(sent(index), 1, DEFER_MS + 2).kind, "sealed");
    assert.equal(checks.signatures, before + 1 + 9);
    const later_ms = DEFER_MS + DISTRUST_MS;
    assert.equal(deferring.judge(sent(4), 1, later_ms).kind, "sealed");
    assert.equal(deferring.judge(sent(5), 1, later_ms + 1).kind, "deferred");
  });

  test("whatever comes in whatever order, what is proved is sealed, and no more than a minute later", () => {
    const event = fc.record({
      index: fc.nat(blocks.length - 1),
      last: fc.nat(LINKS_MAX),
      lies: fc.integer({ min: 0, max: 5 }).map((lie) => lie === 0),
      after_ms: fc.nat(20_000),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), (events) => {
        const waiting = new Map(blocks.map((_, index) => [toHex(hashOf(index)), index]));
        const { deferring } = counting((hash) => waiting.has(toHex(hash)), nodeVerify);
        let deferred = new Map<number, { readonly since_ms: number; readonly lies: boolean }>();
        let now_ms = 0;
        for (const { index, last, lies, after_ms } of events) {
          now_ms += after_ms;
          const settled = deferring.settle(now_ms, false);
          if (settled?.kind === "proved") for (const one of deferred.keys()) waiting.delete(toHex(hashOf(one)));
          if (settled?.kind === "unproved") assert.ok([...deferred.values()].some((one) => one.lies));
          if (settled !== undefined) deferred = new Map();
          for (const { since_ms } of deferred.values()) assert.ok(now_ms < since_ms + DEFER_MS);
          const from = Math.max(0, index - 1 - last);
          const judgement = deferring.judge(lies ? forged(index, from) : sent(index, from), 1, now_ms);
          // A second receipt of the newest block is not kept: the first one's certificate is the one that is checked.
          if (judgement.kind === "deferred" && !deferred.has(index)) deferred.set(index, { since_ms: now_ms, lies });
          if (judgement.kind === "sealed") {
            waiting.delete(toHex(hashOf(index)));
            deferred.delete(index);
          }
          if (judgement.kind === "wrong receipt") assert.ok(lies);
        }
      }),
      { numRuns: 40, endOnFailure: true },
    );
  });
});
