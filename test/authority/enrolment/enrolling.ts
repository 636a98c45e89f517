// An authority with approvers and codes, and applicants of it, for tests.

import type { TestContext } from "node:test";
import { fromHex, toHex } from "../../../src/wire/bytes.js";
import { type Applicant, type Enrolment, signApproval, signEnrolment } from "../../../src/wire/enrolment.js";
import { codeFromText, codeKey, codeProof } from "../../../src/wire/enrolment-code.js";
import { encodeKey, type Signer } from "../../../src/wire/key.js";
import { makeCode } from "../../../tools/authority/enrolment/codes.js";
import { anyNonce, type Enrolling } from "../../../tools/authority/enrolment/take.js";
import type { Code } from "../../../tools/authority/register/rows.js";
import { kidOf, NOW_S, newSigner, testAuthority } from "../authority.js";

export const applicant: Applicant = { name: "Werk Nord", contact: "anna@werk.example" };

export type EnrolmentWorld = Awaited<ReturnType<typeof enrolmentWorld>>;

export async function enrolmentWorld(t: TestContext) {
  const world = await testAuthority(t);
  const { register, authority, genesis } = world;
  const [left, right] = [newSigner(), newSigner()];
  for (const [name, signer] of Object.entries({ left, right })) {
    register.update(NOW_S, () => [{ type: "approver", approver: { name, key: toHex(encodeKey(signer.key)) } }]);
  }
  const clock = { now_s: NOW_S };
  const enrolling: Enrolling = {
    ...{ authority, register, services: [1, 3, 5], days: 100, isFresh: anyNonce },
    now_s: () => clock.now_s,
  };
  return {
    ...world,
    ...{ left, right, clock, enrolling },
    code: (more: Partial<Omit<Code, "name" | "key">> = {}) =>
      makeCode(
        register,
        { roles: ["supplier"], services: [], approvals: 1, expires_s: NOW_S + 1_000, ...more },
        clock.now_s,
      ),
    /** by the text of a code */
    enrolment: (text: string, signer: Signer, more: Partial<Omit<Enrolment, "key">> = {}) => {
      const code = codeFromText(text)!;
      const proof = codeProof(codeKey(code), genesis.hash, signer.key);
      const asked = { services: [], roles: ["supplier"] as const, applicant, code: code.name, proof };
      return signEnrolment({ ...asked, nonce: new Uint8Array(0), ...more }, genesis.hash, signer);
    },
    approval: (of: Signer, by: Signer, reason?: string) => {
      const { hash } = register.get("enrolments", kidOf(of))!;
      return signApproval({ enrolment: fromHex(hash)!, ...(reason !== undefined && { reason }) }, genesis.hash, by);
    },
  };
}
