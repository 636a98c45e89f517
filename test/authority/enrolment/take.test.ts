// Enrolments at the authority: codes are used once and not guessed, approvers are as many as the code wants, and what was answered
// once is answered again.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { toHex } from "../../../src/wire/bytes.js";
import { parseCredential, verifyCredential } from "../../../src/wire/credential.js";
import { encodeKey, equalKeys, type Signer } from "../../../src/wire/key.js";
import { takeApproval, takeEnrolment } from "../../../tools/authority/enrolment/take.js";
import { auditRegister } from "../../../tools/authority/register/audit.js";
import { currentCredential } from "../../../tools/authority/register/rows.js";
import { nodeVerify } from "../../../tools/crypto/signatures.js";
import { kidOf, NOW_S, newSigner } from "../authority.js";
import { applicant, type EnrolmentWorld, enrolmentWorld } from "./enrolling.js";

const EIC = "10X1001A1001A450";
const told = (world: EnrolmentWorld, bytes: Uint8Array) => {
  const outcome = takeEnrolment(world.enrolling, bytes);
  if (outcome.type === "refused") return outcome.reason;
  return outcome.type === "waiting" ? `waits for ${outcome.missing}` : "granted";
};

test("a code without approvals grants by its rules: an ID, a participant of its organisation, and a credential", async (t) => {
  const world = await enrolmentWorld(t);
  const { text } = world.code({ approvals: 0, organisation: "works", services: [3], jurisdiction: "DE" });
  const signer = newSigner();
  const deliveryKey = new Uint8Array(32).fill(3);
  const bytes = world.enrolment(text, signer, { services: [3], jurisdiction: "DE", deliveryKey });
  const outcome = takeEnrolment(world.enrolling, bytes);
  assert.ok(outcome.type === "granted");
  const { subject, key, ...stated } = verifyCredential(outcome.credential, world.genesis, nodeVerify);
  assert.ok(equalKeys(key, signer.key));
  assert.match(subject, /^p-[0-9a-f]{10}$/);
  assert.equal(subject, outcome.id);
  assert.deepEqual([stated.roles, stated.services, stated.jurisdiction], [["supplier"], [3], "DE"]);
  assert.deepEqual(stated.deliveryKey, deliveryKey);
  const participant = world.register.get("participants", subject);
  assert.deepEqual(participant, { id: subject, organisation: "works", contact: applicant.contact });
  const head = world.register.head;
  assert.deepEqual(takeEnrolment(world.enrolling, bytes), outcome, "asked again, answered the same");
  assert.deepEqual(world.register.head, head);
  assert.deepEqual(auditRegister(world.register).problems, []);
});

test("one or two approvers grant, each once and none for itself, and the firm is registered by its code", async (t) => {
  const world = await enrolmentWorld(t);
  const signer = newSigner();
  const approve = (by: Signer, reason?: string) =>
    takeApproval(world.enrolling, kidOf(signer), world.approval(signer, by, reason));
  const bytes = world.enrolment(world.code({ approvals: 2 }).text, signer, { applicant: { ...applicant, eic: EIC } });
  assert.equal(told(world, bytes), "waits for 2");
  assert.equal(told(world, bytes), "waits for 2");
  assert.throws(() => approve(newSigner()), /is no approver's/);
  assert.deepEqual(approve(world.left), { type: "waiting", key: kidOf(signer), approvals: 1, missing: 1 });
  assert.throws(() => approve(world.left), /has granted it already/);
  world.register.update(NOW_S, () => [{ type: "stop-approver", key: kidOf(world.right), reason: "left the firm" }]);
  assert.throws(() => approve(world.right), /approver right is stopped: left the firm/);
  const key = toHex(encodeKey(world.right.key));
  world.register.update(NOW_S, () => [{ type: "approver", approver: { name: "right", key } }]);
  const outcome = approve(world.right);
  assert.ok(outcome.type === "granted");
  assert.equal(parseCredential(outcome.credential).subject, outcome.id);
  assert.equal(world.register.get("participants", outcome.id)?.organisation, EIC);
  assert.deepEqual(world.register.get("organisations", EIC), { id: EIC, ...applicant, eic: EIC });
  assert.throws(() => approve(world.right), /is granted already/);
  assert.deepEqual(auditRegister(world.register).problems, []);

  const second = newSigner();
  const joining = world.enrolment(world.code().text, second, { applicant: { ...applicant, eic: EIC } });
  assert.match(told(world, joining), /organisation 10X1001A1001A450 is registered: ask for a code of it/);
});

test("a refusal by an approver ends an enrolment, and its reason is told", async (t) => {
  const world = await enrolmentWorld(t);
  const signer = newSigner();
  const bytes = world.enrolment(world.code().text, signer);
  assert.equal(told(world, bytes), "waits for 1");
  const other = newSigner();
  assert.equal(told(world, world.enrolment(world.code().text, other)), "waits for 1");
  const wrong = world.approval(other, world.left);
  assert.throws(() => takeApproval(world.enrolling, kidOf(signer), wrong), /is for another enrolment/);
  const refused = takeApproval(world.enrolling, kidOf(signer), world.approval(signer, world.left, "no contract"));
  assert.deepEqual(refused, { type: "refused", key: kidOf(signer), reason: "no contract" });
  assert.equal(told(world, bytes), "no contract");
  assert.deepEqual(auditRegister(world.register).problems, []);
});

test("nobody grants the enrolment of the own key", async (t) => {
  const world = await enrolmentWorld(t);
  assert.equal(told(world, world.enrolment(world.code().text, world.left)), "waits for 1");
  const own = world.approval(world.left, world.left);
  assert.throws(() => takeApproval(world.enrolling, kidOf(world.left), own), /nobody approves/);
});

test("a code lets in one key, until its end, for what it allows", async (t) => {
  const world = await enrolmentWorld(t);
  const { text, name } = world.code({ approvals: 0, organisation: "works", jurisdiction: "DE" });
  const bytes = (more = {}) => world.enrolment(text, newSigner(), { jurisdiction: "DE", ...more });
  assert.match(told(world, bytes({ roles: ["supplier", "regulator"] })), /the code is for supplier, not regulator/);
  assert.match(told(world, bytes({ services: [3] })), /the code is for services none, not 3/);
  assert.match(told(world, bytes({ services: [77] })), /the network has no service 77/);
  assert.match(told(world, bytes({ jurisdiction: "AT" })), /jurisdiction DE, not AT/);
  assert.match(told(world, bytes({ applicant: { ...applicant, eic: EIC } })), /not the EIC of organisation works/);
  assert.match(told(world, bytes({ applicant: { ...applicant, gln: "4012345000001" } })), /is no GLN/);
  assert.match(told(world, world.enrolment(text, world.anna, { jurisdiction: "DE" })), /has a credential as anna/);
  world.clock.now_s = NOW_S + 1_000;
  assert.equal(told(world, bytes()), "the code's time is over");
  world.clock.now_s = NOW_S + 999;
  assert.equal(told(world, bytes()), "granted");
  assert.equal(told(world, bytes()), "the code has been used");
  assert.throws(
    () => world.register.update(NOW_S, () => [{ type: "end-code", code: name, reason: "late" }]),
    /has been used by key/,
  );
  const person = world.code({ approvals: 0 });
  const firm = world.enrolment(person.text, newSigner(), { applicant: { ...applicant, eic: EIC } });
  assert.match(told(world, firm), /nobody is to check that 10X1001A1001A450 is yours/);
  assert.equal(told(world, world.enrolment(person.text, newSigner())), "granted");
  const ended = world.code();
  world.register.update(NOW_S, () => [{ type: "end-code", code: ended.name, reason: "lost letter" }]);
  assert.equal(told(world, world.enrolment(ended.text, newSigner())), "the authority has ended the code");
  assert.deepEqual(auditRegister(world.register).problems, []);
});

test("guesses at a code tell nothing, leave nothing, and lock nobody out who has the code", async (t) => {
  const world = await enrolmentWorld(t);
  const { text, name } = world.code({ approvals: 0 });
  const guess = () => told(world, world.enrolment(text, newSigner(), { proof: new Uint8Array(32) }));
  const unknown = told(world, world.enrolment(text, newSigner(), { code: name === "0000" ? "0001" : "0000" }));
  const head = world.register.head.number;
  for (let count = 0; count < 20; count += 1) assert.equal(guess(), unknown);
  assert.equal(world.register.head.number, head, "who knows the name of a code makes the log no longer");
  assert.equal(told(world, world.enrolment(text, newSigner())), "granted");
  assert.deepEqual(auditRegister(world.register).problems, []);
});

test("a stale nonce, another network and bytes that are no enrolment are refused and leave nothing", async (t) => {
  const world = await enrolmentWorld(t);
  const { text } = world.code();
  const head = world.register.head;
  const bytes = world.enrolment(text, newSigner());
  const isFresh = () => false;
  const outcome = takeEnrolment({ ...world.enrolling, isFresh }, bytes);
  assert.ok(outcome.type === "refused" && /nonce is not one/.test(outcome.reason));
  const spoilt = Uint8Array.from(bytes);
  spoilt[spoilt.length - 1]! ^= 1;
  assert.match(told(world, spoilt), /not signed by the key that it names/);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (noise) => {
      assert.equal(takeEnrolment(world.enrolling, Uint8Array.from(noise)).type, "refused");
    }),
    { numRuns: 50 },
  );
  assert.deepEqual(world.register.head, head);
});

type Step =
  | { readonly type: "make"; readonly approvals: number }
  | { readonly type: "enrol" | "guess"; readonly code: number; readonly who: number }
  | { readonly type: "approve" | "refuse"; readonly who: number; readonly by: number }
  | { readonly type: "pass"; readonly seconds: number };

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    fc.record({ type: fc.constant("make" as const), approvals: fc.integer({ min: 0, max: 2 }) }),
    fc.record({
      type: fc.constantFrom("enrol" as const, "enrol" as const, "guess" as const),
      code: fc.nat({ max: 3 }),
      who: fc.nat({ max: 3 }),
    }),
    fc.record({
      type: fc.constantFrom("approve" as const, "approve" as const, "refuse" as const),
      who: fc.nat({ max: 3 }),
      by: fc.nat({ max: 2 }),
    }),
    fc.record({ type: fc.constant("pass" as const), seconds: fc.integer({ min: 1, max: 400 }) }),
  ),
  { minLength: 5, maxLength: 40 },
);

test("whatever comes in whatever order: a code makes one participant, who has as many approvals, and the audit agrees", async (t) => {
  const world = await enrolmentWorld(t);
  let granted = 0;
  await fc.assert(
    fc.asyncProperty(steps, async (rest) => {
      const all: readonly Step[] = [0, 1, 2].map((approvals): Step => ({ type: "make", approvals })).concat(rest);
      const codes: {
        readonly text: string;
        readonly name: string;
        readonly approvals: number;
        readonly end_s: number;
      }[] = [];
      const people = [newSigner(), newSigner(), newSigner(), newSigner()];
      const approvers = [world.left, world.right, newSigner()];
      const made = new Map<string, number>();
      for (const step of all) {
        if (step.type === "pass") world.clock.now_s += step.seconds;
        else if (step.type === "make") {
          const end_s = world.clock.now_s + 1_000;
          codes.push({
            ...world.code({ approvals: step.approvals, expires_s: end_s }),
            approvals: step.approvals,
            end_s,
          });
        } else if ("code" in step) {
          const code = codes[step.code];
          if (code === undefined) continue;
          const before = world.register.get("codes", code.name)!;
          const known = world.register.get("enrolments", kidOf(people[step.who]!));
          const spoilt = step.type === "guess" ? { proof: new Uint8Array(32) } : {};
          const outcome = takeEnrolment(world.enrolling, world.enrolment(code.text, people[step.who]!, spoilt));
          const after = world.register.get("codes", code.name)!;
          const isNew = known === undefined && outcome.type !== "refused";
          if (isNew) {
            assert.equal(before.used, undefined);
            assert.ok(world.clock.now_s < code.end_s && step.type === "enrol");
            assert.equal(after.used, kidOf(people[step.who]!));
            assert.equal(outcome.type, code.approvals === 0 ? "granted" : "waiting");
          } else {
            assert.equal(after.used, before.used);
          }
        } else {
          const who = people[step.who]!;
          if (world.register.get("enrolments", kidOf(who)) === undefined) continue;
          const word = world.approval(who, approvers[step.by]!, step.type === "refuse" ? "no" : undefined);
          try {
            takeApproval(world.enrolling, kidOf(who), word);
            assert.ok(step.by < 2, "a stranger's word does not count");
          } catch (error) {
            assert.match((error as { code?: string }).code ?? String(error), /REGISTER_REFUSED/);
          }
        }
      }
      for (const who of people) {
        const row = world.register.get("enrolments", kidOf(who));
        if (row?.state !== "granted") continue;
        granted += 1;
        const code = codes.find(({ name }) => name === row.code)!;
        assert.ok(new Set(row.approvals.map(({ by }) => by)).size >= code.approvals);
        assert.equal(currentCredential(world.register, row.id!)?.meter, kidOf(who));
        made.set(row.code, (made.get(row.code) ?? 0) + 1);
      }
      assert.ok([...made.values()].every((count) => count === 1));
    }),
    { numRuns: 60 },
  );
  assert.ok(granted > 0, `${granted} were granted`);
  assert.deepEqual(auditRegister(world.register).problems, []);
});
