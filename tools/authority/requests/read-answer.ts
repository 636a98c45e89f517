// The authority's answers as who has asked reads them: a file is a CBOR sequence of [key id / null, ID / null, credential / reason].

import { decodeCbor } from "../../../src/wire/cbor.js";
import { CREDENTIAL_BYTES_MAX } from "../../../src/wire/credential.js";
import { asArray, asBytes, asText } from "../../../src/wire/shape.js";
import { itemsOf } from "../../files/sequence.js";

const limits = { size: 2 * CREDENTIAL_BYTES_MAX, items: 64 };
const KID_BYTES = 8;
const REASON_MAX = 1_024;

/** What the authority says to one request. */
export interface ReadAnswer {
  /** id of the key that has asked; undefined where the request could not be read, as `id` is then */
  readonly kid: Uint8Array | undefined;
  readonly id: string | undefined;
  /** the credential, or why there is none */
  readonly outcome: Uint8Array | string;
}

/** The answers of a file, or of one enrolment. Throws a WireError that names the item which is none. */
export function* readAnswers(bytes: Uint8Array): Generator<ReadAnswer> {
  for (const item of itemsOf(bytes, limits)) yield readAnswer(item);
}

/** One answer. Throws a WireError where it is none. */
export function readAnswer(item: Uint8Array): ReadAnswer {
  const [kid, id, outcome] = asArray(decodeCbor(item, limits), "answer", 3);
  return {
    kid: kid === null ? undefined : asBytes(kid, "answer's key", KID_BYTES),
    id: id === null ? undefined : asText(id, "answer's ID"),
    outcome:
      typeof outcome === "string"
        ? asText(outcome, "answer's reason", REASON_MAX)
        : asBytes(outcome, "answer's credential"),
  };
}
