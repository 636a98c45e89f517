// Part of I7: a sealed record is of a kind that its signer may sign, by the first credential of the key that its chain has sealed.

import { decodeBlock } from "../../../../src/wire/block.js";
import { toHex } from "../../../../src/wire/bytes.js";
import { isDevice, parseCredential } from "../../../../src/wire/credential.js";
import { keyId } from "../../../../src/wire/key.js";
import { noticesOf } from "../../../../src/wire/notice.js";
import { isOperation, parseAnyRecord } from "../../../../src/wire/operation.js";
import type { Fail } from "./violation.js";

export interface KindChecks {
  /** A block is durable on a correct node. */
  onBlock(chain: number, height: number, bytes: Uint8Array): void;
}

export function createKindChecks(fail: Fail): KindChecks {
  const heights = new Map<number, number>();
  /** whether the credential is a device's, by chain and key; one that prolongs it says the same roles */
  const devices = new Map<string, boolean>();

  const note = (chain: number, bytes: Uint8Array) => {
    const credential = parseCredential(bytes);
    const name = `${chain}/${toHex(keyId(credential.key))}`;
    if (!devices.has(name)) devices.set(name, isDevice(credential));
  };

  return {
    onBlock(chain, height, bytes) {
      if (height !== (heights.get(chain) ?? 0) + 1) return; // the others have it already
      heights.set(chain, height);
      for (const { notices, records } of decodeBlock(bytes).batches) {
        for (const credential of noticesOf(notices, "credential")) note(chain, credential);
        for (const record of records.map((each) => parseAnyRecord(each))) {
          const name = `${chain}/${toHex(record.kid)}`;
          if (devices.get(name) !== isOperation(record)) continue;
          fail(
            "I7 a sealed record is of its signer's kind",
            `${name}/${record.claims.seq} in block ${chain}/${height}`,
          );
        }
      }
    },
  };
}
