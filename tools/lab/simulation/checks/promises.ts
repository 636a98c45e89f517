// Records that correct nodes have answered for, by name: each must be sealed, unless who answered
// is removed or has lost its disk.

import { toHex } from "../../../../src/wire/bytes.js";
import type { Member } from "../../../../src/wire/genesis.js";
import type { AnyRecord } from "../../../../src/wire/operation.js";
import { numberKey } from "../../../node/store/keys.js";
import type { Membership } from "./membership.js";

export interface Promises {
  add(record: AnyRecord, node: string, label: string): void;
  /** The node has lost its disk, and what it alone had promised but for what it still holds. */
  release(label: string, holds: (key: string) => boolean): void;
  /** What members had promised that are none any more is nobody's. */
  releaseRemoved(service: number, before: readonly Member[]): void;
  /** The authority rules of the meter: whatever nodes promise, its records are its own to keep. */
  releaseMeter(meter: string): void;
  /** Those that are not sealed, and whose they are. */
  unkept(isSealed: (name: string) => boolean): string[];
}

export function createPromises(membership: Membership): Promises {
  const promised = new Map<string, { readonly node: string; readonly label: string; readonly key: string }>();
  const ruled = new Set<string>();
  const isNow = (service: number, node: string) => membership.current(service).some(({ id }) => toHex(id) === node);
  return {
    add(record, node, label) {
      // A member that was removed has no say, and its records are its meters' to offer to another
      // one.
      if (!isNow(record.claims.service, node)) return;
      if (ruled.has(toHex(record.kid))) return;
      const { service, seq } = record.claims;
      const key = numberKey(service, record.kid, seq).toString("hex");
      promised.set(`${service}/${toHex(record.kid)}/${seq}`, { node, label, key });
    },
    release(label, holds) {
      for (const [name, promise] of promised) {
        if (promise.label === label && !holds(promise.key)) promised.delete(name);
      }
    },
    releaseRemoved(service, before) {
      if (membership.current(service) === before) return;
      for (const [name, { node }] of promised) {
        if (name.startsWith(`${service}/`) && !isNow(service, node)) promised.delete(name);
      }
    },
    releaseMeter(meter) {
      ruled.add(meter);
      for (const name of promised.keys()) if (name.split("/")[1] === meter) promised.delete(name);
    },
    unkept: (isSealed) =>
      [...promised].filter(([name]) => !isSealed(name)).map(([name, { label }]) => `${name} promised by ${label}`),
  };
}
