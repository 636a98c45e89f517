// Files of requests: each gets its credential or the reason why not, the same when it is asked again, and a registrar who is stopped in
// the middle of a batch costs no more than what was answered.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeCbor } from "../../../src/wire/cbor.js";
import { verifyCredential } from "../../../src/wire/credential.js";
import { equalKeys, type Signer } from "../../../src/wire/key.js";
import { signRequest } from "../../../src/wire/request.js";
import { auditRegister } from "../../../tools/authority/register/audit.js";
import { currentCredential } from "../../../tools/authority/register/rows.js";
import { type Answer, answerRequests, encodeAnswer, splitRequests } from "../../../tools/authority/requests/answer.js";
import { nodeVerify } from "../../../tools/crypto/signatures.js";
import { testNetwork } from "../../wire/network.js";
import { kidOf, NOW_S, newSigner, testAuthority } from "../authority.js";

type World = Awaited<ReturnType<typeof testAuthority>>;

function answering({ authority, register }: World, now_s = NOW_S, isDry = false) {
  return { authority, register, terms: { services: [1, 3, 5], days: 100 }, now_s: () => now_s, isDry };
}

function answer(world: World, items: readonly Uint8Array[], now_s = NOW_S): readonly Answer[] {
  return [...answerRequests(answering(world, now_s), items)].flat();
}

const told = (answers: readonly Answer[]) =>
  answers.map((one) => `${one.line} ${one.id ?? ""} ${one.type === "refused" ? one.reason : one.type}`);

test("answers requests that a registrar endorses with credentials for their keys, and the same ones when asked again", async (t) => {
  const world = await testAuthority(t);
  const meters = [newSigner(), newSigner()];
  const items = meters.map((signer, place) => world.endorsed(world.request(`M${place}`, signer), world.fitter));
  const first = answer(world, items);
  assert.deepEqual(told(first), ["1 M0 issued", "2 M1 issued"]);
  for (const [place, one] of first.entries()) {
    assert.ok(one.type === "issued");
    const { subject, key, services, origin } = verifyCredential(one.credential, world.genesis, nodeVerify);
    assert.deepEqual([subject, services, origin], [`M${place}`, [1], { key: "device", lot: "L1" }]);
    assert.ok(equalKeys(key, meters[place]!.key));
    const [kid, id, credential] = decodeCbor(encodeAnswer(one)) as readonly unknown[];
    assert.deepEqual([Buffer.from(kid as Uint8Array).toString("hex"), id], [one.kid, one.id]);
    assert.deepEqual(credential, one.credential);
  }
  const head = world.register.head;
  const again = answer(world, items);
  assert.deepEqual(told(again), ["1 M0 known", "2 M1 known"]);
  assert.deepEqual(
    again.map((one) => one.type !== "refused" && one.credential),
    first.map((one) => one.type !== "refused" && one.credential),
  );
  assert.deepEqual(world.register.head, head);
  assert.deepEqual(world.register.get("registrars", "fitter")?.devices, 2);
  assert.equal(currentCredential(world.register, "M0")?.registrar, "fitter");
  assert.deepEqual(auditRegister(world.register).problems, []);
});

test("a dry run says what each request would get, one upon the other, and leaves the register as it was", async (t) => {
  const world = await testAuthority(t);
  const key = newSigner();
  const items = [1, 2].map(() => world.endorsed(world.request("M1", key), world.fitter));
  const before = world.register.head;
  assert.deepEqual(told([...answerRequests(answering(world, NOW_S, true), items)].flat()), [
    "1 M1 issued",
    "2 M1 known",
  ]);
  assert.deepEqual(world.register.head, before);
  assert.deepEqual(told(answer(world, items)), ["1 M1 issued", "2 M1 known"]);
});

test("refuses line by line what it cannot grant, and grants the others", async (t) => {
  const world = await testAuthority(t);
  const { request, endorsed, fitter, anna } = world;
  const elsewhere = testNetwork("beta");
  const spoilt = request("M1", newSigner());
  spoilt[spoilt.length - 1]! ^= 1;
  const cut = endorsed(request("M1", newSigner()), fitter);
  cut[cut.length - 1]! ^= 1;
  const foreign = signRequest(
    { id: "M4", services: [1], roles: ["meter"], nonce: new Uint8Array(0) },
    elsewhere.genesis.hash,
    newSigner(),
  );
  world.register.update(NOW_S, () => [
    { type: "device", device: { id: "known", lot: "L9" } },
    { type: "device", device: { id: "attested", lot: "L9", key: "00".repeat(8) } },
  ]);
  const items: readonly (readonly [Uint8Array, RegExp])[] = [
    [request("M1", newSigner()), /M1 is not registered, and no registrar answers for it/],
    [request("known", newSigner()), /^issued$/],
    [request("attested", newSigner()), /maker of attested attests key 0000000000000000/],
    [spoilt, /not signed by the key that it names/],
    [cut, /endorsement is not signed/],
    [endorsed(request("M2", newSigner()), newSigner()), /which endorses it, has no credential/],
    [endorsed(request("M2", newSigner()), anna), /anna is no registrar/],
    [endorsed(request("M2", newSigner(), { origin: { key: "device", lot: "L2" } }), fitter), /lot L1, not L2/],
    [endorsed(request("M2", newSigner(), { origin: { key: "device" } }), fitter), /lot L1, not of none/],
    [endorsed(request("M2", newSigner(), { services: [1, 3] }), fitter), /services 1, not 3/],
    [endorsed(request("M2", newSigner(), { services: [77] }), fitter), /no service 77/],
    [endorsed(request("../M2", newSigner()), fitter), /must be 1 to 64 of/],
    [endorsed(request("M3", newSigner()), fitter), /^issued$/],
    [endorsed(request("M3", newSigner()), fitter), /ID M3 has a credential since/],
    [foreign, /for another network/],
    [endorsed(request("M5", newSigner()), fitter), /^issued$/],
    [endorsed(request("M6", newSigner()), fitter), /^issued$/],
    [endorsed(request("M7", newSigner()), fitter), /has registered its 3 devices/],
  ];
  const answers = answer(
    world,
    items.map(([item]) => item),
  );
  for (const [place, [, expected]] of items.entries()) {
    const one = answers[place]!;
    assert.equal(one.line, place + 1);
    assert.match(one.type === "refused" ? one.reason : one.type, expected, `line ${place + 1}`);
  }
  assert.deepEqual(auditRegister(world.register).problems, []);
});

test("a participant is no meter by a registrar's word, and a registrar's time and credential end", async (t) => {
  const world = await testAuthority(t);
  const { request, endorsed, fitter } = world;
  const bert = request("bert", newSigner(), { roles: ["supplier"], services: [] });
  assert.match(
    told(answer(world, [endorsed(bert, fitter)])).join(),
    /there is no device or participant bert|devices alone/,
  );
  const late = endorsed(request("M1", newSigner()), fitter);
  assert.match(told(answer(world, [late], NOW_S + 1_000)).join(), /was to register devices until/);
  assert.match(told(answer(world, [late], NOW_S + 11 * 86_400)).join(), /credential of registrar fitter ended/);
  world.register.update(NOW_S, () => [{ type: "state", meter: kidOf(fitter), to: "revoked", reason: "order 1" }]);
  assert.match(told(answer(world, [late])).join(), /the credential of fitter, who endorses it, is revoked/);
});

test("a registrar who is stopped in the middle of a batch registers nothing more: a laptop costs what was answered", async (t) => {
  const world = await testAuthority(t);
  const limits = { lots: ["L1"], services: [1], devices_max: 10_000, until_s: NOW_S + 1_000 };
  world.register.update(NOW_S, () => [{ type: "registrar", id: "fitter", limits }]);
  const count = 1_100;
  const items = Array.from({ length: count }, (_, place) =>
    world.endorsed(world.request(`M${place}`, newSigner()), world.fitter),
  );
  const batch = answerRequests(answering(world), items);
  const before = batch.next().value as readonly Answer[];
  assert.ok(before.length < count && before.every(({ type }) => type === "issued"));
  world.register.update(NOW_S, () => [{ type: "stop", registrar: "fitter", reason: "laptop stolen" }]);
  const after = [...batch].flat();
  assert.equal(before.length + after.length, count);
  assert.ok(after.every((one) => one.type === "refused" && /fitter is stopped: laptop stolen/.test(one.reason)));
  // What was answered stays, and is named: these alone are to be looked after.
  const rows = [...world.register.rows("credentials")].filter(({ row }) => row.registrar === "fitter");
  assert.equal(rows.length, before.length);
  assert.ok(rows.every(({ row }) => world.register.get("devices", row.subject)?.lot === "L1"));
  assert.equal(told(answer(world, items.slice(0, 1))).join(), "1 M0 known");
  assert.deepEqual(auditRegister(world.register).problems, []);
});

test("a new key is certified by the word of the one before, also after the end of its credential, and only by that", async (t) => {
  const world = await testAuthority(t);
  const { anna, request, endorsed } = world;
  const asAnna = (signer: Signer) => request("anna", signer, { roles: ["supplier"], services: [] });
  const [second, third] = [newSigner(), newSigner()];
  const later = NOW_S + 400 * 86_400;
  assert.deepEqual(told(answer(world, [endorsed(asAnna(second), anna)], later)), ["1 anna renewed"]);
  assert.equal(currentCredential(world.register, "anna")?.meter, kidOf(second));
  assert.match(told(answer(world, [endorsed(asAnna(third), anna)], later)).join(), /is anna's no more/);
  const more = request("anna", third, { roles: ["supplier", "regulator"], services: [] });
  assert.match(told(answer(world, [endorsed(more, second)], later)).join(), /roles that the credential before has/);
  world.register.update(later, () => [{ type: "state", meter: kidOf(second), to: "suspended", reason: "order 1" }]);
  assert.match(told(answer(world, [endorsed(asAnna(third), second)], later)).join(), /is suspended: resume it first/);
  assert.deepEqual(auditRegister(world.register).problems, []);
});

test("a file of requests is cut into them as they were signed, and what is none is refused with its place", async (t) => {
  const world = await testAuthority(t);
  const items = [
    world.request("M1", newSigner()),
    world.endorsed(world.request("M2", newSigner()), world.fitter),
    world.request("M3", newSigner()),
  ];
  const whole = Uint8Array.from(Buffer.concat(items));
  assert.deepEqual(splitRequests(whole, "file"), items);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: items[2]!.length - 1 }), (cut) => {
      assert.throws(() => splitRequests(whole.subarray(0, whole.length - cut), "file"), {
        code: "FILE_INVALID",
        message: /file is no file of requests: item 3/,
      });
    }),
    { numRuns: 20 },
  );
  assert.throws(() => splitRequests(new Uint8Array(0), "file"), /file has no request/);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
      const [one] = answer(world, [bytes]);
      assert.equal(one?.type, "refused");
    }),
    { numRuns: 50 },
  );
});
