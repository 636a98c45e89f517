// What the authority makes of an enrolment: a new one, one that is known, or refused with the reason. Pure over the
// register as it stands. Who has not the code learns nothing of it, not even whether there is one.

import { fromHex, toHex } from "../../../src/wire/bytes.js";
import { type Enrolment, verifyEnrolment } from "../../../src/wire/enrolment.js";
import { isCodeProof } from "../../../src/wire/enrolment-code.js";
import { WireError } from "../../../src/wire/error.js";
import { keyId } from "../../../src/wire/key.js";
import { sha256 } from "../../crypto/hash.js";
import { isSafeKey } from "../../crypto/safe-key.js";
import { nodeVerify } from "../../crypto/signatures.js";
import type { Asked, EnrolmentRow, RegisterView } from "../register/rows.js";

export type EnrolmentJudgement =
  | { readonly type: "new"; readonly key: string; readonly asked: Asked }
  | { readonly type: "known"; readonly key: string; readonly row: EnrolmentRow }
  | { readonly type: "refused"; readonly reason: string };

export interface EnrolmentTerms {
  readonly genesisHash: Uint8Array;
  /** services that the network has */
  readonly services: readonly number[];
  /** whether it was made now, where it must be */
  isFresh(nonce: Uint8Array): boolean;
}

const NOT_THE_CODE = "there is no such code";

/** Judges an enrolment as it was sent. Bad bytes are a refusal, never an exception. */
export function judgeEnrolment(view: RegisterView, bytes: Uint8Array, terms: EnrolmentTerms): EnrolmentJudgement {
  const { genesisHash, services, isFresh } = terms;
  let enrolment: Enrolment;
  try {
    enrolment = verifyEnrolment(bytes, genesisHash, nodeVerify);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return refuse(error.message);
  }
  if (!isFresh(enrolment.nonce)) return refuse("the nonce is not one that was given a few minutes ago");
  const key = toHex(keyId(enrolment.key));
  const row = view.get("enrolments", key);
  if (row !== undefined) return { type: "known", key, row };
  const code = view.get("codes", enrolment.code);
  if (code === undefined) return refuse(NOT_THE_CODE);
  const proved = { genesisHash, key: enrolment.key };
  if (!isCodeProof(enrolment.proof, fromHex(code.key)!, proved)) return refuse(NOT_THE_CODE);
  if (!isSafeKey(enrolment.key)) return refuse("the key is not one that all verifiers judge alike: make another");
  const unknown = enrolment.services.find((service) => !services.includes(service));
  if (unknown !== undefined) return refuse(`the network has no service ${unknown}`);
  return { type: "new", key, asked: askedBy(enrolment, genesisHash, bytes) };
}

function askedBy(enrolment: Enrolment, genesisHash: Uint8Array, bytes: Uint8Array): Asked {
  const { code, applicant, roles, services, jurisdiction } = enrolment;
  return {
    code,
    ...applicant,
    ...{ roles, services },
    ...(jurisdiction !== undefined && { jurisdiction }),
    genesis: toHex(genesisHash),
    hash: toHex(sha256(bytes)),
    message: Buffer.from(bytes).toString("base64url"),
  };
}

function refuse(reason: string): EnrolmentJudgement {
  return { type: "refused", reason };
}
