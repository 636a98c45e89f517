// What the authority makes of one request for a credential: issue, renew, answer what it issued before, or refuse with the reason.
// Pure over the register as it stands; its limits for registrars are rules of the register itself.

import { toHex } from "../../../src/wire/bytes.js";
import { type Credential, parseCredential } from "../../../src/wire/credential.js";
import { WireError } from "../../../src/wire/error.js";
import { decodeKey, keyId } from "../../../src/wire/key.js";
import {
  type CredentialRequest,
  type Endorsement,
  isEndorsement,
  readEndorsement,
  verifyEndorsement,
  verifyRequest,
} from "../../../src/wire/request.js";
import { nodeVerify } from "../../crypto/signatures.js";
import type { CredentialTerms, Kind } from "../issue.js";
import { type CredentialRow, credentialsOf, currentCredential, type RegisterView } from "../register/rows.js";

export type Judgement =
  | {
      readonly type: "issue";
      readonly request: CredentialRequest;
      readonly terms: CredentialTerms;
      readonly kind: Kind;
      readonly registrar?: string;
    }
  /** the key has this credential already */
  | { readonly type: "known"; readonly request: CredentialRequest; readonly row: CredentialRow }
  | { readonly type: "refused"; readonly request?: CredentialRequest; readonly reason: string };

export interface JudgingTerms {
  readonly genesisHash: Uint8Array;
  /** services that the network has */
  readonly services: readonly number[];
  /** validity of what is issued */
  readonly days: number;
}

/** Judges an item of a file of requests. Bad bytes are a refusal, never an exception. */
export function judgeRequest(view: RegisterView, item: Uint8Array, terms: JudgingTerms): Judgement {
  let request: CredentialRequest;
  let endorsement: Endorsement | undefined;
  try {
    if (isEndorsement(item)) endorsement = readEndorsement(item, terms.genesisHash);
    request = verifyRequest(endorsement?.request ?? item, terms.genesisHash, nodeVerify);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return { type: "refused", reason: error.message };
  }
  const own = credentialsOf(view, "keys", toHex(keyId(request.key))).filter(({ subject }) => subject === request.id);
  const row = own.findLast(({ state }) => state === "valid");
  if (row !== undefined) return { type: "known", request, row };
  const unknown = request.services.find((service) => !terms.services.includes(service));
  if (unknown !== undefined) return refuse(request, `the network has no service ${unknown}`);
  return endorsement === undefined
    ? judgeAlone(view, request, terms)
    : judgeEndorsed(view, request, { bytes: item, ...endorsement }, terms);
}

/** Nobody answers for it, so the register must know of whom or what it is. */
function judgeAlone(view: RegisterView, request: CredentialRequest, { days }: JudgingTerms): Judgement {
  const { id } = request;
  if (view.get("devices", id) === undefined && view.get("participants", id) === undefined) {
    return refuse(request, `${id} is not registered, and no registrar answers for it`);
  }
  return { type: "issue", request, terms: { ...statedIn(request), id, days }, kind: "first" };
}

function judgeEndorsed(
  view: RegisterView,
  request: CredentialRequest,
  endorsement: Endorsement & { readonly bytes: Uint8Array },
  { days }: JudgingTerms,
): Judgement {
  const kid = toHex(endorsement.kid);
  const by = credentialsOf(view, "keys", kid).at(-1);
  if (by === undefined) return refuse(request, `key ${kid}, which endorses it, has no credential`);
  try {
    verifyEndorsement(endorsement.bytes, decodeKey(Buffer.from(by.key, "hex")), nodeVerify);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return refuse(request, error.message);
  }
  const { id } = request;
  if (by.subject === id) return judgeRenewal(view, request, by, days);
  if (by.state !== "valid") return refuse(request, `the credential of ${by.subject}, who endorses it, is ${by.state}`);
  const terms = { ...statedIn(request), id, days };
  return { type: "issue", request, terms, kind: "first", registrar: by.subject };
}

/** The key before answers for the new one; what is certified stays as it was. */
function judgeRenewal(view: RegisterView, request: CredentialRequest, by: CredentialRow, days: number): Judgement {
  const { id } = request;
  const current = currentCredential(view, id);
  if (current?.meter !== by.meter) return refuse(request, `key ${by.meter}, which endorses it, is ${id}'s no more`);
  const before: Credential = parseCredential(Buffer.from(current.bytes, "base64url"));
  const { services, roles } = request;
  if (services.join() !== before.services.join() || roles.join() !== before.roles.join()) {
    return refuse(request, "a renewal asks for the services and roles that the credential before has");
  }
  const terms = { ...statedIn(before), ...deliveryIn(request), id, days };
  return { type: "issue", request, terms, kind: "renewal" };
}

function statedIn({ services, roles, jurisdiction, deliveryKey, origin }: Omit<CredentialTerms, "id" | "days">) {
  return {
    ...{ services, roles },
    ...(jurisdiction !== undefined && { jurisdiction }),
    ...(deliveryKey !== undefined && { deliveryKey }),
    ...(origin !== undefined && { origin }),
  };
}

/** A new key for deliveries may come with the new key. */
function deliveryIn({ deliveryKey }: CredentialRequest): Pick<CredentialTerms, "deliveryKey"> {
  return deliveryKey === undefined ? {} : { deliveryKey };
}

function refuse(request: CredentialRequest, reason: string): Judgement {
  return { type: "refused", request, reason };
}
