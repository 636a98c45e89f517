// Who certifies a meter's request while it is being provisioned: the authority whose register is at hand, or one elsewhere, to which
// requests go as files and from which a file of answers comes. A registrar answers for the requests where there is one.

import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { toHex } from "../../../src/wire/bytes.js";
import { parseCredential } from "../../../src/wire/credential.js";
import { WireError } from "../../../src/wire/error.js";
import { keyId, type Signer } from "../../../src/wire/key.js";
import { isEndorsement, readEndorsement, readRequest, signEndorsement } from "../../../src/wire/request.js";
import { type Answering, answerRequests } from "../../authority/requests/answer.js";
import { readAnswers } from "../../authority/requests/read-answer.js";
import { createFile } from "../../files/made-once.js";
import type { Effect, Input } from "./step.js";

type Certify = Effect & { readonly kind: "certify" };
type Certified = Input & { readonly kind: "certified" | "waits" | "refused" };

export interface Certifier {
  certify(asked: Certify): Promise<Certified>;
}

interface Registrar {
  readonly genesisHash: Uint8Array;
  /** answers for the requests; nobody does where absent */
  readonly signer?: Signer | undefined;
}

/** Asks the register at hand: the same request, or another one of the same key and ID, gets the same credential. */
export function registerCertifier(answering: Answering, registrar: Registrar): Certifier {
  return {
    async certify({ request }) {
      for (const [answer] of answerRequests(answering, [endorsed(request, registrar)])) {
        if (answer?.type === "refused") return refused(answer.reason);
        if (answer !== undefined) return { kind: "certified", credential: answer.credential };
      }
      return refused("the register gave no answer");
    },
  };
}

/** Puts requests into the bench's folder, in place of ones that asked for something else, and finds credentials in the bytes of a file of answers. */
export function postedCertifier(folder: string, answers: Uint8Array | undefined, registrar: Registrar): Certifier {
  const outcomes = outcomesIn(answers ?? new Uint8Array(0));
  return {
    async certify({ mac, id, request }) {
      const { key } = readRequest(request, registrar.genesisHash);
      const outcome = outcomes.get(toHex(keyId(key)));
      if (typeof outcome === "string") return refused(outcome);
      if (outcome !== undefined) {
        const { subject } = parseCredential(outcome);
        if (subject !== id) return refused(`the answer is for ${subject}, and this meter is ${id}`);
        return { kind: "certified", credential: outcome };
      }
      const path = join(folder, `${mac}.request`);
      const bytes = endorsed(request, registrar);
      if (existsSync(path)) {
        const before = askedIn(Uint8Array.from(await readFile(path)), registrar.genesisHash);
        if (isDeepStrictEqual(before, askedIn(bytes, registrar.genesisHash))) return { kind: "waits", text: path };
        await rm(path);
      }
      await createFile(path, bytes);
      return { kind: "waits", text: path };
    },
  };
}

function endorsed(request: Uint8Array, { genesisHash, signer }: Registrar): Uint8Array {
  return signer === undefined ? request : signEndorsement(request, genesisHash, signer);
}

/** What is asked for in whose name, but for the nonce, which is another one each time; undefined where the bytes are no request. */
function askedIn(bytes: Uint8Array, genesisHash: Uint8Array): unknown {
  try {
    const endorsement = isEndorsement(bytes) ? readEndorsement(bytes, genesisHash) : undefined;
    const { nonce: _, ...asked } = readRequest(endorsement?.request ?? bytes, genesisHash);
    return { ...asked, by: endorsement && toHex(endorsement.kid) };
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

function refused(reason: string): Certified {
  return { kind: "refused", code: "REQUESTS_REFUSED", reason: `the authority refuses: ${reason}` };
}

/** Credentials, or the reasons for none, by key id. */
function outcomesIn(bytes: Uint8Array): ReadonlyMap<string, Uint8Array | string> {
  const outcomes = new Map<string, Uint8Array | string>();
  for (const { kid, outcome } of readAnswers(bytes)) if (kid !== undefined) outcomes.set(toHex(kid), outcome);
  return outcomes;
}
