// The sums over a group that a node has worked out on a grant, over its API. Whatever it answers is checked by who opens it.

import { AGGREGATE_BYTES_MAX } from "../../src/wire/aggregate.js";
import { decodeCbor } from "../../src/wire/cbor.js";
import { type SealedShare, sealedShareFrom } from "../../src/wire/envelope.js";
import { WireError } from "../../src/wire/error.js";
import { GridsealError } from "../errors.js";
import type { TokenFor } from "../files/holder-folder.js";
import { groupGrant, groupSums } from "../routes/group-grants.js";
import type { ValueOf } from "../routes/shape.js";
import { ask, baseOf, bytesOf, valueIn } from "./client.js";

export type StatedGroupGrant = ValueOf<typeof groupGrant>;

export type FoundSums =
  /** [enc, ciphertext] */
  | { readonly type: "sums"; readonly sealed: SealedShare }
  | { readonly type: "waiting"; readonly message: string }
  /** the node works for others first, or for other slots of the grant */
  | { readonly type: "busy"; readonly message: string }
  /** a meter of the group has had that day erased */
  | { readonly type: "withheld"; readonly message: string }
  /** they will not come of this node */
  | { readonly type: "refused"; readonly message: string };

export interface GroupGrantSource {
  readonly origin: string;
  /** Undefined where the node has no such grant of sums in force. Rejects with NODE_UNREACHABLE or NOT_ADMITTED. */
  grant(): Promise<StatedGroupGrant | undefined>;
  /** Of slots from seconds to seconds. Rejects as `grant` does. */
  sums(from: number, until: number): Promise<FoundSums>;
}

const SEALING_BYTES_MAX = 64;
/** Refusals that who asks tells apart. */
const kept = ["waiting", "busy", "withheld"] as const;
const sealedLimits = { size: AGGREGATE_BYTES_MAX + SEALING_BYTES_MAX, items: 4 };

export function openGroupGrantSource(
  url: string,
  of: { readonly service: number; readonly grant: string },
  tokenFor?: TokenFor,
): GroupGrantSource {
  const base = baseOf(url);
  const token = () => tokenFor?.(base);
  return {
    origin: base,
    async grant() {
      const asked = await ask(base, groupGrant, { parameters: of, token: token() });
      return asked.type === "answered" ? valueIn(base, groupGrant, asked.answer) : undefined;
    },
    async sums(from, until) {
      const asked = await ask(base, groupSums, { parameters: { ...of, from, until }, token: token() });
      if (asked.type === "refused") {
        const type = kept.find((code) => code === asked.code) ?? "refused";
        return { type, message: asked.message };
      }
      const bytes = await bytesOf(asked.answer, sealedLimits.size);
      try {
        return { type: "sums", sealed: sealedShareFrom(decodeCbor(bytes, sealedLimits), "sealed sums") };
      } catch (cause) {
        if (!(cause instanceof WireError)) throw cause;
        throw new GridsealError("NODE_UNREACHABLE", `${base} delivers no sums: ${cause.message}`, { cause });
      }
    },
  };
}
