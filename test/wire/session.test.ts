import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { equalBytes } from "../../src/wire/bytes.js";
import { type Credential, issueCredential, issuerName } from "../../src/wire/credential.js";
import { WireError } from "../../src/wire/error.js";
import { keyId } from "../../src/wire/key.js";

import { audienceOf, SESSION_S_MAX, type SessionClaims, sessionToken } from "../../src/wire/session.js";
import { proofOfSession, readSessionToken, TOKEN_CHARACTERS_MAX } from "../../src/wire/session-proof.js";
import { nodeSessionToken } from "../../tools/crypto/node-token.js";
import { nodeVerify, signerFromSeed } from "../../tools/crypto/signatures.js";

const signerOf = (byte: number) => signerFromSeed(new Uint8Array(32).fill(byte));
const [authority, holder, other, node] = [1, 2, 3, 4].map(signerOf) as [
  ReturnType<typeof signerOf>,
  ReturnType<typeof signerOf>,
  ReturnType<typeof signerOf>,
  ReturnType<typeof signerOf>,
];
const nodeKey = (id: Uint8Array) => (equalBytes(id, keyId(node.key)) ? node.key : undefined);
const issuer = { network: "alpha", authority: authority.key, hash: new Uint8Array(32).fill(7), nodeKey };
const terms: Credential = {
  issuer: issuerName(issuer),
  subject: "meter-1",
  notBefore_s: 1_000,
  expires_s: 900_000,
  id: new Uint8Array(8),
  key: holder.key,
  statusIndex: 0,
  services: [1],
  roles: ["meter"],
};
const credential = issueCredential(terms, authority);
const claims: SessionClaims = {
  genesis: issuer.hash,
  audience: "broker.example:8883",
  issued_s: 2_000,
  expires_s: 2_300,
  random: new Uint8Array(8).fill(9),
};
const verify = (token: string) => {
  const session = readSessionToken(token);
  const { signed, ...proved } = proofOfSession(session, issuer);
  assert.ok(signed.length <= 3);
  if (!signed.every((each) => nodeVerify(...each))) throw new WireError("unproven", "a signature is not good");
  return { ...session.claims, ...proved };
};
const refuses = (token: string, code: string, sentence: RegExp) =>
  assert.throws(
    () => verify(token),
    (error) => error instanceof WireError && error.code === code && sentence.test(error.message),
  );

describe("a session token", () => {
  test("proves who holds the credential, for whom and when", () => {
    const { credential: proved, kid, ...rest } = verify(sessionToken(credential, claims, holder));
    assert.deepEqual(rest, claims);
    assert.deepEqual(kid, keyId(holder.key));
    assert.equal(proved?.subject, "meter-1");
  });

  test("of a node has no credential and is verified with the node's key", () => {
    const session = verify(nodeSessionToken(claims, node));
    assert.deepEqual(session.kid, keyId(node.key));
    assert.equal(session.credential, undefined);
    refuses(nodeSessionToken(claims, holder), "unproven", /names no node/);
    refuses(nodeSessionToken(claims, { key: node.key, sign: holder.sign }), "unproven", /not good/);
    refuses(sessionToken(new Uint8Array(0), claims, node), "shape", /either a credential or the id/);
    const [, second] = nodeSessionToken(claims, holder).split(".");
    const [first] = sessionToken(credential, claims, holder).split(".");
    refuses(`${first}.${second}`, "shape", /either a credential or the id/);
  });

  test("is refused with its reason where it is another's, of another network, or lasts too long", () => {
    refuses(sessionToken(credential, claims, other), "unproven", /not good/);
    refuses(
      sessionToken(issueCredential(terms, other), claims, holder),
      "unproven",
      /not good|not signed by the authority/,
    );
    const foreign = { ...claims, genesis: new Uint8Array(32) };
    refuses(sessionToken(credential, foreign, holder), "unproven", /another network/);
    for (const lasts_s of [0, SESSION_S_MAX + 1]) {
      const long = { ...claims, expires_s: claims.issued_s + lasts_s };
      refuses(sessionToken(credential, long, holder), "shape", /must last/);
    }
    refuses("x".repeat(TOKEN_CHARACTERS_MAX + 1), "limit", /longer/);
    refuses("none", "shape", /two parts/);
  });

  test("has one text: no padding, no other alphabet, no bits left over", () => {
    const token = sessionToken(credential, claims, holder);
    refuses(`${token}=`, "encoding", /base64url/);
    refuses(token.replace(".", "+."), "encoding", /base64url/);
    const last = token.at(-1)!;
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (const digit of alphabet)
      if (digit !== last) assert.throws(() => verify(token.slice(0, -1) + digit), WireError);
  });

  test("of any claims is read as it was made, and its text is what Node makes of the bytes", () => {
    const seconds = fc.integer({ min: 0, max: 2 ** 40 });
    const arbitrary = fc.record({
      genesis: fc.constant(issuer.hash),
      audience: fc.string({ minLength: 1, maxLength: 60 }),
      issued_s: seconds,
      lasts_s: fc.integer({ min: 1, max: SESSION_S_MAX }),
      random: fc.uint8Array({ minLength: 8, maxLength: 8 }),
    });
    fc.assert(
      fc.property(arbitrary, ({ lasts_s, ...rest }) => {
        const given = { ...rest, random: Uint8Array.from(rest.random), expires_s: rest.issued_s + lasts_s };
        const token = sessionToken(credential, given, holder);
        for (const part of token.split(".")) assert.equal(Buffer.from(part, "base64url").toString("base64url"), part);
        assert.equal(token.split(".")[0], Buffer.from(credential).toString("base64url"));
        const { credential: _, kid, ...read } = verify(token);
        assert.deepEqual(read, given);
      }),
      { numRuns: 60 },
    );
  });

  test("with characters changed is refused and never throws anything else", () => {
    const token = sessionToken(credential, claims, holder);
    const change = fc.tuple(fc.nat({ max: token.length - 1 }), fc.string({ minLength: 0, maxLength: 3 }));
    fc.assert(
      fc.property(change, ([at, text]) => {
        const changed = token.slice(0, at) + text + token.slice(at + 1);
        if (changed !== token) assert.throws(() => verify(changed), WireError);
      }),
      { numRuns: 300 },
    );
  });
});

test("the audience of a URL is its host and port", () => {
  assert.equal(audienceOf("mqtts://broker.example:8883"), "broker.example:8883");
  assert.equal(audienceOf("https://node.example/base"), "node.example");
});
