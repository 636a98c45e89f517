// How what readings hide is encrypted and how shares of its keys are sealed: a port of whoever keeps disclosures. A simulation has others,
// which follow from its seed.

import { randomBytes } from "node:crypto";
import { generateDayKey, sealDisclosures, splitKey } from "./day-key.js";
import { openWith, sealTo } from "./hpke.js";

export interface Ciphers {
  /** So many bytes that nobody can guess. */
  randomBytes(length: number): Uint8Array;
  readonly generateDayKey: typeof generateDayKey;
  readonly splitKey: typeof splitKey;
  readonly sealDisclosures: typeof sealDisclosures;
  readonly sealTo: typeof sealTo;
  readonly openWith: typeof openWith;
}

/** Those of a node. */
export const nodeCiphers: Ciphers = {
  ...{ generateDayKey, splitKey, sealDisclosures, sealTo, openWith },
  randomBytes: (length) => Uint8Array.from(randomBytes(length)),
};
