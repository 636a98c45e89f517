// Seals are verified once, and what was not verified in all its bytes is.

import assert from "node:assert/strict";
import { test } from "node:test";
import { WireError } from "../../../src/wire/error.js";
import { decodeReceipt, type Receipt } from "../../../src/wire/receipt.js";
import { parseRecord } from "../../../src/wire/record.js";
import { sealVerifier } from "../../../tools/cli/access/seals.js";
import { nodeVerify } from "../../../tools/crypto/signatures.js";
import { CONTRACTS, meter, network, nodes, receiptOf, TRADING } from "../../wire/governed-network.js";
import { sealBlock, testBatch, testRecords } from "../../wire/network.js";

const [record] = testRecords(meter, 1, TRADING);
const sealedOn = (chain: number) =>
  decodeReceipt(
    receiptOf(
      sealBlock(network, chain, undefined, { batches: [testBatch(network, chain, nodes[0]!, 0, [], [record!])] }),
    ),
  );
const receipt = sealedOn(TRADING);

function verifier() {
  let signatures = 0;
  const verify = sealVerifier({
    ...{ genesis: network.genesis, service: TRADING, lineage: [] },
    verify(...signed) {
      signatures += 1;
      return nodeVerify(...signed);
    },
  });
  return { verify, signatures: () => signatures };
}

/** With one bit of one signature another. */
function forged({ certificate, ...rest }: Receipt): Receipt {
  const [first, ...others] = certificate.signatures;
  const signature = first!.signature.map((byte, at) => (at === 40 ? byte ^ 1 : byte));
  return { ...rest, certificate: { ...certificate, signatures: [{ ...first!, signature }, ...others] } };
}

test("records of one block cost its certificate once", () => {
  const { verify, signatures } = verifier();
  for (let count = 0; count < 100; count += 1) verify({ ...receipt });
  assert.equal(signatures(), receipt.certificate.signatures.length);
});

test("another signature, header, round or height than was verified is judged anew, as often as it comes", () => {
  const { verify } = verifier();
  verify(receipt);
  const header = receipt.header.map((byte, at) => (at === receipt.header.length - 1 ? byte ^ 1 : byte));
  const changed = [
    forged(receipt),
    { ...receipt, header },
    { ...receipt, height: receipt.height + 1 },
    { ...receipt, certificate: { ...receipt.certificate, round: receipt.certificate.round + 1 } },
    { ...receipt, certificate: { ...receipt.certificate, signatures: receipt.certificate.signatures.slice(0, 2) } },
  ];
  for (const each of [...changed, ...changed]) assert.throws(() => verify(each), WireError);
  verify(receipt);
});

test("a receipt of another chain proves nothing, though its members have signed it", () => {
  const { verify } = verifier();
  assert.equal(parseRecord(record!).claims.service, TRADING);
  assert.throws(() => verify({ ...receipt, chain: CONTRACTS }), new RegExp(`it is sealed on chain ${CONTRACTS}`));
});
