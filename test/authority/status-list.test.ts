// The Token Status List: the examples of its draft, and a list of all states, read by independent code.

import assert from "node:assert/strict";
import { createPublicKey, verify } from "node:crypto";
import { test } from "node:test";
import { inflateSync } from "node:zlib";
import { decode } from "cbor-x";
import fc from "fast-check";
import { encodeCbor } from "../../src/wire/cbor.js";
import { ED25519 } from "../../src/wire/key.js";
import type { CredentialState } from "../../tools/authority/register/rows.js";
import { packStatuses, signStatusList, statusListOf } from "../../tools/authority/status-list.js";
import { independentCbor } from "../wire/independent-cbor.js";
import { newSigner } from "./authority.js";

test("packs and compresses the two examples of the draft, section 4, and the CBOR of the first", () => {
  const one = [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1];
  const two = [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3];
  assert.equal(Buffer.from(packStatuses(one, 1)).toString("hex"), "b9a3");
  assert.equal(Buffer.from(packStatuses(two, 2)).toString("hex"), "c944f9");
  // The draft's own bytes, whose keys stand in another order than deterministic encoding has them.
  const given = decode(Buffer.from("a2646269747301636c73744a78dadbb918000217015d", "hex")) as object;
  assert.deepEqual(decode(Buffer.from(encodeCbor(statusListOf(one, 1)))), given);
  const second = statusListOf(two, 2).get("lst") as Uint8Array;
  assert.equal(Buffer.from(second).toString("base64url"), "eNo76fITAAPfAgc");
});

test("every state is found again at its index, in a CWT that is signed and typed as the draft has it", () => {
  const states = fc.array(fc.constantFrom<CredentialState>("valid", "renewed", "replaced", "suspended", "revoked"), {
    maxLength: 300,
  });
  const signer = newSigner();
  const x = signer.key.algorithm === ED25519 ? signer.key.x : assert.fail();
  const jwk = { kty: "OKP", crv: "Ed25519", x: Buffer.from(x).toString("base64url") };
  const key = createPublicKey({ key: jwk, format: "jwk" });
  const terms = {
    uri: "https://street.example/status",
    issued_s: 1_790_000_000,
    ttl_s: 3_600,
    expires_s: 1_790_086_400,
  };
  fc.assert(
    fc.property(states, (given) => {
      const bytes = signStatusList(given, terms, { signer });
      assert.equal(bytes[0], 0xd2);
      const [header, , payload, signature] = decode(Buffer.from(bytes.subarray(1))) as [
        Buffer,
        unknown,
        Buffer,
        Buffer,
      ];
      const structure = independentCbor(["Signature1", header, Buffer.alloc(0), payload]);
      assert.ok(verify(null, structure, key, signature));
      assert.equal(
        header.toString("hex"),
        `a20132${"10"}781a${Buffer.from("application/statuslist+cwt").toString("hex")}`,
      );
      const claims = decode(payload) as Readonly<Record<string, unknown>>;
      assert.deepEqual([claims[2], claims[4], claims[6], claims[65_534]], Object.values(reordered(terms)));
      const { bits, lst } = claims[65_533] as { readonly bits: number; readonly lst: Buffer };
      assert.equal(bits, 2);
      const packed = inflateSync(lst);
      const read = given.map((_, index) => (packed[index >> 2]! >> ((index % 4) * 2)) & 3);
      const meant = { valid: 0, renewed: 0, replaced: 1, revoked: 1, suspended: 2 } as const;
      assert.deepEqual(
        read,
        given.map((state) => meant[state]),
      );
    }),
    { numRuns: 30 },
  );
});

function reordered({ uri, expires_s, issued_s, ttl_s }: Parameters<typeof signStatusList>[1]) {
  return { uri, expires_s, issued_s, ttl_s };
}
